"""The sentences that a model card begins with: how well, how fairly, where it fails, from ``metrics.csv``.

Of a group of few patients nothing is told, since a number about few can be one about somebody.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from medaug.evaluation.metrics import METRICS, in_words
from medaug.evaluation.metrics_table import headline
from medaug.report.tidy import attributes, label_metric, select, tidied
from medaug.report.words import interval, listing, number, split_name
from medaug.sharing.source import Source

FEWEST = 10
"""Patients that a group must have for a number about it to be told."""

TESTS = ("id_test", "ood_test")


class Facts:
    """What was measured of the classifier of a source, on its test images.

    Parameters
    ----------
    source : Source
        What is given away.
    """

    def __init__(self, source: Source) -> None:
        self.metric = headline(source.metrics)
        table = tidied(source.metrics)
        self.table = table.assign(
            people=table["patients"].fillna(table["n"])
        )  # older tables count images only
        there = list(dict.fromkeys(self.table["split"]))
        self.splits = [split for split in TESTS if split in there] or there

    @property
    def words(self) -> str:
        """The metric that leads, in words."""
        return in_words(self.metric)

    def rows(self, split: str, metric: str = "", label: str = "", attribute: str = "") -> pd.DataFrame:
        """Return the rows of a split, all its hospitals together, that may be told."""
        rows = select(self.table, metric or self.metric, split, label=label, attribute=attribute)
        return rows[rows["people"] >= FEWEST]

    def how_well(self) -> str:
        """Say the leading metric in every split, with its interval."""
        told = [f"{_value(self.rows(split))} {split_name(split)}" for split in self.splits]
        of_each = self.table.loc[self.table["metric"] == self.metric, "label"]
        over = ", mean over the conditions" if of_each[of_each != ""].nunique() > 1 else ""
        return f"{self.words}{over}: {listing(told)}."

    def how_fairly(self) -> str:
        """Say the gap between the groups of every attribute."""
        told = [
            f"between groups of {attribute} {self._gaps(attribute)}"
            for attribute in attributes(self.table)
            if " & " not in attribute
        ]
        if not told:
            return "Not measured: the predictions know no groups."
        return f"Gap in {self.words} (best minus worst group): {'; '.join(told)}."

    def where_it_fails(self) -> str:
        """Name the condition and the groups in which it is worst, and those of which nothing is known."""
        told = [self._worst_label(), *map(self._worst_group, self.splits)]
        told += [self._unknown(split) for split in self.splits]
        return " ".join(filter(None, told)) or "Nothing can be told: no test set has patients enough."

    def _gaps(self, attribute: str) -> str:
        return listing(
            [
                f"{_value(self.rows(split, f'{self.metric}_gap', attribute=attribute))} {split_name(split)}"
                for split in self.splits
            ]
        )

    def _worst_label(self) -> str:
        metric, split = label_metric(self.table, self.metric), self.splits[-1]
        if metric is None:
            return ""
        rows = self.table[(self.table["metric"] == metric) & (self.table["split"] == split)]
        rows = rows[(rows["label"] != "") & (rows["attribute"] == "") & rows["estimable"]]
        rows = rows[(rows["people"] >= FEWEST) & ~(rows["n_positive"] < FEWEST)]
        if rows["label"].nunique() < 2:
            return ""
        row = _worst(rows, metric)
        return f"Worst condition, {split_name(split)}: {row['label']}, {in_words(metric)} {_said(row)}."

    def _worst_group(self, split: str) -> str:
        """Name the worst of all groups of a split."""
        parts = [self.rows(split, f"{self.metric}_worst", attribute=name) for name in attributes(self.table)]
        rows = pd.concat(parts) if parts else self.table[:0]
        rows = rows[rows["estimable"] & (rows["group"] != "")]
        if rows.empty:
            return ""
        row = _worst(rows, self.metric)
        return f"Worst group, {split_name(split)}: {row['attribute']} {row['group']}, {_said(row)}."

    def _unknown(self, split: str) -> str:
        """Name the groups of single attributes of a split of which nothing is known."""
        parts = [
            select(self.table, self.metric, split, attribute=name)
            for name in attributes(self.table)
            if " & " not in name
        ]
        rows = pd.concat(parts) if parts else self.table[:0]
        rows = rows[~rows["estimable"] | (rows["people"] < FEWEST)]
        names = (rows["attribute"] + " " + rows["group"]).tolist()
        return f"Not known for want of patients, {split_name(split)}: {listing(names)}." if names else ""


def _worst(rows: pd.DataFrame, metric: str) -> pd.Series[Any]:
    """Return the row with the worst value."""
    return rows.sort_values("value", ascending=METRICS[metric].higher_is_better).iloc[0]


def _value(rows: pd.DataFrame) -> str:
    return "not estimable" if rows.empty or not rows["estimable"].iloc[0] else _said(rows.iloc[0])


def _said(row: pd.Series[Any]) -> str:
    return f"{number(row['value'])} {interval(row['ci_low'], row['ci_high'])}".strip()
