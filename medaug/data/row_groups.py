"""Which rows of a store are labelled training images, and the group of every row under one attribute."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from medaug.arrays import IntArray
from medaug.data.store import ImageStore
from medaug.errors import SettingsError
from medaug.task import Attribute, attribute_column


def labelled_rows(store: ImageStore) -> IntArray:
    """Return the numbers of the rows of the split ``train`` with at least one known label, in order."""
    rows = store.rows("train")
    known: IntArray = rows[~np.isnan(store.task.labels(store.table.iloc[rows])).all(axis=1)]
    return known


def row_groups(store: ImageStore, attribute: str) -> pd.Series[Any]:
    """Return the group of each row of a store.

    Parameters
    ----------
    store : ImageStore
        Images with attributes.
    attribute : str
        Name of an attribute of the task, or ``"domain"`` for the hospital, whose groups are the domains of
        the split ``train``.

    Returns
    -------
    Series of categorical
        One entry a row, in order; categories are all groups there are; missing where the group is unknown.

    Raises
    ------
    SettingsError
        There is no such attribute; the message lists those there are.
    """
    names = [a.name for a in store.task.attributes]
    if attribute in names:
        return store.task.attribute(attribute).group_of(store.table[attribute_column(attribute)])
    if attribute != "domain":
        there = ", ".join([*names, "domain"])
        raise SettingsError(f"there is no attribute {attribute!r}; there are: {there}")
    trained = store.table["domain"].iloc[store.rows("train")].dropna().unique()
    if not len(trained):
        raise SettingsError(f"{store.path} has no images in the split 'train', so there are no domains")
    return Attribute("domain", groups=tuple(sorted(map(str, trained)))).group_of(store.table["domain"])
