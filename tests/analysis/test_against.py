import numpy as np
import pandas as pd
import pytest

from medaug.analysis.against import against_settings, labels_for_the_same
from medaug.errors import DataError


def row(method: str, seed: int, budget: int, value: float, **more: object) -> dict[str, object]:
    usual = {"split": "id_test", "domain": "A", "metric": "auc", "label": "", "attribute": "", "group": ""}
    of_run = {"method": method, "seed": seed, "label_budget": budget, "value": value, "estimable": True}
    return usual | of_run | more


METRICS = pd.DataFrame(
    [
        *(
            row("real", seed, budget, 0.5 + 0.1 * np.log10(budget) + 0.01 * seed)
            for budget in (1, 10, 100, 1000)
            for seed in (0, 1)
        ),
        *(
            row("label", seed, budget, value + 0.01 * seed)
            for budget, value in ((1, 0.72), (10, 0.45))
            for seed in (0, 1)
        ),
        row("label", 0, 1, 0.9, attribute="sex", group="F"),
        row("label", 0, 1, 0.1, attribute="sex", metric="auc_gap"),
        row("label", 1, 1, np.nan, attribute="sex", metric="auc_gap", estimable=False),
    ]
)


def test_means_over_the_trainings_with_the_same_settings() -> None:
    table = against_settings(METRICS, ["label_budget"])
    found = table[(table["method"] == "real") & (table["label_budget"] == 100)].iloc[0]
    assert found["value"] == pytest.approx(0.705)
    assert found["sd"] == pytest.approx(np.std([0.7, 0.71], ddof=1))
    assert found["seeds"] == 2
    gap = table[table["metric"] == "auc_gap"].iloc[0]
    assert (gap["value"], gap["seeds"]) == (0.1, 1)
    assert np.isnan(gap["sd"])
    assert len(table) == 7


def test_how_many_labels_the_baseline_needs_for_the_same() -> None:
    table = against_settings(METRICS, ["label_budget"])
    table = labels_for_the_same(table[table["metric"] == "auc"], "real")
    assert table["label_budget"].tolist() == [1, 10]
    assert table["baseline_budget"].tolist()[0] == 100
    assert table["times"].tolist()[0] == 100
    assert table["times"].isna().tolist() == [False, True]


def test_what_is_wrong_is_said() -> None:
    with pytest.raises(DataError, match="no column 'equality_level'"):
        against_settings(METRICS, ["equality_level"])
    with pytest.raises(DataError, match="method 'real', seed 0, is there more than once"):
        against_settings(pd.concat([METRICS, METRICS.iloc[:1]]), ["label_budget"])
