"""Maximum mean discrepancy between all pairs of sets of features (Section F.3, Table G1).

Eq. 7 leaves two things open, and so three readings of it have a name:

- ``unbiased``: the kernel (u·v/d + 1)³ of the kernel inception distance (Binkowski et al., 2018,
  arXiv:1801.01401), without the terms of an image with itself. It is 0 on average for two samples of one
  distribution, and is the one that the report shows.
- ``printed``: the same kernel, summed as Eq. 7 prints it: i = j is in the sums, which are divided by N(N - 1)
  all the same. It is larger by the mean of K(u, u) + K(z, z) over N - 1, also where nothing differs.
- ``unscaled``: (u·v + 1)³, as "to minimize the number of hyperparameters" may also be read; without i = j.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import mannwhitneyu, ttest_ind

from medaug.analysis.image_sets import is_part
from medaug.arrays import Array
from medaug.errors import DataError
from medaug.evaluation.verdict import MIN_TRAININGS
from medaug.randomness import numpy_generator

logger = logging.getLogger(__name__)

SUBSETS, SUBSET_SIZE = 30, 300
FEWEST = 20
"""Images that a subset must have; a set of fewer than twice as many takes no part."""

UNBIASED = "unbiased"
PAIR = ["first", "second", "reading"]
DISTANCE_COLUMNS = (*PAIR, "subset", "value", "size")
COMPARISON_COLUMNS = (
    *("method", "baseline", *PAIR, "mean", "sd", "baseline_mean", "baseline_sd", "relative"),
    *("u", "p", "trainings", "p_trainings"),
)


class _Reading(NamedTuple):
    scaled: bool
    with_itself: bool


READINGS: Mapping[str, _Reading] = {
    UNBIASED: _Reading(scaled=True, with_itself=False),
    "printed": _Reading(scaled=True, with_itself=True),
    "unscaled": _Reading(scaled=False, with_itself=False),
}
"""How Eq. 7 can be read, by name; see the head of this module."""


def mmd(u: npt.ArrayLike, z: npt.ArrayLike, reading: str = UNBIASED) -> float:
    """Return the squared maximum mean discrepancy of two samples of equal size (Eq. 7), cubic kernel.

    Parameters
    ----------
    u, z : array of shape (N, d)
        Features, N at least 2.
    reading : {"unbiased", "printed", "unscaled"}
        See the head of this module.

    Raises
    ------
    DataError
        The samples differ in size or in number of features, or have one image only.

    Examples
    --------
    >>> float(mmd([[0.0], [2.0]], [[0.0], [2.0]]))
    -62.0
    """
    first, second = np.asarray(u, float), np.asarray(z, float)
    if first.ndim != 2 or first.shape != second.shape or len(first) < 2:
        raise DataError(
            f"MMD needs two samples of the same size and features, at least 2 images each; there are "
            f"{first.shape} and {second.shape}"
        )
    how = READINGS[reading]
    within = [_within(_kernels(sample, sample)[how.scaled], how) for sample in (first, second)]
    return sum(within) - 2 * float(_kernels(first, second)[how.scaled].mean())


def distances(
    features: Mapping[str, Array], *, subsets: int = SUBSETS, size: int = SUBSET_SIZE, seed: int = 0
) -> pd.DataFrame:
    """Measure MMD between all pairs of sets of features of one model, on random subsets of each.

    Parameters
    ----------
    features : mapping of str to array of shape (images, d)
        For example ``train``, ``id_test``, ``ood_test`` and ``synthetic``.
    subsets : int
        S, how many estimates.
    size : int
        N, images in a subset; half of the smallest set where that is less, so that subsets differ.
    seed : int
        Of the subsets; the same for every model, so that their values belong together.

    Returns
    -------
    DataFrame
        Columns `DISTANCE_COLUMNS`, one row for each pair, reading and subset, in the order of the sets; a set
        is not compared with an external data set that is part of it. Empty where fewer than two sets have
        ``2 * FEWEST`` images.
    """
    usable = {name: np.asarray(found, float) for name, found in features.items() if len(found) >= 2 * FEWEST}
    if left_out := [f"{name} ({len(features[name])})" for name in features if name not in usable]:
        logger.info("Too few images for distances, at least %d: %s", 2 * FEWEST, ", ".join(left_out))
    size = min([size, *(len(found) // 2 for found in usable.values())])
    values: dict[tuple[str, str, str], list[float]] = defaultdict(list)
    for number in range(subsets):
        for pair, value in _between(_drawn(usable, size, seed, number)):
            values[pair].append(value)
    rows = [(*pair, n, value, size) for pair, found in values.items() for n, value in enumerate(found)]
    return pd.DataFrame(rows, columns=list(DISTANCE_COLUMNS))


def compare_distances(table: pd.DataFrame, baseline: str) -> pd.DataFrame:
    """Compare the distances under each method with those under a baseline (Mann–Whitney U, two-sided).

    Parameters
    ----------
    table : DataFrame
        What `distances` returned for each model, below one another, with the columns ``method`` and ``seed``.
    baseline : str
        Method that the others are compared with.

    Returns
    -------
    DataFrame
        Columns `COMPARISON_COLUMNS`, one row for each pair, reading and method, the baseline's own included
        (without a test). ``relative`` is ``mean / baseline_mean - 1``; ``u`` and ``p`` are the paper's test
        of all values of the one against all of the other.

    Raises
    ------
    DataError
        The baseline is not among the methods.

    Notes
    -----
    The S values of a model come from the same images and the same training, so ``p`` says whether *these
    trained models* differ; it shrinks with S, whatever the methods. Where each method has at least three
    trainings, ``p_trainings`` is the t test between the means of the trainings; it is about the methods.
    """
    there = list(dict.fromkeys(table["method"]))
    if baseline not in there:
        raise DataError(
            f"there is no baseline {baseline!r} among the distances; there are: {', '.join(there)}"
        )
    rows = []
    for pair, runs in table.groupby(PAIR, sort=False):
        of_method = dict(list(runs.groupby("method", sort=False)))
        for method, own in of_method.items() if baseline in of_method else ():
            keys = {**dict(zip(PAIR, pair, strict=True)), "method": method, "baseline": baseline}
            rows.append(keys | _compared(own, of_method[baseline]))
    return pd.DataFrame(rows, columns=list(COMPARISON_COLUMNS))


def _drawn(features: Mapping[str, Array], size: int, seed: int, number: int) -> dict[str, Array]:
    drawn = {}
    for name, found in features.items():
        generator = numpy_generator(seed, "distances", name, number)
        drawn[name] = found[generator.choice(len(found), size, replace=False)]
    return drawn


def _between(drawn: Mapping[str, Array]) -> Iterator[tuple[tuple[str, str, str], float]]:
    """Give every pair of samples, but a set and a part of it, with each reading of their distance."""
    within = {}
    for name, sample in drawn.items():
        kernels = _kernels(sample, sample)
        within[name] = {reading: _within(kernels[how.scaled], how) for reading, how in READINGS.items()}
    for first, second in combinations(drawn, 2):
        if is_part(first, second):
            continue
        across = {scaled: float(k.mean()) for scaled, k in _kernels(drawn[first], drawn[second]).items()}
        for reading, how in READINGS.items():
            own = within[first][reading] + within[second][reading]
            yield (first, second, reading), own - 2 * across[how.scaled]


def _kernels(u: Array, z: Array) -> dict[bool, Array]:
    """Return the cubic kernel, with the product divided by the number of features (True) and as it is."""
    product = u @ z.T
    scaled, plain = product / u.shape[1] + 1, product + 1
    return {True: scaled * scaled * scaled, False: plain * plain * plain}


def _within(kernel: Array, how: _Reading) -> float:
    """Return the sum of the kernel between the images of a sample over N(N - 1)."""
    n = len(kernel)
    total = kernel.sum() - (0.0 if how.with_itself else np.trace(kernel))
    return float(total) / (n * (n - 1))


def _compared(own: pd.DataFrame, other: pd.DataFrame) -> dict[str, Any]:
    values, reference = own["value"], other["value"]
    found = {
        "mean": values.mean(),
        "sd": values.std(),
        "baseline_mean": reference.mean(),
        "baseline_sd": reference.std(),
        "relative": values.mean() / reference.mean() - 1,
        "trainings": min(own["seed"].nunique(), other["seed"].nunique()),
    }
    if own["method"].iloc[0] == other["method"].iloc[0]:
        return found | {"u": np.nan, "p": np.nan, "p_trainings": np.nan}
    test = mannwhitneyu(values, reference)
    return found | {"u": test.statistic, "p": test.pvalue, "p_trainings": _between_trainings(own, other)}


def _between_trainings(own: pd.DataFrame, other: pd.DataFrame) -> float:
    means = [runs.groupby("seed")["value"].mean() for runs in (own, other)]
    return float(ttest_ind(*means).pvalue) if min(map(len, means)) >= MIN_TRAININGS else float("nan")
