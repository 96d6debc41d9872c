"""Tables of performance: overall, per condition, by group, and what could not be estimated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from medaug.evaluation.family import shown_splits, splits
from medaug.evaluation.metrics import (
    EQUALIZED_ODDS,
    GAP,
    HIGH_RISK_SENSITIVITY,
    RATIO,
    SELECTION_RATE,
    SENSITIVITY,
    WORST,
    in_words,
    parse,
)
from medaug.report.answer import value_cell
from medaug.report.group_words import attribute_words
from medaug.report.parts import Cell, Table, name
from medaug.report.performance_figures import group_names
from medaug.report.tidy import domains, labels, places, row_of, select
from medaug.report.words import count, listing, plural, split_name

MOST_ROWS = 100


def overall_table(table: pd.DataFrame, methods: Sequence[str]) -> Table:
    """Return every metric of every split and domain (mean over the conditions); one column a method."""
    measured = table[(table["label"] == "") & (table["attribute"] == "")]
    body = []
    for split, domain in _places(table, splits(table)):
        for metric in dict.fromkeys(measured["metric"]):
            rows = select(table, metric, split, domain=domain)
            if len(rows):
                where = [name(split_name(split), domain), name(in_words(metric))]
                body.append([*where, Cell(count(rows["n"].max())), *_cells(rows, methods)])
    head = ["Where", "Metric", "Images", *methods]
    return Table("All images: mean over the conditions, with intervals", head, body, names=2)


def label_table(table: pd.DataFrame, methods: Sequence[str], metric: str) -> Table:
    """Return one metric of each condition, test split and domain; one column a method."""
    body = _condition_rows(table, methods, [(metric, label, label) for label in labels(table)])
    head = ["Where", "Condition", "With it / images", *methods]
    return Table(f"{in_words(metric)} of each condition, with intervals", head, body, names=2)


def high_risk_table(table: pd.DataFrame, methods: Sequence[str], high_risk: Sequence[str]) -> Table:
    """Return the sensitivity of all high-risk conditions together, then of each, of the tests.

    Parameters
    ----------
    table : DataFrame
        What `medaug.report.tidy.tidied` returned.
    methods : sequence of str
        One column each.
    high_risk : sequence of str
        The conditions that must not be missed.
    """
    each = [(SENSITIVITY, label, label) for label in high_risk]
    body = _condition_rows(table, methods, [(HIGH_RISK_SENSITIVITY, "", "all of them"), *each])
    head = ["Where", "High-risk condition", "With it / images", *methods]
    caption = "High-risk conditions: share of the images with it that are decided as it, with intervals"
    return Table(caption, head, body, names=2)


def group_table(table: pd.DataFrame, methods: Sequence[str], metric: str, attribute: str) -> Table:
    """Return one metric of each group of an attribute, then the gap and the worst group, of the tests."""
    body = []
    for split, domain in places(table, shown_splits(table), attribute):
        rows = select(table, metric, split, attribute=attribute, domain=domain)
        for group in group_names(table, metric, attribute):
            here = rows[rows["group"] == group]
            if len(here):
                images = Cell(count(here["n"].max()), _patients(here))
                where = [name(split_name(split), domain), name(group), images]
                body.append([*where, *(value_cell(row_of(here, m)) for m in methods)])
        for derived, words in ((GAP, "gap (best − worst)"), (WORST, "worst group")):
            here = select(table, derived.of(metric), split, attribute=attribute, domain=domain)
            if len(here):
                cells = (replace(c, kind=f"{c.kind} summary") for c in _cells(here, methods))
                body.append([name(split_name(split), domain), name(words), Cell("", kind="summary"), *cells])
    head = ["Where", "Group", "Images", *methods]
    return Table(
        f"{in_words(metric)} by {attribute_words(attribute)}, mean over the conditions", head, body, names=2
    )


def rates_table(table: pd.DataFrame, methods: Sequence[str], attribute: str) -> Table | None:
    """Return gaps and ratios of the rates of decisions between the groups of an attribute, of the tests.

    Equalised odds compare sensitivity and false positive rate, selection rates how many are called positive,
    predictive values what a decision means. None where nothing is decided.
    """
    body = []
    for split, domain in places(table, shown_splits(table), attribute):
        for metric in (EQUALIZED_ODDS, SENSITIVITY, "fpr", SELECTION_RATE, "ppv", "npv"):
            for derived in (GAP, RATIO):
                rows = select(table, derived.of(metric), split, attribute=attribute, domain=domain)
                if len(rows):
                    where = [name(split_name(split), domain), name(in_words(derived.of(metric)))]
                    body.append([*where, *_cells(rows, methods)])
    by = attribute_words(attribute)
    caption = f"Decisions by {by}, mean over the conditions: a gap of 0 and a ratio of 1 are even"
    return Table(caption, ["Where", "Measure", *methods], body, names=2) if body else None


def missing_table(table: pd.DataFrame) -> Table | None:
    """Return what could not be estimated, and why; None where everything could."""
    rows = table[~table["estimable"]]
    if rows.empty:
        return None
    keys = ["split", "domain", "label", "attribute", "group", "reason"]
    joined = rows.groupby(keys, sort=False).agg(
        method=("method", lambda methods: listing(list(dict.fromkeys(methods)))),
        metric=("metric", _metric_list),
        n=("n", "max"),
    )
    caption = f"Not estimable: {len(joined):,} {'case' if len(joined) == 1 else 'cases'}"
    if len(joined) > MOST_ROWS:
        caption += f", the first {MOST_ROWS} of them; the others are in metrics.csv"
    head = ["Where", "Condition", "Who", "Images", "Methods", "Metrics", "Reason"]
    body = [_missing_row(row) for _, row in joined.head(MOST_ROWS).reset_index().iterrows()]
    return Table(caption, head, body, names=3)


def _patients(rows: pd.DataFrame) -> str:
    """Say how many patients some rows are of, where that is known."""
    patients = rows["patients"].max()
    return "" if pd.isna(patients) else plural(int(patients), "patient")


def _condition_rows(
    table: pd.DataFrame, methods: Sequence[str], measures: Sequence[tuple[str, str, str]]
) -> list[list[Cell]]:
    """Rows of the tests for each measure: a metric, the label it is of, and what that is called."""
    body = []
    for split, domain in _places(table, shown_splits(table)):
        for metric, label, words in measures:
            rows = select(table, metric, split, label=label, domain=domain)
            if len(rows):
                where = [name(split_name(split), domain), name(words)]
                body.append([*where, _count_cell(rows), *_cells(rows, methods)])
    return body


def _missing_row(row: pd.Series[Any]) -> list[Cell]:
    of = attribute_words(row["attribute"])
    who = f"{of}: {row['group']}" if row["group"] else of or "all images"
    return [
        name(split_name(row["split"]), row["domain"]),
        name(row["label"] or "mean"),
        name(who),
        Cell(count(row["n"])),
        Cell(row["method"], kind="text"),
        Cell(row["metric"], kind="text"),
        Cell(row["reason"], kind="text"),
    ]


def _metric_list(metrics: pd.Series[Any]) -> str:
    """Name metrics in words; a worst group goes without saying where the gap is named."""
    gaps = {parse(m)[0].name for m in metrics if GAP.names(m)}
    said = [m for m in metrics if not (WORST.names(m) and parse(m)[0].name in gaps)]
    return ", ".join(dict.fromkeys(map(in_words, said)))


def _places(table: pd.DataFrame, some: Sequence[str]) -> list[tuple[str, str]]:
    return [(split, domain) for split in some for domain in domains(table, split)]


def _cells(rows: pd.DataFrame, methods: Sequence[str]) -> list[Cell]:
    return [value_cell(row_of(rows, m)) for m in methods]


def _count_cell(rows: pd.DataFrame) -> Cell:
    return Cell(f"{count(rows['n_positive'].max())} / {count(rows['n'].max())}")
