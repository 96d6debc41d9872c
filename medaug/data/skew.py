"""Training sets that are skewed on purpose: few labelled images of some groups (Section A.3, Table A2).

The same view gives the label budgets of histopathology: N labelled patches of some hospitals (Section G.1).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd

from medaug.arrays import IntArray
from medaug.data.row_groups import labelled_rows, row_groups
from medaug.data.store import ImageStore
from medaug.errors import SettingsError
from medaug.randomness import derive_seed

Surplus = Literal["unlabelled", "left_out"]
"""Split of what a cap leaves over; nothing reads ``left_out``, and no store on disk has it."""

UNKNOWN = "unknown"
"""Column of images whose group is not known, in a table of counts."""


@dataclass(frozen=True)
class Skew:
    """How many labelled training images a group may keep.

    Parameters
    ----------
    attribute : str
        Name of an attribute, or ``"domain"`` for the hospital.
    caps : mapping of str to int
        Group to the most labelled images of the split ``train`` that it keeps; groups that are not named
        keep all. Table A2 leaves of the rarer sex 1,157 (less skewed), 115 (more) or 19 (most).
    surplus : {"unlabelled", "left_out"}
        What becomes of the others: they train the generator without their labels, or nothing at all.
    seed : int
        Decides which images are kept.

    Raises
    ------
    SettingsError
        No cap is given, one is not a whole number from 0 on, or `surplus` is neither of the two.
    """

    attribute: str
    caps: Mapping[str, int]
    surplus: Surplus = "unlabelled"
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.caps:
            raise SettingsError("a skew needs caps, for example {'M': 100}")
        for group, cap in self.caps.items():
            if isinstance(cap, bool) or not isinstance(cap, int) or cap < 0:
                raise SettingsError(
                    f"the cap of group {group!r} must be a whole number from 0 on, not {cap!r}"
                )
        if self.surplus not in get_args(Surplus):
            there = " or ".join(get_args(Surplus))
            raise SettingsError(f"surplus must be {there}, not {self.surplus!r}")


def label_budget(labels: int, domains: Sequence[str]) -> dict[str, Any]:
    """Return the skew that leaves some hospitals only so many labelled training images each (Section G.1).

    The other images of these hospitals train the generator without their labels: labels are what costs.

    Raises
    ------
    SettingsError
        No hospital is named.

    Examples
    --------
    >>> label_budget(10, ["center_3"])
    {'attribute': 'domain', 'caps': {'center_3': 10}, 'surplus': 'unlabelled'}
    """
    if not domains:
        raise SettingsError("label_budget is for some hospitals: name them with --budget_domains \"['A']\"")
    return {"attribute": "domain", "caps": dict.fromkeys(domains, labels), "surplus": "unlabelled"}


def skewed(store: ImageStore, skew: Skew | None) -> ImageStore:
    """Return a view of a store in which some groups have few labelled training images.

    Parameters
    ----------
    store : ImageStore
        The whole data; stays as it is.
    skew : Skew or None
        How to skew; None gives the store itself.

    Returns
    -------
    ImageStore
        The same pixels with another table: in each capped group the surplus of the labelled rows of the split
        ``train`` has unknown labels and the split ``unlabelled``, or the split ``left_out``. All other rows,
        those of the evaluation splits among them, are as they were.

    Raises
    ------
    SettingsError
        The attribute or a group does not exist; the message lists those there are.

    Notes
    -----
    Images are ranked by a hash of seed and ``image_id``, so that the choice depends neither on other images
    nor on the order of rows, every method gets the same images, and those under a smaller cap are among
    those under a larger one.

    Examples
    --------
    >>> few_men = skewed(store, Skew("sex", {"M": 100}))  # doctest: +SKIP
    """
    if skew is None:
        return store
    surplus, table = _surplus(store, skew), store.table.copy()
    table.loc[surplus, "split"] = skew.surplus
    if skew.surplus == "unlabelled":
        table.loc[surplus, store.task.label_columns] = np.nan
    return replace(store, table=table)


def group_counts(store: ImageStore, attribute: str) -> pd.Series[int]:
    """Count the labelled images of the split ``train`` by group, those of unknown group last."""
    groups = row_groups(store, attribute).iloc[labelled_rows(store)]
    counts = groups.value_counts(sort=False)
    names = [*map(str, groups.cat.categories), UNKNOWN]
    return pd.Series([*counts, groups.isna().sum()], index=names, dtype=np.int64)


def skew_counts(store: ImageStore, skew: Skew) -> pd.DataFrame:
    """Count the labelled training images before and after a skew, in the form of Table A2.

    Parameters
    ----------
    store : ImageStore
        The whole data.
    skew : Skew
        How it is skewed.

    Returns
    -------
    DataFrame of int64
        Rows ``all`` and ``skewed``; one column a group of the skewed attribute, then ``unknown``.
    """
    before = group_counts(store, skew.attribute)
    # A hospital that keeps no image at all is a column of zeros, not a column that is missing.
    after = group_counts(skewed(store, skew), skew.attribute).reindex(before.index, fill_value=0)
    return pd.DataFrame([before, after], index=["all", "skewed"])


def _surplus(store: ImageStore, skew: Skew) -> IntArray:
    groups, rows = row_groups(store, skew.attribute), labelled_rows(store)
    there = list(map(str, groups.cat.categories))
    if unknown := sorted(set(skew.caps) - set(there)):
        raise SettingsError(
            f"{skew.attribute} has no group {unknown[0]!r} to cap; there are: {', '.join(there)}"
        )
    of_group = {group: rows[(groups.iloc[rows] == group).to_numpy()] for group in skew.caps}
    beyond = [_ranked(store, of_group[group], skew.seed)[cap:] for group, cap in skew.caps.items()]
    return np.concatenate(beyond)


def _ranked(store: ImageStore, rows: IntArray, seed: int) -> IntArray:
    """Rows in an order that follows from seed and image id alone."""
    names = store.table["image_id"].iloc[rows]
    ranks = np.array([derive_seed(seed, "skew", str(name)) for name in names], np.int64)
    return rows[np.argsort(ranks, kind="stable")]
