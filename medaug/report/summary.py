"""The few figures that a reader wants first, as plain text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from medaug.evaluation.family import shown_splits
from medaug.evaluation.identities import ALL_DOMAINS
from medaug.evaluation.metrics import GAP, in_words
from medaug.evaluation.metrics_table import PHANTOM_DATA, headline
from medaug.evaluation.verdict import MIN_TRAININGS
from medaug.report.group_words import measure_words
from medaug.report.tidy import attributes
from medaug.report.words import in_sentence, split_name


def summary_table(
    metrics: pd.DataFrame,
    *,
    metric: str | None = None,
    attribute: str | None = None,
    splits: Sequence[str] | None = None,
) -> str:
    """Return a text table of the mean of a metric and its gap, for each method in and out of distribution.

    Parameters
    ----------
    metrics : DataFrame
        What `medaug.evaluation.metrics_table.compute_metrics` returned.
    metric : str, optional
        None, and where it was not measured: the one that leads, see
        `medaug.evaluation.metrics_table.headline`.
    attribute : str, optional
        Attribute of the gap; None: the first one of the table.
    splits : sequence of str, optional
        Splits to show, in order, where the table has them; None: those that the report shows.

    Returns
    -------
    str
        One line a split, method and seed, with intervals in brackets; a dash where nothing can be estimated.
    """
    metric = headline(metrics, metric)
    attribute = next(iter(attributes(metrics)), "") if attribute is None else attribute
    mean, gap_head = f"mean {in_sentence(in_words(metric))}", measure_words(GAP.of(metric), attribute)
    lines = [("method", "seed", "data", "images", mean, gap_head)]
    for split in shown_splits(metrics) if splits is None else splits:
        rows = _one_domain(metrics[(metrics["split"] == split) & (metrics["label"] == "")])
        for (method, seed), run in rows.groupby(["method", "seed"]):
            overall = run[(run["metric"] == metric) & (run["attribute"] == "")]
            gap = run[(run["metric"] == GAP.of(metric)) & (run["attribute"] == attribute)]
            if not overall.empty:
                where = f"{split_name(split).removesuffix(', test')}: {run['domain'].iloc[0]}"
                images = f"{overall['n'].iloc[0]:,}"
                lines.append((str(method), str(seed), where, images, _figure(overall), _figure(gap)))
    table = "\n".join([_aligned(lines), *_remarks(metrics)])
    return f"{table}\n({PHANTOM_DATA})" if PHANTOM_DATA in set(metrics["source"]) else table


def _remarks(metrics: pd.DataFrame) -> list[str]:
    """Say what p is, and whether methods or trained models stand beside one another."""
    trainings = metrics.groupby("method")["seed"].nunique()
    remarks = []
    if metrics["p_value"].notna().any():
        remarks.append("p: how often equal groups would show as large a gap by chance")
    if len(trainings) > 1 and trainings.min() < MIN_TRAININGS:
        remarks.append(
            f"These are trained models, not methods: those need at least {MIN_TRAININGS} trainings each."
        )
    return remarks


def _one_domain(rows: pd.DataFrame) -> pd.DataFrame:
    """Keep the domains together where there are several."""
    together = rows[rows["domain"] == ALL_DOMAINS]
    return rows if together.empty else together


def _figure(rows: pd.DataFrame) -> str:
    if rows.empty or not rows["estimable"].iloc[0]:
        return "-"
    value, low, high = (float(rows[name].iloc[0]) for name in ("value", "ci_low", "ci_high"))
    p_value = float(rows["p_value"].iloc[0])
    shown = f"{value:.3f}" if pd.isna(low) else f"{value:.3f} [{low:.3f}, {high:.3f}]"
    return shown if pd.isna(p_value) else f"{shown}, p = {p_value:.2g}"


def _aligned(lines: list[tuple[Any, ...]]) -> str:
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    padded = [
        "  ".join(cell.ljust(w) for cell, w in zip(line, widths, strict=True)).rstrip() for line in lines
    ]
    return "\n".join([padded[0], "  ".join("-" * width for width in widths), *padded[1:]])
