"""What the trainings of a study amount to: the tables of their common evaluation, and its CSV files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import pandas as pd

from medaug.errors import DataError
from medaug.evaluation.metrics_table import headline, read_metrics, write_table
from medaug.evaluation.predictions import read_predictions
from medaug.grid.design import Study
from medaug.report.naming import Called, named
from medaug.report.tidy import read_differences


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
    distances, components : DataFrame
        What each classifier sees in common in sets of images, as `medaug.analysis.looks.Looks` has them;
        empty where the trainings left nothing of the kind.
    """

    labelled: str
    metrics: pd.DataFrame
    differences: pd.DataFrame
    predictions: pd.DataFrame
    distances: pd.DataFrame = field(default_factory=pd.DataFrame)
    components: pd.DataFrame = field(default_factory=pd.DataFrame)

    @property
    def headline(self) -> str:
        """The metric that leads by the kind of task."""
        return headline(self.metrics)

    def called(self, name: Called) -> Compared:
        """Return the same with the names of arms and groups in words."""
        tables: dict[str, Any] = {
            f.name: named(getattr(self, f.name), name) for f in fields(self) if f.name != "labelled"
        }
        return replace(self, **tables)


def gather(study: Study) -> list[Compared]:
    """Read the evaluation of every part of a study.

    Raises
    ------
    DataError
        A part was not evaluated yet.
    """
    return [_read(study, labelled, study.compared(labelled) / "evaluation") for labelled in study.labelled]


def write_results(folder: Path, parts: Sequence[Compared]) -> None:
    """Write ``results.csv``, every number of every training, and ``differences.csv``, with intervals."""
    for name, table_name in (("results", "metrics"), ("differences", "differences")):
        tables = [getattr(part, table_name).assign(labelled=part.labelled) for part in parts]
        table = pd.concat(tables, ignore_index=True).rename(columns={"method": "arm"})
        table.insert(0, "labelled", table.pop("labelled"))
        write_table(table, folder / f"{name}.csv")


def _read(study: Study, labelled: str, folder: Path) -> Compared:
    if not (folder / "metrics.csv").is_file():
        raise DataError(f"{folder} has no metrics.csv: run the study (scripts/study.sh) to its end first")
    differences = folder / "comparison.csv"
    return Compared(
        labelled,
        read_metrics(folder / "metrics.csv"),
        read_differences(differences) if differences.is_file() else pd.DataFrame(),
        read_predictions(folder / "predictions.parquet"),
        *(_of_trainings(study, labelled, name) for name in ("distances", "components")),
    )


def _of_trainings(study: Study, labelled: str, name: str) -> pd.DataFrame:
    """Put a table that each training's own evaluation has left below one another."""
    folders = [study.run(cell) / "evaluation" for cell in study.cells() if cell.labelled == labelled]
    files = [file for folder in folders if (file := folder / f"{name}.csv").is_file()]
    return pd.concat(map(pd.read_csv, files), ignore_index=True) if files else pd.DataFrame()
