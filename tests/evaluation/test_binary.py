import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from fairlearn.metrics import MetricFrame, selection_rate
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk
from sklearn.calibration import calibration_curve

from medaug.evaluation import binary as ours
from medaug.evaluation import calibration_error
from medaug.evaluation.metrics import Estimator, binary_estimators

ESTIMATORS = binary_estimators()
EXACT = {"rtol": 0, "atol": 1e-12}


@st.composite
def binary(draw: st.DrawFn, least: int = 1) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Truth, scores on a coarse grid (so that they tie), and integer weights."""
    rows = draw(
        st.lists(st.tuples(st.booleans(), st.integers(0, 8), st.integers(0, 3)), min_size=least, max_size=60)
    )
    truth, score, weight = (np.array(column) for column in zip(*rows, strict=True))
    return truth.astype(int), score / 8, weight.astype(float)


def sklearn_ece(truth: np.ndarray, score: np.ndarray) -> float:
    frequency, mean_score = calibration_curve(truth, score, n_bins=10)
    counts = np.histogram(np.ceil(score * 10).clip(1, 10), np.arange(0.5, 11))[0]
    return float((np.abs(frequency - mean_score) * counts[counts > 0]).sum() / len(truth))


BY_SCORE: dict[str, Callable[..., Any]] = {
    "auc": sk.roc_auc_score,
    "average_precision": sk.average_precision_score,
    "brier": sk.brier_score_loss,
}
BY_DECISION: dict[str, Callable[..., Any]] = {
    "accuracy": sk.accuracy_score,
    "balanced_accuracy": sk.balanced_accuracy_score,
    "sensitivity": sk.recall_score,
    "specificity": lambda t, d, **k: sk.recall_score(t, d, pos_label=0, **k),
    "fpr": lambda t, d, **k: 1 - sk.recall_score(t, d, pos_label=0, **k),
    "fnr": lambda t, d, **k: 1 - sk.recall_score(t, d, **k),
    "ppv": lambda t, d, **k: sk.precision_score(t, d, zero_division=np.nan, **k),
    "npv": lambda t, d, **k: sk.precision_score(t, d, pos_label=0, zero_division=np.nan, **k),
    "selection_rate": selection_rate,
}


@pytest.mark.parametrize("name", [*BY_SCORE, *BY_DECISION])
@given(data=binary())
def test_equal_to_scikit_learn(name: str, data: tuple[np.ndarray, ...]) -> None:
    truth, score, weight = data
    answer = score if name in BY_SCORE else (score >= 0.5).astype(int)
    reference = (BY_SCORE | BY_DECISION)[name]
    metric = getattr(ours, name)
    if 0 < truth.sum() < len(truth):
        np.testing.assert_allclose(metric(truth, answer), reference(truth, answer), **EXACT)
    if 0 < weight @ truth < weight.sum():
        np.testing.assert_allclose(
            metric(truth, answer, weights=weight), reference(truth, answer, sample_weight=weight), **EXACT
        )


@given(data=binary())
def test_ece_equal_to_calibration_curve(data: tuple[np.ndarray, ...]) -> None:
    truth, score, _ = data
    np.testing.assert_allclose(calibration_error.ece(truth, score), sklearn_ece(truth, score), **EXACT)


INDEPENDENT = {name: how for name, how in ESTIMATORS.items() if name != "ece_debiased"}
"""Of the last one a repeated example is no further evidence, so that it is not two."""


@pytest.mark.parametrize("metric", INDEPENDENT.values(), ids=INDEPENDENT)
@given(data=binary(), more=st.integers(0, 2**32 - 1))
def test_integer_weights_repeat_examples(metric: Estimator, data: tuple[np.ndarray, ...], more: int) -> None:
    truth, score, first = data
    answer = score if metric.uses == "score" else score >= 0.5
    second = np.random.default_rng(more).poisson(1, len(truth)).astype(float)
    together = metric.function(truth, answer, weights=np.stack([first, second], axis=1))
    assert together.shape == (2,)
    for value, weight in zip(together, (first, second), strict=True):
        times = weight.astype(int)
        repeated = metric.function(np.repeat(truth, times), np.repeat(answer, times))
        np.testing.assert_allclose(value, repeated, **EXACT)


@pytest.mark.parametrize("metric", ESTIMATORS.values(), ids=ESTIMATORS)
@pytest.mark.parametrize("truth", [0, 1])
def test_one_class_is_undefined_where_the_metric_needs_the_other(metric: Estimator, truth: int) -> None:
    answer = np.array([0.2, 0.8]) if metric.uses == "score" else np.array([0, 1])
    value = metric.function(np.full(2, truth), answer)
    has = {"examples": True, "both": False, "positives": truth == 1, "negatives": truth == 0}
    has |= {"alarms": True, "others": True}
    assert np.isfinite(value) == has[metric.needs]


@pytest.mark.parametrize("metric", ESTIMATORS.values(), ids=ESTIMATORS)
def test_no_examples_are_undefined(metric: Estimator) -> None:
    assert np.isnan(metric.function(np.array([]), np.array([])))


@pytest.mark.parametrize("name", ESTIMATORS)
@settings(max_examples=25, deadline=None)
@given(data=binary(least=4), draw=st.integers(0, 2**32 - 1))
def test_groups_equal_to_fairlearn(name: str, data: tuple[np.ndarray, ...], draw: int) -> None:
    truth, score, _ = data
    metric = ESTIMATORS[name]
    answer = score if metric.uses == "score" else (score >= 0.5).astype(int)
    groups = np.random.default_rng(draw).choice(["a", "b", "c"], len(truth))
    reference = {"ece": sklearn_ece, "ece_debiased": calibration_error.ece_debiased} | BY_SCORE | BY_DECISION

    def fair(y_true: np.ndarray, y_other: np.ndarray) -> float:
        one_class = len(np.unique(y_true)) < 2 and metric.needs not in ("examples", "alarms", "others")
        return np.nan if one_class else float(reference[name](y_true, y_other))

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        frame = MetricFrame(metrics=fair, y_true=truth, y_pred=answer, sensitive_features=groups)
    own = [metric.function(truth[groups == g], answer[groups == g]) for g in frame.by_group.index]
    defined = frame.by_group.notna().to_numpy()
    np.testing.assert_allclose(np.array(own)[defined], frame.by_group[defined].astype(float), **EXACT)


@pytest.mark.parametrize("name", [name for name, how in ESTIMATORS.items() if how.uses == "decision"])
@given(data=binary(), draw=st.integers(0, 2**32 - 1))
def test_decisions_may_differ_between_replicates(name: str, data: tuple[np.ndarray, ...], draw: int) -> None:
    truth, score, _ = data
    weights = np.random.default_rng(draw).poisson(1, (len(truth), 3)).astype(float)
    decided = score[:, None] >= [0.2, 0.5, 0.8]
    metric = ESTIMATORS[name].function
    together = metric(truth, decided, weights=weights)
    alone = [metric(truth, decided[:, i], weights=weights[:, i]) for i in range(3)]
    np.testing.assert_allclose(together, alone, **EXACT)


@pytest.mark.parametrize("examples", [50, 5000])
def test_a_calibrated_score_has_no_calibration_error_beyond_chance(examples: int) -> None:
    generator = np.random.default_rng(0)
    scores = generator.beta(1, 2, (200, examples))
    truth = generator.random(scores.shape) < scores
    pairs = list(zip(truth, scores, strict=True))
    plain = np.mean([calibration_error.ece(*pair) for pair in pairs])
    beyond = [calibration_error.ece_debiased(*pair) for pair in pairs]
    assert abs(np.mean(beyond)) < 4 * np.std(beyond) / np.sqrt(200) + 0.06 * plain
    assert plain > 3 * abs(np.mean(beyond))
