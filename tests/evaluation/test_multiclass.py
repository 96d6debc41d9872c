import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as sk

from medaug.evaluation import multiclass as ours
from medaug.evaluation.metrics import multiclass_estimators

EXACT = {"rtol": 0, "atol": 1e-12}
CLASSES = 5


@st.composite
def many(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    count = draw(st.integers(1, 40))
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    raw = generator.integers(0, 4, (count, CLASSES)) + 0.25 + 1e-3 * generator.random((count, CLASSES))
    weights = generator.poisson(1, (count, 3)).astype(float)
    return generator.integers(0, CLASSES, count), raw / raw.sum(axis=1, keepdims=True), weights


@given(data=many())
def test_equal_to_scikit_learn(data: tuple[np.ndarray, ...]) -> None:
    truth, score, _ = data
    decision = score.argmax(axis=1)
    recalls = sk.recall_score(truth, decision, labels=np.unique(truth), average=None, zero_division=0)
    np.testing.assert_allclose(ours.balanced_accuracy(truth, decision), recalls.mean(), **EXACT)
    top3 = sk.top_k_accuracy_score(truth, score, k=3, labels=np.arange(CLASSES))
    np.testing.assert_allclose(ours.top3_accuracy(truth, score), top3, **EXACT)
    brier = sk.brier_score_loss(truth, score, labels=np.arange(CLASSES), scale_by_half=True)
    np.testing.assert_allclose(ours.brier(truth, score), brier, **EXACT)


@given(data=many())
def test_balanced_top3_is_the_mean_over_classes(data: tuple[np.ndarray, ...]) -> None:
    truth, score, _ = data
    shares = [ours.top3_accuracy(truth[truth == c], score[truth == c]) for c in np.unique(truth)]
    np.testing.assert_allclose(ours.balanced_top3_accuracy(truth, score), np.mean(shares), **EXACT)


@given(data=many())
def test_integer_weights_repeat_examples(data: tuple[np.ndarray, ...]) -> None:
    truth, score, weights = data
    for name, metric in multiclass_estimators(CLASSES, high_risk=[1, 2]).items():
        if name == "ece_debiased":  # a repeated example is no further evidence there
            continue
        answer = score if metric.uses == "score" else score.argmax(axis=1)
        together = metric.function(truth, answer, weights=weights)
        for value, weight in zip(together, weights.T, strict=True):
            rows = np.repeat(np.arange(len(truth)), weight.astype(int))
            if len(rows) == 0:
                assert np.isnan(value)
                continue
            expected = metric.function(truth[rows], answer[rows])
            np.testing.assert_allclose(value, expected, **EXACT)


def test_high_risk_sensitivity_pools_the_high_risk_classes() -> None:
    truth, decision = [0, 1, 1, 2, 3], [0, 1, 0, 3, 3]
    assert ours.high_risk_sensitivity(truth, decision, high_risk=[1, 2]) == pytest.approx(1 / 3)
    assert np.isnan(ours.high_risk_sensitivity([0, 0], [1, 0], high_risk=[1, 2]))


def test_calibration_is_that_of_the_largest_score() -> None:
    score = [[0.9, 0.1], [0.1, 0.9], [0.9, 0.1], [0.1, 0.9]]
    assert ours.top_label_ece([0, 1, 0, 1], score) == pytest.approx(0.1)
    assert ours.top_label_ece([0, 1, 1, 0], score) == pytest.approx(0.4)


def test_ties_count_against_the_model_whatever_the_order_of_the_classes() -> None:
    scores = np.array([[0.2] * 5, [0.3, 0.3, 0.3, 0.1, 0.0], [0.4, 0.2, 0.2, 0.2, 0.0]])
    for order in ([0, 1, 2, 3, 4], [4, 3, 2, 1, 0]):
        permuted = scores[:, order]
        for class_, among in ((0, [False, True, True]), (1, [False, True, False])):
            truth = np.full(3, order.index(class_))
            assert ours.among_top3(truth, permuted).tolist() == among
