import numpy as np
import pandas as pd

from medaug.evaluation.family import shown_splits, with_family


def table(**columns):
    rows = pd.DataFrame(
        {
            "metric": ["auc", "auc_gap", "auc_gap", "auc", "auc", "ece", "auc", "auc"],
            "attribute": ["", "sex", "sex & age", "", "", "", "", "sex"],
            "split": ["id_test"] * 3 + ["id_val", "id_test", "id_test", "ood_test", "id_test"],
            "domain": ["all"] * 4 + ["A", "all", "A", "all"],
            "label": "",
            "p_value": [0.01, 0.04, 0.001, 0.001, 0.001, 0.001, 0.02, 0.001],
        }
    )
    return rows.assign(**columns)


def holm(p_values):
    """Step down: the smallest times the number of tests, and so on, never falling."""
    order = np.argsort(p_values)
    steps = np.minimum(1, np.maximum.accumulate(np.sort(p_values) * np.arange(len(p_values), 0, -1)))
    return steps[np.argsort(order)]


def test_the_headline_family_is_adjusted_together():
    found = with_family(table(), "auc")
    headline = found["family"] == "headline"
    assert np.flatnonzero(headline).tolist() == [0, 1, 6]  # tests, domains together, no intersections
    np.testing.assert_allclose(found.loc[headline, "p_holm"], holm([0.01, 0.04, 0.02]))
    assert found.loc[~headline, "p_holm"].isna().all()


def test_families_within_something_and_untested_rows():
    rows = pd.concat([table(method="a"), table(method="b", p_value=np.nan)], ignore_index=True)
    rows.loc[8, "p_value"] = 0.3
    found = with_family(rows, "auc", within=["method"])
    np.testing.assert_allclose(found["p_holm"].dropna(), [*holm([0.01, 0.04, 0.02]), 0.3])


def test_an_empty_table_has_no_family():
    assert with_family(table().iloc[:0], "auc").empty


def test_tests_are_shown_and_validation_where_a_test_is_missing():
    table = pd.DataFrame({"split": ["ood_val", "id_val", "id_test"]})
    assert shown_splits(table) == ["id_test", "ood_val"]
    assert shown_splits(pd.DataFrame({"split": ["mine"]})) == ["mine"]


def test_validation_on_hospitals_of_its_own_is_shown_beside_the_test():
    table = pd.DataFrame({"split": ["id_val", "ood_val", "ood_test", "ood_test"]})
    assert shown_splits(table) == ["id_val", "ood_test"]
    same = table.assign(domain=["A", "B", "all", "B"])
    assert shown_splits(same) == ["id_val", "ood_test"]
    other = table.assign(domain=["A", "C", "all", "B"])
    assert shown_splits(other) == ["id_val", "ood_val", "ood_test"]
