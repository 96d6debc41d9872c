"""A metric against what was set: label budgets (Figure G2) and sampling schemes (Figure G10)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from medaug.analysis.against import LABEL_BUDGET, SAMPLING
from medaug.evaluation.family import shown_splits
from medaug.report.group_words import measure_words
from medaug.report.parts import Cell, Table, name
from medaug.report.style import PALETTE, Styles, entitle, grid, in_legend, legend
from medaug.report.tidy import domains, select
from medaug.report.words import number, split_name

Measure = tuple[str, str]
"""A metric and its attribute (empty for none), for example ``("auc_gap", "sex")``."""

FILTERED = {False: ("uniform", PALETTE[1]), True: ("filtered", PALETTE[0])}
"""Without and with w2, in the colours of Figure G10: orange and blue."""


def budget_figure(table: pd.DataFrame, styles: Styles, measures: Sequence[Measure]) -> Figure | None:
    """Draw metrics against the label budget, a row of panels a metric, a column a test split (Figure G2).

    Parameters
    ----------
    table : DataFrame
        Of `medaug.analysis.against.against_settings` by ``label_budget``; bars are standard deviations.
    styles : mapping of str to MethodStyle
        Methods, the baseline first.
    measures : sequence of (str, str)
        Metrics and their attributes.

    Returns
    -------
    Figure or None
        None where there are fewer than two budgets: a point is no curve.
    """
    if table[LABEL_BUDGET].nunique() < 2:
        return None

    def draw(axes: Axes, rows: pd.DataFrame) -> None:
        for method, style in styles.items():
            look = {"color": style.colour, "marker": style.marker, "label": in_legend(method)}
            _line(axes, rows[rows["method"] == method], LABEL_BUDGET, look)
        axes.set_xscale("log")
        axes.set(xlabel="Labelled training images")

    return _panels(table, measures, draw)


def sampling_figure(table: pd.DataFrame, method: str, measures: Sequence[Measure]) -> Figure | None:
    """Draw metrics of a method against the equality level, with and without the filter (Figure G10).

    Parameters
    ----------
    table : DataFrame
        Of `medaug.analysis.against.against_settings` by ``equality_level`` (l of Eq. 9) and ``filtered``
        (whether dominant classes are left out of the synthetic images, w2).
    method : str
        Whose.
    measures : sequence of (str, str)
        Metrics and their attributes.

    Returns
    -------
    Figure or None
        None where there are fewer than two levels.
    """
    level, filtered = SAMPLING
    own = table[table["method"] == method]
    if own[level].nunique() < 2:
        return None

    def draw(axes: Axes, rows: pd.DataFrame) -> None:
        for value, (words, colour) in FILTERED.items():
            look = {"color": colour, "marker": "s" if value else "o", "label": words}
            _line(axes, rows[rows[filtered].astype(bool) == value], level, look)
        axes.set(xlabel="Equality level")

    return _panels(own, measures, draw)


def settings_table(table: pd.DataFrame, settings: Sequence[str], measures: Sequence[Measure]) -> Table:
    """Return the numbers behind the figures: mean ± standard deviation, one column a metric."""
    keys = ["method", *settings]
    chosen = table[table["label"] == ""]
    body = []
    for split, domain in [(s, d) for s in shown_splits(table) for d in domains(table, s)]:
        here = chosen[(chosen["split"] == split) & (chosen["domain"] == domain)]
        for names, rows in here.groupby(keys, sort=False):
            cells = [_cell(rows[(rows["metric"] == m) & (rows["attribute"] == a)]) for m, a in measures]
            body.append([name(split_name(split), domain), *(name(str(n)) for n in names), *cells])
    head = ["Where", "Method", *(s.replace("_", " ").capitalize() for s in settings)]
    words = [measure_words(*measure) for measure in measures]
    return Table("Mean and standard deviation over trainings", [*head, *words], body, names=1 + len(keys))


def _panels(table: pd.DataFrame, measures: Sequence[Measure], draw: Any) -> Figure:
    splits = shown_splits(table)
    where = [(measure, split) for measure in measures for split in splits]
    figure, panels = grid(len(where), 3.9, 2.9, columns=len(splits), sharex=True, sharey="row")
    for axes, ((metric, attribute), split) in zip(panels, where, strict=True):
        draw(axes, select(table, metric, split, attribute=attribute))
        entitle(axes, split_name(split).capitalize())
        axes.set_ylabel(measure_words(metric, attribute))
    legend(figure, panels)
    return figure


def _line(axes: Axes, rows: pd.DataFrame, setting: str, look: dict[str, Any]) -> None:
    if len(rows):
        rows = rows.sort_values(setting)
        sd = rows["sd"].fillna(0.0)
        axes.errorbar(rows[setting], rows["value"], yerr=sd, markersize=5, linewidth=1.3, capsize=2, **look)


def _cell(rows: pd.DataFrame) -> Cell:
    if rows.empty:
        return Cell("–", kind="quiet")
    row = rows.iloc[0]
    spread = f"± {number(row['sd'])}, " if row["seeds"] > 1 else ""
    return Cell(number(row["value"]), f"{spread}{row['seeds']} seed" + ("s" if row["seeds"] > 1 else ""))
