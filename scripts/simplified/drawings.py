"""Figures D1 to D4, from the tables of this package."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Ellipse

from medaug.arrays import Array
from medaug.report.style import GREY, INK, PALETTE, RULE, entitle, grid, legend
from medaug.report.words import plural
from simplified.gaussian_mixture import Fit
from simplified.hidden_attribute import DIRECTIONS

_VARIED = {"N": "N / 100", "p_hat": "p̂ (generated)", "p": "p (truth)"}
_BARS = {"p": "truth p", "p_hat": "generated p̂", "t": "training t", "combined": "combined p'"}


def d1(single: pd.DataFrame, curves: pd.DataFrame) -> Figure:
    """Draw the distributions of one run, and the optimal α where N, p̂ and p vary in turn."""
    figure, (bars, lines) = grid(2, 4.3, 3.3, columns=2)
    for position, (row, colour) in enumerate(zip(single.itertuples(), (INK, *PALETTE), strict=False)):
        values, places = [row[2], row[3]], np.arange(2) + 0.2 * (position - 1.5)
        bars.bar(places, values, 0.18, color=colour, label=_BARS[str(row.distribution)])
    bars.set_xticks([0, 1], ["y = 0", "y = 1"])
    bars.set_ylabel("Probability")
    entitle(bars, f"(a) One run: optimal α = {single['alpha'].iloc[0]:.2f}")
    bars.legend(frameon=False, fontsize=8.5)
    for (varied, words), colour in zip(_VARIED.items(), PALETTE, strict=False):
        rows = curves[curves["varied"] == varied]
        lines.plot(rows["x"], rows["exact"], color=colour, linewidth=1.3, label=words)
        lines.fill_between(rows["x"], rows["ci_low"], rows["ci_high"], color=colour, alpha=0.25, linewidth=0)
    lines.set(xlabel="Normalised value", ylabel="Optimal α (share generated)", ylim=(0, 1.03))
    entitle(lines, "(b) Mean optimal α and its 95 % interval")
    lines.legend(frameon=False, fontsize=8.5)
    return figure


def d2(table: pd.DataFrame) -> Figure:
    """Draw the least divergence with and without generated data, and how often it is infinite without."""
    figure, panels = grid(3, 3.4, 3.0, columns=3)
    for axes, direction in zip(panels, DIRECTIONS, strict=False):
        for generated, (words, colour) in {False: ("without", INK), True: ("with", PALETTE[0])}.items():
            rows = table[(table["direction"] == direction) & (table["generated"] == generated)]
            rows = rows[rows["infinite"] == 0]  # the mean over all training sets is infinite elsewhere
            axes.plot(rows["n"], rows["mean"], color=colour, marker="o", markersize=3.5, label=words)
            axes.fill_between(
                rows["n"], rows["ci_low"], rows["ci_high"], color=colour, alpha=0.25, linewidth=0
            )
        axes.set(xscale="log", yscale="log", xlabel="N", ylabel=f"{direction}, mean in nats")
        entitle(axes, f"{direction}")
        axes.legend(frameon=False, fontsize=8.5, title="generated data", title_fontsize=8.5)
    rows = table[(table["direction"] == DIRECTIONS[0]) & ~table["generated"]]
    panels[2].plot(rows["n"], rows["infinite"], color=INK, marker="o", markersize=3.5)
    panels[2].set(xscale="log", ylim=(-0.02, 1.02), xlabel="N", ylabel="Share of training sets")
    entitle(panels[2], f"{DIRECTIONS[0]} infinite, without")
    return figure


def d3(fits: Sequence[Fit]) -> Figure:
    """Draw the fitted mixtures beside the true one: ellipses are two standard deviations."""
    figure, panels = grid(len(fits) + 1, 2.9, 2.6, columns=3, sharex=True, sharey=True)
    world = fits[-1].world
    _ellipses(panels[0], world.means, world.factors @ np.swapaxes(world.factors, 1, 2))
    _points(panels[0], fits[-1])
    entitle(panels[0], "True mixture")
    for axes, found in zip(panels[1:], fits, strict=True):
        _ellipses(axes, found.model.means_, found.model.covariances_)
        _points(axes, found)
        entitle(axes, f"{len(found.unlabelled):,} unlabelled points\nKL(true ‖ fit) = {found.kl:.3f}")
    return figure


def d4(table: pd.DataFrame) -> Figure:
    """Draw the accuracy against labelled points, a colour a number of generated ones, a panel a mixture."""
    mixtures = table.groupby(["components", "dimensions"], sort=False)
    figure, panels = grid(mixtures.ngroups, 3.1, 2.8, columns=3)
    for axes, (_, rows) in zip(panels, mixtures, strict=True):
        for (generated, own), colour in zip(rows.groupby("generated"), (INK, *PALETTE), strict=False):
            reach = (own["ci_high"] - own["ci_low"]) / 2
            look = {"color": colour, "marker": "o", "markersize": 3.5, "linewidth": 1.2}
            axes.errorbar(own["labelled"], own["accuracy"], reach, label=f"{generated:,} generated", **look)
        first = rows.iloc[0]
        where = f"{plural(first.components, 'component')}, {plural(first.dimensions, 'dimension')}"
        axes.set(xscale="log", xlabel="Labelled points", ylabel="Accuracy")
        axes.set_xticks(
            sorted(rows["labelled"].unique()), [f"{n}" for n in sorted(rows["labelled"].unique())]
        )
        axes.minorticks_off()
        entitle(axes, f"{where}\n{first.what}")
    legend(figure, panels, columns=4)
    return figure


def _ellipses(axes: Axes, means: Array, covariances: Array) -> None:
    for mean, covariance in zip(means, covariances, strict=True):
        size, directions = np.linalg.eigh(covariance)
        angle = np.degrees(np.arctan2(directions[1, 1], directions[0, 1]))
        width, height = 4 * np.sqrt(np.maximum(size[::-1], 0))
        axes.add_patch(Ellipse(mean, width, height, angle=angle, fill=False, color=INK, linewidth=1.2))


def _points(axes: Axes, found: Fit) -> None:
    axes.scatter(*found.unlabelled[:500].T, s=2, color=GREY, alpha=0.5, linewidth=0)
    colours = [(*PALETTE, RULE)[c] for c in found.classes]
    axes.scatter(*found.labelled.T, s=28, c=colours, edgecolor=INK, linewidth=0.5, zorder=3)
    axes.set_aspect("equal")
