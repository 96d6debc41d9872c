"""How common each condition is in each domain (Figure 6 of the paper), where classes exclude one another."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from medaug.report.data_figures import labelled_classes, largest_domains
from medaug.report.style import PALETTE, entitle, grid, legend, shortened
from medaug.task import LABEL_PREFIX

_COMMON, _HIGH_RISK = PALETTE[0], PALETTE[1]


def condition_counts(table: pd.DataFrame) -> pd.DataFrame:
    """Count the images of each domain by their hard label, the most weighted class.

    Parameters
    ----------
    table : DataFrame
        Of a store or of predictions: ``domain``, ``split``, ``label:<class>``.

    Returns
    -------
    DataFrame of int64
        One row a domain (the largest ones, training domains first), one column a class, from the most to the
        least common in the first domain. Images of unknown label are not counted.

    Examples
    --------
    >>> labels = {"label:x": [0.2, 0], "label:y": [0.8, 1]}
    >>> condition_counts(pd.DataFrame({"domain": ["A", "A"], "split": "train", **labels})).to_dict("index")
    {'A': {'y': 2, 'x': 0}}
    """
    classes, domains = labelled_classes(table), largest_domains(table)
    labels = table[[LABEL_PREFIX + name for name in classes]].to_numpy(float)
    known = ~np.isnan(labels).any(axis=1)
    hard = np.array(classes, dtype=object)[labels[known].argmax(axis=1)]
    counts = pd.crosstab(table["domain"].to_numpy()[known], hard)
    counts = counts.reindex(index=domains, columns=classes, fill_value=0).astype(np.int64)
    order = np.argsort(-counts.iloc[0].to_numpy(), kind="stable")
    return pd.DataFrame(counts.iloc[:, order]).rename_axis(index=None, columns=None)


def condition_figure(table: pd.DataFrame, high_risk: Sequence[str] = ()) -> Figure:
    """Draw the share of each condition in each domain, one panel a domain, in one order for all.

    Parameters
    ----------
    table : DataFrame
        As for `condition_counts`.
    high_risk : sequence of str
        Classes that must not be missed; they are drawn in another colour.
    """
    counts = condition_counts(table)
    figure, panels = grid(len(counts), 3.3, 1.0 + 0.2 * counts.shape[1], sharex=True, sharey=True)
    places = np.arange(counts.shape[1])
    risky = np.isin(counts.columns, list(high_risk))
    for axes, (domain, row) in zip(panels, counts.iterrows(), strict=True):
        shares = row.to_numpy() / max(1, row.sum())
        looks = (("condition", _COMMON, ~risky), ("high-risk condition", _HIGH_RISK, risky))
        for name, colour, chosen in looks if risky.any() else looks[:1]:
            axes.barh(places[chosen], shares[chosen], color=colour, label=name)
        axes.set_yticks(places, [shortened(name, 26) for name in counts.columns])
        axes.set(ylim=(len(places) - 0.4, -0.6), xlabel="Share of images")
        entitle(axes, f"{shortened(domain)} (n = {row.sum():,})")
    if risky.any():
        legend(figure, panels[:1])
    return figure
