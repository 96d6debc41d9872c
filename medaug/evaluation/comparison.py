"""Methods beside a baseline (``comparison.csv``): differences over patients and trainings, with verdicts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pandas as pd

from medaug.errors import DataError
from medaug.evaluation.estimates import Estimate
from medaug.evaluation.estimation import bootstrap_estimates
from medaug.evaluation.family import with_family
from medaug.evaluation.metrics import WORST
from medaug.evaluation.metrics_table import headline
from medaug.evaluation.predictions import check_predictions
from medaug.evaluation.settings import EvaluationSettings
from medaug.evaluation.shared_images import comparable
from medaug.evaluation.verdict import difference_between, verdict
from medaug.task import Task

COMPARISON_COLUMNS = (
    *("method", "baseline", "split", "domain", "metric", "label", "attribute", "group"),
    *("difference", "ci_low", "ci_high", "n", "standard_error", "p_value", "trainings", "about"),
    *("detectable", "family", "p_holm", "verdict"),
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
        As for `medaug.evaluation.metrics_table.compute_metrics`, with at least two methods. Each ``seed`` is
        a training; methods are compared on the seeds and images that all share.
    baseline : str
        Method that the others are compared with.
    settings, task
        As for `compute_metrics`.

    Returns
    -------
    DataFrame
        Columns `COMPARISON_COLUMNS`, one row for each method and each quantity that is estimable for both;
        ``metrics.csv`` says why others are not:

        - ``difference``, the method's value minus the baseline's, both averaged over the shared seeds (for a
          gap, below 0 means fairer), and ``standard_error``, ``ci_low``, ``ci_high``, ``p_value``,
          ``trainings``, ``about`` and ``detectable``: see `medaug.evaluation.verdict.Difference`;
        - ``family`` and ``p_holm``: see `medaug.evaluation.family.with_family`;
        - ``verdict`` of `medaug.evaluation.verdict.verdict`: by ``p_holm`` in the headline family, else by
          ``p_value``; "not known" where fewer than three trainings allow none, and of a clear difference in
          the share that is called positive, of which neither more nor less is better.

    Raises
    ------
    DataError
        The baseline is not among the methods or is the only one; methods share no seed or no image, or the
        truth about an image differs between them.
    """
    settings = settings or EvaluationSettings()
    predictions = check_predictions(predictions)
    need_baseline(predictions, baseline)
    predictions, _ = comparable(predictions)
    cells = bootstrap_estimates(predictions, replace(settings, permutations=0), task)
    rows = [row for cell in cells for row in difference_rows(cell, baseline, settings.confidence)]
    return assembled_differences(rows, settings)


def difference_rows(cell: Sequence[Estimate], baseline: str, confidence: float) -> Iterator[dict[str, Any]]:
    """Yield the rows of the estimates of a cell, without their family."""
    methods = sorted({item.method for item in cell})
    reference = _by_question(cell, baseline)
    for method in methods:
        if method != baseline:
            yield from _differences(_by_question(cell, method), reference, confidence)


def assembled_differences(
    rows: list[dict[str, Any]], settings: EvaluationSettings, leading: str | None = None
) -> pd.DataFrame:
    """Return the table of all `difference_rows`; None as the leading metric chooses of those in them."""
    table = pd.DataFrame(rows, columns=list(COMPARISON_COLUMNS))
    table = table.astype({"n": "int64", "trainings": "int64", "p_value": "float64"})
    table = table.sort_values("method", kind="stable", ignore_index=True)
    leading = leading or headline(table.assign(estimable=True), settings.headline)
    return _with_verdicts(table, leading, settings.confidence)


def need_baseline(predictions: pd.DataFrame, baseline: str) -> None:
    """Raise DataError unless a baseline is among the methods, and another one beside it."""
    methods = sorted(set(predictions["method"]))
    if baseline not in methods:
        raise DataError(
            f"there is no baseline {baseline!r} among the methods; there are: {', '.join(methods)}"
        )
    if len(methods) < 2:
        raise DataError(f"there is nothing to compare with {baseline!r}: it is the only method")


def _with_verdicts(table: pd.DataFrame, leading: str, confidence: float) -> pd.DataFrame:
    table = with_family(table, leading)
    p_values = table["p_holm"].fillna(table["p_value"])
    level = 1 - confidence
    found = [
        verdict(difference, p_value, metric, level)
        for difference, p_value, metric in zip(table["difference"], p_values, table["metric"], strict=True)
    ]
    return table.assign(verdict=pd.Series(found, index=table.index, dtype="str"))[list(COMPARISON_COLUMNS)]


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
        item, reference = items[seeds[0]], other[question][seeds[0]]
        runs, against = (
            np.stack([by_seed[seed].values for seed in seeds]) for by_seed in (items, other[question])
        )
        yield {
            "method": item.method,
            "baseline": reference.method,
            "split": item.split,
            "domain": item.domain,
            **dict(zip(("metric", "label", "attribute", "group"), question, strict=True)),
            **asdict(difference_between(runs, against, confidence)),
            "n": item.n,
        }
