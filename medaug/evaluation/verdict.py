"""Whether two methods differ, when patients and trainings could have been others.

Training is random: two trainings of one method differ, on any number of patients. A verdict about *methods*
therefore needs several trainings of each, and carries both variations:
SE² = variance over patients + (s₁² + s₂²) / K, with Student's t of 2 (K - 1) degrees of freedom. With fewer
trainings there is a difference between *trained models*, and no verdict about the methods.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtr, stdtrit

from medaug.arrays import Array
from medaug.evaluation.intervals import percentile_interval
from medaug.evaluation.metrics import UNDIRECTED, higher_is_better

MIN_TRAININGS = 3
POWER = 0.8
"""Chance with which the smallest detectable difference would have been found."""
ROUNDING = 1e-12

BETTER, WORSE, UNCLEAR, UNKNOWN = "better", "worse", "no clear difference", "not known"
TRAINED_MODELS, METHODS = "trained models", "methods"


@dataclass(frozen=True)
class Difference:
    """A method minus another one; what is not known is NaN.

    Parameters
    ----------
    difference : float
        Mean over the trainings of the first minus that of the second.
    standard_error : float
        For methods of both variations, for trained models of the patients alone.
    ci_low, ci_high : float
        For methods from Student's t, for trained models the percentiles over the patients.
    p_value : float
        Two-sided, of no difference between the methods; NaN for trained models.
    trainings : int
        Of each method.
    detectable : float
        Smallest true difference that would have been found in four of five such evaluations.
    about : {"methods", "trained models"}
        What the difference is evidence about.
    """

    difference: float
    standard_error: float
    ci_low: float
    ci_high: float
    p_value: float
    trainings: int
    detectable: float
    about: str


def difference_between(own: Array, other: Array, confidence: float = 0.95) -> Difference:
    """Compare a method with another one over trainings and patients.

    Parameters
    ----------
    own, other : float array, shape (K, 1 + R)
        A line a training: the value on the data, then R bootstrap replicates of the patients, the same draws
        of patients in all lines of both.
    confidence : float
        Coverage of the interval, between 0 and 1.

    Returns
    -------
    Difference
        About methods with at least `MIN_TRAININGS` trainings of each, else about trained models. Without
        replicates (or if fewer than half are defined) there is neither interval nor p-value.

    Examples
    --------
    >>> patients = np.linspace(-0.02, 0.02, 101)
    >>> own = np.array([[0.80], [0.82], [0.84]]) + np.append(0.0, patients)
    >>> found = difference_between(own, own - 0.1)
    >>> round(found.difference, 3), found.trainings, found.p_value < 0.01
    (0.1, 3, True)
    """
    trainings = len(own)
    change = own.mean(axis=0) - other.mean(axis=0)
    interval = percentile_interval(change[1:], confidence) if own.shape[1] > 1 else None
    if interval is None:
        nan = math.nan
        return Difference(float(change[0]), nan, nan, nan, nan, trainings, nan, _about(trainings))
    over_patients = float(np.nanvar(change[1:], ddof=1))
    if trainings < MIN_TRAININGS:
        error, degrees = math.sqrt(over_patients), math.inf
        return _assembled(change[0], error, degrees, confidence, trainings, interval)
    over_trainings = (own[:, 0].var(ddof=1) + other[:, 0].var(ddof=1)) / trainings
    error, degrees = math.sqrt(over_patients + over_trainings), 2 * (trainings - 1)
    return _assembled(change[0], error, degrees, confidence, trainings)


def _assembled(
    value: float,
    error: float,
    degrees: float,
    confidence: float,
    trainings: int,
    interval: tuple[float, float] | None = None,
) -> Difference:
    """With Student's t unless an interval is given."""
    reach = float(stdtrit(degrees, (1 + confidence) / 2))
    low, high = interval or (value - reach * error, value + reach * error)
    p_value = math.nan if interval else _p_value(value, error, degrees)
    detectable = (reach + float(stdtrit(degrees, POWER))) * error
    return Difference(
        float(value), error, float(low), float(high), p_value, trainings, detectable, _about(trainings)
    )


def verdict(difference: float, p_value: float, metric: str, level: float = 0.05) -> str:
    """Read a difference between methods.

    Parameters
    ----------
    difference, p_value : float
        Of `difference_between`, the latter adjusted where it is one of a family of questions; NaN is unknown.
    metric : str
        Which direction is better, see `medaug.evaluation.metrics.higher_is_better`.
    level : float
        A p-value at or below it is a clear difference.

    Returns
    -------
    {"better", "worse", "no clear difference", "not known"}
        The last one too for a clear difference in a metric of which neither more nor less is better.

    Examples
    --------
    >>> verdict(-0.03, 0.001, "auc_gap"), verdict(0.03, 0.2, "auc"), verdict(0.03, math.nan, "auc")
    ('better', 'no clear difference', 'not known')
    """
    if math.isnan(p_value):
        return UNKNOWN
    if p_value > level:
        return UNCLEAR
    if metric in UNDIRECTED:
        return UNKNOWN
    return BETTER if (difference > 0) == higher_is_better(metric) else WORSE


def _about(trainings: int) -> str:
    return METHODS if trainings >= MIN_TRAININGS else TRAINED_MODELS


def _p_value(value: float, error: float, degrees: float) -> float:
    """Of a t-test; a difference of exactly nothing is no difference even where nothing varies."""
    if abs(value) < ROUNDING:
        return 1.0
    return float(2 * stdtr(degrees, -abs(value) / error)) if error else 0.0
