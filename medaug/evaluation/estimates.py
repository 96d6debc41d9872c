"""Every metric, overall and by group, on the data and on all bootstrap replicates: what tables are made of.

The work goes cell by cell (a split of a domain). Within a cell all methods, seeds and groups share the
weights of a replicate, so that gaps and differences between methods are paired.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from medaug.arrays import Array
from medaug.evaluation.bootstrap import weight_blocks
from medaug.evaluation.cells import Cell, find_cells, rows_by_method
from medaug.evaluation.groupings import Grouping, find_groupings
from medaug.evaluation.identities import ALL_DOMAINS
from medaug.evaluation.metrics import GAP, WORST, higher_is_better
from medaug.evaluation.predictions import check_predictions
from medaug.evaluation.settings import EvaluationSettings
from medaug.evaluation.targets import Target, find_targets
from medaug.progress import Progress
from medaug.randomness import numpy_generator
from medaug.task import Task


@dataclass(frozen=True)
class Estimate:
    """One row of ``metrics.csv`` before its replicates are turned into an interval.

    ``values`` holds the estimate, then its replicates (NaN where one is not defined); it is empty where
    `reason` says that nothing can be estimated. `note` is a remark on something that was estimated.
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
    n: int
    n_positive: int | None
    reason: str = ""
    note: str = ""

    @property
    def estimable(self) -> bool:
        """Whether there is a value."""
        return not self.reason


@dataclass(frozen=True)
class _Subset:
    """Rows of one method and seed within a cell that are reported together."""

    method: str
    seed: int
    attribute: str
    group: str
    rows: Array


@dataclass(frozen=True)
class _Job:
    """A target on a subset: the rows of known truth, and why a metric cannot be estimated on them."""

    target: Target
    subset: _Subset
    rows: Array
    reasons: tuple[str, ...]
    one_patient: bool


ONE_PATIENT = "no interval: all images are of one patient"


def bootstrap_estimates(
    predictions: pd.DataFrame, settings: EvaluationSettings, task: Task | None = None
) -> Iterator[list[Estimate]]:
    """Yield the estimates of one cell after another, with all replicates.

    Parameters are those of `medaug.evaluation.metrics_table.compute_metrics`, which makes rows of them.
    """
    predictions = check_predictions(predictions)
    targets = find_targets(predictions, settings, task)
    groupings = find_groupings(predictions, settings, task)
    cells = find_cells(predictions, settings.splits)
    total = len(cells) * (settings.replicates + 1)
    with Progress("Evaluating", total, unit="replicate") as shown:
        for cell in cells:
            jobs = _jobs(predictions, cell, targets, groupings, settings)
            values = _values(predictions, cell, jobs, settings, shown)
            single = _single_estimates(cell, jobs, values)
            means = _means_over_labels(single, targets, jobs)
            yield [*single, *means, *_gaps([*single, *means])]


def _jobs(
    predictions: pd.DataFrame,
    cell: Cell,
    targets: Sequence[Target],
    groupings: Sequence[Grouping],
    settings: EvaluationSettings,
) -> list[_Job]:
    jobs = []
    patients, _ = pd.factorize(predictions["patient_id"])
    for (method, seed), run_rows in rows_by_method(predictions, cell.rows).items():
        for attribute, group, rows in _subsets(cell, run_rows, groupings):
            subset = _Subset(method, seed, attribute, group, rows)
            for target in targets:
                known = rows[target.known[rows]]
                reasons = (target.obstacle(m, known, settings.min_group_size) for m in target.estimators)
                one_patient = len(np.unique(patients[known])) == 1
                jobs.append(_Job(target, subset, known, tuple(reasons), one_patient))
    return jobs


def _subsets(cell: Cell, rows: Array, groupings: Sequence[Grouping]) -> Iterator[tuple[str, str, Array]]:
    """Overall, then each group of each grouping; domains only where they are together, and in this split."""
    yield "", "", rows
    for grouping in groupings:
        by_domain = "domain" in grouping.attribute.split(" & ")
        if by_domain and cell.domain != ALL_DOMAINS:
            continue
        there = np.unique(grouping.codes[cell.rows])
        for code, group in enumerate(grouping.groups):
            if code in there or not by_domain:
                yield grouping.attribute, group, rows[grouping.codes[rows] == code]


def _values(
    predictions: pd.DataFrame,
    cell: Cell,
    jobs: Sequence[_Job],
    settings: EvaluationSettings,
    shown: Progress,
) -> dict[tuple[int, str], Array]:
    """Values by number of the job and name of the metric: the estimate, then the replicates."""
    patient_of = np.zeros(len(predictions), np.int64)
    patients, patient_of[cell.rows] = np.unique(
        predictions["patient_id"].to_numpy(str)[cell.rows], return_inverse=True
    )
    generator = numpy_generator(settings.seed, "bootstrap", cell.split, cell.domain)
    largest = max(len(job.rows) for job in jobs)
    blocks: dict[tuple[int, str], list[Array]] = defaultdict(list)
    for weights in weight_blocks(len(patients), settings.replicates, largest, generator):
        for number, job in enumerate(jobs):
            for metric, values in _metric_values(job, weights, patient_of):
                blocks[number, metric].append(values)
        shown.update(weights.shape[1], f"{cell.split} {cell.domain}")
    found = {key: np.concatenate(parts) for key, parts in blocks.items()}
    for number, metric in found:
        if jobs[number].one_patient:  # drawing from one patient varies nothing
            found[number, metric][1:] = np.nan
    return found


