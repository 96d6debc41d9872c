"""Metrics of classes that exclude one another, such as the 27 conditions of dermatology.

The truth is a class number for each example (the most weighted one where labels are soft); scores have one
column a class. Weights and undefined values are those of `medaug.evaluation.binary`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from medaug.arrays import Array
from medaug.evaluation.binary import Values, accuracy, example_weights, ratio
from medaug.evaluation.calibration_error import ece, ece_debiased


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

    Ties count against the model: no order of the classes decides, see `among_top3`.

    Examples
    --------
    >>> top3_accuracy([0, 3], [[0.4, 0.3, 0.2, 0.1], [0.4, 0.3, 0.2, 0.1]])
    0.5
    """
    return accuracy(among_top3(y_true, y_score), np.ones(len(np.asarray(y_true))), weights=weights)


def among_top3(y_true: npt.ArrayLike, y_score: npt.ArrayLike) -> Array:
    """Return for each example whether its class is among the three with the largest scores (bool).

    With ties it is only if at most three classes, itself among them, score as high.

    Examples
    --------
    >>> among_top3([1, 1], [[0.4, 0.3, 0.2, 0.1], [0.25, 0.25, 0.25, 0.25]]).tolist()
    [True, False]
    """
    scores = np.asarray(y_score, float)
    own = np.take_along_axis(scores, np.asarray(y_true, int)[:, None], axis=1)
    among: Array = (scores >= own).sum(axis=1) <= 3
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
    y_true: npt.ArrayLike, y_score: npt.ArrayLike, *, weights: npt.ArrayLike | None = None
) -> Values:
    """Return the calibration error of the largest score as the chance that its class is right."""
    return ece(*_top_label(y_true, y_score), weights=weights)


def top_label_ece_debiased(
    y_true: npt.ArrayLike, y_score: npt.ArrayLike, *, weights: npt.ArrayLike | None = None
) -> Values:
    """Return `top_label_ece` minus what chance alone gives."""
    return ece_debiased(*_top_label(y_true, y_score), weights=weights)


def brier(y_true: npt.ArrayLike, y_score: npt.ArrayLike, *, weights: npt.ArrayLike | None = None) -> Values:
    """Half the mean squared distance of scores and truth over all classes, 0 to 1.

    scikit-learn's ``brier_score_loss`` with ``scale_by_half=True``.
    """
    scores, weight = np.asarray(y_score, float), example_weights(weights, len(np.asarray(y_true)))
    truth = np.arange(scores.shape[1]) == np.asarray(y_true)[:, None]
    values = ratio(np.asarray(((scores - truth) ** 2).sum(axis=1) / 2 @ weight), weight.sum(0))
    return values if values.ndim else float(values)


def _top_label(y_true: npt.ArrayLike, y_score: npt.ArrayLike) -> tuple[Array, Array]:
    """Whether the class with the largest score is right, and that score."""
    scores = np.asarray(y_score, float)
    return scores.argmax(axis=1) == np.asarray(y_true), scores.max(axis=1)


def _mean_over_classes(labels: Array, right: Array, weights: npt.ArrayLike | None) -> Values:
    """Mean of the share of right examples over the classes with any weight."""
    weight = example_weights(weights, len(labels))
    members = [labels == number for number in np.unique(labels)]
    shares = [accuracy(np.ones(m.sum()), right[m], weights=weight[m]) for m in members]
    values = ratio(np.nansum(shares, axis=0), np.sum(~np.isnan(shares), axis=0))
    return values if values.ndim else float(values)
