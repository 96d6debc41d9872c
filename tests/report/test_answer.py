import pandas as pd
import pytest

from medaug.report.answer import _where, answer_sentences, verdict
from medaug.report.tidy import tidied


@pytest.mark.parametrize(
    ("low", "high", "metric", "expected"),
    [
        (0.01, 0.05, "auc", "better"),
        (-0.05, -0.01, "auc", "worse"),
        (0.01, 0.05, "auc_gap", "worse"),
        (-0.05, -0.01, "auc_gap", "better"),
        (-0.05, -0.01, "ece", "better"),
        (-0.05, -0.01, "fnr_worst", "better"),
        (-0.01, 0.05, "auc", "no clear difference"),
        (0.0, 0.05, "auc", "no clear difference"),
        (float("nan"), 0.05, "auc", "not known"),
    ],
)
def test_verdict(low, high, metric, expected):
    assert verdict(pd.Series({"ci_low": low, "ci_high": high}), metric) == expected


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
        }
    )
    accuracy, fairness = answer_sentences(tidied(table), tidied(changes), methods, "auc")
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