def _metric_values(job: _Job, weights: Array, patient_of: Array) -> Iterator[tuple[str, Array]]:
    """Estimable metrics of a job under each column of weights."""
    if all(job.reasons):
        return
    y_true, image_weights = job.target.y_true[job.rows], weights[patient_of[job.rows]]
    for (metric, estimator), reason in zip(job.target.estimators.items(), job.reasons, strict=True):
        if not reason:
            answers = job.target.answers(metric)[job.rows]
            yield metric, estimator.function(y_true, answers, weights=image_weights)


def _single_estimates(
    cell: Cell, jobs: Sequence[_Job], values: dict[tuple[int, str], Array]
) -> list[Estimate]:
    estimates = []
    for number, job in enumerate(jobs):
        positive = job.target.positive
        for metric, reason in zip(job.target.estimators, job.reasons, strict=True):
            estimates.append(
                Estimate(
                    job.subset.method,
                    job.subset.seed,
                    cell.split,
                    cell.domain,
                    metric,
                    job.target.label,
                    job.subset.attribute,
                    job.subset.group,
                    values.get((number, metric), np.empty(0)),
                    len(job.rows),
                    None if positive is None else int(positive[job.rows].sum()),
                    reason,
                    ONE_PATIENT if job.one_patient and not reason else "",
                )
            )
    return estimates


def _means_over_labels(
    single: Sequence[Estimate], targets: Sequence[Target], jobs: Sequence[_Job]
) -> list[Estimate]:
    """Mean over the labels that are estimable overall; a group must have all of them to be comparable."""
    known = np.any([target.known for target in targets], axis=0)
    counts = {_subset_key(j.subset): int(known[j.subset.rows].sum()) for j in jobs}
    by_label: dict[tuple[str, int, str, str, str], list[Estimate]] = defaultdict(list)
    for item in single:
        if item.label:
            by_label[item.method, item.seed, item.attribute, item.group, item.metric].append(item)
    means = []
    for (method, seed, attribute, group, metric), items in by_label.items():
        overall = by_label[method, seed, "", "", metric]
        labels = {item.label for item in overall if item.estimable}
        n = counts[method, seed, attribute, group]
        means.append(replace(_mean([i for i in items if i.label in labels], items), n=n))
    return means


def _subset_key(subset: _Subset) -> tuple[str, int, str, str]:
    return subset.method, subset.seed, subset.attribute, subset.group


def _mean(chosen: Sequence[Estimate], items: Sequence[Estimate]) -> Estimate:
    """Mean of the chosen labels out of all items; not estimable if one of them is not."""
    result = replace(items[0], label="", values=np.empty(0), n_positive=None, reason="", note="")
    if not chosen:
        return replace(result, reason="no label can be estimated")
    if missing := [item for item in chosen if not item.estimable]:
        return replace(result, reason="; ".join(f"{item.label}: {item.reason}" for item in missing))
    note = "" if len(chosen) == len(items) else f"mean over {len(chosen)} of {len(items)} labels"
    return replace(result, values=np.mean([item.values for item in chosen], axis=0), note=note)


def _gaps(estimates: Sequence[Estimate]) -> list[Estimate]:
    """Gap and worst group of each metric, label and attribute, in every replicate."""
    by_attribute: dict[tuple[str, int, str, str, str], list[Estimate]] = defaultdict(list)
    for item in estimates:
        if item.attribute:
            by_attribute[item.method, item.seed, item.metric, item.label, item.attribute].append(item)
    return [row for items in by_attribute.values() for row in _gap_and_worst(items)]


def _gap_and_worst(items: Sequence[Estimate]) -> tuple[Estimate, Estimate]:
    """Best minus worst group, and the worst; over the groups that can be estimated, at least two.

    Replicates compare the two groups that are best and worst in the data. The largest difference within each
    replicate would be larger than the estimate on average, and its interval would often miss the estimate.
    """
    usable = [item for item in items if item.estimable]
    positives = [item.n_positive for item in usable if item.n_positive is not None]
    gap = replace(
        items[0],
        metric=GAP.of(items[0].metric),
        group="",
        values=np.empty(0),
        n=sum(item.n for item in usable),
        n_positive=sum(positives) if positives else None,
        reason="",
        note="" if len(usable) == len(items) else f"over {len(usable)} of {len(items)} groups",
    )
    worst = replace(gap, metric=WORST.of(items[0].metric))
    if len(usable) < 2:
        reason = f"{len(usable)} of {len(items)} groups can be estimated, a gap needs two"
        return replace(gap, reason=reason, note=""), replace(worst, reason=reason, note="")
    rising = sorted(usable, key=lambda item: float(item.values[0]))
    lowest, highest = rising[0], rising[-1]
    gap = replace(gap, values=highest.values - lowest.values)
    poorest = lowest if higher_is_better(items[0].metric) else highest
    return gap, replace(worst, values=poorest.values, group=poorest.group)
