"""The central best estimate of fairness (Section F.2): how far groups are from all others.

A group and its outgroup (all images of another known group) each have a share of right answers with a uniform
prior, Beta(1, 1). The mode of the posterior of the difference of both shares is the maximum a-posteriori
difference of the group; the spread (standard deviation) of these over the groups measures unfairness.

Several images of a patient are alike. A share then counts as that of fewer images, its effective number: as
many independent ones as would vary as much (Korn and Graubard, 1998).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from scipy.signal import fftconvolve
from scipy.stats import beta

from medaug.arrays import Array
from medaug.errors import SettingsError
from medaug.evaluation.cells import find_cells, rows_by_method
from medaug.evaluation.effective_share import Share, effective_share
from medaug.evaluation.family import EXPLORATORY
from medaug.evaluation.groupings import Grouping, find_groupings
from medaug.evaluation.kinds import kind_of
from medaug.evaluation.metrics import (
    SPREAD,
    binary_estimators,
    multiclass_estimators,
    shares_of_right_answers,
)
from medaug.evaluation.metrics_table import COUNTS, METRIC_COLUMNS, source_of
from medaug.evaluation.predictions import check_predictions, class_names
from medaug.evaluation.settings import EvaluationSettings
from medaug.evaluation.subsets import groups_in
from medaug.evaluation.targets import Target, find_targets
from medaug.progress import progress
from medaug.randomness import numpy_generator
from medaug.task import Task

DRAWS = 100_000
"""Samples of each posterior, as in the paper."""

_KEYS = ["method", "seed", "split", "domain", "metric", "label", "attribute"]

POSTERIOR_COLUMNS = (
    *(*_KEYS, "group", "right", "n", "right_outgroup", "n_outgroup"),
    *("difference", "map_difference", "ci_low", "ci_high", "estimable", "reason", "source"),
    *("n_effective", "n_effective_outgroup"),
)

_CELLS = 1 << 14


@dataclass(frozen=True)
class _Comparison:
    """A group beside its outgroup; a reason says why nothing can be estimated."""

    keys: dict[str, Any]
    group: Share
    outgroup: Share
    effective: Share
    effective_outgroup: Share
    reason: str


def difference_posterior(
    group: Share, outgroup: Share, generator: np.random.Generator, draws: int = DRAWS
) -> tuple[float, Array]:
    """Return the mode of the posterior of (share of the group - share of the outgroup), and samples of it.

    Parameters
    ----------
    group, outgroup : Share
        Right answers and images of both; they are independent.
    generator : numpy.random.Generator
        Source of the draws.
    draws : int
        Number of samples.

    Returns
    -------
    mode : float
        In [-1, 1]; exact to about one hundredth of the posterior's standard deviation.
    samples : float64 array, (draws,)

    Notes
    -----
    The density at d is the mean over the sampled shares of one side of the exact density of the other side
    at d apart from it. The wider of the two is the exact one, so that the density is smooth without a kernel
    that would move its peak.

    Examples
    --------
    >>> mode, _ = difference_posterior(Share(80, 100), Share(600, 1000), np.random.default_rng(0))
    >>> round(mode, 2)
    0.2
    """
    samples = [generator.beta(*share.posterior, draws) for share in (group, outgroup)]
    spreads = [beta.std(*share.posterior) for share in (group, outgroup)]
    if spreads[0] >= spreads[1]:
        mode = _mode_of_difference(group, samples[1])
    else:
        mode = -_mode_of_difference(outgroup, samples[0])
    return mode, samples[0] - samples[1]


def group_posteriors(
    predictions: pd.DataFrame,
    settings: EvaluationSettings | None = None,
    task: Task | None = None,
    *,
    metric: str = "top3_accuracy",
    draws: int = DRAWS,
) -> pd.DataFrame:
    """Compare each group with its outgroup: the intermediate table of Section F.2.

    Parameters
    ----------
    predictions : DataFrame
        As for `medaug.evaluation.metrics_table.compute_metrics`.
    settings, task
        As for `compute_metrics`; attributes are taken one by one, without intersections.
    metric : {"top3_accuracy", "accuracy"}, or another with `Metric.correct`
        What is a right answer. Top-3 needs more than three classes that exclude one another; accuracy is
        that of the decision, for each condition by itself where they do not.
    draws : int
        Samples of each posterior.

    Returns
    -------
    DataFrame
        Columns `POSTERIOR_COLUMNS`, one row for each method, seed, split, domain, label, attribute and group:
        right answers and images of group and outgroup, the observed ``difference`` of the shares, its
        ``map_difference`` and the central interval of the posterior, for as many independent images as
        ``n_effective`` and ``n_effective_outgroup``. A group (or outgroup) with fewer patients than
        `settings.min_group_size` is not ``estimable`` and has a ``reason``.

    Raises
    ------
    SettingsError
        The metric is not one of those named, or does not apply to these predictions.
    """
    if metric not in (outcomes := shares_of_right_answers()):
        raise SettingsError(f"there is no outcome {metric!r}; there are: {', '.join(outcomes)}")
    settings = replace(settings or EvaluationSettings(), metrics=[metric], headline=None, intersections=())
    predictions = check_predictions(predictions)
    targets = [t for t in find_targets(predictions, settings, task) if t.estimators]
    groupings = find_groupings(predictions, settings, task)
    source = source_of(predictions)
    comparisons = [c for t in targets for c in _comparisons(predictions, settings, t, groupings)]
    rows = [
        {**comparison.keys, **_estimate(comparison, settings, draws), "source": source}
        for comparison in progress(
            comparisons, "Comparing groups with all others", len(comparisons), unit="group"
        )
    ]
    table = pd.DataFrame(rows, columns=list(POSTERIOR_COLUMNS))
    return table.sort_values(["method", "seed"], kind="stable", ignore_index=True)


def central_estimate(
    predictions: pd.DataFrame, settings: EvaluationSettings | None = None, task: Task | None = None
) -> pd.DataFrame | None:
    """Return `group_posteriors` for the outcome that these predictions have, where they have one.

    Parameters
    ----------
    predictions, settings, task
        As for `medaug.evaluation.metrics_table.compute_metrics`.

    Returns
    -------
    DataFrame or None
        For classes that exclude one another top-3 accuracy, as in the paper, or accuracy where there are at
        most three; for a single class the accuracy of its decision, as the mean over labels (an empty
        ``label``). None for several conditions at a time, which have no one right answer, without groups, and
        where `settings.metrics` leaves the outcome out.
    """
    settings = settings or EvaluationSettings()
    metric = _outcome(predictions, settings, task)
    if metric is None or (settings.metrics and metric not in settings.metrics):
        return None
    table = group_posteriors(predictions, settings, task, metric=metric)
    return None if table.empty else table.assign(label="")


def spread_metrics(posterior: pd.DataFrame) -> pd.DataFrame:
    """Return the spread of each attribute as rows of the table of metrics.

    Parameters
    ----------
    posterior : DataFrame
        What `group_posteriors` returned.

    Returns
    -------
    DataFrame
        Columns of ``metrics.csv``; ``metric`` is for example ``top3_accuracy_spread`` and ``value`` the
        population standard deviation of the MAP differences over the groups that are estimable: 0 is fair,
        and for two groups it is the size of their difference. With fewer than two such groups it is not
        estimable. ``n`` counts the images of those groups; there is no interval.
    """
    by_attribute = posterior.groupby(_KEYS, sort=False)
    rows = [_spread(dict(zip(_KEYS, keys, strict=True)), groups) for keys, groups in by_attribute]
    table = pd.DataFrame(rows, columns=list(METRIC_COLUMNS))
    return table.astype(COUNTS)


def _outcome(predictions: pd.DataFrame, settings: EvaluationSettings, task: Task | None) -> str | None:
    """Return what is a right answer about an image; None where it has several answers."""
    classes = len(class_names(predictions))
    if kind_of(predictions, settings, task) == "multiclass":
        applicable = multiclass_estimators(classes)
    else:
        applicable = binary_estimators() if classes == 1 else {}
    return next((name for name in shares_of_right_answers() if name in applicable), None)


def _mode_of_difference(wide: Share, samples: Array) -> float:
    """Mode of a share minus another one that was sampled, on a grid of cells over [0, 1] for both."""
    edges = np.linspace(0.0, 1.0, _CELLS + 1)
    exact = np.diff(beta.cdf(edges, *wide.posterior))
    sampled = np.histogram(samples, edges)[0] / len(samples)
    return float(np.argmax(fftconvolve(exact, sampled[::-1])) - (_CELLS - 1)) / _CELLS


def _comparisons(
    predictions: pd.DataFrame, settings: EvaluationSettings, target: Target, groupings: list[Grouping]
) -> Iterator[_Comparison]:
    """Every group beside its outgroup, in every cell and for every method and seed."""
    (metric,) = target.estimators
    right = shares_of_right_answers()[metric](target.y_true, target.answers(metric))
    patient_of, _ = pd.factorize(predictions["patient_id"])
    for keys, groups, codes, rows in _runs(predictions, settings, target, groupings):
        for code, group in groups:
            own, other = rows[codes == code], rows[(codes != code) & (codes >= 0)]
            obstacles = {
                "group": target.obstacle(metric, own, patient_of, settings.min_group_size),
                "outgroup": target.obstacle(metric, other, patient_of, settings.min_group_size),
            }
            reason = "; ".join(f"{who}: {why}" for who, why in obstacles.items() if why)
            about = {"metric": metric, "label": target.label, "group": group}
            effective = (
                effective_share(right[own], patient_of[own]),
                effective_share(right[other], patient_of[other]),
            )
            shares = Share(int(right[own].sum()), len(own)), Share(int(right[other].sum()), len(other))
            yield _Comparison({**keys, **about}, *shares, *effective, reason)


def _runs(
    predictions: pd.DataFrame, settings: EvaluationSettings, target: Target, groupings: list[Grouping]
) -> Iterator[tuple[dict[str, Any], list[tuple[int, str]], Array, Array]]:
    """Yield groups, and codes and rows of known truth, of each cell, method, seed and attribute."""
    for cell in find_cells(predictions, settings.splits):
        for (method, seed), rows in rows_by_method(predictions, cell.rows).items():
            keys = {"method": method, "seed": seed, "split": cell.split, "domain": cell.domain}
            known = rows[target.known[rows]]
            for grouping in groupings:
                about = {**keys, "attribute": grouping.attribute}
                yield about, groups_in(cell, grouping), grouping.codes[known], known


def _estimate(comparison: _Comparison, settings: EvaluationSettings, draws: int) -> dict[str, Any]:
    """Return the counts of a comparison, and its difference where that is estimable."""
    group, outgroup, reason = comparison.group, comparison.outgroup, comparison.reason
    counts = {
        "right": int(group.right),
        "n": int(group.n),
        "right_outgroup": int(outgroup.right),
        "n_outgroup": int(outgroup.n),
        "n_effective": comparison.effective.n,
        "n_effective_outgroup": comparison.effective_outgroup.n,
    }
    if reason:
        return {**counts, "estimable": False, "reason": reason}
    # Methods share the key, so that one does not depend on which others are in the table.
    key = [str(comparison.keys[name]) for name in ("split", "domain", "label", "attribute", "group")]
    generator = numpy_generator(settings.seed, "posterior", *key)
    effective = comparison.effective, comparison.effective_outgroup
    mode, samples = difference_posterior(*effective, generator, draws)
    tail = (1 - settings.confidence) / 2
    low, high = map(float, np.quantile(samples, [tail, 1 - tail]))
    observed = group.right / group.n - outgroup.right / outgroup.n
    differences = {"difference": observed, "map_difference": mode, "ci_low": low, "ci_high": high}
    return {**counts, **differences, "estimable": True, "reason": ""}


def _spread(keys: dict[str, Any], rows: pd.DataFrame) -> dict[str, Any]:
    estimable = rows[rows["estimable"]]
    missing = rows.loc[~rows["estimable"], "group"].tolist()
    without = f"without {', '.join(missing)}" if missing else ""
    reason = without if len(estimable) > 1 else "; ".join(filter(None, ["fewer than two groups", without]))
    return {
        **keys,
        "metric": SPREAD.of(keys["metric"]),
        "group": "",
        "value": float(estimable["map_difference"].std(ddof=0)) if len(estimable) > 1 else np.nan,
        "n": int(estimable["n"].sum()),
        "estimable": len(estimable) > 1,
        "reason": reason,
        "source": rows["source"].iloc[0],
        "family": EXPLORATORY,
    }
