"""What the trainings of a study amount to: the tables of their common evaluation, and its CSV files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from medaug.errors import DataError
from medaug.evaluation.metrics_table import TEXT_COLUMNS, headline, read_metrics, write_table
from medaug.evaluation.predictions import read_predictions
from medaug.grid.design import Study


@dataclass(frozen=True)
class Compared:
    """All arms and seeds with the same labels, evaluated together.

    Parameters
    ----------
    labelled : str
        Who keeps labelled images: a name in `Study.labelled`.
    metrics : DataFrame
        One row for each arm (``method``), seed, place, metric, label and group, as in ``metrics.csv``.
    differences : DataFrame
        Each arm minus the reference over all trainings, as `medaug.evaluation.comparison.compare_methods`
        returns it; empty with one arm.
    predictions : DataFrame
        What was evaluated.
    """

    labelled: str
    metrics: pd.DataFrame
    differences: pd.DataFrame
    predictions: pd.DataFrame

    @property
    def headline(self) -> str:
        """The metric that leads by the kind of task."""
        return headline(self.metrics)


def gather(study: Study) -> list[Compared]:
    """Read the evaluation of every part of a study.

    Raises
    ------
    DataError
        A part was not evaluated yet.
    """
    return [_read(labelled, study.compared(labelled) / "evaluation") for labelled in study.labelled]


def write_results(folder: Path, parts: Sequence[Compared]) -> None:
    """Write ``results.csv``, every number of every training, and ``differences.csv``, with intervals."""
    for name, field in (("results", "metrics"), ("differences", "differences")):
        tables = [getattr(part, field).assign(labelled=part.labelled) for part in parts]
        table = pd.concat(tables, ignore_index=True).rename(columns={"method": "arm"})
        table.insert(0, "labelled", table.pop("labelled"))
        write_table(table, folder / f"{name}.csv")


def _read(labelled: str, folder: Path) -> Compared:
    if not (folder / "metrics.csv").is_file():
        raise DataError(f"{folder} has no metrics.csv: run the study (scripts/study.sh) to its end first")
    differences = pd.DataFrame()
    if (folder / "comparison.csv").is_file():
        differences = pd.read_csv(folder / "comparison.csv", dtype=dict.fromkeys(TEXT_COLUMNS, "str"))
        text = [name for name in (*TEXT_COLUMNS, "baseline", "verdict", "about") if name in differences]
        differences[text] = differences[text].fillna("")
    return Compared(
        labelled,
        read_metrics(folder / "metrics.csv"),
        differences,
        read_predictions(folder / "predictions.parquet"),
    )
