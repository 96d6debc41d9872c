"""Appendix D.1: which share of generated examples brings a finite training set closest to the truth.

One variable y in {0, 1}. p, t and p̂ are the probabilities of y = 0 in truth, in a training set of N draws
from it, and in generated data. The training distribution is p' = (1 - α) t + α p̂: here, other than in Eq. 3
and in medaug's ``real_fraction``, α is the share of *generated* examples. What is minimised is KL(p ‖ p'),
the truth first.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import rel_entr
from scipy.stats import binom

from medaug.arrays import Array
from medaug.randomness import numpy_generator

N, P, P_HAT = 6, 0.2, 0.5
RESAMPLES = 1000
CURVE_COLUMNS = ("varied", "x", "n", "p", "p_hat", "mean", "ci_low", "ci_high", "exact", "without_effect")


def optimal_share(p: float, p_hat: float, t: npt.ArrayLike) -> Array:
    """Return the α in [0, 1] that minimises KL(p ‖ (1 - α) t + α p̂): (p - t) / (p̂ - t), cut at 0 and 1.

    The divergence is convex in p' and 0 where p' = p, so that the point nearest to p between t and p̂ is best.

    Parameters
    ----------
    p, p_hat : float
        In (0, 1).
    t : array
        Any shape, in [0, 1].

    Returns
    -------
    float array of the shape of `t`
        NaN where t = p̂ but neither is p, so that α has no effect; 1 where p̂ = p, whatever t is ("we should
        just sample from the generative model irrespective of t").

    Examples
    --------
    >>> optimal_share(0.2, 0.5, [1 / 6, 0.0, 0.3, 0.8, 0.5]).round(2).tolist()
    [0.1, 0.4, 0.0, 1.0, nan]
    """
    real = np.asarray(t, float)
    same = real == p_hat
    share = np.clip((p - real) / np.where(same, np.nan, p_hat - real), 0, 1)
    return np.where(same, 1.0 if p == p_hat else np.nan, share)


def divergence(p: npt.ArrayLike, q: npt.ArrayLike) -> Array:
    """Return KL(p ‖ q) in nats of two Bernoulli distributions; infinite where q excludes what p has."""
    first, second = np.asarray(p, float), np.asarray(q, float)
    found: Array = rel_entr(first, second) + rel_entr(1 - first, 1 - second)
    return found


def expected_share(n: int, p: float, p_hat: float) -> float:
    """Return the mean of the optimal α over all training sets of n draws in which it has an effect."""
    counts = np.arange(n + 1)
    weight, share = binom.pmf(counts, n, p), optimal_share(p, p_hat, counts / n)
    there = ~np.isnan(share)
    return float(np.average(share[there], weights=weight[there])) if there.any() else float("nan")


def curves(seed: int = 0, resamples: int = RESAMPLES) -> pd.DataFrame:
    """Return Figure D1 (b): the mean optimal α where N, p̂ and p vary in turn.

    Returns
    -------
    DataFrame
        Columns `CURVE_COLUMNS`: ``varied`` (``N``, ``p_hat`` or ``p``) and its normalised value ``x`` in
        (0, 1]; mean of the resampled training sets with its 95 % confidence interval; ``exact`` the mean over
        all of them (`expected_share`); ``without_effect`` the share of resamples in which α has no effect.
    """
    inner = np.arange(1, 50) / 50
    cases = [("N", n / 100, n, P, P_HAT) for n in range(1, 101)]
    cases += [("p_hat", x, N, P, x) for x in inner] + [("p", x, N, x, P_HAT) for x in inner]
    rows = [(*case, *_resampled(case, seed, resamples), expected_share(*case[2:])) for case in cases]
    table = pd.DataFrame(rows, columns=[*CURVE_COLUMNS[:8], "without_effect", "exact"])
    return table[list(CURVE_COLUMNS)]


def single_run(t: float = 1 / N) -> pd.DataFrame:
    """Return Figure D1 (a): the distributions of one run, by default the paper's, whose α is 0.1."""
    share = float(optimal_share(P, P_HAT, t))
    combined = (1 - share) * t + share * P_HAT
    parts: Iterable[tuple[str, float]] = (("p", P), ("p_hat", P_HAT), ("t", t), ("combined", combined))
    rows = [(name, q, 1 - q, float(divergence(P, q)), share) for name, q in parts]
    return pd.DataFrame(rows, columns=["distribution", "y=0", "y=1", "kl_from_p", "alpha"])


def _resampled(
    case: tuple[str, float, int, float, float], seed: int, resamples: int
) -> tuple[float, float, float, float]:
    varied, x, n, p, p_hat = case
    counts = numpy_generator(seed, "D.1", varied, round(100 * x)).binomial(n, p, resamples)
    share = optimal_share(p, p_hat, counts / n)
    found = share[~np.isnan(share)]
    reach = 1.96 * float(found.std(ddof=1)) / len(found) ** 0.5
    mean = float(found.mean())
    return mean, mean - reach, mean + reach, 1 - len(found) / resamples
