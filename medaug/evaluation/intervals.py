"""Intervals of a value from its replicates: Wilson's for shares, also at the edge, else normal.

Percentiles of a bootstrap are too short for few patients, and no interval at all where 7 of 7 are right. A
share is therefore given Wilson's interval (1927, https://doi.org/10.1080/01621459.1927.10502953) for the
number of independent patients that would vary as much as the replicates do: patients with several images,
and thresholds that were chosen on data, are in it. AUC and balanced accuracy are treated alike.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.special import ndtri

from medaug.arrays import Array


def wilson_interval(
    value: float, replicates: Array, patients: int, confidence: float
) -> tuple[float, float] | None:
    """Return the interval of a share from its variation over patients.

    Parameters
    ----------
    value : float
        Between 0 and 1.
    replicates : float array, shape (R,)
        Bootstrap replicates, NaN where one is not defined.
    patients : int
        Patients that the share rests on; they stand for the number of trials where nothing varies.
    confidence : float
        Coverage, between 0 and 1.

    Returns
    -------
    tuple of float, or None
        None if fewer than half of the replicates are defined, or there is one patient.

    Examples
    --------
    >>> low, high = wilson_interval(1.0, np.ones(100), patients=7, confidence=0.95)
    >>> round(low, 2), high
    (0.65, 1.0)
    """
    deviation = deviation_of(replicates, patients)
    if deviation is None:
        return None
    spread = value * (1 - value)
    trials = spread / deviation**2 if spread > 0 and deviation > 0 else float(patients)
    z = float(ndtri((1 + confidence) / 2))
    centre, reach = value + z**2 / (2 * trials), z * math.sqrt(spread / trials + (z / (2 * trials)) ** 2)
    low, high = ((centre + sign * reach) / (1 + z**2 / trials) for sign in (-1, 1))
    return max(0.0, low), min(1.0, high)


def normal_interval(
    value: float, replicates: Array, patients: int, confidence: float
) -> tuple[float, float] | None:
    """Return value ± z standard errors; parameters and None as for `wilson_interval`.

    Examples
    --------
    >>> low, high = normal_interval(0.1, np.linspace(0.05, 0.15, 101), patients=500, confidence=0.95)
    >>> round(low, 3), round(high, 3)
    (0.043, 0.157)
    """
    deviation = deviation_of(replicates, patients)
    if deviation is None:
        return None
    reach = float(ndtri((1 + confidence) / 2)) * deviation
    return value - reach, value + reach


def percentile_interval(replicates: Array, confidence: float) -> tuple[float, float] | None:
    """Return the percentile interval of the defined replicates; None if fewer than half are defined.

    Examples
    --------
    >>> percentile_interval(np.arange(101.0), 0.5)
    (25.0, 75.0)
    """
    defined = replicates[~np.isnan(replicates)]
    if len(defined) == 0 or 2 * len(defined) < len(replicates):
        return None
    tail = (1 - confidence) / 2
    low, high = np.quantile(defined, [tail, 1 - tail])
    return float(low), float(high)


def percentile_bounds(replicates: Array, confidence: float) -> tuple[float, float]:
    """Return `percentile_interval`, NaN at both ends where there is none."""
    return percentile_interval(replicates, confidence) or (math.nan, math.nan)


def deviation_of(replicates: Array, patients: int) -> float | None:
    """Return the standard error: that of the replicates, which is too small by 1 / patients, mended.

    None if fewer than half of the replicates are defined, or there is one patient.
    """
    defined = replicates[~np.isnan(replicates)]
    if patients < 2 or len(defined) < 2 or 2 * len(defined) < len(replicates):
        return None
    return float(defined.std(ddof=1)) * math.sqrt(patients / (patients - 1))
