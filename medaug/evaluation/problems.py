"""What is asked of the predictions: one problem a class, and one for all classes that exclude one another."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pandas as pd

from medaug.arrays import Array
from medaug.errors import DataError, SettingsError
from medaug.evaluation.metrics import BINARY_METRICS, Metric
from medaug.evaluation.multiclass import MULTICLASS_METRICS
from medaug.evaluation.predictions import class_names, decision_column, detect_kind, score_column
from medaug.evaluation.settings import EvaluationSettings
from medaug.evaluation.thresholds import decide
from medaug.task import Kind, Task, label_column

_ONE_AGAINST_REST = tuple(m for m in BINARY_METRICS if m.name not in {m.name for m in MULTICLASS_METRICS})


@dataclass(frozen=True)
class Problem:
    """A question with one answer an image, over all rows of the table.

    ``label`` is the class, or empty for all classes at once; ``known`` tells where the truth is known,
    ``positive`` what `n_positive` counts (None where that has no meaning).
    """

    label: str
    metrics: tuple[Metric, ...]
    truth: Array
    score: Array
    decision: Array
    known: Array
    positive: Array | None

    def obstacle(self, metric: Metric, rows: Array, min_group_size: int) -> str:
        """Return why a metric cannot be estimated on rows of known truth; empty if it can."""
        if len(rows) < min_group_size:
            return f"{len(rows)} images with a known label, fewer than {min_group_size}"
        if metric.uses == "decision" and np.isnan(self.decision[rows]).any():
            return "no threshold: id_val lacks one of the two classes"
        positive = self.positive[rows] if self.positive is not None else np.array([True, False])
        if metric.needs in ("positives", "both") and not positive.any():
            return "no positive image"
        if metric.needs in ("negatives", "both") and positive.all():
            return "no negative image"
        return ""


def pose_problems(
    predictions: pd.DataFrame, settings: EvaluationSettings, task: Task | None = None
) -> list[Problem]:
    """Return the problems of a checked table of predictions, in the order of its classes.

    Raises
    ------
    DataError
        A label of a class that is present or absent is neither 0 nor 1.
    SettingsError
        A metric is unknown or does not apply, or a high-risk class is not among the classes.
    """
    kind = settings.kind or (task.kind if task else detect_kind(predictions))
    high_risk = _high_risk(class_names(predictions), settings, task)
    if kind == "multilabel":
        names = class_names(predictions)
        problems = [_one_class(predictions, name, settings.threshold) for name in names]
    else:
        problems = _exclusive(predictions, high_risk)
    return _with_metrics(problems, settings, kind)


def _one_class(predictions: pd.DataFrame, name: str, threshold: float | str) -> Problem:
    label = predictions[label_column(name)].to_numpy(float)
    known = ~np.isnan(label)
    if (unclear := known & (label != 0) & (label != 1)).any():
        row = predictions.iloc[int(np.flatnonzero(unclear)[0])]
        raise DataError(
            f"column {label_column(name)}: a label must be 0, 1 or empty unless classes exclude one another "
            f"(kind 'multiclass'), not {row[label_column(name)]}"
        )
    score = predictions[score_column(name)].to_numpy(float)
    decision = decide(predictions, name, threshold)
    return Problem(name, BINARY_METRICS, label, score, decision, known, label == 1)


def _high_risk(names: list[str], settings: EvaluationSettings, task: Task | None) -> list[int]:
    """Class numbers of the high-risk classes: those of the settings, else those of the task."""
    wanted = settings.high_risk or (task.high_risk if task else ())
    if unknown := [name for name in wanted if name not in names]:
        raise SettingsError(
            f"the high-risk class {unknown[0]!r} is not among the classes; there are: {', '.join(names)}"
        )
    return [number for number, name in enumerate(names) if name in wanted]


def _exclusive(predictions: pd.DataFrame, high_risk: list[int]) -> list[Problem]:
    """One against the rest for each class, then all classes at once."""
    names = class_names(predictions)
    labels = predictions[[label_column(name) for name in names]].to_numpy(float)
    scores = predictions[[score_column(name) for name in names]].to_numpy(float)
    known = ~np.isnan(labels).any(axis=1)
    truth = np.where(known, np.nan_to_num(labels).argmax(axis=1), -1)
    decided = _decided(predictions, names, scores)
    single = [
        Problem(n, _ONE_AGAINST_REST, truth == i, scores[:, i], (decided == i) * 1.0, known, truth == i)
        for i, n in enumerate(names)
    ]
    positive = np.isin(truth, high_risk) if high_risk else None
    metrics = _all_class_metrics(len(names), high_risk)
    return [*single, Problem("", metrics, truth, scores, decided, known, positive)]


def _decided(predictions: pd.DataFrame, names: list[str], scores: Array) -> Array:
    """Class number that was decided: by the user for every class, else the largest score."""
    columns = [decision_column(name) for name in names]
    if all(column in predictions for column in columns):
        scores = predictions[columns].to_numpy(float)
    decided: Array = scores.argmax(axis=1).astype(float)
    return decided


def _all_class_metrics(classes: int, high_risk: list[int]) -> tuple[Metric, ...]:
    """Metrics of all classes that say something: three of three classes are always right."""
    metrics = [m for m in MULTICLASS_METRICS if classes > 3 or "top3" not in m.name]
    for position, metric in enumerate(metrics):
        if metric.name == "high_risk_sensitivity":
            metrics[position] = replace(metric, function=partial(metric.function, high_risk=high_risk))
    return tuple(m for m in metrics if high_risk or m.name != "high_risk_sensitivity")


def _with_metrics(problems: list[Problem], settings: EvaluationSettings, kind: Kind) -> list[Problem]:
    """Keep the metrics that the settings name."""
    if not settings.metrics:
        return problems
    there_are = {metric.name for problem in problems for metric in problem.metrics}
    if unknown := [name for name in settings.metrics if name not in there_are]:
        known = ", ".join(sorted(there_are))
        raise SettingsError(f"no metric {unknown[0]!r} for these {kind} predictions; there are: {known}")
    return [replace(p, metrics=tuple(m for m in p.metrics if m.name in settings.metrics)) for p in problems]
