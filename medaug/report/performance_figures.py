"""Figures of performance: against the fairness gap (Figure 5), per condition (Figure G3), per group."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from medaug.evaluation.metrics import GAP, higher_is_better, in_words
from medaug.report.group_words import measure_words
from medaug.report.style import (
    GREY,
    RULE,
    MethodStyle,
    Styles,
    entitle,
    grid,
    in_legend,
    legend,
    plain,
    shortened,
)
from medaug.report.tidy import labels, places, row_of, select
from medaug.report.words import split_name


def gap_figure(
    table: pd.DataFrame, styles: Styles, metric: str, attribute: str, splits: Sequence[str]
) -> Figure:
    """Draw performance against the gap between groups, one panel a place; bars are the intervals.

    Parameters
    ----------
    table : DataFrame
        What `medaug.report.tidy.tidied` returned.
    styles : mapping of str to MethodStyle
        Methods, the baseline first.
    metric, attribute : str
        For example ``"auc"`` and ``"sex"``.
    splits : sequence of str
        For example ``["id_test", "ood_test"]``; see `medaug.report.tidy.places` for their panels.
    """
    where = places(table, splits, attribute)
    figure, panels = grid(len(where), 3.9, 3.2, columns=2, sharex=True, sharey=True)
    better = "larger" if higher_is_better(metric) else "smaller"
    for axes, (split, domain) in zip(panels, where, strict=True):
        value = select(table, metric, split, domain=domain)
        gap = select(table, GAP.of(metric), split, attribute=attribute, domain=domain)
        for method, style in styles.items():
            x, y = row_of(gap, method), row_of(value, method)
            if x is not None and y is not None and x["estimable"] and y["estimable"]:
                _cross(axes, x, y, style, method)
        entitle(axes, panel_title(value, split, domain))
        axes.set(xlabel=f"{plain(measure_words(GAP.of(metric), attribute))} (smaller is fairer)")
        axes.set_ylabel(f"Mean {in_words(metric)} ({better} is better)")
        _say_if_empty(axes)
    legend(figure, panels)
    return figure


def label_figure(table: pd.DataFrame, styles: Styles, metric: str, splits: Sequence[str]) -> Figure:
    """Draw a metric of each condition with its interval, one panel a place.

    Conditions of which nothing is known in any of them are left to the table, unless that is all of them.
    """
    shown = table["metric"].eq(metric) & table["split"].isin(list(splits)) & table["attribute"].eq("")
    known = set(table.loc[shown & table["estimable"], "label"])
    names = [name for name in labels(table) if name in known] or labels(table)

    def rows(split: str, domain: str) -> list[pd.DataFrame]:
        return [select(table, metric, split, label=name, domain=domain) for name in names]

    return _forest(table, styles, metric, places(table, splits), names, rows)


def group_figure(
    table: pd.DataFrame, styles: Styles, metric: str, attribute: str, splits: Sequence[str]
) -> Figure:
    """Draw a metric of each group with its interval, one panel a place; what has no value has no mark."""
    groups = group_names(table, metric, attribute)

    def rows(split: str, domain: str) -> list[pd.DataFrame]:
        of_attribute = select(table, metric, split, attribute=attribute, domain=domain)
        return [of_attribute[of_attribute["group"] == group] for group in groups]

    return _forest(table, styles, metric, places(table, splits, attribute), groups, rows)


def group_names(table: pd.DataFrame, metric: str, attribute: str) -> list[str]:
    """Return the groups of an attribute, in the order of the table."""
    rows = table[(table["metric"] == metric) & (table["attribute"] == attribute)]
    return [group for group in dict.fromkeys(rows["group"]) if group]


def panel_title(rows: pd.DataFrame, split: str, domain: str) -> str:
    """Say of which images a panel is, and how many there are."""
    n = f" (n = {int(rows['n'].max()):,})" if rows["n"].notna().any() else ""
    return f"{split_name(split).capitalize()}\n{shortened(domain, 30)}{n}"


def _forest(
    table: pd.DataFrame,
    styles: Styles,
    metric: str,
    where: Sequence[tuple[str, str]],
    names: Sequence[str],
    rows: Callable[[str, str], list[pd.DataFrame]],
) -> Figure:
    """Draw one line a name and mark a method, values to the right."""
    height = 1.0 + len(names) * (0.16 + 0.14 * len(styles))
    figure, panels = grid(len(where), 3.9, height, columns=2, sharex=True, sharey=True)
    offsets = np.linspace(-0.24, 0.24, len(styles)) if len(styles) > 1 else np.zeros(1)
    for axes, (split, domain) in zip(panels, where, strict=True):
        for position, rows_here in enumerate(rows(split, domain)):
            axes.axhline(position, color=RULE, linewidth=0.6, zorder=0)
            for offset, (method, style) in zip(offsets, styles.items(), strict=True):
                row = row_of(rows_here, method)
                if row is not None and row["estimable"]:
                    at = pd.Series({"value": position + offset, "ci_low": np.nan, "ci_high": np.nan})
                    _cross(axes, row, at, style, method)
        axes.set_yticks(range(len(names)), [shortened(name) for name in names])
        axes.set(ylim=(len(names) - 0.5, -0.5), xlabel=in_words(metric))
        entitle(axes, panel_title(select(table, metric, split, domain=domain), split, domain))
        _say_if_empty(axes)
    legend(figure, panels)
    return figure


def _cross(axes: Axes, x: pd.Series[Any], y: pd.Series[Any], style: MethodStyle, name: str) -> None:
    axes.errorbar(
        [x["value"]],
        [y["value"]],
        xerr=_reach(x),
        yerr=_reach(y),
        fmt=style.marker,
        color=style.colour,
        markersize=5.5,
        elinewidth=1,
        label=in_legend(name),
    )


def _reach(row: pd.Series[Any]) -> list[list[float]] | None:
    """Distances from the value to both ends of its interval; None without one."""
    if pd.isna(row["ci_low"]) or pd.isna(row["ci_high"]):
        return None
    return [[max(0.0, row["value"] - row["ci_low"])], [max(0.0, row["ci_high"] - row["value"])]]


def _say_if_empty(axes: Axes) -> None:
    if not axes.containers:
        axes.text(0.5, 0.5, "not estimable", transform=axes.transAxes, ha="center", color=GREY)
