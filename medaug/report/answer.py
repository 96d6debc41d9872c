"""The answer at the top: did it become more accurate, and fairer? Honest where the data do not tell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from medaug.evaluation.family import shown_splits
from medaug.evaluation.metrics import GAP, WORST, higher_is_better, in_words
from medaug.evaluation.verdict import BETTER, UNCLEAR, UNKNOWN, WORSE
from medaug.report.group_words import attribute_words, measure_words
from medaug.report.parts import Cell, Table, name
from medaug.report.tidy import attributes, external_sets, row_of, select, splits_with
from medaug.report.verdict_words import (
    DIFFERENT,
    MODELS_BETTER,
    MODELS_DIFFERENT,
    MODELS_UNCLEAR,
    MODELS_WORSE,
    READINGS,
    evidence_sentence,
    gap_words,
    p_words,
    reading,
)
from medaug.report.words import (
    NOT_ESTIMABLE,
    in_sentence,
    interval,
    listing,
    number,
    signed,
    split_name,
)

_Place = tuple[str, str, str | None]
"""A place in words, its split, and its domain (None: all domains of the split together)."""


def answer_sentences(
    table: pd.DataFrame, comparison: pd.DataFrame | None, methods: Sequence[str], metric: str
) -> list[str]:
    """Return what is compared, then a sentence on accuracy and one on the gap of the first attribute.

    Where there are several external data sets, each sentence on all of them is followed by one on each.

    Parameters
    ----------
    table, comparison : DataFrame
        What `medaug.report.tidy.tidied` returned, for the metrics and for the differences to the baseline.
    methods : sequence of str
        The baseline first.
    metric : str
        The headline.
    """
    words, attribute = in_sentence(in_words(metric)), next(iter(attributes(table)), "")
    accurate = _sentences(table, comparison, methods, metric, "", f"Mean {words}")
    fair = ["No sensitive attribute was given, so fairness could not be measured."]
    if attribute:
        what = f"The {words} gap between groups of {attribute_words(attribute)}"
        fair = _sentences(table, comparison, methods, GAP.of(metric), attribute, what)
    alone = "One method was evaluated, so this report cannot say whether it improves on another."
    if len(methods) == 1:
        return [*accurate, *fair, alone]
    return [evidence_sentence(comparison, methods), *accurate, *fair]


def answer_table(
    table: pd.DataFrame, comparison: pd.DataFrame | None, methods: Sequence[str], metric: str
) -> Table:
    """Return accuracy and gaps of every method, with the differences to the baseline."""
    single = [a for a in attributes(table) if " & " not in a]
    measures = [(metric, "")] + [(GAP.of(metric), a) for a in single]
    head = ["Where", "Measure", "Method", "Value", "Difference to baseline", "Reading"]
    rows = [
        _answer_row(table, comparison, methods, method, split, *measure)
        for split in shown_splits(table)
        for measure in measures
        for method in methods
        if split in splits_with(table, measure[1])
    ]
    if len(methods) == 1:
        head, rows = head[:4], [row[:4] for row in rows]
    return Table("Accuracy and fairness at a glance, with intervals", head, rows, names=3)


def _answer_row(
    table: pd.DataFrame,
    comparison: pd.DataFrame | None,
    methods: Sequence[str],
    method: str,
    split: str,
    metric: str,
    attribute: str,
) -> list[Cell]:
    row = row_of(select(table, metric, split, attribute=attribute), method)
    measure = measure_words(metric, attribute) if attribute else f"{in_words(metric)}, mean"
    cells = [name(split_name(split)), name(measure), name(method), value_cell(row)]
    if method == methods[0]:
        return [*cells, Cell("–", kind="quiet"), Cell("baseline", kind="reading quiet")]
    change = _difference(table, comparison, methods[0], method, split, metric, attribute)
    if change is None:
        return [*cells, Cell(NOT_ESTIMABLE, kind="quiet"), Cell("", kind="reading quiet")]
    read = reading(change, metric)
    bounds = interval(change["ci_low"], change["ci_high"])
    shown = Cell(signed(change["value"]), bounds, remark=_power_words(change))
    look = read.replace(" ", "-") if read in (BETTER, WORSE) else "not-known"
    return [*cells, shown, Cell(READINGS[read], kind=f"reading {look}", remark=_test_words(change))]


def _power_words(change: pd.Series[Any]) -> str:
    """Say the smallest difference that could have been found."""
    detectable = change.get("detectable")
    return "" if pd.isna(detectable) else f"could have shown ±{number(float(detectable))}"


def _test_words(change: pd.Series[Any]) -> str:
    """Say the p-value of a verdict about methods."""
    adjusted, own = change.get("p_holm"), change.get("p_value")
    if pd.isna(own):
        return ""
    return p_words(float(own)) if pd.isna(adjusted) else f"{p_words(float(adjusted))}, adjusted"


def value_cell(row: pd.Series[Any] | None) -> Cell:
    """Return a value with its interval, or that it is not estimable, with the reason."""
    if row is None:
        return Cell("–", kind="quiet")
    if not row["estimable"]:
        return Cell(NOT_ESTIMABLE, kind="missing", remark=first_reasons(row["reason"]))
    who = f"{row['group']}: " if WORST.names(row["metric"]) and row["group"] else ""
    remarks = filter(None, (gap_words(row), row["reason"]))
    bounds = interval(row["ci_low"], row["ci_high"])
    return Cell(who + number(row["value"]), bounds, remark="; ".join(remarks))


def first_reasons(reason: str, most: int = 2) -> str:
    """Return the first of many reasons, as there may be one for each condition.

    Examples
    --------
    >>> first_reasons("edema: 2 patients; mass: no image; hernia: no image")
    'edema: 2 patients; and 2 more'
    """
    first, *others = reason.split("; ")
    return f"{first}; and {len(others)} more" if len(others) >= most else reason


def _difference(
    table: pd.DataFrame,
    comparison: pd.DataFrame | None,
    baseline: str,
    method: str,
    split: str,
    metric: str,
    attribute: str,
    domain: str | None = None,
) -> pd.Series[Any] | None:
    """Take method minus baseline from the comparison, else of the two values, without an interval."""
    if comparison is not None:
        row = row_of(select(comparison, metric, split, attribute=attribute, domain=domain), method)
        if row is not None and row["estimable"]:
            return row
    rows = select(table, metric, split, attribute=attribute, domain=domain)
    one, other = row_of(rows, method), row_of(rows, baseline)
    if one is None or other is None or not (one["estimable"] and other["estimable"]):
        return None
    nan = float("nan")
    return pd.Series({"value": one["value"] - other["value"], "ci_low": nan, "ci_high": nan})


def _sentences(
    table: pd.DataFrame,
    comparison: pd.DataFrame | None,
    methods: Sequence[str],
    metric: str,
    attribute: str,
    what: str,
) -> list[str]:
    """Say how a metric is in each part of the data, and on each external set where there are several."""
    splits = splits_with(table, attribute)
    whole: list[_Place] = [(_where(s, shown_splits(table)), s, None) for s in splits]
    sets: list[_Place] = [(f"on {d}", s, d) for s in splits for d in external_sets(table, s, attribute)]
    alone = f"By external set (exploratory), {in_sentence(what)}"
    return [
        _sentence(table, comparison, methods, metric, attribute, words, there)
        for words, there in ((what, whole), (alone, sets))
        if there
    ]


def _sentence(
    table: pd.DataFrame,
    comparison: pd.DataFrame | None,
    methods: Sequence[str],
    metric: str,
    attribute: str,
    what: str,
    places: Sequence[_Place],
) -> str:
    clauses = []
    for where, split, domain in places:
        if len(methods) == 1:
            row = row_of(select(table, metric, split, attribute=attribute, domain=domain), methods[0])
            clauses.append(f"{_value_words(row)} {where}")
        else:
            changes = {
                m: _difference(table, comparison, methods[0], m, split, metric, attribute, domain)
                for m in methods[1:]
            }
            clauses.append(f"{where}, {_compare_words(changes, metric)}")
    if len(methods) == 1:
        return f"{what} is {listing(clauses)}."
    return f"{what}, compared with {methods[0]}: {'; '.join(clauses)}."


def _where(split: str, shown: Sequence[str]) -> str:
    """Say in or out of distribution, and which part of the data where two parts of one kind are shown."""
    kind, _, part = split_name(split).partition(", ")
    alone = sum(split_name(s).startswith(kind) for s in shown) == 1
    return kind if alone or not part else f"{kind} ({part})"


def _value_words(row: pd.Series[Any] | None) -> str:
    if row is None or not row["estimable"]:
        return NOT_ESTIMABLE
    chance = f"({gap_words(row)})" if gap_words(row) else ""
    value = f"{number(row['value'])} {interval(row['ci_low'], row['ci_high'])}".strip()
    return f"{value} {chance}".strip()


def _compare_words(changes: dict[str, pd.Series[Any] | None], metric: str) -> str:
    more = higher_is_better(metric)
    words = {
        BETTER: "higher" if more else "smaller",
        WORSE: "lower" if more else "larger",
        UNCLEAR: "no clear difference",
        MODELS_BETTER: "higher for this trained model" if more else "smaller for this trained model",
        MODELS_WORSE: "lower for this trained model" if more else "larger for this trained model",
        DIFFERENT: "different",
        MODELS_UNCLEAR: "no clear difference",
        MODELS_DIFFERENT: "different for this trained model",
        UNKNOWN: "a difference without an interval",
        NOT_ESTIMABLE: NOT_ESTIMABLE,
    }
    groups: dict[str, list[str]] = {}
    for method, row in changes.items():
        read = NOT_ESTIMABLE if row is None else reading(row, metric)
        groups.setdefault(read, []).append(method + _change_words(row))
    return ", ".join(f"{words[read]} with {listing(groups[read])}" for read in words if read in groups)


def _change_words(row: pd.Series[Any] | None) -> str:
    if row is None:
        return ""
    return f" ({signed(row['value'])} {interval(row['ci_low'], row['ci_high'])}".rstrip() + ")"
