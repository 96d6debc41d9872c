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


def places_table():
    """A test of two external sets, one without the sexes of its patients, and a test of two hospitals."""
    keys = {
        ("id_test", "A"): 9,
        ("id_test", "B"): 8,
        ("id_test", "all"): 17,
        ("ood_test", "nih"): 30,
        ("ood_test", "padchest"): 40,
        ("ood_test", "all"): 70,
    }
    rows = [{"split": s, "domain": d, "attribute": "", "group": "", "n": n} for (s, d), n in keys.items()]
    rows += [
        {"split": s, "domain": d, "attribute": "sex", "group": "F", "n": 0 if d == "nih" else 4}
        for s, d in keys
    ]
    return pd.DataFrame(rows)


def test_external_sets_stand_beside_all_of_them_together():
    table = places_table()
    whole = [("id_test", "all"), ("ood_test", "all")]
    each = [("ood_test", "nih"), ("ood_test", "padchest")]
    assert tidy.places(table, ["id_test", "ood_test"]) == whole + each
    assert tidy.places(table, ["id_test", "ood_test"], "sex") == whole + each[1:]
    assert tidy.places(table, ["id_test", "ood_test"], "domain") == whole
    alone = table[(table["domain"] == "nih") | (table["split"] == "id_test")]
    assert tidy.places(alone, ["ood_test"]) == [("ood_test", "nih")]


def test_of_many_external_sets_the_largest_are_shown(monkeypatch):
    monkeypatch.setattr(tidy, "MOST_SETS", 1)
    assert tidy.external_sets(places_table(), "ood_test") == ["padchest"]
