"""Figures of a study: arms on performance and gap (3, 5, 7), and beside the reference (3b, G4 to G7)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from medaug.evaluation.metrics import GAP, higher_is_better, in_words
from medaug.grid.arms import REFERENCE
from medaug.grid.first_screen import means
from medaug.report.group_words import measure_words
from medaug.report.performance_figures import panel_title
from medaug.report.style import GREY, RULE, Styles, entitle, grid, in_legend, legend, plain, wrapped
from medaug.report.tidy import select

NO_VALUE = "not estimable"

Place = tuple[str, str]
"""A split and a domain."""


def pareto_figure(
    metrics: pd.DataFrame, styles: Styles, metric: str, attribute: str, where: Sequence[Place]
) -> Figure:
    """Draw each arm's performance against its gap, a panel a place; a small mark is a training.

    The line joins the arms that no other arm beats in both.

    Parameters
    ----------
    metrics : DataFrame
        Of `medaug.grid.gathering.Compared`.
    styles : mapping
        Looks of the arms.
    metric, attribute : str
        For example ``"auc"`` and ``"sex"``.
    where : sequence of (str, str)
        Splits and domains, as `medaug.report.tidy.places` returns them.
    """
    figure, panels = grid(len(where), 3.9, 2.9, columns=2, sharex=True, sharey=True)
    for axes, (split, domain) in zip(panels, where, strict=True):
        gaps = means(metrics, GAP.of(metric), split, domain, attribute)
        values = means(metrics, metric, split, domain)
        both = pd.DataFrame({"gap": gaps, "value": values}).dropna()
        _draw_front(axes, both, higher_is_better(metric))
        _draw_trainings(axes, metrics, styles, metric, attribute, (split, domain))
        for arm, style in styles.items():
            at = both.loc[both.index == arm]
            look: dict[str, Any] = {"color": style.colour, "label": in_legend(arm)}
            if len(at):
                axes.plot(at["gap"], at["value"], style.marker, markersize=8, zorder=3, **look)
        _name_axes(axes, metric, attribute)
        entitle(axes, panel_title(select(metrics, metric, split, domain=domain), split, domain))
        _say_if_empty(axes, both.empty)
    legend(figure, panels)
    return figure


def pareto_front(both: pd.DataFrame, more_is_better: bool) -> list[str]:
    """Return the arms that no other arm beats in ``gap`` (less) and ``value``, by gap.

    Examples
    --------
    >>> pareto_front(pd.DataFrame({"gap": [.1, .2, .3], "value": [.8, .7, .9]}, ["a", "b", "c"]), True)
    ['a', 'c']
    """
    sign = 1 if more_is_better else -1
    ordered = both.assign(value=sign * both["value"]).sort_values(["gap", "value"], ascending=[True, False])
    before = ordered["value"].cummax().shift(fill_value=-np.inf)
    return [str(arm) for arm in ordered.index[ordered["value"] > before]]


def arms_figure(metrics: pd.DataFrame, styles: Styles, metric: str, where: Sequence[Place]) -> Figure:
    """Draw a metric of every arm, a panel a place: the mean, and a small mark for each training (3b)."""
    figure, panels = grid(len(where), 3.9, 0.9 + 0.3 * len(styles), columns=2, sharex=True, sharey=True)
    for axes, (split, domain) in zip(panels, where, strict=True):
        rows, middle = select(metrics, metric, split, domain=domain), means(metrics, metric, split, domain)
        for line, (arm, style) in enumerate(styles.items()):
            own = rows.loc[(rows["method"] == arm) & rows["estimable"].astype(bool), "value"]
            axes.plot(own, np.full(len(own), line), ".", color=style.colour, alpha=0.6, markersize=5)
            if arm in middle.index:
                axes.plot(middle[arm], line, style.marker, color=style.colour, markersize=8)
        _arms_on_y(axes, list(styles))
        axes.set_xlabel(in_words(metric))
        entitle(axes, panel_title(rows, split, domain))
    return figure


def differences_figure(
    differences: pd.DataFrame, styles: Styles, metric: str, attribute: str, where: Sequence[Place]
) -> Figure:
    """Draw the difference of every arm to the reference with its interval, a panel a place (G4 to G7)."""
    others = [arm for arm in styles if arm != REFERENCE]
    figure, panels = grid(len(where), 3.9, 0.9 + 0.3 * len(others), columns=2, sharex=True, sharey=True)
    for axes, (split, domain) in zip(panels, where, strict=True):
        axes.axvline(0, color=GREY, linewidth=1)
        rows = select(differences, metric, split, attribute=attribute, domain=domain)
        by_arm = rows.set_index("method")
        for line, arm in enumerate(others):
            if arm in by_arm.index:
                row, style = by_arm.loc[arm], styles[arm]
                ends = [[row["ci_low"]], [row["ci_high"]]]
                reach = np.abs(np.array(ends, float) - row["difference"])
                axes.errorbar([row["difference"]], [line], xerr=reach, fmt=style.marker, color=style.colour)
        _arms_on_y(axes, others)
        better = "more is better" if higher_is_better(metric) else "less is better"
        axes.set_xlabel(f"{in_words(metric)}\nminus that of {REFERENCE} ({better})")
        entitle(axes, panel_title(rows, split, domain))
    return figure


def _draw_front(axes: Axes, both: pd.DataFrame, more_is_better: bool) -> None:
    front = both.loc[pareto_front(both, more_is_better)]
    axes.plot(front["gap"], front["value"], color=RULE, linewidth=4, zorder=1, solid_capstyle="round")


def _draw_trainings(
    axes: Axes, metrics: pd.DataFrame, styles: Styles, metric: str, attribute: str, place: Place
) -> None:
    keys, (split, domain) = ["method", "seed"], place
    gaps = select(metrics, GAP.of(metric), split, attribute=attribute, domain=domain)
    values = select(metrics, metric, split, domain=domain)
    by_training = {"gap": gaps.set_index(keys)["value"], "value": values.set_index(keys)["value"]}
    both = pd.DataFrame(by_training).dropna().reset_index()
    for arm, style in styles.items():
        rows = both[both["method"] == arm]
        axes.plot(rows["gap"], rows["value"], ".", color=style.colour, alpha=0.6, markersize=5)


def _name_axes(axes: Axes, metric: str, attribute: str) -> None:
    better = "larger" if higher_is_better(metric) else "smaller"
    axes.set_xlabel(f"{plain(measure_words(GAP.of(metric), attribute))} (smaller is fairer)")
    axes.set_ylabel(f"{in_words(metric)}\n({better} is better)")


def _arms_on_y(axes: Axes, arms: Sequence[str]) -> None:
    for place in range(len(arms)):
        axes.axhline(place, color=RULE, linewidth=0.6, zorder=0)
    axes.set_yticks(range(len(arms)), [wrapped(arm) for arm in arms], ma="right")
    axes.set_ylim(len(arms) - 0.5, -0.5)


def _say_if_empty(axes: Axes, empty: bool) -> None:
    if empty:
        axes.text(0.5, 0.5, NO_VALUE, transform=axes.transAxes, ha="center", color=GREY)
