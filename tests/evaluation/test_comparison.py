from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from medaug.errors import DataError
from medaug.evaluation.comparison import COMPARISON_COLUMNS, compare_methods
from medaug.evaluation.metrics_table import compute_metrics, write_table
from medaug.evaluation.settings import EvaluationSettings

SETTINGS = EvaluationSettings(metrics=["auc", "fnr"], replicates=200)
KEYS = ["split", "domain", "metric", "label", "attribute", "group"]


@pytest.fixture
def two_methods(predictions: Callable[..., pd.DataFrame]) -> pd.DataFrame:
    first = predictions(200)
    better = first.assign(method="synthetic")
    for name in ("c0", "c1"):
        better[f"score:{name}"] = 0.7 * first[f"score:{name}"] + 0.3 * first[f"label:{name}"].fillna(0)
    return pd.concat([first, better])


def test_differences_are_those_of_the_metrics(two_methods: pd.DataFrame) -> None:
    result = compare_methods(two_methods, "real", SETTINGS)
    assert list(result.columns) == list(COMPARISON_COLUMNS)
    values = compute_metrics(two_methods, SETTINGS).query("~metric.str.endswith('_worst')")
    by_method = {m: v.set_index(KEYS)["value"] for m, v in values.groupby("method")}
    expected = (by_method["synthetic"] - by_method["real"]).dropna()
    found = result.query("~metric.str.endswith('_worst')").set_index(KEYS)["difference"]
    pd.testing.assert_series_equal(
        found.sort_index(), expected.sort_index(), check_names=False, check_exact=False, atol=1e-12
    )


def test_pairing_makes_the_interval_narrow(two_methods: pd.DataFrame) -> None:
    row = compare_methods(two_methods, "real", SETTINGS).query(
        "metric == 'auc' and label == '' and attribute == ''"
    )
    own = compute_metrics(two_methods, SETTINGS).query("metric == 'auc' and label == '' and attribute == ''")
    width = float((row["ci_high"] - row["ci_low"]).iloc[0])
    assert float(row["ci_low"].iloc[0]) > 0
    assert width < float((own["ci_high"] - own["ci_low"]).max())


def test_equal_methods_do_not_differ(predictions: Callable[..., pd.DataFrame]) -> None:
    same = pd.concat([predictions(100), predictions(100).assign(method="again")])
    result = compare_methods(same, "real", SETTINGS)
    assert not result.empty
    assert (result["difference"] == 0).all()
    assert (result[["ci_low", "ci_high"]].dropna() == 0).all(axis=None)


def test_seeds_are_averaged(two_methods: pd.DataFrame) -> None:
    swapped = two_methods.assign(
        seed=1, method=two_methods["method"].map({"real": "synthetic", "synthetic": "real"})
    )
    result = compare_methods(pd.concat([two_methods, swapped]), "real", SETTINGS)
    assert np.allclose(result["difference"], 0, atol=1e-12)


def test_written_table_comes_back(two_methods: pd.DataFrame, tmp_path: Path) -> None:
    result = compare_methods(two_methods, "real", SETTINGS)
    write_table(result, tmp_path / "comparison.csv")
    read = pd.read_csv(
        tmp_path / "comparison.csv",
        keep_default_na=False,
        na_values=dict.fromkeys(("ci_low", "ci_high", "p_value", "p_holm"), ""),
    )
    pd.testing.assert_frame_equal(read, result, check_dtype=False, rtol=1e-11)


def test_the_baseline_must_be_there(two_methods: pd.DataFrame) -> None:
    with pytest.raises(DataError, match=r"no baseline 'other' among the methods; there are: real, synthetic"):
        compare_methods(two_methods, "other", SETTINGS)
    with pytest.raises(DataError, match="nothing to compare with 'real': it is the only method"):
        compare_methods(two_methods[two_methods["method"] == "real"], "real", SETTINGS)


def test_methods_are_compared_on_shared_seeds_only(two_methods: pd.DataFrame) -> None:
    other_seed = two_methods.assign(seed=np.where(two_methods["method"] == "real", 0, 1))
    with pytest.raises(DataError, match=r"share none; they have: 'real' 0; 'synthetic' 1"):
        compare_methods(other_seed, "real", SETTINGS)
    more = pd.concat([two_methods.assign(seed=0), other_seed[other_seed["seed"] == 1]])
    alone = compare_methods(two_methods, "real", SETTINGS)
    pd.testing.assert_frame_equal(compare_methods(more, "real", SETTINGS), alone)


def test_three_trainings_carry_both_variations(two_methods: pd.DataFrame) -> None:
    generator = np.random.default_rng(0)
    runs = []
    for seed in range(3):
        noise = generator.normal(0, 0.05, len(two_methods))
        scores = (two_methods["score:c0"] + noise).clip(0, 1)
        runs.append(two_methods.assign(seed=seed, **{"score:c0": scores}))
    table = pd.concat(runs)
    asked = "metric == 'auc' and label == 'c0' and attribute == ''"
    row = compare_methods(table, "real", SETTINGS).query(asked).iloc[0]
    values = compute_metrics(table, SETTINGS).query(asked)
    own, other = (values.loc[values["method"] == m, "value"].to_numpy() for m in ("synthetic", "real"))
    assert row["difference"] == pytest.approx(own.mean() - other.mean())
    over_trainings = (own.var(ddof=1) + other.var(ddof=1)) / 3
    assert row["standard_error"] ** 2 > over_trainings
    assert row["ci_high"] - row["ci_low"] == pytest.approx(2 * stats.t(4).ppf(0.975) * row["standard_error"])
    assert (row["trainings"], row["about"], row["verdict"]) == (3, "methods", "better")


def test_one_training_each_gives_no_verdict(two_methods: pd.DataFrame) -> None:
    result = compare_methods(two_methods, "real", SETTINGS)
    assert set(result["about"]) == {"trained models"}
    assert set(result["verdict"]) == {"not known"}
    assert (result["ci_low"] > 0).any()
