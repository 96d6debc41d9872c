"""Several raters, each with a short list of conditions and confidences: soft labels."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence

from medaug.errors import DataError

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
