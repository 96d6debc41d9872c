"""The sets of images that the looks at features compare, and their names.

A set is the training images, those in and out of distribution that an evaluation shows (the test, or the
validation where a test is missing), each external data set where there are several, or what was generated.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from medaug.arrays import IntArray
from medaug.evaluation.family import shown_splits

TRAINING, GENERATED = "train", "synthetic"
_OF = ": "


def real_sets(table: pd.DataFrame) -> dict[str, IntArray]:
    """Return the rows of each set of real images that is not empty, by its name, that of the split.

    Parameters
    ----------
    table : DataFrame
        Of a store: ``split`` and ``domain``.

    Examples
    --------
    >>> list(real_sets(pd.DataFrame({"split": ["train", "id_val", "ood_test"], "domain": ["A", "A", "B"]})))
    ['train', 'id_val', 'ood_test']
    """
    evaluated = [split for split in shown_splits(table) if split.startswith(("id_", "ood_"))]
    rows = {split: np.flatnonzero(table["split"] == split) for split in (TRAINING, *evaluated)}
    return {split: some for split, some in rows.items() if len(some)}


def external_parts(table: pd.DataFrame, whole: str, rows: IntArray, fewest: int) -> dict[str, IntArray]:
    """Return the rows of each external data set, where a set out of distribution is made of several.

    Parameters
    ----------
    table : DataFrame
        Of a store: ``domain``.
    whole : str
        Name of the set.
    rows : array of int
        Its rows.
    fewest : int
        Images that a data set must have to be a set of its own.

    Returns
    -------
    dict of str to array of int
        By ``<whole>: <domain>``.
    """
    domains = table["domain"].iloc[rows]
    if not whole.startswith("ood_") or domains.nunique() < 2:
        return {}
    parts = {domain: rows[(domains == domain).to_numpy()] for domain in sorted(domains.unique())}
    return {f"{whole}{_OF}{domain}": some for domain, some in parts.items() if len(some) >= fewest}


def is_part(whole: str, other: str) -> bool:
    """Tell whether a set is an external data set of another, with which it has images in common."""
    return other.startswith(f"{whole}{_OF}")


def part_name(name: str) -> str:
    """Return the domain of a set that is one external data set; empty for other sets.

    Examples
    --------
    >>> part_name("ood_test: ChestX-ray14"), part_name("ood_test")
    ('ChestX-ray14', '')
    """
    return name.partition(_OF)[2]
