"""The vocabulary of metrics: what each is called, how it is computed, and which direction is better.

Adding a metric is adding an entry to `METRICS`. Whatever else must know about metrics (which ones apply to
some predictions, tables, words and verdicts of the report) asks here. Quantities that are derived from a
metric over the groups of an attribute are named by an ending, for example ``auc_gap``; they are here too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

import numpy as np

from medaug.arrays import Array
from medaug.errors import SettingsError
from medaug.evaluation import binary, calibration_error, multiclass

SENSITIVITY = "sensitivity"
HIGH_RISK_SENSITIVITY = "high_risk_sensitivity"
SELECTION_RATE = "selection_rate"
EQUALIZED_ODDS = "equalized_odds"
CALIBRATION_INTERCEPT, CALIBRATION_SLOPE = "calibration_intercept", "calibration_slope"
CALIBRATION = (CALIBRATION_INTERCEPT, CALIBRATION_SLOPE)
UNDIRECTED = (SELECTION_RATE, *CALIBRATION)
"""Metrics of which neither more nor less is better; their gaps and ratios have a direction."""

Needs = Literal["examples", "positives", "negatives", "both", "alarms", "others"]


@dataclass(frozen=True)
class Estimator:
    """How a metric is computed.

    Parameters
    ----------
    function : callable
        ``(y_true, y_score, *, weights) -> value``, or with ``y_decision`` in place of the score; see
        `medaug.evaluation.binary` and `medaug.evaluation.multiclass`.
    uses : {"score", "decision"}
        What the function takes beside the truth.
    needs : {"examples", "positives", "negatives", "both", "alarms", "others"}
        Without which examples the metric is undefined: of what truth, or of what decision (an alarm or not).
        Where classes exclude one another the positives are the examples of high-risk classes.
    """

    function: Callable[..., Any]
    uses: Literal["score", "decision"]
    needs: Needs = "examples"


@dataclass(frozen=True)
class Metric:
    """An entry of the vocabulary.

    Parameters
    ----------
    name : str
        In settings and in ``metrics.csv``.
    words : str
        In the report, as at the beginning of a sentence.
    binary : Estimator, optional
        For a class that is present or absent; where classes exclude one another, for one against the rest.
    multiclass : Estimator, optional
        For all classes that exclude one another at once; it takes the place of `binary` there.
    higher_is_better : bool
        False for errors. It decides which group is worst and what the report calls better.
    min_classes : int
        With fewer classes `multiclass` says nothing: the top three of three are always right.
    of_high_risk : bool
        `multiclass` also takes ``high_risk``, the numbers of the high-risk classes, and needs such.
    correct : callable, optional
        ``(y_true, y_score or y_decision) -> bool array``, where the metric is the share of right answers:
        the posterior of the share (Section F.2) starts from it.
    is_share : bool
        Values lie between 0 and 1, and intervals are Wilson's (`medaug.evaluation.intervals`).
    over_classes : bool
        `multiclass` is a mean over the classes that occur, so that groups are only compared on the classes
        that all of them have.
    headline_rank : int, optional
        Place among the metrics that may lead the report and that it compares with the baseline at a glance;
        1 leads where it is measured. None: the metric is in the full tables only.
    """

    name: str
    words: str
    binary: Estimator | None = None
    multiclass: Estimator | None = None
    higher_is_better: bool = True
    min_classes: int = 0
    of_high_risk: bool = False
    correct: Callable[[Array, Array], Array] | None = None
    is_share: bool = True
    over_classes: bool = False
    headline_rank: int | None = None


METRICS: Mapping[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("auc", "AUC", Estimator(binary.auc, "score", "both"), headline_rank=2),
        Metric(
            "average_precision", "Average precision", Estimator(binary.average_precision, "score", "both")
        ),
        Metric(
            "accuracy",
            "Accuracy",
            Estimator(binary.accuracy, "decision"),
            Estimator(binary.accuracy, "decision"),
            correct=np.equal,
            headline_rank=4,
        ),
        Metric(
            "balanced_accuracy",
            "Balanced accuracy",
            Estimator(binary.balanced_accuracy, "decision", "both"),
            Estimator(multiclass.balanced_accuracy, "decision"),
            over_classes=True,
            headline_rank=3,
        ),
        Metric(SENSITIVITY, "Sensitivity", Estimator(binary.sensitivity, "decision", "positives")),
        Metric("specificity", "Specificity", Estimator(binary.specificity, "decision", "negatives")),
        Metric(
            "fpr",
            "False positive rate",
            Estimator(binary.fpr, "decision", "negatives"),
            higher_is_better=False,
        ),
        Metric(
            "fnr",
            "False negative rate",
            Estimator(binary.fnr, "decision", "positives"),
            higher_is_better=False,
        ),
        Metric("ppv", "Positive predictive value", Estimator(binary.ppv, "decision", "alarms")),
        Metric("npv", "Negative predictive value", Estimator(binary.npv, "decision", "others")),
        Metric(SELECTION_RATE, "Share called positive", Estimator(binary.selection_rate, "decision")),
        Metric(
            "ece",
            "Calibration error",
            Estimator(calibration_error.ece, "score"),
            Estimator(multiclass.top_label_ece, "score"),
            higher_is_better=False,
            is_share=False,
        ),
        Metric(
            "ece_debiased",
            "Calibration error beyond chance",
            Estimator(calibration_error.ece_debiased, "score"),
            Estimator(multiclass.top_label_ece_debiased, "score"),
            higher_is_better=False,
            is_share=False,
        ),
        Metric(
            "brier",
            "Brier score",
            Estimator(binary.brier, "score"),
            Estimator(multiclass.brier, "score"),
            higher_is_better=False,
            is_share=False,
        ),
        Metric(CALIBRATION_INTERCEPT, "Calibration intercept", is_share=False),
        Metric(CALIBRATION_SLOPE, "Calibration slope", is_share=False),
        Metric(EQUALIZED_ODDS, "Equalised odds"),
        Metric(
            "top3_accuracy",
            "Top-3 accuracy",
            multiclass=Estimator(multiclass.top3_accuracy, "score"),
            min_classes=4,
            correct=multiclass.among_top3,
            headline_rank=1,
        ),
        Metric(
            "balanced_top3_accuracy",
            "Balanced top-3 accuracy",
            multiclass=Estimator(multiclass.balanced_top3_accuracy, "score"),
            min_classes=4,
            over_classes=True,
            headline_rank=5,
        ),
        Metric(
            HIGH_RISK_SENSITIVITY,
            "High-risk sensitivity",
            multiclass=Estimator(multiclass.high_risk_sensitivity, "decision", "positives"),
            of_high_risk=True,
            headline_rank=6,
        ),
    )
}
"""All metrics by name, in the order of ``metrics.csv``."""


@dataclass(frozen=True)
class Derived:
    """A quantity that is derived from a metric over the groups of an attribute.

    Parameters
    ----------
    ending : str
        Follows the name of the metric.
    words : str
        Follow the words of the metric.
    higher_is_better : bool, optional
        None: as it is for the metric.
    """

    ending: str
    words: str
    higher_is_better: bool | None = None

    def of(self, metric: str) -> str:
        """Return the name of the quantity of a metric.

        Examples
        --------
        >>> GAP.of("auc")
        'auc_gap'
        """
        return metric + self.ending

    def names(self, quantity: str) -> bool:
        """Tell whether a name is that of this quantity, of any metric.

        Examples
        --------
        >>> GAP.names("auc_gap"), GAP.names("auc")
        (True, False)
        """
        return quantity not in METRICS and quantity.endswith(self.ending)


GAP = Derived("_gap", " gap", higher_is_better=False)
WORST = Derived("_worst", ", worst group")
RATIO = Derived("_ratio", " ratio", higher_is_better=True)
SPREAD = Derived("_spread", ", spread over groups", higher_is_better=False)
DIFFERENCE = Derived("_difference", ", difference to all others")

DERIVED = (GAP, WORST, RATIO, SPREAD, DIFFERENCE)
"""Best minus worst group; the worst group; smallest by largest value of a group; standard deviation over
groups, and group minus all others."""


def parse(quantity: str) -> tuple[Metric, Derived | None]:
    """Return the metric that a column ``metric`` names, and what of it where that is derived.

    Raises
    ------
    SettingsError
        There is no such metric.

    Examples
    --------
    >>> metric, derived = parse("fnr_worst")
    >>> metric.words, derived is WORST
    ('False negative rate', True)
    """
    if quantity in METRICS:
        return METRICS[quantity], None
    for derived in DERIVED:
        name = quantity.removesuffix(derived.ending)
        if name != quantity and name in METRICS:
            return METRICS[name], derived
    raise SettingsError(f"there is no metric {quantity!r}; there are: {', '.join(METRICS)}")


def is_derived(quantity: str) -> bool:
    """Tell whether a name is that of a quantity derived from a metric, not of a metric itself."""
    return any(derived.names(quantity) for derived in DERIVED)


def in_words(quantity: str) -> str:
    """Say a metric, or a quantity derived from one, in words.

    Examples
    --------
    >>> in_words("auc_gap"), in_words("balanced_accuracy")
    ('AUC gap', 'Balanced accuracy')
    """
    metric, derived = parse(quantity)
    return metric.words + (derived.words if derived else "")


def higher_is_better(quantity: str) -> bool:
    """Tell whether more of a metric, or of a quantity derived from one, is better.

    Examples
    --------
    >>> higher_is_better("auc"), higher_is_better("auc_gap"), higher_is_better("ece_worst")
    (True, False, False)
    """
    metric, derived = parse(quantity)
    if derived is None or derived.higher_is_better is None:
        return metric.higher_is_better
    return derived.higher_is_better


def headline_metrics(measured: Iterable[str]) -> list[str]:
    """Return the metrics that may lead a report, of those that are measured, the leading one first."""
    ranks = {name: METRICS[name].headline_rank for name in dict.fromkeys(measured) if name in METRICS}
    ranked = {name: rank for name, rank in ranks.items() if rank is not None}
    return sorted(ranked, key=lambda name: ranked[name])


def binary_estimators() -> dict[str, Estimator]:
    """Return the estimators for a class that is present or absent, by the name of the metric."""
    return {metric.name: metric.binary for metric in METRICS.values() if metric.binary}


def one_against_rest_estimators() -> dict[str, Estimator]:
    """Return the estimators for one of several classes that exclude one another, against all others."""
    return {name: how for name, how in binary_estimators().items() if not METRICS[name].multiclass}


def multiclass_estimators(classes: int, high_risk: Sequence[int] = ()) -> dict[str, Estimator]:
    """Return the estimators for all classes at once that exclude one another, where they say something.

    Parameters
    ----------
    classes : int
        How many there are.
    high_risk : sequence of int
        Numbers of the high-risk classes; without any there are no metrics of them.

    Examples
    --------
    >>> list(multiclass_estimators(3))
    ['accuracy', 'balanced_accuracy', 'ece', 'ece_debiased', 'brier']
    """
    estimators = {}
    for metric in METRICS.values():
        if metric.multiclass and classes >= metric.min_classes and (high_risk or not metric.of_high_risk):
            options = {"high_risk": high_risk} if metric.of_high_risk else {}
            function = partial(metric.multiclass.function, **options)
            estimators[metric.name] = replace(metric.multiclass, function=function)
    return estimators


def shares_of_right_answers() -> dict[str, Callable[[Array, Array], Array]]:
    """Return the metrics that are such shares, the leading one first, each with what tells who is right."""
    checks = {metric.name: metric.correct for metric in METRICS.values() if metric.correct}
    return {name: checks[name] for name in headline_metrics(checks)}
