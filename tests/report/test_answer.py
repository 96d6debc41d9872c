from dataclasses import asdict

import numpy as np
import pandas as pd
import pytest

from medaug.evaluation.verdict import difference_between, verdict
from medaug.report.answer import _where, answer_sentences
from medaug.report.tidy import tidied
from medaug.report.verdict_words import READINGS, reading


@pytest.mark.parametrize(
    ("low", "high", "metric", "expected"),
    [
        (0.01, 0.05, "auc", "these trained models: better"),
        (-0.05, -0.01, "auc", "these trained models: worse"),
        (0.01, 0.05, "auc_gap", "these trained models: worse"),
        (-0.05, -0.01, "auc_gap", "these trained models: better"),
        (-0.05, -0.01, "ece", "these trained models: better"),
        (-0.05, -0.01, "fnr_worst", "these trained models: better"),
        (-0.01, 0.05, "auc", "these trained models: no clear difference"),
        (0.0, 0.05, "auc", "these trained models: no clear difference"),
        (float("nan"), 0.05, "auc", "not known"),
        (0.01, 0.05, "selection_rate", "these trained models: different"),
        (-0.05, -0.01, "selection_rate", "these trained models: different"),
        (-0.01, 0.05, "selection_rate", "these trained models: no clear difference"),
        (-0.05, -0.01, "selection_rate_gap", "these trained models: better"),
    ],
)
def test_one_training_is_read_as_such(low, high, metric, expected):
    assert reading(pd.Series({"ci_low": low, "ci_high": high}), metric) == expected


def test_methods_are_read_by_their_verdict():
    row = pd.Series({"ci_low": 0.01, "ci_high": 0.05, "about": "methods", "verdict": "no clear difference"})
    assert reading(row, "auc") == "no clear difference"


def test_a_clear_difference_of_a_share_called_positive_is_neither_better_nor_worse():
    trainings = np.array([[0.50, 0.49, 0.51], [0.51, 0.50, 0.52], [0.52, 0.51, 0.53]])
    found = difference_between(trainings, trainings - 0.3)
    row = pd.Series({**asdict(found), "verdict": verdict(found.difference, found.p_value, "selection_rate")})
    assert reading(row, "selection_rate") == "different"
    assert READINGS["different"] == "different; neither more nor less is better"
    unknown = row.to_dict() | {"p_value": float("nan")}
    assert reading(pd.Series(unknown), "selection_rate") == "not known"


@pytest.mark.parametrize(("about", "words"), [("methods", "different with"), ("", "different for this")])
def test_the_sentence_on_a_share_called_positive_takes_no_side(about, words):
    table = rows({(m, "selection_rate"): (0.5, {}) for m in ("old", "new")})
    bounds = {"ci_low": 0.05, "ci_high": 0.2, "p_value": 0.001}
    changes = rows({("new", "selection_rate"): (0.1, bounds)}, about=about, trainings=3, verdict="not known")
    accuracy = answer_sentences(tidied(table), tidied(changes), ("old", "new"), "selection_rate")[1]
    assert f"in distribution, {words}" in accuracy


def rows(values, **columns):
    keys = {"split": "id_test", "domain": "all", "label": "", "group": "", "reason": "", "n": 9}
    content = [
        {**keys, "method": m, "metric": k, "attribute": "sex" if "gap" in k else "", "value": v} | extra
        for (m, k), (v, extra) in values.items()
    ]
    return pd.DataFrame(content).assign(estimable=True, **columns)


def test_two_sentences_state_both_directions_and_the_uncertain():
    methods = ("old", "up", "even", "down")
    table = rows({(m, k): (0.5, {}) for m in methods for k in ("auc", "auc_gap")})
    change = {"up": (0.1, 0.05, 0.2), "even": (0.01, -0.1, 0.1), "down": (-0.1, -0.2, -0.05)}
    changes = rows(
        {
            (m, k): (value, {"ci_low": low, "ci_high": high})
            for m, (value, low, high) in change.items()
            for k in ("auc", "auc_gap")
        },
        about="methods",
        trainings=3,
    )
    changes["verdict"] = [
        {"up": ("better", "worse"), "even": ("no clear difference",) * 2, "down": ("worse", "better")}[m][
            k == "auc_gap"
        ]
        for m, k in zip(changes["method"], changes["metric"], strict=True)
    ]
    compared, accuracy, fairness = answer_sentences(tidied(table), tidied(changes), methods, "auc")
    assert compared.startswith("This report compares methods: each was trained 3 times")
    assert accuracy == (
        "Mean AUC, compared with old: in distribution, higher with up (+0.100 [0.050, 0.200]), "
        "lower with down (−0.100 [−0.200, −0.050]), no clear difference with even (+0.010 [−0.100, 0.100])."
    )
    assert "smaller with down (−0.100" in fairness
    assert "larger with up (+0.100" in fairness


def test_two_parts_out_of_distribution_are_told_apart():
    shown = ["id_test", "ood_val", "ood_test"]
    assert [_where(split, shown) for split in shown] == [
        "in distribution",
        "out of distribution (validation)",
        "out of distribution (test)",
    ]
    assert _where("ood_test", ["id_test", "ood_test"]) == "out of distribution"
    assert _where("mine", ["mine"]) == "mine"
