"""Methods beside a baseline (``comparison.csv``): differences with intervals from paired replicates."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from medaug.arrays import Array
from medaug.errors import DataError
from medaug.evaluation.estimates import Estimate, bootstrap_estimates
from medaug.evaluation.metrics import WORST
from medaug.evaluation.metrics_table import interval_of
from medaug.evaluation.settings import EvaluationSettings
from medaug.task import Task

COMPARISON_COLUMNS = (
    *("method", "baseline", "split", "domain", "metric", "label", "attribute", "group"),
    *("difference", "ci_low", "ci_high", "n"),
)

_Question = tuple[str, str, str, str]  # metric, label, attribute, group


def compare_methods(
    predictions: pd.DataFrame,
    baseline: str,
    settings: EvaluationSettings | None = None,
    task: Task | None = None,
) -> pd.DataFrame:
    """Compare every method with a baseline, on the same bootstrap replicates of the patients.

    Parameters
    ----------
    predictions : DataFrame
        As for `medaug.evaluation.metrics_table.compute_metrics`, with at least two methods.
    baseline : str
        Method that the others are compared with.
    settings, task
        As for `compute_metrics`.

    Returns
    -------
    DataFrame
        Columns `COMPARISON_COLUMNS`: ``difference`` is the method's value minus the baseline's, both averaged
        over the seeds that they share, with its interval (empty where too few replicates are defined). For a
        gap, below 0 means fairer. What cannot be estimated for both has no row; ``metrics.csv`` says why.

    Raises
    ------
    DataError
        The baseline is not among the methods, or is the only one.
    """
    settings = settings or EvaluationSettings()
    rows: list[dict[str, Any]] = []
    for cell in bootstrap_estimates(predictions, settings, task):
        methods = sorted({item.method for item in cell})
        if baseline not in methods or len(methods) < 2:
            there_are = ", ".join(methods)
            raise DataError(f"nothing to compare with {baseline!r} in {cell[0].split}: it has {there_are}")
        estimates = {method: _by_question(cell, method) for method in methods}
        for method in methods:
            if method != baseline:
                rows += _differences(estimates[method], estimates[baseline], settings.confidence)
    table = pd.DataFrame(rows, columns=list(COMPARISON_COLUMNS))
    return table.astype({"n": "int64"}).sort_values("method", kind="stable", ignore_index=True)


def _by_question(cell: Sequence[Estimate], method: str) -> dict[_Question, dict[int, Estimate]]:
    """Estimates of a method by what they measure, then by seed."""
    by_question: dict[_Question, dict[int, Estimate]] = defaultdict(dict)
    for item in cell:
        if item.method == method and item.estimable:
            # the worst group may differ between the methods: it is compared by its value, without its name
            group = "" if WORST.names(item.metric) else item.group
            by_question[item.metric, item.label, item.attribute, group][item.seed] = item
    return by_question


def _differences(
    own: dict[_Question, dict[int, Estimate]], other: dict[_Question, dict[int, Estimate]], confidence: float
) -> Iterator[dict[str, Any]]:
    for question, items in own.items():
        seeds = sorted(items.keys() & other.get(question, {}).keys())
        if not seeds:
            continue
        values = _mean(items, seeds) - _mean(other[question], seeds)
        low, high, _ = interval_of(values[1:], confidence)
        item, reference = items[seeds[0]], other[question][seeds[0]]
        yield {
            "method": item.method,
            "baseline": reference.method,
            "split": item.split,
            "domain": item.domain,
            **dict(zip(("metric", "label", "attribute", "group"), question, strict=True)),
            "difference": float(values[0]),
            "ci_low": low,
            "ci_high": high,
            "n": item.n,
        }


def _mean(items: dict[int, Estimate], seeds: Sequence[int]) -> Array:
    """Mean over seeds of a method's values and replicates."""
    values: Array = np.mean([items[seed].values for seed in seeds], axis=0)
    return values
