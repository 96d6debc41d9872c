"""Which rater of SCIN said what: the lists of a case are published strung together."""

from __future__ import annotations

from itertools import accumulate, pairwise, product

from medaug.data.conditions import Weights
from medaug.data.raters import Diagnoses, soft_labels

MOST = 3
"""Conditions that one rater names at most."""

ROUNDING = 0.0105
"""Published weights have two decimals, some of them not rounded to the nearest."""


def split_raters(
    names: list[str], confidences: list[float], raters: int, published: Weights
) -> list[Diagnoses]:
    """Find out which rater said what.

    SCIN strings the lists of up to three raters together, without a mark between them. Of all ways to cut the
    string into lists of at most three, the one is taken whose soft labels are the published ones (for every
    one of its 3,061 labelled cases there is one); of several such ways, the first in which the fewest
    conditions are named twice by one rater.

    Parameters
    ----------
    names, confidences : list
        Conditions and confidences of all raters.
    raters : int
        Number of raters who could judge the case.
    published : mapping of str to float
        Weighted label of the case.

    Returns
    -------
    list of list of (str, float)
        One list a rater.

    Examples
    --------
    >>> split_raters(["A", "A", "B", "B"], [5, 4, 3, 5], 3, {"A": 0.57, "B": 0.43})
    [[('A', 5)], [('A', 4), ('B', 3)], [('B', 5)]]
    """
    said = list(zip(names, confidences, strict=True))
    cuts = (lengths for lengths in product(range(MOST + 1), repeat=raters) if sum(lengths) == len(said))
    return min((_cut(said, lengths) for lengths in cuts), key=lambda lists: _misfit(lists, published))


def _cut(said: list[tuple[str, float]], lengths: tuple[int, ...]) -> list[Diagnoses]:
    return [said[start:end] for start, end in pairwise(accumulate(lengths, initial=0))]


def _misfit(lists: list[Diagnoses], published: Weights) -> tuple[float, int]:
    weights = soft_labels(lists)
    distance = max((abs(weights[name] - published.get(name, 0.0)) for name in weights), default=0.0)
    return max(distance, ROUNDING), sum(len(one) - len({name for name, _ in one}) for one in lists)
