"""ROC curves and calibration of each condition, from the table of predictions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from sklearn.metrics import roc_curve

from medaug.arrays import Array
from medaug.evaluation.decision_curve import net_benefit
from medaug.evaluation.family import shown_splits
from medaug.evaluation.identities import UNKNOWN
from medaug.evaluation.predictions import class_names
from medaug.report.style import (
    GREY,
    RULE,
    Styles,
    entitle,
    grid,
    in_legend,
    legend,
    method_styles,
    shortened,
)
from medaug.report.words import split_name
from medaug.task import label_column

MOST_PANELS = 30
MOST_POINTS = 200
CALIBRATION_BINS = 10

GROUP_BINS = 4
FEWEST_OF_A_GROUP = 40
"""Images of a group, ten in each part, for its calibration to be drawn."""
CUTS = np.linspace(0.01, 0.99, 99)

DrawCurve = Callable[[Axes, Array, Array, dict[str, Any]], None]


def scored_classes(predictions: pd.DataFrame) -> list[str]:
    """Return the classes that have both a score and a label."""
    return [name for name in class_names(predictions) if label_column(name) in predictions]


def roc_figure(predictions: pd.DataFrame, styles: Styles | None = None) -> Figure:
    """Draw the ROC curves of each class: a colour a method, dashed out of distribution.

    Parameters
    ----------
    predictions : DataFrame
        ``score:<class>``, ``label:<class>``; ``method`` and ``split`` where there are several. Seeds of a
        method are drawn as lines of the same look.
    styles : mapping of str to MethodStyle, optional
        Look of each method; by default the first method is the baseline.
    """
    figure = _curves(predictions, styles, _draw_roc)
    for axes in figure.axes:
        axes.set(xlabel="1 − specificity", ylabel="Sensitivity")
    return figure


def calibration_figure(predictions: pd.DataFrame, styles: Styles | None = None) -> Figure:
    """Draw how often the condition is present among images of similar score; the diagonal is perfect.

    Images are sorted by score into ten parts of equal number. Parameters are those of `roc_figure`.
    """
    figure = _curves(predictions, styles, _draw_calibration)
    for axes in figure.axes:
        axes.set(xlabel="Mean score", ylabel="Share present")
    return figure


def group_calibration_figure(
    predictions: pd.DataFrame, groups: Mapping[str, Array], split: str, styles: Styles
) -> Figure:
    """Draw calibration by group, a panel a class: a colour a group, of one split and method.

    Parameters
    ----------
    predictions : DataFrame
        As for `roc_figure`, of one method.
    groups : mapping of str to bool array, shape (rows,)
        Rows of each group.
    split : str
        Which is drawn.
    styles : mapping of str to MethodStyle
        Look of each group.
    """
    classes = scored_classes(predictions)[:MOST_PANELS]
    figure, panels = grid(len(classes), 2.55, 2.75, columns=3)
    for axes, name in zip(panels, classes, strict=True):
        axes.plot([0, 1], [0, 1], color=RULE, linewidth=1, zorder=0)
        for group, rows in groups.items():
            there = rows & (predictions["split"] == split).to_numpy()
            for _, _, y_true, y_score in _cases(_with_keys(predictions[there]), name, None, [split]):
                if len(y_true) >= FEWEST_OF_A_GROUP:
                    look = {"color": styles[group].colour, "label": shortened(group)}
                    _draw_calibration(axes, y_true, y_score, look, GROUP_BINS)
        axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal")
        axes.set(xlabel="Mean score", ylabel="Share present")
        entitle(axes, shortened(name))
    legend(figure, panels, columns=4)
    return figure


def decision_figure(predictions: pd.DataFrame, styles: Styles | None = None) -> Figure:
    """Draw the net benefit of acting on the scores of each class, and on all images, by threshold."""
    figure = _curves(predictions, styles, _draw_benefit, diagonal=False)
    for axes in [axes for axes in figure.axes if axes.axison]:
        highest = max((float(np.nanmax(line.get_ydata())) for line in axes.lines), default=0.0)
        axes.axhline(0, color=RULE, linewidth=1, zorder=0)
        axes.set(xlim=(0, 1), ylim=(-0.1 * (highest or 1), 1.1 * (highest or 1)), aspect="auto")
        axes.set(xlabel="Threshold", ylabel="Net benefit")
    return figure


def reliability(y_true: Array, y_score: Array, bins: int = CALIBRATION_BINS) -> tuple[Array, Array]:
    """Return mean score and share of positives of parts of (nearly) equal number, by rising score.

    Examples
    --------
    >>> [part.tolist() for part in reliability(np.array([1, 0, 1, 1]), np.array([0.9, 0.1, 0.3, 0.7]), 2)]
    [[0.2, 0.8], [0.5, 1.0]]
    """
    order = np.argsort(y_score, kind="stable")
    rows_of_bins = [rows for rows in np.array_split(order, bins) if len(rows)]
    mean_score = np.array([y_score[rows].mean() for rows in rows_of_bins])
    return mean_score, np.array([y_true[rows].mean() for rows in rows_of_bins])


def _curves(
    predictions: pd.DataFrame, styles: Styles | None, draw: DrawCurve, *, diagonal: bool = True
) -> Figure:
    table = _with_keys(predictions)
    classes, splits = scored_classes(table)[:MOST_PANELS], shown_splits(table)
    styles = styles or method_styles(table["method"])
    figure, panels = grid(len(classes), 2.55, 2.75, columns=3)
    for axes, name in zip(panels, classes, strict=True):
        if diagonal:
            axes.plot([0, 1], [0, 1], color=RULE, linewidth=1, zorder=0)
        for method, split, y_true, y_score in _cases(table, name, list(styles), splits):
            look = {"color": styles[method].colour, "linestyle": "--" if split.startswith("ood") else "-"}
            draw(axes, y_true, y_score, look | {"label": f"{in_legend(method)}, {split_name(split)}"})
        axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal")
        entitle(axes, _title(table, name, splits))
        if len(axes.lines) == diagonal:
            axes.text(0.5, 0.5, "not estimable", ha="center", color=GREY)
    legend(figure, panels, columns=2)
    return figure


def _with_keys(predictions: pd.DataFrame) -> pd.DataFrame:
    """Fill in what one run leaves out: its method, split and seed."""
    table = predictions.copy(deep=False)
    for column, value in (("method", "model"), ("split", UNKNOWN), ("seed", 0)):
        table[column] = table[column].fillna(value) if column in table else value
    return table


def _cases(
    table: pd.DataFrame, name: str, methods: list[str] | None, splits: list[str]
) -> Iterator[tuple[str, str, Array, Array]]:
    """Truth and score of a class for each method, split and seed with a known label."""
    known = table[table[f"label:{name}"].notna() & table[f"score:{name}"].notna()]
    for method in sorted(set(known["method"])) if methods is None else methods:
        for split in splits:
            rows = known[(known["method"] == method) & (known["split"] == split)]
            for _, run in rows.groupby("seed", dropna=False):
                yield (
                    method,
                    split,
                    run[f"label:{name}"].to_numpy() >= 0.5,
                    run[f"score:{name}"].to_numpy(float),
                )


def _draw_roc(axes: Axes, y_true: Array, y_score: Array, look: dict[str, Any]) -> None:
    if y_true.all() or not y_true.any():
        return
    false_positive, true_positive, _ = roc_curve(y_true, y_score)
    kept = np.unique(np.linspace(0, len(false_positive) - 1, MOST_POINTS).round().astype(int))
    axes.plot(false_positive[kept], true_positive[kept], linewidth=1.3, **look)


def _draw_calibration(
    axes: Axes, y_true: Array, y_score: Array, look: dict[str, Any], bins: int = CALIBRATION_BINS
) -> None:
    axes.plot(*reliability(y_true, y_score, bins), marker="o", markersize=2.5, linewidth=1, **look)


def _draw_benefit(axes: Axes, y_true: Array, y_score: Array, look: dict[str, Any]) -> None:
    axes.plot(CUTS, net_benefit(y_true, y_score, CUTS), linewidth=1.3, **look)
    all_positive = net_benefit(y_true, np.ones(len(y_true)), CUTS)
    everyone: dict[str, Any] = {"color": GREY, "linestyle": ":", "linewidth": 1, "zorder": 0}
    axes.plot(CUTS, all_positive, **everyone, label="Call all positive")


def _title(table: pd.DataFrame, name: str, splits: list[str]) -> str:
    """Class, and how many images of each split have it, for one run of one method."""
    first = table[(table["method"] == table["method"].iloc[0]) & (table["seed"] == table["seed"].iloc[0])]
    counts = []
    for split in splits:
        label = first.loc[first["split"] == split, f"label:{name}"].dropna()
        where = {"id": "ID", "ood": "OOD"}.get(split.split("_")[0], split)
        counts.append(f"{where} {int((label >= 0.5).sum()):,} of {len(label):,}")
    return f"{shortened(name)}\n" + ", ".join(counts)
