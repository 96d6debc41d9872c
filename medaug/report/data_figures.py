"""Figures of the data: ages and labels (Figure A1 of the paper), conditions together (Figure 4)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from medaug.arrays import Array
from medaug.report.style import GREY, INK, PALETTE, entitle, grid, legend, plain, shortened
from medaug.task import LABEL_PREFIX

MOST_DOMAINS = 6
AGE_BIN = 10


def labelled_classes(table: pd.DataFrame) -> list[str]:
    """Return the classes of a table, from its ``label:<class>`` columns."""
    return [str(c).removeprefix(LABEL_PREFIX) for c in table.columns if str(c).startswith(LABEL_PREFIX)]


def largest_domains(table: pd.DataFrame) -> list[str]:
    """Return at most `MOST_DOMAINS` domains, those with most images; the training domains come first."""
    largest = set(table["domain"].value_counts().index[:MOST_DOMAINS])
    return [d for d in domain_order(table) if d in largest]


def domain_order(table: pd.DataFrame) -> list[str]:
    """Return all domains: those in distribution first, else as in the table."""
    within = table["split"].isin(["train", "id_val", "id_test"])
    return list(dict.fromkeys([*table.loc[within, "domain"].dropna(), *table["domain"].dropna()]))


def cooccurrence(labels: Array) -> tuple[Array, Array]:
    """Return how often conditions occur together.

    Parameters
    ----------
    labels : array of float, shape (images, classes)
        In [0, 1], NaN where unknown; a condition is present from 0.5 on.

    Returns
    -------
    shares : array of float64, shape (classes, classes)
        Row r, column c: of the images with condition r, the share that also has c. Images whose label of c
        is unknown are left out; NaN where no image is left.
    counts : array of int, shape (classes,)
        Images with each condition.

    Examples
    --------
    >>> cooccurrence(np.array([[1, 1], [1, 0], [0, 1], [1, np.nan]]))[0].tolist()
    [[1.0, 0.5], [0.5, 1.0]]
    """
    labels = np.asarray(labels, float)
    present, known = (labels >= 0.5).astype(float), (~np.isnan(labels)).astype(float)
    together, of = present.T @ present, present.T @ known
    shares = np.divide(together, of, out=np.full(of.shape, np.nan), where=of > 0)
    return shares, present.sum(axis=0).astype(int)


def label_shares(labels: Array) -> Array:
    """Return the shares present, absent and unknown of each class, shape (classes, 3); rows sum to 1.

    A soft label counts as present and absent in proportion.
    """
    labels = np.asarray(labels, float)
    unknown = np.isnan(labels).mean(axis=0)
    present = np.nansum(labels, axis=0) / len(labels)
    return np.stack([present, 1 - unknown - present, unknown], axis=1)


def cooccurrence_figure(table: pd.DataFrame) -> Figure:
    """Draw a heat map for each domain: of the images with the row's condition, who also has the column's."""
    classes, domains = labelled_classes(table), largest_domains(table)
    side = max(2.4, 0.46 * len(classes) + 1.1)
    figure, panels = grid(len(domains), side + 0.9, side + 0.5, columns=2)
    for axes, domain in zip(panels, domains, strict=True):
        labels = table.loc[table["domain"] == domain, [LABEL_PREFIX + c for c in classes]].to_numpy(float)
        shares, counts = cooccurrence(labels)
        axes.imshow(np.ma.masked_invalid(shares), cmap="Blues", vmin=0, vmax=1)
        axes.set_xticks(range(len(classes)), [shortened(c, 18) for c in classes], rotation=40, ha="right")
        rows = [f"{shortened(c, 18)} (n = {n:,})" for c, n in zip(classes, counts, strict=True)]
        axes.set_yticks(range(len(classes)), rows)
        axes.tick_params(length=0, labelsize=8)
        axes.spines[:].set_visible(False)
        entitle(axes, shortened(domain))
        if len(classes) <= 12:
            _write_values(axes, shares)
    return figure


def age_figure(table: pd.DataFrame) -> Figure:
    """Draw the histogram of ages of each domain, as shares of the images with a known age."""
    domains = largest_domains(table)
    figure, panels = grid(len(domains), 3.3, 2.0, sharex=True, sharey=True)
    for axes, domain in zip(panels, domains, strict=True):
        ages = pd.to_numeric(table.loc[table["domain"] == domain, "attr:age"], errors="coerce").dropna()
        edges = np.arange(0, max(100, ages.max() if len(ages) else 0) + 2 * AGE_BIN, AGE_BIN)
        heights = np.histogram(ages, edges)[0] / max(1, len(ages))
        axes.bar(edges[:-1], heights, width=AGE_BIN * 0.92, align="edge", color=PALETTE[0])
        entitle(axes, f"{shortened(domain)} (n = {len(ages):,})")
        axes.set(xlabel="Age (years)", ylabel="Share of images")
    return figure


def label_distribution_figure(table: pd.DataFrame) -> Figure:
    """Draw for each domain which share of its images has, has not, or may have each condition."""
    classes, domains = labelled_classes(table), largest_domains(table)
    figure, panels = grid(len(domains), 3.3, 1.0 + 0.27 * len(classes), sharey=True, sharex=True)
    for axes, domain in zip(panels, domains, strict=True):
        labels = table.loc[table["domain"] == domain, [LABEL_PREFIX + c for c in classes]].to_numpy(float)
        left = np.zeros(len(classes))
        looks = (("present", PALETTE[1]), ("absent", "#c9d3dc"), ("unknown", "white"))
        for share, (name, colour) in zip(label_shares(labels).T, looks, strict=True):
            where = np.arange(len(classes))
            axes.barh(where, share, left=left, color=colour, label=name, edgecolor=GREY, linewidth=0.5)
            left = left + share
        axes.set_yticks(range(len(classes)), [shortened(c, 22) for c in classes])
        entitle(axes, f"{shortened(domain)} (n = {len(labels):,})")
        axes.set(xlim=(0, 1), ylim=(len(classes) - 0.4, -0.6), xlabel="Share of images")
    legend(figure, panels[:1])
    return figure


def _write_values(axes: Any, shares: Array) -> None:
    for (row, column), share in np.ndenumerate(shares):
        text = plain("–") if np.isnan(share) else f"{share:.2f}"
        colour = "white" if share > 0.6 else INK
        axes.text(column, row, text, ha="center", va="center", fontsize=8, color=colour)
