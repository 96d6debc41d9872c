"""The tidy table of metrics (``metrics.csv``): computed from predictions, written and read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from medaug.arrays import Array
from medaug.evaluation.bootstrap import percentile_interval
from medaug.evaluation.estimates import ONE_PATIENT, Estimate, bootstrap_estimates
from medaug.evaluation.groupings import find_groupings, tell_unknown
from medaug.evaluation.kinds import with_kind
from medaug.evaluation.metrics import GAP, METRICS, headline_metrics, is_derived
from medaug.evaluation.predictions import check_predictions
from medaug.evaluation.settings import EvaluationSettings
from medaug.files import write_aside
from medaug.task import Task

TEXT_COLUMNS = ("method", "split", "domain", "metric", "label", "attribute", "group", "reason", "source")
METRIC_COLUMNS = (
    *("method", "seed", "split", "domain", "metric", "label", "attribute", "group"),
    *("value", "ci_low", "ci_high", "n", "n_positive", "estimable", "reason", "source"),
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
        - ``ci_low`` and ``ci_high`` are the patient-cluster bootstrap interval. That of a gap is for the two
          groups that are best and worst in the data; a ``ci_low`` of 0 does not exclude that they are equal;
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
    tell_unknown(predictions, find_groupings(predictions, settings, task))
    phantom = bool(predictions["phantom"].any())
    rows = [
        _row(item, settings.confidence, PHANTOM_DATA if phantom else "")
        for cell in bootstrap_estimates(predictions, settings, task)
        for item in cell
    ]
    table = pd.DataFrame(rows, columns=list(METRIC_COLUMNS))
    counts = {"seed": "int64", "n": "int64", "n_positive": "Int64"}
    return table.astype(counts).sort_values(["method", "seed"], kind="stable", ignore_index=True)


def headline(metrics: pd.DataFrame) -> str:
    """Return the metric that leads: AUC as in the paper's radiology, top-3 accuracy as in its dermatology.

    The vocabulary ranks them (`medaug.evaluation.metrics`). One for more classes than there are, and one that
    cannot be estimated at all, do not lead.
    """
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
    empty = {name: [""] for name in ("value", "ci_low", "ci_high", "n_positive")}
    types: dict[str, Any] = {**dict.fromkeys(TEXT_COLUMNS, "str"), "n_positive": "Int64"}
    return pd.read_csv(path, dtype=types, keep_default_na=False, na_values=empty)


def interval_of(replicates: Array, confidence: float) -> tuple[float, float, str]:
    """Return both ends of the interval, and why there are none (NaN) where too few replicates are defined."""
    if len(replicates) == 0:
        return np.nan, np.nan, ""
    interval = percentile_interval(replicates, confidence)
    if interval is None:
        failed = int(np.isnan(replicates).sum())
        return np.nan, np.nan, f"no interval: undefined in {failed:,} of {len(replicates):,} replicates"
    return *interval, ""


def _row(item: Estimate, confidence: float, source: str) -> dict[str, Any]:
    low, high, without = interval_of(item.values[1:], confidence)
    if GAP.names(item.metric):
        low = max(low, 0.0)
    remarks = [item.reason, item.note, "" if item.note == ONE_PATIENT else without]
    row = {name: getattr(item, name, None) for name in METRIC_COLUMNS}
    value = float(item.values[0]) if item.estimable else np.nan
    return row | {
        "value": value,
        "ci_low": low,
        "ci_high": high,
        "reason": "; ".join(filter(None, remarks)),
        "source": source,
    }
