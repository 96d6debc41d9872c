"""Small classifiers on features, which tell whether the conditions asked for can be seen in the images."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from medaug.arrays import Array, FloatArray, IntArray
from medaug.evaluation.binary import auc
from medaug.quality.resampling import Estimated, unknown

PENALTY = 0.01
"""Inverse strength of the penalty; for some hundred examples of 1,280 standardised features."""

FEWEST = 5
"""Images with and without a condition that a probe needs to learn it, and an AUC to be worth telling."""


class Probe:
    """A logistic regression for each of some targets.

    Parameters
    ----------
    features : array, (N, F)
        Of the images to learn from.
    targets : array, (N, T)
        1, 0, or NaN for unknown, which is left out.
    """

    def __init__(self, features: FloatArray, targets: Array) -> None:
        self._models = [_fitted(features, target) for target in targets.T]

    def probabilities(self, features: FloatArray) -> Array:
        """Return the probability of each target, (n, T); NaN where there was too little to learn from."""
        blank = np.full(len(features), np.nan)
        columns = [m.predict_proba(features)[:, 1] if m and len(features) else blank for m in self._models]
        return np.stack(columns, axis=1) if columns else np.zeros((len(features), 0))


def aucs(targets: Array, scores: Array, weights: Array, strata: IntArray) -> list[Estimated]:
    """Return the AUC of each target within strata, with one value for each column of weights.

    Images are only compared with others of their stratum: a probe that has learnt how a target goes with a
    group in the real images is neither helped by that on real images, nor harmed on others where it does not.

    Parameters
    ----------
    targets, scores : array, (N, T)
        Unknown targets are left out; where scores are NaN, or fewer than 5 images have or have not the
        target, the AUC is not estimated.
    weights : array, (N, R)
        Weights of the images.
    strata : array of int, (N,)
        Number of the stratum of each image; all the same is the ordinary AUC.
    """
    return [_auc(t, s, weights, strata) for t, s in zip(targets.T, scores.T, strict=True)]


def agreement(present: Array, probabilities: Array, exclusive: bool) -> Array:
    """Return for each image the probability of what was asked for, (N,), by a probe.

    Where classes exclude one another it is the share of that of the class asked for, else the mean over the
    classes of the probability that they are as asked. NaN where nothing is known.
    """
    known = ~(np.isnan(present) | np.isnan(probabilities))
    asked, chance = np.where(known, present, 0), np.where(known, probabilities, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        if exclusive:
            shares: Array = (asked * chance).sum(axis=1) / chance.sum(axis=1)
            return shares
        right = np.where(asked > 0, chance, 1 - chance)
        means: Array = np.where(known, right, 0).sum(axis=1) / known.sum(axis=1)
        return means


def one_hot(codes: Sequence[int] | Array, groups: int) -> Array:
    """Return membership of groups as targets, (N, groups); NaN where the code is -1.

    Examples
    --------
    >>> one_hot([1, -1], 2).tolist()
    [[0.0, 1.0], [nan, nan]]
    """
    numbers = np.asarray(codes)
    return np.where(numbers[:, None] < 0, np.nan, (numbers[:, None] == np.arange(groups)).astype(float))


def _fitted(features: FloatArray, target: Array) -> Pipeline | None:
    known = ~np.isnan(target)
    if not _enough(target[known]):
        return None
    model = make_pipeline(StandardScaler(), LogisticRegression(C=PENALTY, max_iter=1000))
    return model.fit(features[known], target[known] > 0)


def _auc(target: Array, score: Array, weights: Array, strata: IntArray) -> Estimated:
    known = ~np.isnan(target) & ~np.isnan(score)
    if not _enough(target[known]):
        return unknown(int(known.sum()))
    right, pairs = np.zeros(weights.shape[1]), np.zeros(weights.shape[1])
    for stratum in np.unique(strata[known]):
        own = known & (strata == stratum)
        present = target[own] > 0
        compared = weights[own][present].sum(axis=0) * weights[own][~present].sum(axis=0)
        pairs += compared
        right += np.where(compared > 0, auc(target[own], score[own], weights=weights[own]), 0) * compared
    with np.errstate(invalid="ignore"):
        return Estimated(right / pairs, int(known.sum()))


def _enough(target: Array) -> bool:
    return bool(FEWEST <= (target > 0).sum() <= len(target) - FEWEST)
