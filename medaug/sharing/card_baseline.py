"""What a model card says of the classifier beside its baseline, from ``comparison.csv``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from medaug.evaluation.metrics import GAP
from medaug.evaluation.verdict import METHODS
from medaug.report.arm_names import arm_name
from medaug.report.group_words import measure_words
from medaug.report.tidy import attributes, select, tidied_differences
from medaug.report.verdict_words import READINGS, reading
from medaug.report.words import NOT_ESTIMABLE, interval, listing, signed
from medaug.sharing.card_facts import Facts, value_words
from medaug.sharing.card_words import markdown_table, place
from medaug.sharing.source import Source

NONE = (
    "Not compared: the run has no other classifier that was evaluated beside this one, so the figures do not "
    "tell what synthetic images changed."
)
HOW = "The difference is this classifier minus the other, on the same patients; below 0 is fairer for a gap."
MODELS = " These are two trained models; it says nothing of other trainings."


class BesideBaseline:
    """The classifier of a source beside its baseline, on the same test images.

    Parameters
    ----------
    source : Source
        What is given away. Without differences to a baseline there is a sentence that says so.
    """

    def __init__(self, source: Source) -> None:
        self.own, self.differences = Facts(source), source.differences
        if self.differences.empty:
            return
        method = str(self.differences["baseline"].iloc[0])
        trained = source.settings(source.run / "models" / "baseline.pt")
        of_real = trained.get("method") == method and trained.get("real_fraction") == 1.0
        self.name = "trained on real images only" if of_real else f"called {arm_name(method)}"
        self.other = Facts(source, source.metrics_of(method))
        self.changes = tidied_differences(self.differences)

    def sentence(self) -> str:
        """Say the difference in the metric that leads."""
        if self.differences.empty:
            return NONE
        told = [f"{_change(self._row(split, self.own.metric))} {place(split)}" for split in self.own.splits]
        whose = f"{self.own.words}, minus that of the classifier {self.name}"
        return f"{whose}: {listing(told)}.{'' if self._of_methods else MODELS}"

    def section(self) -> list[str]:
        """Return the metric that leads and its gaps, of both classifiers, with their difference."""
        if self.differences.empty:
            return [NONE]
        head = ["Where", "Measure", "This classifier", self.name, "Difference [interval]", "In words"]
        return [HOW, markdown_table(head, self._lines())]

    @property
    def _of_methods(self) -> bool:
        """Whether there were trainings enough to tell of methods."""
        return METHODS in set(self.differences["about"])

    def _lines(self) -> Iterator[list[str]]:
        gaps = [(GAP.of(self.own.metric), a) for a in attributes(self.own.table) if " & " not in a]
        for split in self.own.splits:
            for metric, attribute in [(self.own.metric, ""), *gaps]:
                both = [facts.rows(split, metric, attribute=attribute) for facts in (self.own, self.other)]
                values = [value_words(rows.iloc[0]) if _is_known(rows) else NOT_ESTIMABLE for rows in both]
                row = self._row(split, metric, attribute)
                words = "" if row is None else READINGS[reading(row, metric)]
                yield [place(split), measure_words(metric, attribute), *values, _change(row), words]

    def _row(self, split: str, metric: str, attribute: str = "") -> pd.Series[Any] | None:
        """Return the difference in a split; None where there is none, or it is about few patients."""
        rows = select(self.changes, metric, split, attribute=attribute)
        told = all(_is_known(f.rows(split, metric, attribute=attribute)) for f in (self.own, self.other))
        return rows.iloc[0] if told and len(rows) else None


def _change(row: pd.Series[Any] | None) -> str:
    if row is None:
        return NOT_ESTIMABLE
    return f"{signed(row['value'])} {interval(row['ci_low'], row['ci_high']) or '[no interval]'}"


def _is_known(rows: pd.DataFrame) -> bool:
    return bool(len(rows) and rows["estimable"].iloc[0])
