"""The closer looks that a run allows at once, and the folder that their tables are written to."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from medaug.analysis.components import COMPONENT_COLUMNS, components
from medaug.analysis.distances import DISTANCE_COLUMNS, distances
from medaug.analysis.missed import Cases, missed_cases, missed_table, overlap_table
from medaug.arrays import Array
from medaug.errors import DataError
from medaug.evaluation.metrics_table import write_table
from medaug.evaluation.settings import EvaluationSettings
from medaug.task import Task

logger = logging.getLogger(__name__)

TRAINING = ("method", "seed")

Features = Mapping[tuple[str, int], Mapping[str, Array]]
"""Of each training (method and seed), by set of images: arrays of shape (images, d)."""


@dataclass(frozen=True, repr=False)
class Looks:
    """What was seen.

    Parameters
    ----------
    cases : Cases or None
        Of `medaug.analysis.missed.missed_cases`; None where no case is decided about by all trainings.
    distances, components : DataFrame
        Of `medaug.analysis.distances.distances` and `medaug.analysis.components.components`, of all trained
        models below one another, with the columns ``method`` and ``seed``; without rows where there are no
        features.
    """

    cases: Cases | None
    distances: pd.DataFrame
    components: pd.DataFrame

    @classmethod
    def at(
        cls,
        predictions: pd.DataFrame,
        features: Features,
        settings: EvaluationSettings,
        task: Task | None = None,
    ) -> Looks:
        """Take every look that predictions and features allow.

        Parameters
        ----------
        predictions, settings, task
            As for `medaug.evaluation.metrics_table.compute_metrics`.
        features : Features
            May be empty.
        """
        cases = _cases(predictions, settings, task)
        return cls(cases, all_distances(features, settings.seed), all_components(features, settings.seed))

    def write(self, folder: Path | str) -> None:
        """Write ``distances.csv``, ``components.csv``, ``missed.csv``, ``overlaps.csv``, if not empty."""
        folder = Path(folder)
        tables = {"distances": self.distances, "components": self.components}
        if self.cases is not None:
            tables |= {"missed": missed_table(self.cases), "overlaps": overlap_table(self.cases)}
        for name, table in tables.items():
            if len(table):
                write_table(table, folder / f"{name}.csv")


def all_distances(features: Features, seed: int) -> pd.DataFrame:
    """Return `medaug.analysis.distances.distances` of all trainings below one another."""
    seen = [distances(of_sets, seed=seed) for of_sets in features.values()]
    return _below_one_another(list(features), seen, DISTANCE_COLUMNS)


def all_components(features: Features, seed: int) -> pd.DataFrame:
    """Return `medaug.analysis.components.components` of all trainings below one another."""
    counted = [_components(training, of_sets, seed) for training, of_sets in features.items()]
    return _below_one_another(list(features), counted, COMPONENT_COLUMNS)


def _cases(predictions: pd.DataFrame, settings: EvaluationSettings, task: Task | None) -> Cases | None:
    try:
        return missed_cases(predictions, settings, task)
    except DataError as error:
        logger.info("Cases that are always missed are not counted: %s", error)
        return None


def _components(training: tuple[str, int], of_sets: Mapping[str, Array], seed: int) -> pd.DataFrame:
    try:
        return components(of_sets, seed=seed)
    except DataError as error:  # of a network that has collapsed, whose scores the evaluation still shows
        logger.warning("%s, seed %s: %s", *training, error)
        return pd.DataFrame(columns=list(COMPONENT_COLUMNS))


def _below_one_another(
    trainings: list[tuple[str, int]], tables: list[pd.DataFrame], columns: tuple[str, ...]
) -> pd.DataFrame:
    whole = [
        table.assign(method=method, seed=seed)
        for (method, seed), table in zip(trainings, tables, strict=True)
        if len(table)
    ]
    empty = pd.DataFrame(columns=[*TRAINING, *columns])
    return pd.concat(whole, ignore_index=True)[[*TRAINING, *columns]] if whole else empty
