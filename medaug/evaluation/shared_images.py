"""Methods are compared on the same seeds and images, with the same truth: what is shared, or not at all."""

from __future__ import annotations

import logging

import pandas as pd

from medaug.errors import DataError
from medaug.evaluation.predictions import attribute_names, class_names
from medaug.task import attribute_column, label_column

logger = logging.getLogger(__name__)


def comparable(predictions: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Keep what all methods have: the same seeds, and of each seed the same images.

    Returns
    -------
    predictions : DataFrame
        Of the shared seeds and images.
    notes : list of str
        What was left out, in sentences, which are logged too.

    Raises
    ------
    DataError
        Methods share no seed or no image, or the truth about an image differs between them.
    """
    shared, seeds = on_shared_seeds(predictions)
    shared, images = on_shared_images(shared)
    for note in [*seeds, *images]:
        logger.warning("%s", note)
    return shared, [*seeds, *images]


def on_shared_images(predictions: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Keep the images that all methods of a seed have, and say which were left out.

    Parameters
    ----------
    predictions : DataFrame
        Of `medaug.evaluation.predictions.check_predictions`.

    Returns
    -------
    predictions : DataFrame
        Those of the images that every method has, seed by seed.
    notes : list of str
        A sentence for each method that lost images.

    Raises
    ------
    DataError
        The methods of a seed have no image in common, or an image has another label, patient, split, domain
        or attribute for one of them (names the column, and how many images).

    Examples
    --------
    >>> both = pd.DataFrame({"method": ["a", "a", "b"], "seed": 0, "image_id": ["x", "y", "x"]})
    >>> kept, notes = on_shared_images(both.assign(split="s", domain="d", patient_id="p"))
    >>> len(kept), notes
    (2, ["Methods are compared on the images that all have: 1 of 2 images of 'a' are left out."])
    """
    methods = predictions.groupby("seed")["method"].transform("nunique")
    having = predictions.groupby(["seed", "image_id"])["method"].transform("nunique")
    shared = having == methods
    if not shared[methods > 1].any() and (methods > 1).any():
        raise DataError(
            "the methods have no image in common (column image_id), so there is nothing to compare; predict "
            "the same images with each"
        )
    kept = predictions[shared].reset_index(drop=True)
    _need_same_truth(kept)
    notes = [
        f"Methods are compared on the images that all have: {lost:,} of {of_method:,} images of {method!r} "
        "are left out."
        for method, lost, of_method in _lost(predictions, shared)
    ]
    return kept, notes


def _lost(predictions: pd.DataFrame, shared: pd.Series[bool]) -> list[tuple[str, int, int]]:
    """Return method, images left out and images, where any are left out."""
    left_out = (~shared).groupby(predictions["method"])
    counts = pd.DataFrame({"lost": left_out.sum(), "images": left_out.size()})
    counts = counts[counts["lost"] > 0]
    return [(str(method), int(lost), int(images)) for method, lost, images in counts.itertuples()]


def on_shared_seeds(predictions: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Keep the seeds that all methods have, and say in a sentence which those are where some have others.

    Raises
    ------
    DataError
        The methods have no seed in common.
    """
    seeds = {str(method): set(rows) for method, rows in predictions.groupby("method")["seed"]}
    shared = set.intersection(*seeds.values())
    having = "; ".join(f"{method!r} {_listed(own)}" for method, own in seeds.items())
    if not shared:
        raise DataError(f"methods are compared on the same seeds, and share none; they have: {having}")
    if all(own == shared for own in seeds.values()):
        return predictions, []
    note = f"Methods have different seeds ({having}): all are measured on {_listed(shared)} only."
    return predictions[predictions["seed"].isin(shared)], [note]


def _listed(seeds: set[int]) -> str:
    return ", ".join(map(str, sorted(seeds)))


def _need_same_truth(table: pd.DataFrame) -> None:
    columns = [label_column(name) for name in class_names(table)]
    columns += ["patient_id", "split", "domain", *map(attribute_column, attribute_names(table))]
    for column in columns:
        values = table[["image_id", column]].drop_duplicates()
        differing = values.loc[values["image_id"].duplicated(), "image_id"].nunique()
        if differing:
            raise DataError(
                f"column {column} says something else of the same image for different methods or seeds "
                f"({differing:,} images); mend the tables, so that all are measured by the same truth"
            )
