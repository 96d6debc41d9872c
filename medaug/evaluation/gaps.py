"""Groups beside one another: gap, worst group, ratio, and equalised odds, in every replicate."""

from __future__ import annotations

import warnings
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from medaug.arrays import Array
from medaug.evaluation.estimates import Estimate
from medaug.evaluation.metrics import (
    EQUALIZED_ODDS,
    GAP,
    RATIO,
    SELECTION_RATE,
    SENSITIVITY,
    UNDIRECTED,
    WORST,
    higher_is_better,
)

WITH_RATIO = (SENSITIVITY, "specificity", "fpr", "fnr", "ppv", "npv", SELECTION_RATE)
"""Rates, whose ratio between groups means something."""

_Key = tuple[str, int, str, str]  # method, seed, label, attribute


def compared_groups(estimates: Sequence[Estimate]) -> list[Estimate]:
    """Return gap, worst group and ratio of each metric, label and attribute, and equalised odds.

    Parameters
    ----------
    estimates : sequence of Estimate
        Of one cell. Those with `Estimate.in_common` take the place of those of the same group.
    """
    by_attribute: dict[tuple[_Key, str], dict[str, Estimate]] = defaultdict(dict)
    for item in sorted(estimates, key=lambda item: bool(item.in_common)):
        if item.attribute:
            key = (item.method, item.seed, item.label, item.attribute)
            by_attribute[key, item.metric][item.group] = item
    found: dict[_Key, list[Estimate]] = defaultdict(list)
    for (key, _), groups in by_attribute.items():
        found[key] += _compared(list(groups.values()))
    return [row for rows in found.values() for row in [*rows, *_equalized_odds(rows)]]


def _compared(items: Sequence[Estimate]) -> Iterator[Estimate]:
    """Yield best minus worst group, the worst, and their ratio, over at least two groups.

    Replicates compare the two groups that are best and worst in the data. The largest difference within each
    replicate would be larger than the estimate on average, and its interval would often miss the estimate.
    """
    metric, usable = items[0].metric, [item for item in items if item.estimable]
    about = _about(items, usable)
    if about.reason:
        lowest = highest = poorest = about
    else:
        rising = sorted(usable, key=lambda item: float(item.values[0]))
        lowest, highest = rising[0], rising[-1]
        poorest = lowest if higher_is_better(metric) else highest
    yield replace(
        about, metric=GAP.of(metric), values=highest.values - lowest.values, shuffled=_range(usable)
    )
    if metric not in UNDIRECTED:
        worst = replace(about, values=poorest.values, group=poorest.group, support=poorest.support)
        yield replace(worst, metric=WORST.of(metric))
    if metric in WITH_RATIO:
        yield _ratio(about, lowest.values, highest.values)


def _about(items: Sequence[Estimate], usable: Sequence[Estimate]) -> Estimate:
    """All groups together, without a value; the reason why there is none if fewer than two are usable."""
    said = f"over {len(usable)} of {len(items)} groups" if len(usable) < len(items) else ""
    if len(usable) < 2:
        said = f"{len(usable)} of {len(items)} groups can be estimated, a gap needs two"
    in_common = next((item.in_common for item in items if item.in_common), "")
    said = "; ".join(filter(None, (said, in_common)))
    positives = [item.n_positive for item in usable if item.n_positive is not None]
    return replace(
        items[0],
        group="",
        values=np.empty(0),
        shuffled=np.empty(0),
        n=sum(item.n for item in usable),
        n_positive=sum(positives) if positives else None,
        patients=None,
        patients_positive=None,
        reason=said if len(usable) < 2 else "",
        note=said if len(usable) > 1 else "",
        in_common="",
    )


def _ratio(about: Estimate, lowest: Array, highest: Array) -> Estimate:
    ratio = replace(about, metric=RATIO.of(about.metric))
    if about.reason:
        return ratio
    with np.errstate(invalid="ignore", divide="ignore"):
        values = np.where(highest > 0, lowest / highest, np.nan)
    if np.isnan(values[0]):
        return replace(ratio, reason="the largest value of a group is 0", note="")
    return replace(ratio, values=values)


def _equalized_odds(rows: Sequence[Estimate]) -> Iterator[Estimate]:
    """Yield the larger gap and the smaller ratio of sensitivity and false positive rate, as in fairlearn."""
    by_metric = {row.metric: row for row in rows}
    for derived, choose in ((GAP, max), (RATIO, min)):
        pair = [by_metric[derived.of(m)] for m in (SENSITIVITY, "fpr") if derived.of(m) in by_metric]
        if len(pair) < 2:
            continue
        missing = next((row for row in pair if not row.estimable), None)
        chosen = missing or choose(pair, key=lambda row: float(row.values[0]))
        shuffled = (
            np.maximum(*[row.shuffled for row in pair]) if derived is GAP and not missing else np.empty(0)
        )
        yield replace(chosen, metric=derived.of(EQUALIZED_ODDS), shuffled=shuffled, n_positive=None)


def _range(items: Sequence[Estimate]) -> Array:
    """Largest minus smallest value of the groups of shuffled patients, (permutations,)."""
    if len(items) < 2 or any(not len(item.shuffled) for item in items):
        return np.empty(0)
    values = np.stack([item.shuffled for item in items])
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "All-NaN", RuntimeWarning)
        spread: Array = np.nanmax(values, axis=0) - np.nanmin(values, axis=0)
    return spread
