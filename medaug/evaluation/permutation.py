"""What groups would differ by if the group were chance: metrics after shuffling the groups of the patients.

The largest difference of several groups is above 0 even where all are equal. Groups are shuffled between
patients, with all their images, and within what the metric takes as given (`Target.strata`): the gap of
sensitivities is compared with gaps between groups that have as many positive patients each.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from medaug.arrays import Array
from medaug.evaluation.cells import Cell
from medaug.evaluation.groupings import Grouping
from medaug.evaluation.settings import EvaluationSettings
from medaug.evaluation.subsets import Job
from medaug.randomness import numpy_generator

BLOCK_ELEMENTS = 1 << 18


@dataclass(frozen=True)
class Shuffled:
    """Patients (of one group each) of a cell under a grouping.

    Parameters
    ----------
    unit_of : int array, shape (rows of the table,)
        Number of the patient of each row; -1 outside the cell and where the group is unknown. A patient who
        is in two groups counts as two.
    codes : int array, shape (units,)
        Group of each.
    keys : float array, shape (units, permutations)
        In [0, 1): their order is the permutation, the same for all metrics and methods.
    """

    unit_of: Array
    codes: Array
    keys: Array

    def groups(self, strata: Array, rows: Array) -> Array:
        """Return shuffled groups, (units, permutations): as many patients of each group in each stratum.

        `strata` (n,) are those of `rows`; a patient with images in several strata is in one of the
        combinations of them.
        """
        combination = _combinations(strata, self.unit_of[rows], len(self.codes))
        order = np.argsort(combination[:, None] + self.keys, axis=0)
        shuffled = np.empty(self.keys.shape, np.int64)
        given = self.codes[np.lexsort((self.codes, combination))]
        np.put_along_axis(shuffled, order, np.broadcast_to(given[:, None], order.shape), axis=0)
        return shuffled


def shuffled_values(
    predictions: pd.DataFrame,
    cell: Cell,
    jobs: Sequence[Job],
    groupings: Sequence[Grouping],
    settings: EvaluationSettings,
) -> dict[tuple[int, str], Array]:
    """Return the values of groups of shuffled patients by number of the job and metric, (permutations,)."""
    found: dict[tuple[int, str], Array] = {}
    if not settings.permutations:
        return found
    for grouping in groupings:
        shuffled = _shuffled(predictions, cell, grouping, settings)
        for numbers in _together(jobs, grouping.attribute):
            for metric in jobs[numbers[0]].reasons:
                usable = [n for n in numbers if not jobs[n].reasons[metric]]
                if len(usable) > 1:
                    found |= _values(jobs, usable, metric, grouping, shuffled)
    return found


def _together(jobs: Sequence[Job], attribute: str) -> Iterator[list[int]]:
    """Numbers of the jobs that are the groups of an attribute, of one run and target."""
    found: dict[tuple[str, int, str, str], list[int]] = {}
    for number, job in enumerate(jobs):
        if job.subset.attribute == attribute:
            key = (job.subset.method, job.subset.seed, job.target.label, job.in_common)
            found.setdefault(key, []).append(number)
    yield from found.values()


def _shuffled(
    predictions: pd.DataFrame, cell: Cell, grouping: Grouping, settings: EvaluationSettings
) -> Shuffled:
    rows = cell.rows[grouping.codes[cell.rows] >= 0]
    patients, _ = pd.factorize(predictions["patient_id"].to_numpy()[rows], sort=True)
    pairs = patients.astype(np.int64) * len(grouping.groups) + grouping.codes[rows]
    found, units = np.unique(pairs, return_inverse=True)
    unit_of = np.full(len(predictions), -1)
    unit_of[rows] = units
    key = ("permutation", cell.split, cell.domain, grouping.attribute)
    keys = numpy_generator(settings.seed, *key).random((len(found), settings.permutations))
    return Shuffled(unit_of, found % len(grouping.groups), keys)


def _values(
    jobs: Sequence[Job], numbers: Sequence[int], metric: str, grouping: Grouping, shuffled: Shuffled
) -> dict[tuple[int, str], Array]:
    """Values of the groups that can be estimated, after shuffling the patients of these groups."""
    target, estimator = jobs[numbers[0]].target, jobs[numbers[0]].target.estimators[metric]
    rows = np.sort(np.concatenate([jobs[n].rows for n in numbers]))
    units, own = np.unique(shuffled.unit_of[rows], return_inverse=True)
    among = Shuffled(np.full(len(shuffled.unit_of), -1), shuffled.codes[units], shuffled.keys[units])
    among.unit_of[rows] = own
    groups = among.groups(target.strata(metric, rows), rows)
    found = {}
    for number in numbers:
        code = grouping.groups.index(jobs[number].subset.group)
        blocks = [
            estimator.function(target.y_true[rows], target.answers(metric)[rows], weights=weights)
            for weights in _blocks(groups == code, own)
        ]
        found[number, metric] = np.concatenate(blocks)
    return found


def _blocks(chosen: Array, unit_of: Array) -> Iterator[Array]:
    """Weights of the rows, a few permutations at a time."""
    width = max(16, BLOCK_ELEMENTS // max(len(unit_of), 1))
    for start in range(0, chosen.shape[1], width):
        yield chosen[:, start : start + width][unit_of].astype(float)


def _combinations(strata: Array, unit_of: Array, units: int) -> Array:
    """Return the number of the combination of strata in which each unit has rows, (units,)."""
    kinds, codes = np.unique(strata, return_inverse=True)
    there = np.zeros((units, len(kinds)), bool)
    there[unit_of, codes] = True
    return np.unique(there, axis=0, return_inverse=True)[1].reshape(-1)
