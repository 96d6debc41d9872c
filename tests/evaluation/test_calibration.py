import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression

from medaug.evaluation.calibration import calibration_line, calibration_metrics
from medaug.evaluation.predictions import check_predictions
from medaug.evaluation.results import evaluate
from medaug.evaluation.settings import EvaluationSettings


def drawn(rows=4000, slope=1.0, shift=0.0, seed=0):
    """Truth from scores whose logit would have to be stretched and moved to be right."""
    generator = np.random.default_rng(seed)
    scores = generator.beta(2, 3, rows)
    return generator.random(rows) < expit(slope * logit(scores) + shift), scores


@pytest.mark.parametrize(("slope", "shift"), [(1.0, 0.0), (0.5, 0.0), (1.0, 0.7)])
def test_intercept_and_slope_are_those_that_the_scores_lack(slope, shift):
    truth, scores = drawn(slope=slope, shift=shift)
    (intercept, error), (found, error_of_slope) = calibration_line(truth, scores, np.arange(len(truth)))
    assert abs(found - slope) < 4 * error_of_slope
    if slope == 1:
        assert abs(intercept - shift) < 4 * error


def test_the_slope_is_that_of_scikit_learn():
    truth, scores = drawn(rows=300, slope=0.7)
    fitted = LogisticRegression(C=np.inf, tol=1e-10).fit(logit(scores)[:, None], truth)
    _, (slope, _) = calibration_line(truth, scores, np.arange(300))
    assert slope == pytest.approx(fitted.coef_[0, 0], rel=1e-4)


def test_errors_are_those_of_patients():
    truth, scores = drawn(rows=300)
    once = calibration_line(truth, scores, np.arange(300))
    copies = calibration_line(*(np.repeat(a, 5) for a in (truth, scores, np.arange(300))))
    np.testing.assert_allclose(copies, once, rtol=1e-2)


def test_rows_by_group_with_reasons():
    truth, scores = drawn(rows=400)
    table = pd.DataFrame({"score:c": scores, "label:c": truth.astype(float), "attr:sex": ["F", "M"] * 200})
    table.loc[396:, "attr:sex"] = "X"
    rows = calibration_metrics(check_predictions(table), EvaluationSettings())
    assert set(rows["metric"]) == {"calibration_intercept", "calibration_slope"}
    groups = rows[rows["metric"] == "calibration_slope"].set_index("group")
    assert groups["estimable"].to_dict() == {"": True, "F": True, "M": True, "X": False}
    assert (groups["ci_low"] < groups["value"]).drop("X").all()
    assert "fewer than 10" in groups.loc["X", "reason"]


def test_scores_that_separate_have_no_slope():
    table = pd.DataFrame({"score:c": np.linspace(0.01, 0.99, 60), "label:c": [0.0] * 30 + [1.0] * 30})
    rows = calibration_metrics(check_predictions(table), EvaluationSettings()).set_index("metric")
    assert not rows.loc["calibration_slope", "estimable"]
    assert rows.loc["calibration_slope", "reason"] == "the scores separate both, or are all the same"


def test_they_can_be_asked_for_by_name_beside_other_metrics():
    truth, scores = drawn(rows=100)
    table = pd.DataFrame({"score:c": scores, "label:c": truth.astype(float)})
    both = ["calibration_intercept", "calibration_slope"]
    for asked in (["auc"], ["auc", "calibration_slope"], both, ["brier", *both]):
        found = evaluate(table, metrics=asked, replicates=0).metrics
        assert set(found["metric"]) == set(asked)
        assert found["estimable"].all()


def test_they_can_be_asked_for_alone_beside_a_baseline():
    truth, scores = drawn(rows=100)
    own = pd.DataFrame({"score:c": scores, "label:c": truth.astype(float), "method": "own"})
    table = pd.concat([own, own.assign(method="old", **{"score:c": scores**2})], ignore_index=True)
    found = evaluate(table, metrics=["calibration_slope"], replicates=0, baseline="old")
    assert set(found.metrics["method"]) == {"own", "old"}
    assert found.improvement is None
    assert found.comparison.empty


def test_images_of_one_patient_have_no_error_and_so_no_line():
    truth, scores = drawn(rows=60)
    table = pd.DataFrame({"score:c": scores, "label:c": truth.astype(float), "patient_id": "p"})
    rows = calibration_metrics(check_predictions(table), EvaluationSettings(min_group_size=1))
    assert not rows["estimable"].any()
    assert set(rows["reason"]) == {"all images are of one patient"}
