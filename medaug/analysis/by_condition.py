"""A metric of each condition, arms side by side, over their trainings (Section G.2.2, Figure G3)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import t

from medaug.arrays import Array
from medaug.evaluation.estimates import Estimate
from medaug.evaluation.estimation import bootstrap_estimates
from medaug.evaluation.intervals import percentile_interval
from medaug.evaluation.settings import EvaluationSettings
from medaug.evaluation.verdict import MIN_TRAININGS
from medaug.task import Task

CONDITION_COLUMNS = (
    *("method", "split", "domain", "metric", "label", "attribute", "group"),
    *("value", "ci_low", "ci_high", "sd", "seeds", "covers", "n", "n_positive", "estimable", "reason"),
)


def by_condition(
    predictions: pd.DataFrame,
    metric: str = "auc",
    settings: EvaluationSettings | None = None,
    task: Task | None = None,
) -> pd.DataFrame:
    """Measure every condition under every method, the mean over its trainings.

    Parameters
    ----------
    predictions, settings, task
        As for `medaug.evaluation.metrics_table.compute_metrics`.
    metric : str
        Of one condition, such as ``"auc"``.

    Returns
    -------
    DataFrame
        Columns `CONDITION_COLUMNS`, in the form that the report's figures of metrics take. ``value`` is the
        mean over ``seeds`` trainings, ``sd`` their standard deviation. With at least three, the interval has
        both sources of variation: SE² = variance over patients (of the mean of the trainings) + sd² / seeds,
        Student's t with Satterthwaite's degrees of freedom, seeds - 1 where trainings are all that varies,
        cut at 0 and 1; ``covers`` is then ``"patients and trainings"``.
        Else it is the bootstrap interval over patients of these trained models, and ``covers`` says so.
    """
    settings = settings or EvaluationSettings()
    how = replace(settings, metrics=[metric], headline=None, attributes=[], intersections=[])
    rows: list[dict[str, Any]] = []
    for cell in bootstrap_estimates(predictions, how, task):
        of_method: dict[tuple[str, str], list[Estimate]] = defaultdict(list)
        for item in cell:
            if item.label and item.metric == metric:
                of_method[item.method, item.label].append(item)
        rows += [_row(items, settings.confidence) for items in of_method.values()]
    return pd.DataFrame(rows, columns=list(CONDITION_COLUMNS))


def _row(items: Sequence[Estimate], confidence: float) -> dict[str, Any]:
    """Mean over the trainings in which it can be estimated, in the form of a row of metrics."""
    there = [item for item in items if item.estimable]
    row = {name: getattr(items[0], name, None) for name in CONDITION_COLUMNS}
    row |= {"seeds": len(there), "estimable": bool(there), "value": np.nan, "sd": np.nan, "covers": ""}
    row |= {"ci_low": np.nan, "ci_high": np.nan}
    if not there:
        return row
    values = np.array([item.values[0] for item in there])
    replicates = np.mean([item.values[1:] for item in there], axis=0)
    row |= {"value": values.mean(), "reason": ""}
    if len(there) > 1:
        row["sd"] = values.std(ddof=1)
    both = len(there) >= MIN_TRAININGS
    interval = percentile_interval(replicates, confidence)
    if interval is not None:
        if both:
            interval = _over_both(values, replicates, confidence)
        row |= {"ci_low": interval[0], "ci_high": interval[1]}
        row["covers"] = "patients and trainings" if both else "patients"
    return row


def _over_both(values: Array, replicates: Array, confidence: float) -> tuple[float, float]:
    of_trainings = values.var(ddof=1) / len(values)
    variance = np.nanvar(replicates, ddof=1) + of_trainings
    degrees = np.inf if not of_trainings else (len(values) - 1) * (variance / of_trainings) ** 2
    reach = t.ppf((1 + confidence) / 2, degrees) * np.sqrt(variance)
    return max(0.0, float(values.mean() - reach)), min(1.0, float(values.mean() + reach))
