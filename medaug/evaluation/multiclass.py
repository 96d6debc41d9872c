"""Metrics of classes that exclude one another, such as the 27 conditions of dermatology.

The truth is a class number for each example (the most weighted one where labels are soft); scores have one
column a class. Weights and undefined values are those of `medaug.evaluation.binary`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from medaug.arrays import Array
from medaug.evaluation.binary import ECE_BINS, Values, accuracy, ece, example_weights, ratio


def balanced_accuracy(
    y_true: npt.ArrayLike, y_decision: npt.ArrayLike, *, weights: npt.ArrayLike | None = None
) -> Values:
    """Mean over the classes that occur of the share of their examples that are decided right.

    Examples
    --------
    >>> balanced_accuracy([0, 0, 1, 2], [0, 1, 1, 0])
    0.5
    """
    return _mean_over_classes(np.asarray(y_true), np.asarray(y_true) == np.asarray(y_decision), weights)


def top3_accuracy(
    y_true: npt.ArrayLike, y_score: npt.ArrayLike, *, weights: npt.ArrayLike | None = None
) -> Values:
    """Share of the examples whose class is among the three with the largest scores.

    Of classes with equal scores the later one ranks first, as in scikit-learn.

    Examples
    --------
    >>> top3_accuracy([0, 3], [[0.4, 0.3, 0.2, 0.1], [0.4, 0.3, 0.2, 0.1]])
    0.5
    """
    return accuracy(among_top3(y_true, y_score), np.ones(len(np.asarray(y_true))), weights=weights)


def among_top3(y_true: npt.ArrayLike, y_score: npt.ArrayLike) -> Array:
    """Return for each example whether its class is among the three with the largest scores (bool)."""
    best = np.argsort(np.asarray(y_score), axis=1, kind="stable")[:, ::-1][:, :3]
    among: Array = (best == np.asarray(y_true)[:, None]).any(axis=1)
    return among


def balanced_top3_accuracy(
    y_true: npt.ArrayLike, y_score: npt.ArrayLike, *, weights: npt.ArrayLike | None = None
) -> Values:
    """Mean over the classes that occur of their `top3_accuracy`."""
    return _mean_over_classes(np.asarray(y_true), among_top3(y_true, y_score), weights)


def high_risk_sensitivity(
    y_true: npt.ArrayLike,
    y_decision: npt.ArrayLike,
    *,
    high_risk: Sequence[int],
    weights: npt.ArrayLike | None = None,
) -> Values:
    """Share of the examples of a high-risk class that are decided as that class; NaN if there is none.

    Examples
    --------
    >>> high_risk_sensitivity([0, 1, 2, 2], [0, 0, 2, 1], high_risk=[1, 2])
    0.3333333333333333
    """
    labels, decisions = np.asarray(y_true), np.asarray(y_decision)
    chosen = np.isin(labels, np.asarray(high_risk))
    weight = example_weights(weights, len(labels))
    return accuracy(labels[chosen], decisions[chosen], weights=weight[chosen])


def top_label_ece(
    y_true: npt.ArrayLike,
    y_score: npt.ArrayLike,
    *,
    weights: npt.ArrayLike | None = None,
    bins: int = ECE_BINS,
) -> Values:
    """Return the expected calibration error of the largest score as the chance that its class is right."""
    scores = np.asarray(y_score, float)
    right = scores.argmax(axis=1) == np.asarray(y_true)
    return ece(right, scores.max(axis=1), weights=weights, bins=bins)


def _mean_over_classes(labels: Array, right: Array, weights: npt.ArrayLike | None) -> Values:
    """Mean of the share of right examples over the classes with any weight."""
    weight = example_weights(weights, len(labels))
    members = [labels == number for number in np.unique(labels)]
    shares = [accuracy(np.ones(m.sum()), right[m], weights=weight[m]) for m in members]
    values = ratio(np.nansum(shares, axis=0), np.sum(~np.isnan(shares), axis=0))
    return values if values.ndim else float(values)
