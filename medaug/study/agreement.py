"""How far raters agree beyond chance."""

from __future__ import annotations

import numpy as np
import pandas as pd

from medaug.arrays import FloatArray


def krippendorff_alpha(answers: pd.DataFrame) -> float:
    """Return Krippendorff's alpha for answers that are categories (nominal).

    Unlike Fleiss' kappa it allows that raters left out images: an image counts as soon as two rated it.

    Parameters
    ----------
    answers : DataFrame
        Columns ``image``, ``rater`` and ``answer`` (any hashable), one row an answer.

    Returns
    -------
    float
        1 is perfect agreement, 0 what chance gives, negative is less; NaN where no image has two answers
        or all answers are the same, since then nothing can be said about chance.

    References
    ----------
    K. Krippendorff, "Computing Krippendorff's alpha-reliability" (2011), section C.

    Examples
    --------
    >>> images, raters = ["a", "a", "b", "b"], [1, 2, 1, 2]
    >>> krippendorff_alpha(pd.DataFrame({"image": images, "rater": raters, "answer": [0, 0, 1, 1]}))
    1.0
    """
    counts = pairable(answers)
    of_image = counts.sum(axis=1, keepdims=True)
    of_answer, total = counts.sum(axis=0), counts.sum()
    expected = total**2 - (of_answer**2).sum()
    if len(counts) == 0 or expected == 0:
        return float("nan")
    # Ordered pairs of different answers to one image, each image weighed by 1 / (its answers - 1).
    observed = (counts * (of_image - counts) / (of_image - 1)).sum()
    return float(1 - (total - 1) * observed / expected)


def pairable(answers: pd.DataFrame) -> FloatArray:
    """Return how often each answer (column) was given to each image (row) that has two answers or more."""
    if answers.empty:
        return np.zeros((0, 0))
    counts = pd.crosstab(answers["image"], answers["answer"]).to_numpy(np.float64)
    twice: FloatArray = counts[counts.sum(axis=1) >= 2]
    return twice
