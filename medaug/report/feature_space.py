"""Distances between sets of images, and their principal components, in the features of each classifier."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from medaug.analysis.distances import SUBSET_SIZE, SUBSETS, UNBIASED, compare_distances
from medaug.analysis.image_sets import part_name
from medaug.report.parts import Cell, Section, Table, name, picture
from medaug.report.style import RULE, Styles, entitle, grid, in_legend, legend, shortened, wrapped
from medaug.report.tidy import row_of
from medaug.report.words import NOT_ESTIMABLE, number

SET_NAMES = {
    "train": "training",
    "id_val": "validation, in distribution",
    "ood_val": "validation, out of distribution",
    "id_test": "test, in distribution",
    "ood_test": "test, out of distribution",
    "synthetic": "generated",
}

ABOUT_PARTS = (
    "An external data set, under its own name, is part of the images out of distribution. It is shown by "
    "itself where it has at least half as many images as the smallest other set, since all sets are reduced "
    "to the smallest."
)


def feature_section(distances: pd.DataFrame, components: pd.DataFrame, styles: Styles) -> Section | None:
    """Show how far apart training, test and generated images lie in the eyes of each classifier.

    Parameters
    ----------
    distances, components : DataFrame
        What `medaug.analysis.distances.distances` and `medaug.analysis.components.components` returned for
        each model, with the columns ``method`` and ``seed``.
    styles : mapping of str to MethodStyle
        Methods, the baseline first.
    """
    if distances.empty and components.empty:
        return None
    text = [
        "Features are what a classifier makes of an image before it decides (its penultimate layer). Where "
        "two sets of images lie far apart there, the classifier tells them apart, be it by what matters or "
        "by what does not (Sections 3.3 and F.3 of the paper)."
    ]
    if any(map(part_name, [*distances.get("second", ()), *components.get("images", ())])):
        text.append(ABOUT_PARTS)
    parts: list[Any] = []
    if not distances.empty:
        text.append(_about_distances(distances))
        words = "MMD between sets of images: mean and standard deviation over subsets. 0 is no difference."
        parts += [picture(distance_figure(distances, styles), f"{words} The table has the numbers.", words)]
        parts += [distance_table(distances, styles)]
    if not components.empty:
        words = "Principal components that hold a share of the variance; fewer are more compressed features."
        parts += [picture(component_figure(components, styles), f"{words} The table has the numbers.", words)]
        parts += [component_table(components, styles)]
    return Section("What the classifiers see in common", text, parts)


def distance_figure(distances: pd.DataFrame, styles: Styles, reading: str = UNBIASED) -> Figure:
    """Draw the distance of each pair of sets under each method (Table G1), mean ± standard deviation."""
    rows = distances[distances["reading"] == reading]
    pairs = _pairs(rows)
    figure, (axes,) = grid(1, 6.2, 0.9 + len(pairs) * (0.16 + 0.14 * len(styles)), columns=1)
    offsets = np.linspace(-0.24, 0.24, len(styles)) if len(styles) > 1 else np.zeros(1)
    for (method, style), offset in zip(styles.items(), offsets, strict=True):
        values = rows[rows["method"] == method].groupby(["first", "second"], sort=False)["value"]
        mean, sd = values.mean().reindex(pairs), values.std().reindex(pairs)
        look: dict[str, Any] = {
            "fmt": style.marker,
            "color": style.colour,
            "markersize": 5.5,
            "elinewidth": 1,
        }
        places = np.arange(len(pairs)) + offset
        axes.errorbar(mean, places, xerr=sd, label=in_legend(method), **look)
    for position in range(len(pairs)):
        axes.axhline(position, color=RULE, linewidth=0.6, zorder=0)
    axes.axvline(0, color=RULE, linewidth=1, zorder=0)
    axes.set_yticks(range(len(pairs)), [wrapped(pair_name(*pair)) for pair in pairs], ma="right")
    axes.set(ylim=(len(pairs) - 0.5, -0.5), xlabel="MMD² (cubic kernel, unbiased)")
    legend(figure, [axes])
    return figure


def distance_table(distances: pd.DataFrame, styles: Styles, reading: str = UNBIASED) -> Table:
    """Return Table G1: each pair of sets and method, mean ± standard deviation, and the test."""
    methods = list(styles)
    compared = compare_distances(distances[distances["reading"] == reading], methods[0])
    body = []
    for first, second in _pairs(compared):
        rows = compared[(compared["first"] == first) & (compared["second"] == second)]
        cells = [_distance_cell(row_of(rows, method), method == methods[0]) for method in methods]
        body.append([name(pair_name(first, second)), *cells])
    caption = "Distances (MMD²) between sets of images, and p of the difference to the first method"
    return Table(caption, ["Between", *methods], body)


def component_figure(components: pd.DataFrame, styles: Styles) -> Figure:
    """Draw how many principal components hold each share of the variance, one panel a set (Figure G8)."""
    sets = list(dict.fromkeys(components["images"]))
    figure, panels = grid(len(sets), 2.9, 2.6, columns=2, sharey=True, sharex=True)
    for axes, images in zip(panels, sets, strict=True):
        rows = components[components["images"] == images]
        for method, style in styles.items():
            counts = rows[rows["method"] == method].groupby("share")["components"]
            mean, sd = counts.mean(), counts.std().fillna(0.0)
            look: dict[str, Any] = {"color": style.colour, "marker": style.marker, "markersize": 4}
            axes.errorbar(mean.index, mean, yerr=sd, linewidth=1.2, label=in_legend(method), **look)
        entitle(axes, shortened(set_name(images), 36))
        axes.set(xlabel="Share of the variance", ylabel="Components")
    panels[0].set_ylim(bottom=0)  # of all panels, once all are drawn
    legend(figure, panels)
    return figure


def component_table(components: pd.DataFrame, styles: Styles) -> Table:
    """Return the numbers of principal components of each set and method, mean over trainings, by share."""
    means = components.groupby(["images", "method", "share"], sort=False)["components"].mean()
    shares, body = list(dict.fromkeys(components["share"])), []
    for images, method in product(dict.fromkeys(components["images"]), styles):
        if (images, method, shares[0]) in means.index:
            cells = [Cell(f"{means[images, method, share]:.4g}") for share in shares]
            body.append([name(set_name(images)), name(method), *cells])
    size = int(components["size"].iloc[0])
    caption = f"Principal components for a share of the variance, of {size:,} images of each set"
    return Table(caption, ["Images", "Method", *(f"{share:.2f}" for share in shares)], body, names=2)


def pair_name(first: str, second: str) -> str:
    """Say a pair of sets in words."""
    return f"{set_name(first)} – {set_name(second)}"


def set_name(images: str) -> str:
    """Say a set of images in words; an external data set has its own name.

    Examples
    --------
    >>> set_name("id_val"), set_name("ood_test: ChestX-ray14")
    ('validation, in distribution', 'ChestX-ray14')
    """
    return part_name(images) or SET_NAMES.get(images, images)


def _about_distances(distances: pd.DataFrame) -> str:
    subsets, size = int(distances["subset"].max()) + 1, int(distances["size"].min())
    paper = f" (the paper: {SUBSETS} of {SUBSET_SIZE})"
    return (
        f"Each distance is the mean over {subsets} subsets of {size} images"
        f"{'' if size == SUBSET_SIZE else paper}. The Mann–Whitney test "
        "compares these values under two methods. They come from the same images and the same trained "
        "models, so a small p says that these trained models differ, not that the methods do. Two other "
        "readings of Eq. 7 of the paper are in distances.csv."
    )


def _pairs(table: pd.DataFrame) -> list[tuple[str, str]]:
    return list(dict.fromkeys(zip(table["first"], table["second"], strict=True)))


def _distance_cell(row: pd.Series[Any] | None, of_baseline: bool) -> Cell:
    if row is None:
        return Cell(NOT_ESTIMABLE, kind="quiet")
    value = f"{_figures(row['mean'])} ± {_figures(row['sd'])}"
    if of_baseline:
        return Cell(value)
    of_methods = "" if np.isnan(row["p_trainings"]) else f"between trainings p {_p(row['p_trainings'])}"
    of_nothing = row["baseline_mean"] < row["baseline_sd"]  # a multiple of what may be 0 says nothing
    relative = "" if of_nothing else f"{row['relative']:+.0%}, ".replace("-", "−").replace("%", " %")
    return Cell(value, f"{relative}p {_p(row['p'])}", remark=of_methods)


def _figures(value: float) -> str:
    """Return a value with four decimals, or, where it is large, with three figures."""
    return f"{value:.4f}".replace("-", "−") if abs(value) < 100 else f"{value:,.0f}"


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"= {number(value)}"
