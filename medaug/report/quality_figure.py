"""A figure of what probes tell: the conditions and properties asked for, in synthetic and in real images."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from medaug.report.group_words import attribute_words
from medaug.report.style import GREY, INK, PALETTE, entitle, grid, legend, shortened

TITLES = {
    "agreement": "Real probe:\nconditions asked for",
    "synthetic_only": "Synthetic probe:\nconditions of real images",
    "property": "Real probe:\nproperties asked for",
}
MOST_ROWS = 12


def probe_figure(numbers: pd.DataFrame) -> Figure | None:
    """Draw the AUC of each class and group with its interval; None where nothing was asked for.

    Parameters
    ----------
    numbers : DataFrame
        The numbers of a judgement.
    """
    detailed = (numbers["label"] != "") | (numbers["group"] != "")
    known = numbers[detailed & numbers["value"].notna()]
    panels = {measure: known[known["measure"] == measure][:MOST_ROWS] for measure in TITLES}
    panels = {measure: rows for measure, rows in panels.items() if len(rows)}
    if not panels:
        return None
    tallest = max(len(rows) for rows in panels.values())
    figure, axes = grid(len(panels), 3.3, 1.5 + 0.26 * tallest)
    for panel, (measure, rows) in zip(axes, panels.items(), strict=True):
        entitle(panel, TITLES[measure])
        _dots(panel, rows)
    legend(figure, axes)
    return figure


def _dots(axes: Axes, rows: pd.DataFrame) -> None:
    kinds = (
        ("synthetic images", "value", "ci_low", "ci_high", PALETTE[1], -0.15),
        ("real, held out", "real", "real_low", "real_high", INK, 0.15),
    )
    for label, value, low, high, colour, shift in kinds:
        places = [place + shift for place in range(len(rows))]
        axes.plot(rows[value], places, "o", color=colour, markersize=4, label=label)
        axes.hlines(places, rows[low], rows[high], color=colour, linewidth=1)
    names = rows["label"].where(
        rows["label"] != "", rows["attribute"].map(attribute_words) + " " + rows["group"]
    )
    axes.set_yticks(range(len(rows)), [shortened(text) for text in names])
    axes.axvline(0.5, color=GREY, linewidth=0.8, linestyle=":")
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_xlabel("AUC")
