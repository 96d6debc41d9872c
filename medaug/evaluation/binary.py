"""Metrics of one class, present or absent, as plain functions of truth and score, or truth and decision.

Every function takes ``m(y_true, y_score)`` or ``m(y_true, y_decision)`` and gives a float; what is not
defined (no positive example, say) is NaN, never 0. With ``weights`` of shape (n, R) it gives R values at
once, which is how all replicates of `medaug.evaluation.bootstrap` are computed in one go; decisions may then
be (n, R) too, where the threshold differs between replicates.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from medaug.arrays import Array

Values = Any  # a float, or an array of R floats where weights are (n, R)


def auc(y_true: npt.ArrayLike, y_score: npt.ArrayLike, *, weights: npt.ArrayLike | None = None) -> Values:
    """Area under the ROC curve: the chance that a positive scores above a negative, ties counted half.

    Parameters
    ----------
    y_true : array of 0 and 1, shape (n,)
        The truth.
    y_score : array of float, shape (n,)
        Scores; larger means more likely positive.
    weights : array of float, shape (n,) or (n, R), optional
        Non-negative weights of the examples.

    Returns
    -------
    float or array of shape (R,)
        In [0, 1]; NaN where all examples (of positive weight) are of one class.

    Examples
    --------
    >>> auc([0, 0, 1, 1], [0.1, 0.4, 0.4, 0.8])
    0.875
    """
    labels, scores, weight = arrays_of(y_true, y_score, weights)
    positive, negative, below, up_to = _ranked(labels, scores, weight)
    wins = (negative[below] + negative[up_to]) / 2
    return result_of(ratio(np.einsum("nr,nr->r", positive, wins), positive.sum(0) * negative[-1]), weights)


def average_precision(
    y_true: npt.ArrayLike, y_score: npt.ArrayLike, *, weights: npt.ArrayLike | None = None
) -> Values:
    """Mean precision over the positives, each at the threshold of its own score (scikit-learn's definition).

    Parameters and shapes are those of `auc`. NaN where all examples are of one class.

    Examples
    --------
    >>> round(average_precision([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]), 4)
    0.8333
    """
    labels, scores, weight = arrays_of(y_true, y_score, weights)
    positive, negative, below, _ = _ranked(labels, scores, weight)
    own = np.sort(scores[labels])
    hits = _cumulative(positive)
    hits = hits[-1] - hits[np.searchsorted(own, own, "left")]
    alarms = negative[-1] - negative[below]
    summed = np.einsum("nr,nr->r", positive, ratio(hits, hits + alarms, undefined=0.0))
    summed = np.where(negative[-1] > 0, summed, np.nan)
    return result_of(ratio(summed, positive.sum(0)), weights)


def accuracy(
    y_true: npt.ArrayLike, y_decision: npt.ArrayLike, *, weights: npt.ArrayLike | None = None
) -> Values:
    """Share of right decisions; works for two classes and, with class numbers, for many."""
    labels, decisions, weight = arrays_of(y_true, y_decision, weights, kind=int)
    right = labels.reshape(-1, *[1] * (decisions.ndim - 1)) == decisions
    return result_of(ratio(_summed(right, weight), weight.sum(0)), weights)


def sensitivity(
    y_true: npt.ArrayLike, y_decision: npt.ArrayLike, *, weights: npt.ArrayLike | None = None
) -> Values:
    """Share of the positives that are found (recall, true positive rate); NaN without positives.

    Examples
    --------
    >>> sensitivity([1, 1, 0], [1, 0, 0])
    0.5
    """
    return _rate(y_true, y_decision, weights, of=True, decided=True)


def specificity(
    y_true: npt.ArrayLike, y_decision: npt.ArrayLike, *, weights: npt.ArrayLike | None = None
) -> Values:
    """Share of the negatives that are left alone (true negative rate); NaN without negatives."""
    return _rate(y_true, y_decision, weights, of=False, decided=False)


def fpr(y_true: npt.ArrayLike, y_decision: npt.ArrayLike, *, weights: npt.ArrayLike | None = None) -> Values:
    """Share of the negatives that raise a false alarm (false positive rate); NaN without negatives."""
    return _rate(y_true, y_decision, weights, of=False, decided=True)


def fnr(y_true: npt.ArrayLike, y_decision: npt.ArrayLike, *, weights: npt.ArrayLike | None = None) -> Values:
    """Share of the positives that are missed (false negative rate); NaN without positives."""
    return _rate(y_true, y_decision, weights, of=True, decided=False)


def ppv(y_true: npt.ArrayLike, y_decision: npt.ArrayLike, *, weights: npt.ArrayLike | None = None) -> Values:
    """Share of the alarms that are right (precision, positive predictive value); NaN without an alarm.

    Examples
    --------
    >>> ppv([1, 1, 0], [1, 0, 1])
    0.5
    """
    return _predictive(y_true, y_decision, weights, decided=True)


def npv(y_true: npt.ArrayLike, y_decision: npt.ArrayLike, *, weights: npt.ArrayLike | None = None) -> Values:
    """Share of those left alone who are negative (negative predictive value); NaN if nobody is."""
    return _predictive(y_true, y_decision, weights, decided=False)


def selection_rate(
    y_true: npt.ArrayLike, y_decision: npt.ArrayLike, *, weights: npt.ArrayLike | None = None
) -> Values:
    """Share of the examples that are decided positive, whatever the truth (as in fairlearn)."""
    return accuracy(np.ones(len(np.asarray(y_true))), y_decision, weights=weights)


def balanced_accuracy(
    y_true: npt.ArrayLike, y_decision: npt.ArrayLike, *, weights: npt.ArrayLike | None = None
) -> Values:
    """Mean of sensitivity and specificity; NaN where all examples are of one class."""
    recall = sensitivity(y_true, y_decision, weights=weights)
    return (recall + specificity(y_true, y_decision, weights=weights)) / 2


def brier(y_true: npt.ArrayLike, y_score: npt.ArrayLike, *, weights: npt.ArrayLike | None = None) -> Values:
    """Mean squared distance of score and truth, 0 to 1 (Brier, 1950); scikit-learn's ``brier_score_loss``.

    Examples
    --------
    >>> round(brier([1, 0], [0.9, 0.9]), 2)
    0.41
    """
    labels, scores, weight = arrays_of(y_true, y_score, weights)
    return result_of(ratio((scores - labels) ** 2 @ weight, weight.sum(0)), weights)


def arrays_of(
    y_true: npt.ArrayLike, y_other: npt.ArrayLike, weights: npt.ArrayLike | None, kind: type = bool
) -> tuple[Array, Array, Array]:
    """Truth of a kind, the other array, and weights as (n, R); weights None mean one each."""
    labels: Array = np.asarray(y_true).astype(kind)
    other = np.asarray(y_other)
    weight = example_weights(weights, len(labels))
    return labels, other, weight[:, None] if weight.ndim == 1 else weight


def example_weights(weights: npt.ArrayLike | None, examples: int) -> Array:
    """Return weights as float64, (examples,) or (examples, R); None means one each."""
    return np.ones(examples) if weights is None else np.asarray(weights, float)


def _ranked(labels: Array, scores: Array, weight: Array) -> tuple[Array, Array, Array, Array]:
    """Weights of the positives by rising score; cumulated weights of the negatives; where they meet.

    The last two index the cumulated weights: negatives below each positive, and those not above it.
    """
    rising = np.argsort(scores, kind="stable")
    positives, negatives = rising[labels[rising]], rising[~labels[rising]]
    below = np.searchsorted(scores[negatives], scores[positives], "left")
    up_to = np.searchsorted(scores[negatives], scores[positives], "right")
    return weight[positives], _cumulative(weight[negatives]), below, up_to


def _cumulative(weight: Array) -> Array:
    """Cumulate: sums of the first 0, 1, ..., n rows: shape (n + 1, R)."""
    sums = np.zeros((len(weight) + 1, weight.shape[1]))
    np.cumsum(weight, axis=0, out=sums[1:])
    return sums


def _rate(
    y_true: npt.ArrayLike,
    y_decision: npt.ArrayLike,
    weights: npt.ArrayLike | None,
    *,
    of: bool,
    decided: bool,
) -> Values:
    """Share of the examples whose truth is `of` that were decided as `decided`."""
    labels, decisions, weight = arrays_of(y_true, y_decision, weights)
    chosen = labels == of
    found = _summed(decisions[chosen] == decided, weight[chosen])
    return result_of(ratio(found, weight[chosen].sum(0)), weights)


def _predictive(
    y_true: npt.ArrayLike, y_decision: npt.ArrayLike, weights: npt.ArrayLike | None, *, decided: bool
) -> Values:
    """Share of the examples decided as `decided` of which that is the truth."""
    labels, decisions, weight = arrays_of(y_true, y_decision, weights)
    chosen = decisions == decided
    right = _summed(chosen[labels == decided], weight[labels == decided])
    return result_of(ratio(right, _summed(chosen, weight)), weights)


def _summed(chosen: Array, weight: Array) -> Array:
    """Weight of the chosen examples, (R,); they are (n,), or (n, R) where replicates choose otherwise."""
    summed: Array = chosen @ weight if chosen.ndim == 1 else np.einsum("nr,nr->r", chosen, weight)
    return summed


def ratio(numerator: Array, denominator: Array, undefined: float = np.nan) -> Array:
    """Return the quotient of two arrays of one shape, with `undefined` where the denominator is 0."""
    filled = np.full(np.shape(denominator), undefined)
    np.divide(numerator, denominator, out=filled, where=denominator > 0)
    return filled


def result_of(values: Array, weights: npt.ArrayLike | None) -> Values:
    """One float where the weights were one a row, else the array of R."""
    return values if weights is not None and np.ndim(weights) == 2 else float(values[0])
