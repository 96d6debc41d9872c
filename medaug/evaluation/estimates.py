"""Every metric, overall and by group, on the data and on all bootstrap replicates: what tables are made of.

The work goes cell by cell (a split of a domain). Within a cell all methods, seeds and groups share the
weights of a replicate, so that gaps and differences between methods are paired. A threshold that was chosen
on validation data is chosen anew in each replicate.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from medaug.arrays import Array
from medaug.evaluation.bootstrap import weight_blocks
from medaug.evaluation.cells import Cell, numbered_patients
from medaug.evaluation.settings import EvaluationSettings
from medaug.evaluation.subsets import Job, Subset
from medaug.evaluation.targets import Target
from medaug.progress import Progress
from medaug.randomness import numpy_generator

ONE_PATIENT = "no interval: all images are of one patient"

Thresholds = dict[tuple[str, int, str], Array]
Values = dict[tuple[int, str], Array]


@dataclass(frozen=True)
class Estimate:
    """One row of ``metrics.csv`` before its replicates are turned into an interval.

    ``values`` holds the estimate, then its replicates (NaN where one is not defined); it is empty where
    `reason` says that nothing can be estimated. `note` is a remark on something that was estimated.
    ``shuffled`` holds the values after shuffling the groups of the patients. ``patients`` and
    ``patients_positive`` are all and those with the condition; a metric rests on ``support`` of them. What is
    measured only to compare groups says on which classes, `in_common`.
    """

    method: str
    seed: int
    split: str
    domain: str
    metric: str
    label: str
    attribute: str
    group: str
    values: Array
    shuffled: Array
    n: int
    n_positive: int | None
    patients: int | None
    patients_positive: int | None
    support: int
    reason: str = ""
    note: str = ""
    in_common: str = ""

    @property
    def estimable(self) -> bool:
        """Whether there is a value."""
        return not self.reason


def replicated_values(
    predictions: pd.DataFrame,
    cell: Cell,
    jobs: Sequence[Job],
    settings: EvaluationSettings,
    thresholds: Thresholds,
    shown: Progress,
) -> Values:
    """Return values by number of the job and name of the metric: the estimate, then the replicates."""
    patients, patient_of = numbered_patients(predictions, cell.rows)
    generator = numpy_generator(settings.seed, "bootstrap", cell.split, cell.domain)
    largest = max(len(job.rows) for job in jobs)
    blocks: dict[tuple[int, str], list[Array]] = defaultdict(list)
    start = 0
    for weights in weight_blocks(patients, settings.replicates, largest, generator):
        columns = slice(start, start + weights.shape[1])
        start = columns.stop
        for number, job in enumerate(jobs):
            chosen = thresholds.get((job.subset.method, job.subset.seed, job.target.label))
            block = None if chosen is None else chosen[columns]
            for metric, values in _metric_values(job, weights, patient_of, block):
                blocks[number, metric].append(values)
        shown.update(weights.shape[1], f"{cell.split} {cell.domain}")
    found = {key: np.concatenate(parts) for key, parts in blocks.items()}
    for number, metric in found:
        if jobs[number].one_patient:  # drawing from one patient varies nothing
            found[number, metric][1:] = np.nan
    return found


def _metric_values(
    job: Job, weights: Array, patient_of: Array, thresholds: Array | None
) -> Iterator[tuple[str, Array]]:
    """Estimable metrics of a job under each column of weights, and of thresholds where there are such."""
    if all(job.reasons.values()):
        return
    y_true, image_weights = job.target.y_true[job.rows], weights[patient_of[job.rows]]
    decided = None if thresholds is None else job.target.y_score[job.rows][:, None] >= thresholds
    for metric, reason in job.reasons.items():
        if reason:
            continue
        estimator = job.target.estimators[metric]
        if thresholds is not None and decided is not None and estimator.uses == "decision":
            values = estimator.function(y_true, decided, weights=image_weights)
            yield metric, np.where(np.isnan(thresholds), np.nan, values)
        else:
            answers = job.target.answers(metric)[job.rows]
            yield metric, estimator.function(y_true, answers, weights=image_weights)


def single_estimates(cell: Cell, jobs: Sequence[Job], values: Values, shuffled: Values) -> list[Estimate]:
    """Return an estimate for each metric of each job."""
    return [
        Estimate(
            method=job.subset.method,
            seed=job.subset.seed,
            split=cell.split,
            domain=cell.domain,
            metric=metric,
            label=job.target.label,
            attribute=job.subset.attribute,
            group=job.subset.group,
            values=values.get((number, metric), np.empty(0)),
            shuffled=shuffled.get((number, metric), np.empty(0)),
            n=len(job.rows),
            n_positive=None if job.target.positive is None else int(job.target.positive[job.rows].sum()),
            patients=job.patients[0],
            patients_positive=job.patients[1],
            support=job.support[metric],
            reason=reason,
            note=ONE_PATIENT if job.one_patient and not reason else "",
            in_common=job.in_common,
        )
        for number, job in enumerate(jobs)
        for metric, reason in job.reasons.items()
    ]


def means_over_labels(
    predictions: pd.DataFrame, single: Sequence[Estimate], targets: Sequence[Target], jobs: Sequence[Job]
) -> list[Estimate]:
    """Return means over the labels that are estimable overall; a group must have all of them.

    They count the images, and their patients, of which the truth about any label is known.
    """
    known = np.any([target.known for target in targets], axis=0)
    patient_of, _ = pd.factorize(predictions["patient_id"])
    rows = {_subset_key(job.subset): job.subset.rows[known[job.subset.rows]] for job in jobs}
    by_label: dict[tuple[str, int, str, str, str], list[Estimate]] = defaultdict(list)
    for item in single:
        if item.label:
            by_label[item.method, item.seed, item.attribute, item.group, item.metric].append(item)
    means = []
    for (method, seed, attribute, group, metric), items in by_label.items():
        overall = by_label[method, seed, "", "", metric]
        labels = {item.label for item in overall if item.estimable}
        counted = rows[method, seed, attribute, group]
        mean = _mean([item for item in items if item.label in labels], items)
        means.append(replace(mean, n=len(counted), patients=len(np.unique(patient_of[counted]))))
    return means


def _subset_key(subset: Subset) -> tuple[str, int, str, str]:
    return subset.method, subset.seed, subset.attribute, subset.group


def _mean(chosen: Sequence[Estimate], items: Sequence[Estimate]) -> Estimate:
    """Mean of the chosen labels out of all items; not estimable if one of them is not."""
    result = replace(
        items[0],
        label="",
        values=np.empty(0),
        shuffled=np.empty(0),
        n_positive=None,
        patients_positive=None,
        support=min(item.support for item in chosen or items),
        reason="",
        note="",
    )
    if not chosen:
        return replace(result, reason="no label can be estimated")
    if missing := [item for item in chosen if not item.estimable]:
        return replace(result, reason="; ".join(f"{item.label}: {item.reason}" for item in missing))
    note = "" if len(chosen) == len(items) else f"mean over {len(chosen)} of {len(items)} labels"
    values, shuffled = (
        np.mean([getattr(item, name) for item in chosen], axis=0)
        if len({getattr(item, name).shape for item in chosen}) == 1
        else np.empty(0)
        for name in ("values", "shuffled")
    )
    return replace(result, values=values, shuffled=shuffled, note=note)
