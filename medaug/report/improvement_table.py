"""The table of the improvement over a baseline (figures G4 to G7 of the paper)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from medaug.evaluation.metrics import (
    GAP,
    HIGH_RISK_SENSITIVITY,
    METRICS,
    SPREAD,
    higher_is_better,
)
from medaug.report.group_words import measure_words
from medaug.report.parts import Cell, Table, name
from medaug.report.tidy import row_of, select
from medaug.report.words import NOT_ESTIMABLE, number, signed, split_name


def improvement_table(
    improvement: pd.DataFrame, metrics: Sequence[tuple[str, str]], where: Sequence[tuple[str, str]]
) -> Table:
    """Return the improvement of every method over the baseline, mean and standard deviation over seeds.

    Parameters
    ----------
    improvement : DataFrame
        What `medaug.evaluation.improvement.improvement_over_baseline` returned.
    metrics : sequence of (str, str)
        Which metrics to show, each with its attribute (empty for none), for example
        ``[("top3_accuracy", ""), ("top3_accuracy_spread", "sex")]``.
    where : sequence of (str, str)
        Splits and domains to show, as `medaug.report.tidy.places` returns them.
    """
    baseline = str(improvement["baseline"].iloc[0])
    methods = [m for m in dict.fromkeys(improvement["method"]) if m != baseline]
    body = []
    for split, domain in where:
        for metric, attribute in metrics:
            rows = select(improvement, metric, split, attribute=attribute, domain=domain)
            if len(rows):
                better = "more is better" if higher_is_better(metric) else "less is better"
                words = measure_words(metric, attribute)
                heading = [name(split_name(split), domain), name(words, better)]
                cells = [_improvement_cell(row_of(rows, method)) for method in methods]
                body.append([*heading, _value_cell(row_of(rows, baseline)), *cells])
    head = ["Where", "Metric", f"{baseline} (baseline)", *methods]
    return Table("Improvement over the baseline, mean over seeds", head, body, names=2)


def improved_measures(improvement: pd.DataFrame, metric: str) -> list[tuple[str, str]]:
    """Return which improvements to show: of accuracy, then of the fairness of the metric that leads.

    Parameters
    ----------
    improvement : DataFrame
        What `medaug.evaluation.improvement.improvement_over_baseline` returned.
    metric : str
        The metric that leads.
    """
    means = improvement[improvement["label"] == ""]
    overall = means[means["attribute"] == ""]
    there = set(overall["metric"])
    leading = [name for name, entry in METRICS.items() if entry.headline_rank is not None]
    accuracy = [(m, "") for m in dict.fromkeys((metric, *leading)) if m in there]
    of_fairness = {derived.of(m) for m in (metric, HIGH_RISK_SENSITIVITY) for derived in (GAP, SPREAD)}
    fairness = means[means["metric"].isin(of_fairness) & ~means["attribute"].str.contains(" & ")]
    return accuracy + sorted(set(zip(fairness["metric"], fairness["attribute"], strict=True)))


def _value_cell(row: pd.Series[Any] | None) -> Cell:
    return _cell(row, "value", number)


def _improvement_cell(row: pd.Series[Any] | None) -> Cell:
    return _cell(row, "improvement", signed)


def _cell(row: pd.Series[Any] | None, column: str, say: Any) -> Cell:
    if row is None:
        return Cell(NOT_ESTIMABLE, kind="quiet")
    several = row["seeds"] > 1
    return Cell(say(row[column]), f"± {number(row['value_sd'])}, {row['seeds']} seeds" if several else "")
