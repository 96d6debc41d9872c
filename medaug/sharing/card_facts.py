"""The sentences that a model card begins with: how well, how fairly, where it fails, from ``metrics.csv``.

Of a group of few patients nothing is told, since a number about few can be one about somebody.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from medaug.evaluation.metrics import HIGH_RISK_SENSITIVITY, METRICS, in_words, is_derived, parse
from medaug.evaluation.metrics_table import headline
from medaug.evaluation.settings import EvaluationSettings
from medaug.report.group_words import FEWEST, attribute_words, bin_words, group_words
from medaug.report.tidy import attributes, label_metric, select, tidied
from medaug.report.words import in_sentence, interval, listing, number, plural
from medaug.sharing.card_words import MEANINGS, place
from medaug.sharing.source import Source

LEVEL = 0.05
"""A gap is clear where it is as large by chance at most this often."""

TESTS = ("id_test", "ood_test")


class Facts:
    """What was measured of the classifier of a source, on its test images.

    Parameters
    ----------
    source : Source
        What is given away.
    metrics : DataFrame, optional
        What was measured of another classifier on the same images, for example of the baseline.
    """

    def __init__(self, source: Source, metrics: pd.DataFrame | None = None) -> None:
        how = source.settings(source.run / "evaluation").get("evaluation", {})
        self.metric = headline(source.metrics, how.get("headline"))
        self.coverage = f"{100 * how.get('confidence', EvaluationSettings().confidence):g} %"
        table = tidied(source.metrics if metrics is None else metrics)
        in_split = source.store.table.groupby("split", observed=True)["patient_id"].nunique()
        self.table = table.assign(  # older tables count images only
            people=_people(table).clip(upper=table["split"].map(in_split)),
            ill=table.get("patients_positive", table["n_positive"]).fillna(table["n_positive"]),
        )
        self.label_metric = label_metric(self.table, self.metric)
        there = list(dict.fromkeys(self.table["split"]))
        self.splits = [split for split in TESTS if split in there] or there

    @property
    def words(self) -> str:
        """The metric that leads, in words."""
        return in_words(self.metric)

    def rows(self, split: str, metric: str = "", label: str = "", attribute: str = "") -> pd.DataFrame:
        """Return the rows of a split, all its hospitals together, that may be told."""
        rows = select(self.table, metric or self.metric, split, label=label, attribute=attribute)
        enough = rows["people"] >= FEWEST
        return rows[enough & ~(rows["ill"] < FEWEST)] if label else rows[enough]

    def how_well(self) -> str:
        """Say the leading metric in every split, with its interval, and what it means."""
        of_each = self.table.loc[self.table["metric"] == self.metric, "label"]
        over = ", mean over the conditions" if of_each[of_each != ""].nunique() > 1 else ""
        meaning = f" {self.words}: {MEANINGS[self.metric]}." if self.metric in MEANINGS else ""
        values = self._everywhere(self.metric)
        said = f"{self.words}{over}: {values}; in brackets its {self.coverage} interval.{meaning}"
        if HIGH_RISK_SENSITIVITY in set(self.table["metric"]):
            said += f" {in_words(HIGH_RISK_SENSITIVITY)}: {self._everywhere(HIGH_RISK_SENSITIVITY)}."
        return said

    def _everywhere(self, metric: str) -> str:
        return listing([f"{_value(self.rows(split, metric))} {place(split)}" for split in self.splits])

    def how_fairly(self) -> str:
        """Say the gap between the groups of every attribute."""
        told = [
            f"between groups of {attribute_words(attribute)} {self._gaps(attribute)}"
            for attribute in attributes(self.table)
            if " & " not in attribute
        ]
        if not told:
            return "Not measured: the predictions know no groups."
        return f"Gap in {in_sentence(self.words)}, best minus worst group (0 is even): {'; '.join(told)}."

    def where_it_fails(self) -> str:
        """Name the condition and the groups in which it is worst, and those of which nothing is known."""
        told = [self._worst_label(), *map(self._worst_group, self.splits)]
        told += [self._unknown(split) for split in self.splits]
        return " ".join(filter(None, told)) or "Nothing can be told: no test set has patients enough."

    def _gaps(self, attribute: str) -> str:
        return listing([self._gap(attribute, split) for split in self.splits])

    def _gap(self, attribute: str, split: str) -> str:
        """Say a gap beside that which chance alone gives, and over how many groups it is."""
        rows = self.rows(split, f"{self.metric}_gap", attribute=attribute)
        if rows.empty or not rows["estimable"].iloc[0]:
            return f"not estimable {place(split)}"
        row = rows.iloc[0]
        remarks = "; ".join(filter(None, (_by_chance(row), row["reason"])))
        return f"{value_words(row)} {place(split)}" + (f" ({remarks})" if remarks else "")

    def _worst_label(self) -> str:
        metric, split = self.label_metric, self.splits[-1]
        if metric is None:
            return ""
        rows = self.table[(self.table["metric"] == metric) & (self.table["split"] == split)]
        rows = rows[(rows["label"] != "") & (rows["attribute"] == "") & rows["estimable"]]
        rows = rows[(rows["people"] >= FEWEST) & ~(rows["ill"] < FEWEST)]
        if rows["label"].nunique() < 2:
            return ""
        row = _worst(rows, metric)
        what = f"{in_sentence(in_words(metric))} {value_words(row)}"
        people = _of_patients(row["ill"], " with it")
        return f"Worst condition {place(split)}: {row['label']}, {what}{people}."

    def _worst_group(self, split: str) -> str:
        """Name the worst of all groups of a split."""
        parts = [self.rows(split, f"{self.metric}_worst", attribute=name) for name in attributes(self.table)]
        rows = pd.concat(parts) if parts else self.table[:0]
        rows = rows[rows["estimable"] & (rows["group"] != "")]
        if rows.empty:
            return ""
        row = _worst(rows, self.metric)
        own = self.rows(split, attribute=row["attribute"])
        people = own.loc[own["group"] == row["group"], "patients"]
        who = f"{group_words(row['attribute'], row['group'])}, {value_words(row)}"
        return f"Worst group {place(split)}: {who}{_of_patients(people.max())}."

    def _unknown(self, split: str) -> str:
        """Name the groups of single attributes of a split of which nothing is known."""
        told = []
        for name in [name for name in attributes(self.table) if " & " not in name]:
            rows = select(self.table, self.metric, split, attribute=name)
            few = rows.loc[~rows["estimable"] | (rows["people"] < FEWEST), "group"].map(bin_words).tolist()
            told += [f"{attribute_words(name)} {listing(few)}"] if few else []
        return f"Not known for want of patients {place(split)}: {'; '.join(told)}." if told else ""


def _people(table: pd.DataFrame) -> pd.Series[float]:
    """Return of how many patients each row is; a comparison of groups is of those of the smallest."""
    counted = table["patients"].fillna(table["n"])
    derived = table["metric"].map(is_derived).astype(bool)
    of_metric = table["metric"].map(lambda name: parse(name)[0].name)
    keys = [table[name] for name in ("split", "domain", "label", "attribute")] + [of_metric]
    smallest = counted.where(~derived & table["estimable"]).groupby(keys).transform("min")
    return counted.mask(derived, smallest.fillna(counted))


def _worst(rows: pd.DataFrame, metric: str) -> pd.Series[Any]:
    """Return the row with the worst value."""
    return rows.sort_values("value", ascending=METRICS[metric].higher_is_better).iloc[0]


def _value(rows: pd.DataFrame) -> str:
    if rows.empty:
        return f"not told of fewer than {FEWEST} patients"
    return value_words(rows.iloc[0]) if rows["estimable"].iloc[0] else "not estimable"


def value_words(row: pd.Series[Any]) -> str:
    """Say a value with its interval."""
    return f"{number(row['value'])} {interval(row['ci_low'], row['ci_high']) or '[no interval]'}"


def _by_chance(row: pd.Series[Any]) -> str:
    if pd.isna(row["by_chance"]) or pd.isna(row["p_value"]):
        return ""
    clear = "clear" if row["p_value"] <= LEVEL else "not clear"
    return f"{clear}: {number(row['by_chance'])} by chance alone, p = {number(row['p_value'])}"


def _of_patients(people: float, more: str = "") -> str:
    return f", of {plural(int(people), 'patient')}{more}" if people > 0 else ""
