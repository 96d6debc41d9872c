"""The prediction targets of a table: each class, and all classes at once where they exclude one another.

A target brings truth, scores and decisions of all rows into the form that the metrics take, and knows which
metrics apply to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from medaug.arrays import Array, BoolArray
from medaug.errors import DataError, SettingsError
from medaug.evaluation.kinds import kind_of
from medaug.evaluation.metrics import (
    CALIBRATION,
    METRICS,
    Estimator,
    binary_estimators,
    multiclass_estimators,
    one_against_rest_estimators,
)
from medaug.evaluation.predictions import class_names, decision_column, score_column
from medaug.evaluation.settings import EvaluationSettings
from medaug.evaluation.thresholds import decide
from medaug.tabular.messages import tell
from medaug.task import Kind, Task, label_column

_WHOSE = {
    "": "",
    "positive": " with the condition",
    "negative": " without the condition",
    "called positive": " called positive",
    "called negative": " called negative",
}


@dataclass(frozen=True)
class Target:
    """Truth, scores and decisions of a class, or of all classes at once, over all rows of the table.

    Parameters
    ----------
    label : str
        The class; empty for all classes at once.
    estimators : mapping of str to Estimator
        Those of the metrics that apply, by name.
    y_true : array, shape (rows,)
        0 or 1 (or bool) for a class, the class number for all at once.
    y_score : array of float, shape (rows,) or (rows, classes)
        Probabilities.
    y_decision : array of float, shape (rows,)
        What was decided, in the form of `y_true`; NaN where no threshold could be chosen.
    known : array of bool, shape (rows,)
        Where the truth is known.
    positive : array of bool, shape (rows,), optional
        What ``n_positive`` counts; None where that has no meaning.
    """

    label: str
    estimators: Mapping[str, Estimator]
    y_true: Array
    y_score: Array
    y_decision: Array
    known: Array
    positive: Array | None

    def answers(self, metric: str) -> Array:
        """Return what a metric compares with the truth: scores, or decisions."""
        return self.y_score if self.estimators[metric].uses == "score" else self.y_decision

    def patients(self, metric: str, rows: Array, patient_of: Array) -> int:
        """Count the patients that a metric rests on, on the scarcer side where it needs two."""
        return min(len(np.unique(patient_of[side])) for side in self._sides(metric, rows).values())

    def obstacle(self, metric: str, rows: Array, patient_of: Array, fewest: int) -> str:
        """Return why a metric cannot be estimated on rows of known truth; empty if it can.

        Parameters
        ----------
        metric : str
            One of the estimators.
        rows : int array, shape (n,)
            Rows of known truth.
        patient_of : int array, shape (rows of the table,)
            Patient of each row.
        fewest : int
            Patients that there must be, with and without the condition where both are needed.
        """
        if not len(rows):
            return "no image with a known label"
        if self.estimators[metric].uses == "decision" and np.isnan(self.y_decision[rows]).any():
            return "no threshold: id_val lacks one of the two classes"
        for who, side in self._sides(metric, rows).items():
            if not len(side):
                return f"no {who} image"
            if (patients := len(np.unique(patient_of[side]))) < fewest:
                people = "patient" if patients == 1 else "patients"
                return f"{patients} {people}{_WHOSE[who]}, fewer than {fewest}"
        return ""

    def strata(self, metric: str, rows: Array) -> Array:
        """Return what a metric takes as given of each row, as numbers: the truth, the decision or nothing.

        Groups that differ in it only are not told apart by the metric.
        """
        needs = self.estimators[metric].needs
        if needs in ("alarms", "others"):
            return self.y_decision[rows].astype(np.int64)
        if needs == "examples" and not METRICS[metric].over_classes:
            return np.zeros(len(rows), np.int64)
        return self.y_true[rows].astype(np.int64)

    def _sides(self, metric: str, rows: Array) -> dict[str, Array]:
        """Rows that a metric needs, by what they must be."""
        needs = self.estimators[metric].needs
        if needs == "examples":
            return {"": rows}
        if needs in ("alarms", "others"):
            called = self.y_decision[rows] == 1
            return (
                {"called positive": rows[called]} if needs == "alarms" else {"called negative": rows[~called]}
            )
        assert self.positive is not None
        positive = self.positive[rows]
        sides = {"positive": rows[positive], "negative": rows[~positive]}
        return sides if needs == "both" else {needs.removesuffix("s"): sides[needs.removesuffix("s")]}


def find_targets(
    predictions: pd.DataFrame, settings: EvaluationSettings, task: Task | None = None
) -> list[Target]:
    """Return the targets of a checked table of predictions, in the order of its classes, all at once last.

    Raises
    ------
    DataError
        A label of a class that is present or absent is neither 0 nor 1.
    SettingsError
        A metric is unknown or does not apply, or a high-risk class is not among the classes.
    """
    kind = kind_of(predictions, settings, task)
    high_risk = _high_risk(class_names(predictions), settings, task)
    if kind == "multilabel":
        names = class_names(predictions)
        targets = [_one_class(predictions, name, settings.threshold) for name in names]
    else:
        targets = _exclusive(predictions, high_risk)
    return _with_metrics(targets, settings, kind)


def tell_ties(predictions: pd.DataFrame, kind: Kind | None) -> None:
    """Log how many images have no one label, or no one decision, where classes exclude one another."""
    if kind == "multiclass":
        names = class_names(predictions)
        what = "have labels of equal weight, so that their condition is unknown"
        tied = _tied(predictions[[label_column(name) for name in names]].to_numpy(float))
        tell("labels", len(tied), 0, (int(tied.sum()), what))
        what = "have no single largest score (or decision), so that they count as wrong"
        scores = predictions[[score_column(name) for name in names]].to_numpy(float)
        tied = _decided(predictions, names, scores) < 0
        tell("decisions", len(tied), 0, (int(tied.sum()), what))


def _one_class(predictions: pd.DataFrame, name: str, threshold: float | str) -> Target:
    label = predictions[label_column(name)].to_numpy(float)
    known = ~np.isnan(label)
    if (unclear := known & (label != 0) & (label != 1)).any():
        row = predictions.iloc[int(np.flatnonzero(unclear)[0])]
        raise DataError(
            f"column {label_column(name)}: a label must be 0, 1 or empty unless classes exclude one another "
            f"(kind 'multiclass'), not {row[label_column(name)]}"
        )
    y_score = predictions[score_column(name)].to_numpy(float)
    y_decision = decide(predictions, name, threshold)
    return Target(name, binary_estimators(), label, y_score, y_decision, known, label == 1)


def _high_risk(names: list[str], settings: EvaluationSettings, task: Task | None) -> list[int]:
    """Class numbers of the high-risk classes: those of the settings, else those of the task."""
    wanted = settings.high_risk or (task.high_risk if task else ())
    if unknown := [name for name in wanted if name not in names]:
        raise SettingsError(
            f"the high-risk class {unknown[0]!r} is not among the classes; there are: {', '.join(names)}"
        )
    return [number for number, name in enumerate(names) if name in wanted]


def _exclusive(predictions: pd.DataFrame, high_risk: list[int]) -> list[Target]:
    """One against the rest for each class, then all classes at once."""
    names = class_names(predictions)
    labels = predictions[[label_column(name) for name in names]].to_numpy(float)
    scores = predictions[[score_column(name) for name in names]].to_numpy(float)
    y_true = _most_weighted(labels)
    known = y_true >= 0
    y_decision = _decided(predictions, names, scores)
    single = []
    for number, name in enumerate(names):
        present, decided = y_true == number, (y_decision == number) * 1.0
        estimators = one_against_rest_estimators()
        single.append(Target(name, estimators, present, scores[:, number], decided, known, present))
    positive = np.isin(y_true, high_risk) if high_risk else None
    estimators = multiclass_estimators(len(names), high_risk)
    return [*single, Target("", estimators, y_true, scores, y_decision, known, positive)]


def _most_weighted(labels: Array) -> Array:
    """Class number with the largest label; -1 (unknown) where it is not known, or two are equally likely."""
    unknown = np.isnan(labels).any(axis=1) | _tied(labels)
    return np.where(unknown, -1, np.nan_to_num(labels).argmax(axis=1))


def _decided(predictions: pd.DataFrame, names: list[str], scores: Array) -> Array:
    """Class number that was decided: by the user for every class, else the largest score; -1 for none.

    A tie is no decision, so that the order of the classes decides nothing.
    """
    columns = [decision_column(name) for name in names]
    given = [column for column in columns if column in predictions]
    if given and len(given) < len(columns):
        missing = ", ".join(column for column in columns if column not in predictions)
        raise DataError(
            f"of classes that exclude one another all need a decision, or none; without: {missing}"
        )
    if given:
        scores = predictions[columns].to_numpy(float)
        if (several := (scores == 1).sum(axis=1) > 1).any():
            raise DataError(
                f"{int(several.sum())} images have decisions for several classes, which exclude one another"
            )
    return np.where(_tied(scores), -1.0, scores.argmax(axis=1).astype(float))


def _tied(shares: Array) -> BoolArray:
    """Whether several classes share the largest number of a row (rows, classes)."""
    tied: BoolArray = (shares == shares.max(axis=1, keepdims=True)).sum(axis=1) > 1
    return tied


def _with_metrics(targets: list[Target], settings: EvaluationSettings, kind: Kind) -> list[Target]:
    """Keep the metrics that the settings name; those of `medaug.evaluation.calibration` are made there."""
    if not settings.metrics:
        return targets
    there_are = {name for target in targets for name in target.estimators} | set(CALIBRATION)
    if unknown := [name for name in settings.metrics if name not in there_are]:
        known = ", ".join(sorted(there_are))
        raise SettingsError(f"no metric {unknown[0]!r} for these {kind} predictions; there are: {known}")
    return [
        replace(target, estimators={n: e for n, e in target.estimators.items() if n in settings.metrics})
        for target in targets
    ]
