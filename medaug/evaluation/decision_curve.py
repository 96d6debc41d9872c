"""Decision curves: what acting on a model is worth, for each cost of a false alarm (Vickers, Elkin, 2006)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from medaug.arrays import Array


def net_benefit(y_true: npt.ArrayLike, y_score: npt.ArrayLike, thresholds: npt.ArrayLike) -> Array:
    """Return the net benefit of acting on scores at or above each threshold.

    Parameters
    ----------
    y_true : array of 0 and 1, shape (n,)
        The truth.
    y_score : array of float, shape (n,)
        Probabilities.
    thresholds : array of float, shape (t,)
        Between 0 and 1, without 1. One who acts from a probability p upwards accepts (1 - p) / p false alarms
        for each positive that is found.

    Returns
    -------
    float array, shape (t,)
        True positives minus p / (1 - p) false positives, by the number of examples. Calling all positive
        has that of scores of 1, calling none that of 0.

    Notes
    -----
    https://doi.org/10.1177/0272989X06295361

    Examples
    --------
    >>> net_benefit([1, 0, 0, 1], [0.9, 0.6, 0.1, 0.4], [0.5, 0.2]).tolist()
    [0.0, 0.4375]
    """
    labels, scores = np.asarray(y_true, bool), np.asarray(y_score, float)
    cuts = np.asarray(thresholds, float)
    found, alarms = (
        len(of) - np.searchsorted(np.sort(of), cuts, "left") for of in (scores[labels], scores[~labels])
    )
    benefit: Array = (found - cuts / (1 - cuts) * alarms) / len(labels)
    return benefit
