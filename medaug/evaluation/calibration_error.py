"""How far scores are from the frequencies that they promise: the expected calibration error."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from medaug.arrays import Array
from medaug.evaluation.binary import Values, arrays_of, ratio, result_of

ECE_BINS = 10


def ece(
    y_true: npt.ArrayLike,
    y_score: npt.ArrayLike,
    *,
    weights: npt.ArrayLike | None = None,
    bins: int = ECE_BINS,
) -> Values:
    """Return the expected calibration error: mean distance of score and frequency over equal-width bins.

    Each bin of the score (open on the left, closed on the right, 0 in the first) counts by its share of
    examples. Parameters and shapes are those of `medaug.evaluation.binary.auc`. It is above 0 by chance
    alone, the more so the fewer the examples; see `ece_debiased`.

    Examples
    --------
    >>> round(ece([1, 0], [0.9, 0.9]), 3)
    0.4
    """
    labels, scores, weight = arrays_of(y_true, y_score, weights)
    excess = _binned(scores - labels, scores, bins) @ weight
    return result_of(ratio(np.abs(excess).sum(0), weight.sum(0)), weights)


def ece_debiased(
    y_true: npt.ArrayLike,
    y_score: npt.ArrayLike,
    *,
    weights: npt.ArrayLike | None = None,
    bins: int = ECE_BINS,
) -> Values:
    """Return `ece` minus what scores that can be read as chances would show on as many examples.

    Around 0 (and below it half of the time) for a calibrated model, whatever the number of examples. In a bin
    of n examples the frequency of a calibrated model lies √(2 v / (π n)) from the mean score on average, v
    being the mean of s (1 - s) over its scores s (the normal approximation).

    Examples
    --------
    >>> round(ece_debiased([1, 0], [0.9, 0.9]), 3)
    0.231
    """
    labels, scores, weight = arrays_of(y_true, y_score, weights)
    excess = np.abs(_binned(scores - labels, scores, bins) @ weight)
    variance = _binned(scores * (1 - scores), scores, bins) @ weight**2
    by_chance = np.sqrt(2 / np.pi * variance)
    return result_of(ratio((excess - by_chance).sum(0), weight.sum(0)), weights)


def _binned(values: Array, scores: Array, bins: int) -> csr_array:
    """Sort the values of the examples into bins of the score, one a row."""
    bin_of = np.searchsorted(np.linspace(0, 1, bins + 1)[1:-1], scores, "left")
    return csr_array((values, (bin_of, np.arange(len(scores)))), shape=(bins, len(scores)))
