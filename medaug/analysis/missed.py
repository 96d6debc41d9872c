"""Cases that every training of an arm misses (Section G.3.4, Figure G9; Bommasani et al., 2021).

A case is an image with one condition that it truly has. It is missed by a training that decides otherwise:
that the condition is absent, or, where classes exclude one another, for another class. Where these have
classes of high risk, only images of those are cases, as in the paper.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from medaug.errors import DataError
from medaug.evaluation.groupings import find_groupings
from medaug.evaluation.predictions import check_predictions, class_names
from medaug.evaluation.settings import EvaluationSettings
from medaug.evaluation.targets import Target, find_targets
from medaug.task import Task

logger = logging.getLogger(__name__)

CASE = ["split", "image_id", "label"]
WHERE = ["split", "label", "attribute", "group"]
MISSED_COLUMNS = (*WHERE, "method", "n", "patients", "missed", "share", "by_chance", "trainings")
OVERLAP_COLUMNS = (*WHERE, "methods", "n", "missed")
TOGETHER = "; "


@dataclass(frozen=True, repr=False)
class Cases:
    """Cases that all trainings have decided about, and how many trainings of each arm miss them.

    Parameters
    ----------
    table : DataFrame
        ``split``, ``image_id``, ``label`` and ``patient_id`` of each case.
    groups : DataFrame
        Its group for each attribute; missing where unknown.
    counts : DataFrame
        The number of trainings of each method that miss it.
    trainings : int
        Of each method.

    Notes
    -----
    The rows of all three are the same cases. The table names images; show the counts of `missed_table`.
    """

    table: pd.DataFrame
    groups: pd.DataFrame
    counts: pd.DataFrame
    trainings: int

    @property
    def methods(self) -> list[str]:
        """The arms."""
        return [str(name) for name in self.counts]

    @property
    def always(self) -> pd.DataFrame:
        """Whether all trainings of each method miss each case."""
        return self.counts == self.trainings


def missed_cases(
    predictions: pd.DataFrame, settings: EvaluationSettings | None = None, task: Task | None = None
) -> Cases:
    """Count for each case the trainings of each arm that miss it.

    Parameters
    ----------
    predictions, settings, task
        As for `medaug.evaluation.metrics_table.compute_metrics`; each method is an arm, each seed a training.
        An arm with more trainings would miss fewer cases with all of them, so that of each arm as many are
        taken as the one with the fewest has, those of the lowest seeds.

    Raises
    ------
    DataError
        No case is decided about by all of them.
    """
    predictions = check_predictions(predictions).reset_index(drop=True)
    settings = settings or EvaluationSettings()
    targets = _relevant(find_targets(predictions, settings, task))
    decided = pd.concat([_decided(target, class_names(predictions)) for target in targets])
    about = predictions[["split", "image_id", "patient_id", "method", "seed"]]
    if settings.splits:
        about = about[about["split"].isin(settings.splits)]
    runs = decided.join(about, how="inner")
    counts, trainings = _missed_by_all(runs)
    cases = runs.rename_axis("row").reset_index()
    cases = cases.drop_duplicates(CASE).set_index(CASE).loc[counts.index].reset_index()
    groups = _groups(predictions, settings, task).iloc[cases["row"]].reset_index(drop=True)
    return Cases(cases[[*CASE, "patient_id"]], groups, counts.reset_index(drop=True), trainings)


def missed_table(cases: Cases) -> pd.DataFrame:
    """Count the cases that every training of an arm misses, by arm and group.

    Parameters
    ----------
    cases : Cases
        Of `missed_cases`.

    Returns
    -------
    DataFrame
        Columns `MISSED_COLUMNS`; an empty ``label`` is all conditions together, an empty ``attribute`` all
        groups. ``n`` cases of ``patients`` patients, ``missed`` of them by all ``trainings``. ``by_chance``
        is what would be expected if trainings erred as often, but each on its own (n times the product of
        their shares of errors, taken as equal): the excess is what the trainings have in common.
    """
    always, trainings, rows = cases.always, cases.trainings, []
    for where, part in _parts(cases):
        n, patients = len(part), cases.table.loc[part, "patient_id"].nunique()
        for method in cases.methods:
            missed = int(always.loc[part, method].sum())
            by_chance = n * float(cases.counts.loc[part, method].mean() / trainings) ** trainings
            rows.append((*where, method, n, patients, missed, missed / n, by_chance, trainings))
    return pd.DataFrame(rows, columns=list(MISSED_COLUMNS))


def overlap_table(cases: Cases) -> pd.DataFrame:
    """Count the cases that are missed by exactly these arms, for each combination of arms.

    Returns
    -------
    DataFrame
        Columns `OVERLAP_COLUMNS`: ``methods`` are joined by ``"; "``, empty for cases that no arm misses
        always; the ``missed`` of a group add up to its ``n``.
    """
    always = cases.always
    patterns = pd.Series([TOGETHER.join(always.columns[row]) for row in always.to_numpy()])
    rows = [
        (*where, names, len(part), count)
        for where, part in _parts(cases)
        for names, count in patterns[part].value_counts().items()
    ]
    return pd.DataFrame(rows, columns=list(OVERLAP_COLUMNS))


def _groups(predictions: pd.DataFrame, settings: EvaluationSettings, task: Task | None) -> pd.DataFrame:
    """Return the group of each row of predictions for each attribute by itself."""
    groupings = find_groupings(predictions, settings, task)
    groups = {
        g.attribute: pd.Categorical.from_codes(g.codes, pd.Index(g.groups))
        for g in groupings
        if " & " not in g.attribute
    }
    return pd.DataFrame(groups, index=predictions.index)


def _missed_by_all(runs: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """Missed trainings of each case (rows) and method (columns), over evenly many trainings of each."""
    if runs.empty:
        raise DataError("no image is known to have a condition")
    trainings = int(runs.groupby("method")["seed"].nunique().min())
    even = runs[runs.groupby("method")["seed"].rank("dense") <= trainings]
    wide = even.pivot(index=CASE, columns=["method", "seed"], values="missed")
    whole = wide.dropna().astype(int)
    if whole.empty:
        raise DataError("no image with a known condition was decided about by all methods and seeds")
    if len(whole) < len(wide):
        logger.info("%d of %d cases are not in all trainings and left out", len(wide) - len(whole), len(wide))
    return whole.T.groupby(level="method", sort=False).sum().T, trainings


def _relevant(targets: Sequence[Target]) -> list[Target]:
    """Return the target of all classes at once where they exclude one another, else each class."""
    return [target for target in targets if not target.label] or list(targets)


def _decided(target: Target, classes: Sequence[str]) -> pd.DataFrame:
    """Label and whether it was missed, of the rows that are cases."""
    is_case = target.known & ~np.isnan(target.y_decision)
    if target.label or target.positive is not None:
        is_case &= np.asarray(target.positive, bool)
    rows = np.flatnonzero(is_case)
    labels = target.label or np.array(classes, object)[target.y_true[rows].astype(int)]
    missed = (target.y_decision != target.y_true)[rows]
    return pd.DataFrame({"label": labels, "missed": missed}, index=rows)


def _parts(cases: Cases) -> Iterator[tuple[tuple[str, str, str, str], pd.Index[int]]]:
    """Give the rows of each split, label and group, all of them together first."""
    for split, in_split in cases.table.groupby("split"):
        labels = list(dict.fromkeys(in_split["label"]))
        for label in ["", *(labels if len(labels) > 1 else [])]:
            part = in_split.index[in_split["label"] == label] if label else in_split.index
            yield (str(split), label, "", ""), part
            for attribute, groups in cases.groups.loc[part].items():
                for group in groups.cat.categories:
                    if len(rows := part[groups == group]):
                        yield (str(split), label, str(attribute), str(group)), rows
