import numpy as np
import pandas as pd
import pytest

from medaug.analysis.missed import missed_cases, missed_table, overlap_table
from medaug.errors import DataError
from medaug.evaluation.settings import EvaluationSettings


def run(method: str, seed: int, scores: list[float], **more: object) -> pd.DataFrame:
    """Six images, three with the condition (and one unknown), of three patients."""
    table = {
        "image_id": list("abcdef"),
        "patient_id": ["p", "p", "q", "q", "r", "r"],
        "split": "id_test",
        "label:edema": [1, 1, 1, 0, 0, np.nan],
        "score:edema": scores,
        "attr:sex": ["F", "F", "M", "M", None, "M"],
    }
    return pd.DataFrame(table | {"method": method, "seed": seed} | more)


RUNS = [
    run("label", 0, [0.1, 0.1, 0.9, 0.9, 0.1, 0.1]),  # misses a, b
    run("label", 1, [0.1, 0.9, 0.9, 0.1, 0.1, 0.1]),  # misses a
    run("real", 0, [0.1, 0.1, 0.1, 0.1, 0.1, 0.1]),  # misses a, b, c
    run("real", 1, [0.1, 0.9, 0.1, 0.1, 0.1, 0.1]),  # misses a, c
    run("real", 2, [0.9, 0.9, 0.9, 0.1, 0.1, 0.1]),  # misses none, but is one training too many
]


def test_cases_are_those_with_the_condition_and_missed_by_every_training() -> None:
    cases = missed_cases(pd.concat(RUNS))
    assert cases.trainings == 2
    assert list(cases.table["image_id"]) == ["a", "b", "c"]
    assert cases.counts["label"].tolist() == [2, 1, 0]
    assert cases.counts["real"].tolist() == [2, 1, 2]

    table = missed_table(cases).set_index(["group", "method"])
    assert table["missed"].to_dict() == {
        ("", "label"): 1,
        ("", "real"): 2,
        ("F", "label"): 1,
        ("F", "real"): 1,
        ("M", "label"): 0,
        ("M", "real"): 1,
    }
    assert table.loc[("", "real"), ["n", "patients", "trainings"]].tolist() == [3, 2, 2]
    assert table.loc[("", "real"), "by_chance"] == pytest.approx(3 * (5 / 6) ** 2)
    overlaps = overlap_table(cases)
    overall = overlaps[overlaps["group"] == ""].set_index("methods")["missed"].to_dict()
    assert overall == {"label; real": 1, "real": 1, "": 1}


def test_names_of_methods_may_be_those_of_columns_and_rows_in_any_order() -> None:
    table = pd.concat(RUNS, ignore_index=True).replace({"method": {"real": "split"}})
    shuffled = table.sample(frac=1, random_state=0)
    pd.testing.assert_frame_equal(missed_table(missed_cases(table)), missed_table(missed_cases(shuffled)))


def test_images_that_a_training_lacks_are_left_out_and_none_left_is_an_error() -> None:
    some = pd.concat([RUNS[0], RUNS[2].iloc[1:]])
    assert list(missed_cases(some).table["image_id"]) == ["b", "c"]
    with pytest.raises(DataError, match="no image with a known condition"):
        missed_cases(pd.concat([RUNS[0].iloc[:1], RUNS[2].iloc[1:]]))
    elsewhere = pd.concat([RUNS[0], RUNS[2].assign(split="ood_test")])
    with pytest.raises(DataError, match="no image with a known condition"):
        missed_cases(elsewhere)


def test_of_classes_that_exclude_one_another_those_of_high_risk_count() -> None:
    truth, decided = np.array([0, 1, 2, 2, 1]), np.array([1, 1, 2, 0, 2])
    table = pd.DataFrame({"image_id": [f"i{n}" for n in range(5)], "split": "ood_test"})
    for number, name in enumerate(["acne", "melanoma", "urticaria"]):
        table[f"label:{name}"] = (truth == number).astype(float)
        table[f"score:{name}"] = np.where(decided == number, 0.8, 0.1)
    settings = EvaluationSettings(kind="multiclass", high_risk=["melanoma", "urticaria"])
    cases = missed_cases(table, settings)
    assert dict(zip(cases.table["image_id"], cases.counts["model"], strict=True)) == {
        "i1": 0,
        "i2": 0,
        "i3": 1,
        "i4": 1,
    }
    counts = missed_table(cases).set_index("label")
    assert counts["n"].to_dict() == {"": 4, "melanoma": 2, "urticaria": 2}
    assert counts["missed"].to_dict() == {"": 2, "melanoma": 1, "urticaria": 1}
    assert len(missed_cases(table, EvaluationSettings(kind="multiclass")).table) == 5


def test_only_the_splits_that_are_asked_for() -> None:
    both = pd.concat([RUNS[0], RUNS[0].assign(split="ood_test", image_id=list("ghijkl"), patient_id="s")])
    assert set(missed_cases(both).table["split"]) == {"id_test", "ood_test"}
    chosen = missed_cases(both, EvaluationSettings(splits=["ood_test"]))
    assert set(chosen.table["split"]) == {"ood_test"}
