"""Which few rows of a table of results answer the question, and how many questions that makes.

The headline family is the leading metric over all images and its gaps between the groups of each attribute,
in each part of the data that a report shows. Its p-values are adjusted together (Holm, 1979,
https://www.jstor.org/stable/4615733); whatever else is in a table is exploratory.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from statsmodels.stats.multitest import multipletests

from medaug.arrays import BoolArray
from medaug.evaluation.identities import ALL_DOMAINS
from medaug.evaluation.metrics import GAP

HEADLINE, EXPLORATORY = "headline", "exploratory"

_SPLITS = ("id_test", "ood_test", "id_val", "ood_val", "train", "unlabelled")


def splits(table: pd.DataFrame) -> list[str]:
    """Return the splits: tests first, in distribution before out of distribution."""
    present = set(table["split"].unique())
    return [s for s in _SPLITS if s in present] + sorted(present - set(_SPLITS))


def shown_splits(table: pd.DataFrame) -> list[str]:
    """Return the splits for figures: the tests, or validation where a test is missing.

    Validation out of distribution is shown beside the test where it comes from other hospitals: it is another
    shift then (Table A1).
    """
    present = splits(table)
    inside = [s for s in ("id_test", "id_val") if s in present][:1]
    outside = [s for s in ("ood_val", "ood_test") if s in present]
    if len(outside) == 2 and not _other_hospitals(table):
        outside = ["ood_test"]
    return inside + outside + [s for s in present if s not in _SPLITS] or present[:1]


def with_family(table: pd.DataFrame, metric: str, within: Sequence[str] = ()) -> pd.DataFrame:
    """Add ``family`` and ``p_holm`` to a table of results.

    Parameters
    ----------
    table : DataFrame
        With ``split``, ``domain``, ``metric``, ``label``, ``attribute`` and ``p_value`` (NaN where there is
        no test).
    metric : str
        The one that leads.
    within : sequence of str
        Columns; each of their combinations is a family of its own, none means one for the whole table.

    Returns
    -------
    DataFrame
        The table with ``family``, "headline" or "exploratory", and ``p_holm``: the adjusted p-value within
        the headline family, NaN elsewhere.
    """
    chosen = of_headline(table, metric)
    adjusted = pd.Series(np.nan, index=table.index)
    tested = table[chosen & table["p_value"].notna().to_numpy()]
    families = [rows for _, rows in tested.groupby(list(within))] if within else [tested]
    for rows in families:
        if len(rows):
            adjusted[rows.index] = multipletests(rows["p_value"].to_numpy(float), method="holm")[1]
    return table.assign(family=np.where(chosen, HEADLINE, EXPLORATORY), p_holm=adjusted)


def of_headline(table: pd.DataFrame, metric: str) -> BoolArray:
    """Tell of each row whether it belongs to the headline family; see the module."""
    overall = (table["metric"] == metric) & (table["attribute"] == "")
    gap = (table["metric"] == GAP.of(metric)) & ~table["attribute"].str.contains(" & ", regex=False)
    pooled = table["split"].isin(table.loc[table["domain"] == ALL_DOMAINS, "split"])
    together = ~pooled | (table["domain"] == ALL_DOMAINS)
    shown = table["split"].isin(shown_splits(table)) & (table["label"] == "")
    chosen: BoolArray = ((overall | gap) & together & shown).to_numpy(bool)
    return chosen


def _other_hospitals(table: pd.DataFrame) -> bool:
    """Tell whether validation and test out of distribution have no domain in common."""
    if "domain" not in table:
        return False
    there = [set(table.loc[table["split"] == s, "domain"]) - {ALL_DOMAINS} for s in ("ood_val", "ood_test")]
    return there[0].isdisjoint(there[1])
