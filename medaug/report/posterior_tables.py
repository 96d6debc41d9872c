"""Tables and figure of the central best estimate of fairness (Section F.2, G6): groups beside all others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from medaug.evaluation.family import shown_splits
from medaug.evaluation.metrics import DIFFERENCE, SPREAD, in_words
from medaug.evaluation.posterior import spread_metrics
from medaug.report.group_words import attribute_words
from medaug.report.parts import Cell, Picture, Table, name, picture
from medaug.report.performance_figures import group_figure
from medaug.report.style import RULE, Styles
from medaug.report.tidy import attributes, places, row_of, select, tidied
from medaug.report.words import NOT_ESTIMABLE, interval, number, signed, split_name


def posterior_parts(posterior: pd.DataFrame, styles: Styles) -> list[Table | Picture]:
    """Return for each attribute the figure of the differences, their table, and the spread over the groups.

    Parameters
    ----------
    posterior : DataFrame
        What `medaug.evaluation.posterior.group_posteriors` returned, of one metric and one label (the one of
        all classes at once). Several seeds are joined as in `medaug.report.tidy.tidied`.
    styles : mapping of str to MethodStyle
        Methods, the baseline first.
    """
    parts: list[Table | Picture] = []
    metric = str(posterior["metric"].iloc[0])
    for attribute in attributes(posterior):
        words = (
            f"{in_words(metric)} of each group of {attribute_words(attribute)} minus that of all others: the "
            "most probable difference and its interval; 0 is fair."
        )
        figure = posterior_figure(posterior, styles, attribute)
        parts += [picture(figure, f"{words} The table has the numbers.", words)]
        parts += [difference_table(posterior, list(styles), attribute)]
    return [*parts, spread_table(posterior, list(styles))]


def posterior_figure(posterior: pd.DataFrame, styles: Styles, attribute: str) -> Figure:
    """Draw the MAP difference of each group with its interval, one panel a place."""
    table, metric = _differences(posterior)
    figure = group_figure(table, styles, metric, attribute, shown_splits(table))
    for axes in figure.axes:
        axes.axvline(0.0, color=RULE, linewidth=1, zorder=0)
    return figure


def difference_table(posterior: pd.DataFrame, methods: Sequence[str], attribute: str) -> Table:
    """Return the intermediate table: right answers of group and outgroup, and the MAP difference."""
    table, metric = _differences(posterior)
    body = []
    for split, domain in places(table, shown_splits(table), attribute):
        for _, row in select(table, metric, split, attribute=attribute, domain=domain).iterrows():
            if row["method"] in methods:
                where = [name(split_name(split), row["domain"]), name(row["group"]), name(row["method"])]
                body.append([*where, *_shares(posterior, row), _difference_cell(row)])
    head = ["Where", "Group", "Method", "Right, of the group", "Right, of all others", "Difference (MAP)"]
    caption = f"Groups of {attribute_words(attribute)} beside all others (Section F.2 of the paper)"
    return Table(caption, head, body, names=3)


def spread_table(posterior: pd.DataFrame, methods: Sequence[str]) -> Table:
    """Return the spread of the MAP differences over the groups of each attribute, one column a method."""
    table, of_groups = tidied(spread_metrics(posterior)), _differences(posterior)[0]
    metric = SPREAD.of(str(posterior["metric"].iloc[0]))
    measured = [
        (split, domain, attribute)
        for split in shown_splits(table)
        for attribute in attributes(table)
        for _, domain in places(of_groups, [split], attribute)
    ]
    body = []
    for split, domain, attribute in measured:
        rows = select(table, metric, split, attribute=attribute, domain=domain)
        if len(rows):
            cells = [_spread_cell(row_of(rows, method)) for method in methods]
            body.append([name(split_name(split), domain), name(attribute_words(attribute)), *cells])
    caption = (
        "Central best estimate of fairness: standard deviation of the differences over groups, 0 is fair"
    )
    return Table(caption, ["Where", "Attribute", *methods], body, names=2)


def _differences(posterior: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """Bring the posterior into the form of metrics, and name its metric."""
    metric = DIFFERENCE.of(str(posterior["metric"].iloc[0]))
    table = posterior.drop(columns="difference").rename(columns={"map_difference": "value"})
    return tidied(table.assign(metric=metric)), metric


def _shares(posterior: pd.DataFrame, row: pd.Series[Any]) -> list[Cell]:
    """Share and numbers of right answers of group and outgroup, the mean over seeds."""
    same = ["method", "split", "domain", "label", "attribute", "group"]
    runs = posterior[(posterior[same] == row[same]).all(axis=1)]
    cells = []
    for side in ("", "_outgroup"):
        right, n = float(runs[f"right{side}"].mean()), int(runs[f"n{side}"].max())
        cells.append(Cell(number(right / n) if n else "–", f"{right:,.4g} / {n:,}"))
    return cells


def _difference_cell(row: pd.Series[Any]) -> Cell:
    if not row["estimable"]:
        return Cell(NOT_ESTIMABLE, kind="quiet", remark=row["reason"])
    return Cell(signed(row["value"]), interval(row["ci_low"], row["ci_high"]))


def _spread_cell(row: pd.Series[Any] | None) -> Cell:
    if row is None or not row["estimable"]:
        return Cell(NOT_ESTIMABLE, kind="quiet", remark="" if row is None else row["reason"])
    return Cell(number(row["value"]), remark=row["reason"])
