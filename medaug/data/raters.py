"""Several raters, each with a short list of conditions and confidences: soft labels and agreement."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from medaug.errors import DataError
from medaug.task import label_column

Diagnoses = Sequence[tuple[str, float]]
"""What one rater said: conditions with confidences, in any order; larger is more confident."""


def rater_weights(diagnoses: Diagnoses) -> dict[str, float]:
    """Return the weight of each condition for one rater: the inverse of its rank by confidence.

    Parameters
    ----------
    diagnoses : sequence of (str, float)
        Conditions and confidences. Equal confidences share the mean of the weights of their ranks. A
        condition named twice gets the sum.

    Returns
    -------
    dict of str to float
        Weights 1, 1/2, 1/3, ...; not normalised.

    Raises
    ------
    DataError
        A confidence is not a finite number.

    Examples
    --------
    >>> rater_weights([("A", 4), ("B", 3)])
    {'A': 1.0, 'B': 0.5}
    >>> rater_weights([("A", 4), ("B", 4)])
    {'A': 0.75, 'B': 0.75}
    """
    confidences = [confidence for _, confidence in diagnoses]
    for condition, confidence in diagnoses:
        if not math.isfinite(confidence):
            raise DataError(f"the confidence in {condition!r} is {confidence}; it must be a finite number")
    weights: dict[str, float] = defaultdict(float)
    for condition, confidence in diagnoses:
        above = sum(other > confidence for other in confidences)
        ranks = range(above + 1, above + 1 + confidences.count(confidence))
        weights[condition] += sum(1 / rank for rank in ranks) / len(ranks)
    return dict(weights)


def soft_labels(raters: Sequence[Diagnoses]) -> dict[str, float]:
    """Aggregate raters to soft labels (Section 3.3 of the paper).

    The inverse ranks of all raters are summed by condition, and the sums are divided by their total. A rater
    who names three conditions thus weighs more than one who names one: so says the paper, and so are the
    weights that the SCIN data set publishes.

    Parameters
    ----------
    raters : sequence of sequence of (str, float)
        One list of conditions and confidences a rater; empty lists count for nothing.

    Returns
    -------
    dict of str to float
        Weights that sum to 1, in order of first mention; empty where nobody named a condition.

    Examples
    --------
    The example of the paper:

    >>> labels = soft_labels([[("A", 4), ("B", 3)], [("A", 3), ("D", 4)]])
    >>> {name: round(weight, 3) for name, weight in labels.items()}
    {'A': 0.5, 'B': 0.167, 'D': 0.333}
    """
    sums: dict[str, float] = defaultdict(float)
    for diagnoses in raters:
        for condition, weight in rater_weights(diagnoses).items():
            sums[condition] += weight
    total = sum(sums.values())
    return {condition: weight / total for condition, weight in sums.items()}


def agreement(raters: Sequence[Diagnoses]) -> float:
    """Return how often a rater's first diagnosis is the first of all other raters together.

    This is the accuracy of real images in Section 3.3 (footnote 5): each rater is compared with the soft
    labels of the remaining ones. Where several conditions come first, it is the chance that one of the
    rater's and one of the others', drawn at random, are the same.

    Parameters
    ----------
    raters : sequence of sequence of (str, float)
        As in `soft_labels`.

    Returns
    -------
    float
        Mean over raters, in [0, 1]; NaN where less than two raters named a condition.

    Examples
    --------
    >>> agreement([[("A", 4)], [("A", 5), ("B", 4)], [("B", 2)], [("A", 1)]])
    0.75
    """
    spoken = [diagnoses for diagnoses in raters if diagnoses]
    if len(spoken) < 2:
        return math.nan
    shares = []
    for number, diagnoses in enumerate(spoken):
        own = _first(rater_weights(diagnoses))
        others = _first(soft_labels(spoken[:number] + spoken[number + 1 :]))
        shares.append(len(own & others) / (len(own) * len(others)))
    return float(np.mean(shares))


def _first(weights: dict[str, float]) -> set[str]:
    """Return the conditions of the largest weight; rounding does not part them."""
    largest = max(weights.values())
    return {condition for condition, weight in weights.items() if math.isclose(weight, largest)}


def canonical(table: pd.DataFrame, name: str, threshold: float = 0.9) -> pd.Series[Any]:
    """Tell which images are canonical examples of a class: raters are agreed and confident.

    Parameters
    ----------
    table : DataFrame
        Has a column ``label:<class>``.
    name : str
        The class, without prefix.
    threshold : float
        Smallest soft label; the paper takes 0.9 (Section 3.3).

    Returns
    -------
    Series of bool
        Same index; false where the label is unknown.

    Examples
    --------
    >>> canonical(pd.DataFrame({"label:A": [0.95, 0.5, None]}), "A", 0.5).tolist()
    [True, True, False]
    """
    labels = table[label_column(name)].to_numpy(np.float32, na_value=np.nan)
    # Labels are stored as float32, so the threshold is rounded in the same way.
    return pd.Series(labels >= np.float32(threshold), index=table.index)
