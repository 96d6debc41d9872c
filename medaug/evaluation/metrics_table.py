"""The tidy table of metrics (``metrics.csv``): computed from predictions, written and read."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from medaug.arrays import Array
from medaug.evaluation.estimates import ONE_PATIENT, Estimate
from medaug.evaluation.estimation import bootstrap_estimates
from medaug.evaluation.family import with_family
from medaug.evaluation.groupings import find_groupings, tell_unknown
from medaug.evaluation.intervals import normal_interval, percentile_interval, wilson_interval
from medaug.evaluation.kinds import with_kind
from medaug.evaluation.metrics import METRICS, WORST, headline_metrics, is_derived, parse
from medaug.evaluation.predictions import check_predictions
from medaug.evaluation.settings import EvaluationSettings
from medaug.evaluation.shuffled_gaps import gap_fields
from medaug.evaluation.targets import tell_ties
from medaug.files import write_aside
from medaug.task import Task

logger = logging.getLogger(__name__)

TEXT_COLUMNS = (
    *("method", "split", "domain", "metric", "label", "attribute", "group", "reason", "source", "family"),
)
METRIC_COLUMNS = (
    *("method", "seed", "split", "domain", "metric", "label", "attribute", "group"),
    *("value", "ci_low", "ci_high", "n", "n_positive", "estimable", "reason", "source"),
    *("patients", "patients_positive", "by_chance", "corrected", "p_value", "family", "p_holm", "detectable"),
)
COUNTS = {"seed": "int64", "n": "int64"} | dict.fromkeys(
    ("n_positive", "patients", "patients_positive"), "Int64"
)
PHANTOM_DATA = "phantom data"


def compute_metrics(
    predictions: pd.DataFrame, settings: EvaluationSettings | None = None, task: Task | None = None
) -> pd.DataFrame:
    """Measure accuracy and fairness of a table of predictions, in and out of distribution.

    Parameters
    ----------
    predictions : DataFrame
        See `medaug.evaluation.predictions.check_predictions`; classes and attributes are read from it.
    settings : EvaluationSettings, optional
        What to measure; by default all metrics, for every attribute and pair of attributes.
    task : Task, optional
        Kind of the task, high-risk classes, bins and order of the groups. Without it the bins follow from the
        settings, and the kind from them or from the table (`medaug.evaluation.kinds.with_kind`).

    Returns
    -------
    DataFrame
        Columns `METRIC_COLUMNS`, one row for each method, seed, split, domain, metric, label and group:

        - overall rows have an empty ``attribute`` and ``group``; an empty ``label`` is the mean over the
          labels (for classes that exclude one another, or the figure of all classes at once);
        - ``<metric>_gap`` is the best minus the worst group, with an empty ``group``; ``<metric>_worst`` the
          value of the worst group, whose name is in ``group``. For the mean over labels both compare the
          groups' means. For errors (`Metric.higher_is_better` is False) the largest value is
          the worst;
        - ``<metric>_ratio`` of a rate is the smallest by the largest value of a group;
          ``equalized_odds_gap`` and ``equalized_odds_ratio`` are the larger gap and the smaller ratio of
          sensitivity and false positive rate (as in fairlearn);
        - means over classes are compared on the classes that all groups have, and say so in ``reason``;
        - ``ci_low`` and ``ci_high`` are intervals over patients, of shares Wilson's
          (`medaug.evaluation.intervals`). That of a gap is for the two groups that are best and worst in the
          data, and begins at 0 where the permutation test does not reject;
        - ``n`` and ``n_positive`` count images, ``patients`` and ``patients_positive`` patients, the latter
          those with the condition;
        - ``by_chance``, ``corrected``, ``p_value`` and ``detectable`` of a gap: see
          `medaug.evaluation.shuffled_gaps.gap_fields`; ``family`` and ``p_holm``: see
          `medaug.evaluation.family.with_family`, one family for each method and seed;
        - what cannot be estimated has ``estimable`` False, no value and a ``reason``. A value without an
          interval, or over part of the groups or labels, says so in ``reason`` too;
        - ``source`` is ``"phantom data"`` where the predictions are marked as such;
        - a split with several domains also has the domain ``all``: its images together.

    Examples
    --------
    >>> table = pd.DataFrame({"score:edema": [0.1, 0.4, 0.4, 0.8], "label:edema": [0, 0, 1, 1]})
    >>> metrics = compute_metrics(table, EvaluationSettings(metrics=["auc"], replicates=0))
    >>> float(metrics["value"].iloc[0])
    0.875
    """
    predictions = check_predictions(predictions)
    settings = with_kind(predictions, settings or EvaluationSettings(), task)
    tell_table(predictions, settings, task)
    cells = bootstrap_estimates(predictions, settings, task)
    source = source_of(predictions)
    return assembled_metrics([row for cell in cells for row in metric_rows(cell, settings, source)], settings)


def tell_table(predictions: pd.DataFrame, settings: EvaluationSettings, task: Task | None) -> None:
    """Log what of a table of predictions is in no group, and what is undecided."""
    tell_unknown(predictions, find_groupings(predictions, settings, task))
    tell_ties(predictions, settings.kind)


def source_of(predictions: pd.DataFrame) -> str:
    """Return what the column ``source`` says of some predictions."""
    return PHANTOM_DATA if predictions["phantom"].any() else ""


def assembled_metrics(rows: list[dict[str, Any]], settings: EvaluationSettings) -> pd.DataFrame:
    """Return the table of all `metric_rows`."""
    table = pd.DataFrame(rows, columns=list(METRIC_COLUMNS))
    table = table.astype(COUNTS | {"p_value": "float64"})
    table = table.sort_values(["method", "seed"], kind="stable", ignore_index=True)
    leading = headline(table, settings.headline)
    if settings.headline not in (None, leading):
        logger.warning("The headline %s does not apply here; %s leads", settings.headline, leading)
    return with_family(table, leading, within=["method", "seed"])[list(METRIC_COLUMNS)]


def headline(metrics: pd.DataFrame, asked: str | None = None) -> str:
    """Return the metric that leads: AUC as in the paper's radiology, top-3 accuracy as in its dermatology.

    The vocabulary ranks them (`medaug.evaluation.metrics`). One for more classes than there are, and one that
    cannot be estimated at all, do not lead.

    Parameters
    ----------
    metrics : DataFrame
        Rows of ``metrics.csv``, or others with ``metric``, ``label`` and ``estimable``.
    asked : str, optional
        The one that the settings name; it leads where it was measured.
    """
    if asked is not None and asked in set(metrics["metric"]):
        return asked
    classes = len(set(metrics["label"]) - {""})
    plain = [name for name in dict.fromkeys(metrics["metric"]) if not is_derived(name)]
    ranked = [name for name in headline_metrics(plain) if classes >= METRICS[name].min_classes]
    estimable = set(metrics.loc[metrics["estimable"], "metric"])
    return next(iter([*(name for name in ranked if name in estimable), *ranked, *plain]), "auc")


def write_table(table: pd.DataFrame, path: Path | str) -> None:
    """Write a table of results as CSV, numbers with 12 digits; the file is whole or absent.

    Parameters
    ----------
    table : DataFrame
        Of `compute_metrics`, or of another function of this package (comparison, posterior, improvement).
    path : Path
        The file.
    """
    if "estimable" in table:
        table = table.assign(estimable=table["estimable"].map({True: "true", False: "false"}))
    with write_aside(Path(path)) as temporary:
        table.to_csv(temporary, index=False, float_format="%.12g")


def read_metrics(path: Path | str) -> pd.DataFrame:
    """Read the table of `compute_metrics` that `write_table` wrote; empty text stays empty text."""
    numbers = set(METRIC_COLUMNS) - {*TEXT_COLUMNS, "seed", "n", "estimable"}
    types: dict[str, Any] = dict.fromkeys(TEXT_COLUMNS, "str") | COUNTS
    empty = {name: [""] for name in numbers}
    return pd.read_csv(path, dtype=types, keep_default_na=False, na_values=empty)


def metric_rows(
    estimates: Sequence[Estimate], settings: EvaluationSettings, source: str
) -> Iterator[dict[str, Any]]:
    """Yield the rows of the estimates of a cell."""
    for item in estimates:
        low, high, without = _interval(item, settings)
        gap = gap_fields(item, settings.confidence)
        if gap and not gap["p_value"] <= 1 - settings.confidence:
            low = min(low, 0.0)
        value = float(item.values[0]) if item.estimable else np.nan
        remarks = [item.reason, item.note, "" if item.note == ONE_PATIENT else without]
        yield {
            **{name: getattr(item, name, None) for name in METRIC_COLUMNS},
            "value": value,
            "ci_low": max(low, 0.0) if gap else low,
            "ci_high": high,
            "reason": "; ".join(filter(None, remarks)),
            "source": source,
            **gap,
        }


def _interval(item: Estimate, settings: EvaluationSettings) -> tuple[float, float, str]:
    """Both ends of the interval, and why there are none (NaN)."""
    replicates = item.values[1:]
    if len(replicates) == 0:
        return np.nan, np.nan, ""
    if why := _too_few(item, settings.min_group_size):
        return np.nan, np.nan, f"no interval: {why}"
    interval = _found_interval(item, replicates, settings.confidence)
    if interval is None:
        failed = int(np.isnan(replicates).sum())
        return np.nan, np.nan, f"no interval: undefined in {failed:,} of {len(replicates):,} replicates"
    return *interval, ""


def _found_interval(item: Estimate, replicates: Array, confidence: float) -> tuple[float, float] | None:
    metric, derived = parse(item.metric)
    if derived not in (None, WORST):
        return percentile_interval(replicates, confidence)
    of_kind = wilson_interval if metric.is_share else normal_interval
    return of_kind(float(item.values[0]), replicates, item.support, confidence)


def _too_few(item: Estimate, fewest: int) -> str:
    """Say that a metric that is not a mere share rests on too few patients for an interval."""
    estimator = METRICS[item.metric].binary if item.metric in METRICS else None
    if item.attribute or estimator is None or item.support >= fewest:
        return ""
    if estimator.needs == "both":
        return f"fewer than {fewest} patients with, or without, the condition"
    return "" if METRICS[item.metric].is_share else f"fewer than {fewest} patients"
