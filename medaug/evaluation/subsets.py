"""What is measured in a cell: each target on all images of a method and seed, and on those of each group."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from medaug.arrays import Array
from medaug.evaluation.cells import Cell, rows_by_method
from medaug.evaluation.groupings import Grouping
from medaug.evaluation.identities import ALL_DOMAINS
from medaug.evaluation.metrics import METRICS
from medaug.evaluation.settings import EvaluationSettings
from medaug.evaluation.targets import Target


@dataclass(frozen=True)
class Subset:
    """Rows of one method and seed within a cell that are reported together."""

    method: str
    seed: int
    attribute: str
    group: str
    rows: Array


@dataclass(frozen=True)
class Job:
    """A target on a subset.

    Parameters
    ----------
    target : Target
        What is measured.
    subset : Subset
        On whom.
    rows : int array, shape (n,)
        Those of known truth.
    reasons : mapping of str to str
        By metric, why it cannot be estimated; empty if it can.
    support : mapping of str to int
        By metric, the patients that it rests on.
    patients : tuple of int and (int or None)
        All patients, and those with the condition.
    in_common : str
        Not empty for what is measured only to compare groups, on the classes that all of them have: says so.
    """

    target: Target
    subset: Subset
    rows: Array
    reasons: dict[str, str]
    support: dict[str, int]
    patients: tuple[int, int | None]
    in_common: str = ""

    @property
    def one_patient(self) -> bool:
        """Whether drawing patients varies nothing."""
        return self.patients[0] == 1


def find_jobs(
    predictions: pd.DataFrame,
    cell: Cell,
    targets: Sequence[Target],
    groupings: Sequence[Grouping],
    settings: EvaluationSettings,
) -> list[Job]:
    """Return what is measured in a cell, in the order of the results."""
    jobs = []
    patient_of, _ = pd.factorize(predictions["patient_id"])
    for (method, seed), run_rows in rows_by_method(predictions, cell.rows).items():
        for attribute, group, rows in _subsets(cell, run_rows, groupings):
            subset = Subset(method, seed, attribute, group, rows)
            fewest = settings.min_group_size if attribute else 1
            for target in targets:
                jobs.append(_job(target, subset, rows[target.known[rows]], patient_of, fewest))
    return [*jobs, *_in_common(jobs, patient_of, settings.min_group_size)]


def groups_in(cell: Cell, grouping: Grouping) -> list[tuple[int, str]]:
    """Return code and name of the groups of a cell; domains only where they are together, of this split."""
    by_domain = "domain" in grouping.attribute.split(" & ")
    if by_domain and cell.domain != ALL_DOMAINS:
        return []
    there = np.unique(grouping.codes[cell.rows])
    return [(code, group) for code, group in enumerate(grouping.groups) if code in there or not by_domain]


def _subsets(cell: Cell, rows: Array, groupings: Sequence[Grouping]) -> Iterator[tuple[str, str, Array]]:
    """Overall, then each group of each grouping."""
    yield "", "", rows
    for grouping in groupings:
        for code, group in groups_in(cell, grouping):
            yield grouping.attribute, group, rows[grouping.codes[rows] == code]


def _job(
    target: Target, subset: Subset, rows: Array, patient_of: Array, fewest: int, in_common: str = ""
) -> Job:
    metrics = [m for m in target.estimators if not in_common or METRICS[m].over_classes]
    positive = None if target.positive is None else rows[target.positive[rows]]
    return Job(
        target,
        subset,
        rows,
        {metric: target.obstacle(metric, rows, patient_of, fewest) for metric in metrics},
        {metric: target.patients(metric, rows, patient_of) for metric in metrics},
        (_count(patient_of, rows), None if positive is None else _count(patient_of, positive)),
        in_common,
    )


def _in_common(jobs: Sequence[Job], patient_of: Array, fewest: int) -> Iterator[Job]:
    """Yield groups on the classes that all have, where a metric is a mean over classes and they differ."""
    for groups in _groups_of_all_classes(jobs):
        usable = [job for job in groups if len(job.rows) and job.patients[0] >= fewest]
        classes = [set(np.unique(job.target.y_true[job.rows]).tolist()) for job in usable]
        if len(usable) < 2 or all(found == classes[0] for found in classes):
            continue
        shared, there = sorted(set.intersection(*classes)), set.union(*classes)
        said = f"on {len(shared)} of {len(there)} conditions, those that all groups have"
        for job in usable:
            rows = job.rows[np.isin(job.target.y_true[job.rows], shared)]
            yield _job(job.target, job.subset, rows, patient_of, fewest, said)


def _groups_of_all_classes(jobs: Sequence[Job]) -> list[list[Job]]:
    """Jobs of all classes at once that have a mean over classes, by method, seed and attribute."""
    found: dict[tuple[str, int, str], list[Job]] = {}
    for job in jobs:
        if (
            job.subset.attribute
            and any(METRICS[m].over_classes for m in job.reasons)
            and not job.target.label
        ):
            key = (job.subset.method, job.subset.seed, job.subset.attribute)
            found.setdefault(key, []).append(job)
    return list(found.values())


def _count(patient_of: Array, rows: Array) -> int:
    return len(np.unique(patient_of[rows]))
