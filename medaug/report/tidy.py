"""Reading the tidy table of metrics: which rows a figure or table needs, in which order."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from medaug.evaluation.family import shown_splits
from medaug.evaluation.identities import ALL_DOMAINS
from medaug.evaluation.metrics import SENSITIVITY, WORST
from medaug.evaluation.metrics_table import TEXT_COLUMNS

_NUMBERS = ("value", "ci_low", "ci_high", "by_chance", "p_value", "detectable")

MOST_SETS = 6

KEYS = ["method", "split", "domain", "metric", "label", "attribute", "group"]


def tidied(metrics: pd.DataFrame) -> pd.DataFrame:
    """Return one row for each method, split, domain, metric, label and group, with empty text for missing.

    Several seeds are joined: the value is the mean over the seeds where it is estimable, the interval runs
    from the lowest to the highest bound of any seed (it is never narrower than that of one run), p-values
    are joined as twice their median, and ``seeds`` counts the runs; a value that is estimable in some of them
    only says so.
    """
    table = metrics.copy()
    for key in [*KEYS, "reason"]:
        table[key] = table[key].astype("object").fillna("").astype(str) if key in table else ""
    table["estimable"] = table["estimable"].astype(str).str.lower().eq("true")
    for column in (*_NUMBERS, "n", "n_positive", "patients"):
        given = pd.to_numeric(table[column], errors="coerce") if column in table else pd.NA
        table[column] = pd.Series(given, index=table.index).astype("Float64").astype("float64")
    table.loc[~table["estimable"], list(_NUMBERS)] = float("nan")
    several = "seed" in table and table["seed"].nunique() > 1
    return _over_seeds(table) if several else table.assign(seeds=1)


def read_differences(path: Path | str) -> pd.DataFrame:
    """Read ``comparison.csv``; empty text stays empty text."""
    table = pd.read_csv(path, dtype=dict.fromkeys(TEXT_COLUMNS, "str"))
    text = [name for name in (*TEXT_COLUMNS, "baseline", "verdict", "about") if name in table]
    return table.assign(**table[text].fillna(""))


def tidied_differences(differences: pd.DataFrame) -> pd.DataFrame:
    """Bring differences to a baseline into the form of metrics: the difference is the ``value``."""
    return tidied(differences.rename(columns={"difference": "value"}).assign(estimable=True))


def methods(table: pd.DataFrame, baseline: str | None = None) -> list[str]:
    """Return the methods, the baseline first.

    Without a named baseline it is the one called "baseline", else the first of the table.
    """
    names = list(dict.fromkeys(table["method"].astype(str)))
    named = [m for m in names if m == baseline] or [m for m in names if m.lower().startswith("baseline")]
    return [*named[:1], *(m for m in names if m not in named[:1])]


def splits_with(table: pd.DataFrame, attribute: str) -> list[str]:
    """Return the shown splits in which an attribute has groups; a split of one hospital has none."""
    there = set(table.loc[table["attribute"] == attribute, "split"])
    return [s for s in shown_splits(table) if s in there] or shown_splits(table)


def domains(table: pd.DataFrame, split: str) -> list[str]:
    """Return the domains of a split, all together first."""
    names = table.loc[table["split"] == split, "domain"].unique()
    return sorted(names, key=lambda d: d not in ("", ALL_DOMAINS))


def external_sets(table: pd.DataFrame, split: str, attribute: str = "") -> list[str]:
    """Return the domains of a split out of distribution that has several, which are data sets of their own.

    At most `MOST_SETS`, those with most images; with an attribute, those with images in any group of it.
    """
    there = domains(table, split)
    if not split.startswith("ood") or ALL_DOMAINS not in there:
        return []
    rows = table[(table["split"] == split) & (table["attribute"] == attribute) & (table["n"] > 0)]
    rows = rows[(rows["group"] != "") == (attribute != "")]
    largest = rows[rows["domain"] != ALL_DOMAINS].groupby("domain")["n"].max().nlargest(MOST_SETS)
    return [domain for domain in there if domain in largest.index]


def places(table: pd.DataFrame, some: Sequence[str], attribute: str = "") -> list[tuple[str, str]]:
    """Return split and domain of each panel of a figure: every split as a whole, and after it its sets.

    Parameters
    ----------
    table : DataFrame
        What `tidied` returned.
    some : sequence of str
        Splits.
    attribute : str
        Whose groups are shown, if any: see `external_sets`.
    """
    return [
        (split, domain)
        for split in some
        for domain in (next(iter(domains(table, split)), ""), *external_sets(table, split, attribute))
    ]


def label_metric(table: pd.DataFrame, metric: str) -> str | None:
    """Return the metric to show for each class: the one that leads, or another where that is of all at once.

    Of classes that exclude one another it is the sensitivity, the share of the images of a class that are
    decided as that class. None where nothing is measured by class.
    """
    there = list(dict.fromkeys(table.loc[(table["label"] != "") & (table["attribute"] == ""), "metric"]))
    return next((m for m in (metric, SENSITIVITY, *there) if m in there), None)


def attributes(table: pd.DataFrame) -> list[str]:
    """Return the attributes, single ones first, then intersections."""
    names = [a for a in dict.fromkeys(table["attribute"]) if a]
    return sorted(names, key=lambda a: " & " in a)


def labels(table: pd.DataFrame) -> list[str]:
    """Return the classes in the order of the table."""
    return [name for name in dict.fromkeys(table["label"]) if name]


def select(
    table: pd.DataFrame,
    metric: str,
    split: str,
    *,
    label: str = "",
    attribute: str = "",
    domain: str | None = None,
) -> pd.DataFrame:
    """Return the rows of a metric in a split, of one domain (default: all its domains together)."""
    domain = next(iter(domains(table, split)), "") if domain is None else domain
    chosen = (table["metric"] == metric) & (table["split"] == split) & (table["domain"] == domain)
    return table[chosen & (table["label"] == label) & (table["attribute"] == attribute)]


def row_of(rows: pd.DataFrame, method: str, group: str | None = None) -> pd.Series[Any] | None:
    """Return the first row of a method (and group), if there is one."""
    chosen = rows["method"] == method
    if group is not None:
        chosen &= rows["group"] == group
    matching = rows[chosen]
    return None if matching.empty else matching.iloc[0]


def _over_seeds(table: pd.DataFrame) -> pd.DataFrame:
    # The worst group may differ between seeds, so it does not name a row.
    table = table.assign(group=table["group"].mask(table["metric"].map(WORST.names), ""))
    runs = table.groupby(KEYS, sort=False, dropna=False)
    some = runs["estimable"].transform("any")
    table["reason"] = table["reason"].where(table["estimable"] | ~some, "")
    joined = runs.agg(
        value=("value", "mean"),
        ci_low=("ci_low", "min"),
        ci_high=("ci_high", "max"),
        n=("n", "max"),
        n_positive=("n_positive", "max"),
        patients=("patients", "max"),
        by_chance=("by_chance", "mean"),
        p_value=("p_value", "median"),
        detectable=("detectable", "mean"),
        estimable=("estimable", "sum"),
        reason=("reason", _distinct),
        seeds=("value", "size"),
    )
    # The p-values of one gap in several trainings are not independent: twice their median joins them.
    joined["p_value"] = np.minimum(1.0, 2 * joined["p_value"])
    counts = joined["estimable"].astype(str) + " of " + joined["seeds"].astype(str)
    partly = joined["estimable"].between(1, joined["seeds"] - 1)
    told = ("estimable in " + counts + " trainings; " + joined["reason"]).str.removesuffix("; ")
    joined["reason"] = joined["reason"].mask(partly, told)
    return joined.assign(estimable=joined["estimable"] > 0).reset_index()


def _distinct(reasons: Sequence[str]) -> str:
    return "; ".join(dict.fromkeys(r for r in reasons if r))
