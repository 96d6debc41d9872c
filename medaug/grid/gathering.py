"""What the trainings of a study amount to: the tables of their common evaluation, and its CSV files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import pandas as pd

from medaug.errors import DataError
from medaug.evaluation.metrics_table import read_metrics, write_table
from medaug.evaluation.predictions import read_predictions
from medaug.grid.design import Study
from medaug.report.naming import Called, named
from medaug.report.tidy import read_differences

LOOKS = ("distances", "components")
RESULTS = {"results": "metrics", "differences": "differences"} | {name: name for name in LOOKS}
"""The CSV files of a study, and which table of `Compared` each has."""


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
        What each classifier sees in common in sets of images, as `medaug.grid.study_looks.write_looks`
        writes them; empty where nobody has looked.
    """

    labelled: str
    metrics: pd.DataFrame
    differences: pd.DataFrame
    predictions: pd.DataFrame
    distances: pd.DataFrame = field(default_factory=pd.DataFrame)
    components: pd.DataFrame = field(default_factory=pd.DataFrame)

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
    """Write ``results.csv`` (every number of every training), ``differences.csv`` and the `LOOKS`."""
    for name, table_name in RESULTS.items():
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
        *(_looks(study, labelled, name) for name in LOOKS),
    )


def _looks(study: Study, labelled: str, name: str) -> pd.DataFrame:
    """Put what the classifiers of each seed see below one another."""
    files = [study.looks(labelled, seed) / f"{name}.csv" for seed in study.seeds]
    tables = [pd.read_csv(file) for file in files if file.is_file()]
    seen = [table for table in tables if len(table)]
    return pd.concat(seen, ignore_index=True) if seen else pd.DataFrame()
