"""What the other raters of an image say it shows: the measure of a single one (footnote 5 of the paper)."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd

from medaug.data.raters import Diagnoses, soft_labels


def diagnoses_of_others(ratings: pd.DataFrame) -> list[tuple[str, ...]]:
    """Return the aggregated diagnosis of the remaining raters of an image, for each rating of it.

    Parameters
    ----------
    ratings : DataFrame
        ``image``, ``classes`` and ``confidences`` (tuples of one length), one row a rating.

    Returns
    -------
    list of tuple of str
        For each row the class with the largest soft label (`medaug.data.raters.soft_labels`) of all other
        ratings of the image; several if they are tied, none where nobody else gave a diagnosis.

    Examples
    --------
    >>> said = [(("acne", "eczema"), (4, 3)), (("acne", "scar"), (3, 4)), ((), ())]
    >>> table = pd.DataFrame(said, columns=["classes", "confidences"]).assign(image="a")
    >>> diagnoses_of_others(table)
    [('scar',), ('acne',), ('acne',)]
    """
    pairs = zip(ratings["classes"], ratings["confidences"], strict=True)
    said = [list(zip(classes, confidences, strict=True)) for classes, confidences in pairs]
    places = ratings.reset_index(drop=True).groupby("image").indices
    images = ratings["image"].tolist()
    return [_leading([said[j] for j in places[image] if j != i]) for i, image in enumerate(images)]


def _leading(raters: Sequence[Diagnoses]) -> tuple[str, ...]:
    labels = soft_labels(raters)
    most = max(labels.values(), default=0.0)
    return tuple(name for name, label in labels.items() if math.isclose(label, most))
