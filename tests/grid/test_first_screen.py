"""The table of the first screen."""

import itertools

import pandas as pd

from medaug.grid.first_screen import _certainty, arms_table
from medaug.grid.gathering import Compared
from medaug.grid.study_sections import _fairness_section, pareto_pictures
from medaug.report.style import method_styles

ARMS = ("baseline", "heuristic")
DIFFERENCES = pd.DataFrame(columns=["method", "split", "domain", "metric", "label", "attribute", "group"])


def metrics(*, gaps_known: bool) -> pd.DataFrame:
    """Accuracy of two arms in three splits, and a gap between hospitals in the first."""
    places = {"id_test": "A", "ood_val": "B", "ood_test": "C"}
    shared = {
        "seed": 0,
        "metric": "accuracy",
        "label": "",
        "attribute": "",
        "group": "",
        "reason": "",
        "n": 9,
    }
    known = {"value": 0.8, "estimable": True}
    rows = [
        {"method": arm, "split": split, "domain": hospital, **known}
        for arm, (split, hospital) in itertools.product(ARMS, places.items())
    ]
    gap = {"split": "id_test", "domain": "A", "metric": "accuracy_gap", "attribute": "sex", "value": 0.1}
    rows += [{"method": arm, **gap, "estimable": gaps_known} for arm in ARMS]
    return pd.DataFrame([shared | row for row in rows])


def test_each_place_is_named_apart_and_what_was_not_asked_has_no_column():
    head = arms_table(metrics(gaps_known=True), DIFFERENCES, "accuracy", "sex").head
    places = [title.split(", ")[1] for title in head[1:]]
    assert places == ["in distribution"] * 2 + ["out of distribution (validation)", "out of distribution"]


def test_there_is_no_figure_of_a_gap_that_is_known_nowhere():
    for known in (True, False):
        part = Compared("all", metrics(gaps_known=known), DIFFERENCES, pd.DataFrame())
        assert len(pareto_pictures(part, method_styles(ARMS), "accuracy")) == known
        (text,) = _fairness_section(part, method_styles(ARMS), "accuracy").text
        assert ("first screen" in text) == known


def test_a_clear_difference_without_a_direction_is_told_as_one():
    row = {"verdict": "not known", "p_value": 0.001, "p_holm": 0.012, "detectable": 0.1}
    assert _certainty(pd.Series(row)) == "different (p = 0.012 after Holm's correction)"
    assert _certainty(pd.Series(row | {"p_value": float("nan")})) == "too few trainings to tell"
