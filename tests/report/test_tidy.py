import pandas as pd
import pytest

from medaug.report import tidy


def test_seeds_are_joined_to_mean_and_widest_interval():
    row = {"method": "m", "split": "id_test", "domain": "all", "metric": "auc", "label": None}
    row |= {"n": 10, "n_positive": 4, "estimable": True, "reason": "", "attribute": None, "group": None}
    runs = [
        row | {"seed": s, "value": v, "ci_low": v - 0.1, "ci_high": v + 0.1} for s, v in ((0, 0.5), (1, 0.7))
    ]
    none = {"value": None, "ci_low": None, "ci_high": None, "reason": "no positive image"}
    runs.append(row | {"seed": 2, "estimable": False} | none)
    (joined,) = tidy.tidied(pd.DataFrame(runs)).itertuples()
    assert (joined.value, joined.ci_low, joined.ci_high) == pytest.approx((0.6, 0.4, 0.8))
    assert (joined.seeds, joined.label, joined.group) == (3, "", "")
    assert (joined.estimable, joined.reason) == (True, "estimable in 2 of 3 trainings")
    never = pd.DataFrame([row | {"seed": seed, "estimable": False} | none for seed in (0, 1)])
    assert tidy.tidied(never)[["estimable", "reason"]].to_numpy().tolist() == [[False, "no positive image"]]


def test_a_value_that_is_not_estimable_is_never_shown(metrics):
    lied = metrics.assign(estimable="false", value=0.9)
    assert tidy.tidied(lied)["value"].isna().all()


def test_baseline_is_the_named_one_then_the_one_called_so_then_the_first():
    table = pd.DataFrame({"method": ["a", "Baseline CNN", "c"]})
    assert tidy.methods(table, "c") == ["c", "a", "Baseline CNN"]
    assert tidy.methods(table)[0] == "Baseline CNN"
    assert tidy.methods(table[table["method"] != "Baseline CNN"])[0] == "a"


def test_all_domains_together_come_first():
    table = pd.DataFrame({"split": "id_test", "domain": ["b", "a", "all"]})
    assert tidy.domains(table, "id_test") == ["all", "b", "a"]


def test_splits_without_groups_of_an_attribute_are_not_compared_by_it():
    table = pd.DataFrame(
        {
            "split": ["id_test", "id_test", "ood_test"],
            "domain": ["all", "all", "B"],
            "attribute": ["", "domain", ""],
        }
    )
    assert tidy.splits_with(table, "domain") == ["id_test"]
    assert tidy.splits_with(table, "") == ["id_test", "ood_test"]
    assert tidy.splits_with(table, "sex") == ["id_test", "ood_test"]
