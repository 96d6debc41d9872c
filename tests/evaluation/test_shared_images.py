import pandas as pd
import pytest

from medaug.errors import DataError
from medaug.evaluation.comparison import compare_methods
from medaug.evaluation.results import evaluate
from medaug.evaluation.settings import EvaluationSettings
from medaug.evaluation.shared_images import on_shared_seeds

QUICK = EvaluationSettings(replicates=0, permutations=0, metrics=["auc"], intersections=[])


@pytest.fixture
def two_methods(predictions) -> pd.DataFrame:
    return pd.concat([predictions(100), predictions(100).assign(method="other")], ignore_index=True)


def test_methods_are_compared_on_the_images_that_all_have(two_methods: pd.DataFrame) -> None:
    """Leaving out the images that a method gets wrong does not help it."""
    wrong = (two_methods["score:c0"] >= 0.5) != (two_methods["label:c0"] == 1)
    fewer = two_methods[~(wrong & (two_methods["method"] == "other"))]
    results = evaluate(fewer, QUICK, baseline="real")
    assert (results.comparison["difference"] == 0).all()
    pd.testing.assert_frame_equal(compare_methods(fewer, "real", QUICK), results.comparison)
    kept = (fewer["method"] == "other").sum()
    lost = 100 - kept
    assert results.notes == (
        f"Methods are compared on the images that all have: {lost} of 100 images of 'real' are left out.",
    )
    overall = results.metrics.query("metric == 'auc' and label == 'c0' and attribute == ''")
    assert overall["n"].nunique() == 1


def test_what_cannot_be_compared_is_refused(two_methods: pd.DataFrame) -> None:
    other = two_methods["method"] == "other"
    apart = two_methods.assign(image_id=two_methods["image_id"].where(~other, two_methods["image_id"] + "x"))
    with pytest.raises(DataError, match=r"no image in common \(column image_id\)"):
        evaluate(apart, QUICK, baseline="real")
    flipped = two_methods.copy()
    flipped.loc[other.idxmax(), "label:c0"] = 1 - flipped["label:c0"].fillna(0)[other.idxmax()]
    with pytest.raises(DataError, match=r"column label:c0 says something else .* \(1 images\)"):
        evaluate(flipped, QUICK, baseline="real")
    with pytest.raises(DataError, match=r"no baseline 'Plain' among the methods; there are: other, real"):
        evaluate(two_methods, QUICK, baseline="Plain")


def test_a_baseline_of_another_seed_is_not_swapped(two_methods: pd.DataFrame) -> None:
    seeds = two_methods.assign(seed=(two_methods["method"] == "other").astype(int))
    with pytest.raises(DataError, match=r"share none; they have: 'other' 1; 'real' 0"):
        evaluate(seeds, QUICK, baseline="real")


def test_unequal_seeds_give_one_difference_in_all_tables(two_methods: pd.DataFrame) -> None:
    second = two_methods[two_methods["method"] == "other"].assign(seed=1)
    second["score:c0"] = 1 - second["score:c0"]
    table = pd.concat([two_methods.assign(seed=0), second])
    results = evaluate(table, QUICK, baseline="real")
    asked = "method == 'other' and metric == 'auc' and label == 'c0' and attribute == ''"
    assert results.comparison.query(asked)["difference"].item() == 0
    assert results.improvement.query(asked)["improvement"].item() == 0
    assert results.notes[0] == (
        "Methods have different seeds ('other' 0, 1; 'real' 0): all are measured on 0 only."
    )
    assert compare_methods(table, "real", QUICK)["difference"].eq(0).all()


def test_equal_seeds_are_all_kept(two_methods: pd.DataFrame) -> None:
    table = two_methods.assign(seed=0)
    kept, notes = on_shared_seeds(table)
    assert kept is table
    assert notes == []
