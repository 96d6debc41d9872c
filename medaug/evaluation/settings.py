"""What is measured, for whom, and how sure we want to be: the settings of an evaluation."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from medaug.errors import SettingsError
from medaug.evaluation.metrics import METRICS, UNDIRECTED
from medaug.task import Kind

AGE_BINS: tuple[float | str, ...] = (0, 40, 60, 80, "inf")


@dataclass(frozen=True)
class EvaluationSettings:
    """Settings of `medaug.evaluation.evaluate`; every one is plain JSON.

    Parameters
    ----------
    kind : {"multilabel", "multiclass"}, optional
        Whether the classes exclude one another. None guesses it from the table, and says so.
    metrics : sequence of str
        Names of metrics; empty means all that apply to the kind of task.
    headline : str, optional
        The metric that leads the report and the short table; None chooses by the kind of task. One that does
        not apply to the classes counts as None.
    high_risk : sequence of str
        Classes that must not be missed, of classes that exclude one another: ``high_risk_sensitivity`` is
        that of all of them together, ``sensitivity`` that of each. A task's own are used where this is empty.
    attributes : sequence of str, optional
        Attributes to report, ``"domain"`` among them if wanted; None means every ``attr:`` column.
    intersections : sequence of sequences of str, optional
        Attributes to cross, for example ``[["sex", "age"]]``; None means every pair of `attributes`.
    bins : mapping of str to sequence of float
        Increasing edges for each numeric attribute, open on the left, closed on the right; ``"inf"`` may
        close the last bin.
    splits : sequence of str
        Splits to report; empty means all in the table.
    threshold : float or str
        A score at or above it is a positive decision. ``"id_val"`` chooses one for each method, seed and
        class on the split ``id_val`` (largest Youden index). Columns ``decision:<class>`` win over both.
    min_group_size : int
        A group with fewer patients is not estimable, nor one with fewer with, or without, the condition where
        the metric needs them. All images together then have no interval.
    permutations : int
        Times that groups are shuffled between patients, for the gap by chance and its p-value; 0 for none.
    replicates : int
        Bootstrap replicates for the intervals; 0 leaves the intervals empty.
    confidence : float
        Coverage of the intervals, between 0 and 1.
    seed : int
        Seed of the bootstrap.
    """

    kind: Kind | None = None
    metrics: Sequence[str] = ()
    headline: str | None = None
    high_risk: Sequence[str] = ()
    attributes: Sequence[str] | None = None
    intersections: Sequence[Sequence[str]] | None = None
    bins: Mapping[str, Sequence[float | str]] = field(default_factory=lambda: {"age": AGE_BINS})
    splits: Sequence[str] = ()
    threshold: float | str = 0.5
    min_group_size: int = 10
    permutations: int = 199
    replicates: int = 1000
    confidence: float = 0.95
    seed: int = 0

    def __post_init__(self) -> None:
        if self.kind not in (None, "multilabel", "multiclass"):
            raise SettingsError(f"kind must be 'multilabel' or 'multiclass', not {self.kind!r}")
        self._check_lists()
        self._check_numbers()
        self._check_headline()

    def _check_lists(self) -> None:
        """Refuse a word in place of a list: it is a sequence too, of its letters."""
        for name in ("metrics", "high_risk", "attributes", "splits"):
            if isinstance(value := getattr(self, name), str):
                raise SettingsError(f"{name} must be a list, for example [{value!r}], not {value!r}")
        for crossed in self.intersections or ():
            if isinstance(crossed, str) or not crossed:
                raise SettingsError(
                    "intersections must be a list of lists of attributes, for example [['sex', 'age']], not "
                    f"{self.intersections!r}"
                )
        for name, edges in self.bins.items():
            if isinstance(edges, str) or not isinstance(edges, Sequence) or not all(map(_is_number, edges)):
                raise SettingsError(
                    f"bins of {name!r} must be a list of edges, for example [0, 40, 'inf'], not {edges!r}"
                )

    def _check_numbers(self) -> None:
        if self.threshold != "id_val" and not _is_probability(self.threshold):
            raise SettingsError(f"threshold must be between 0 and 1 or 'id_val', not {self.threshold!r}")
        if not 0 < self.confidence < 1:
            raise SettingsError(f"confidence must lie between 0 and 1, not {self.confidence!r}")
        if min(self.replicates, self.permutations) < 0 or self.min_group_size < 1:
            raise SettingsError(
                "replicates and permutations must be at least 0 and min_group_size at least 1"
            )

    def _check_headline(self) -> None:
        if self.headline and self.headline not in METRICS:
            raise SettingsError(
                f"there is no metric {self.headline!r} to lead; there are: {', '.join(METRICS)}"
            )
        if self.headline in UNDIRECTED:
            raise SettingsError(
                f"the headline {self.headline!r} cannot lead, as neither more nor less of it is better; name "
                "another metric, or none"
            )
        if self.headline and self.metrics and self.headline not in self.metrics:
            raise SettingsError(
                f"the headline {self.headline!r} is not among the metrics: {', '.join(self.metrics)}"
            )


def _is_probability(value: float | str) -> bool:
    return _is_number(value) and 0 <= float(value) <= 1


def _is_number(value: float | str) -> bool:
    try:
        return not math.isnan(float(value))
    except (TypeError, ValueError):
        return False
