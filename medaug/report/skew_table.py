"""How a skew changes the training data, in the form of Table A2 of the paper."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from medaug.data.skew import Skew, group_counts, skew_counts
from medaug.data.store import ImageStore
from medaug.report.group_words import attribute_words, bin_words
from medaug.report.parts import Cell, Table, name
from medaug.report.words import share


def skew_table(store: ImageStore, skews: Mapping[str, Skew]) -> Table:
    """Count the labelled training images of each group, without and with each skew.

    Parameters
    ----------
    store : ImageStore
        The whole data, not a skewed view of it.
    skews : mapping of str to Skew
        Settings by name, for example ``{"More skewed": Skew("sex", {"M": 100})}``; all of one attribute.

    Returns
    -------
    Table
        One row a setting, the data as they are first; one column a group and one for unknown groups, with
        the share that is kept below counts that were cut.

    Raises
    ------
    SettingsError
        An attribute or group does not exist.
    """
    attribute = next(iter(skews.values())).attribute
    whole = group_counts(store, attribute)
    rows = [[name("As they are"), *(Cell(f"{n:,}") for n in whole)]]
    for title, skew in skews.items():
        rows.append([name(title), *_cells(whole, skew_counts(store, skew).T["skewed"])])
    words = attribute_words(attribute)
    caption = f"Labelled training images by {words}, without and with the skew (Table A2 of the paper)"
    return Table(caption, ["Setting", *map(bin_words, map(str, whole.index))], rows)


def _cells(whole: pd.Series[int], kept: pd.Series[int]) -> list[Cell]:
    pairs = zip(kept, whole, strict=True)
    return [Cell(f"{n:,}", share(n, of) if n < of else "") for n, of in pairs]
