"""The stage that measures: predictions in, metrics, comparison and report out."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from medaug.bundle.products import is_made
from medaug.data.skew import Skew
from medaug.data.store import ImageStore
from medaug.engine.distributed import barrier, is_first
from medaug.errors import DataError
from medaug.evaluation.metrics_table import headline, read_metrics
from medaug.evaluation.predictions import read_predictions
from medaug.evaluation.results import evaluate as evaluate_predictions
from medaug.evaluation.settings import EvaluationSettings
from medaug.files import write_aside
from medaug.report.html import write_report
from medaug.report.summary import summary_table
from medaug.report.tensorboard_metrics import write_tensorboard
from medaug.report.tidy import shown_splits

logger = logging.getLogger(__name__)


def predictions_files(folder: Path | str, given: str | Sequence[str] | None) -> list[str]:
    """Return the predictions to evaluate: the user's, or all that the trainings of this run have left.

    Raises
    ------
    DataError
        Nothing was given and nothing is there.
    """
    if given is not None:
        return [given] if isinstance(given, str) else list(given)
    if found := sorted(str(path) for path in Path(folder).glob("*.parquet")):
        return found
    raise DataError(
        f"there are no predictions in {folder}: run train.json first, or name a file with --predictions"
    )


def file_digests(files: Sequence[str]) -> list[str]:
    """Return name (without folder) and SHA-256 of each file; several runs have files of the same name."""
    missing = [file for file in files if not Path(file).is_file()]
    if missing:
        raise DataError(f"there is no file of predictions at {missing[0]}")
    return [f"{Path(file).name} {hashlib.sha256(Path(file).read_bytes()).hexdigest()}" for file in files]


def baseline_method(file: Path | str) -> str | None:
    """Return the method in a file of predictions, for the others to be compared with; None without a file."""
    return str(read_predictions(file)["method"].iloc[0]) if is_made(file) else None


def high_risk_classes(data: Path | str) -> list[str]:
    """Return the classes of a run's data that must not be missed; none where there are no data."""
    return list(ImageStore.open(data).task.high_risk) if is_made(data) else []


def evaluate(
    folder: Path | str,
    predictions: Sequence[Path | str],
    settings: EvaluationSettings,
    *,
    title: str,
    baseline: str | None = None,
    data: Path | str | None = None,
    skew: Mapping[str, Any] | None = None,
    synthetic: Path | str | None = None,
) -> None:
    """Write predictions, results and report into one folder, and print the short table.

    The results are ``metrics.csv``, ``posterior.csv`` (groups beside all others, where every image has one
    right answer) and, with a baseline, ``comparison.csv`` and ``improvement.csv``.

    Parameters
    ----------
    folder : Path
        The evaluation folder.
    predictions : sequence of Path
        Tables in the form of `medaug.evaluation.predictions`; several methods are compared.
    settings : EvaluationSettings
        Metrics, groups, threshold, bootstrap.
    title : str
        Heading of the report.
    baseline : str, optional
        Method that the others are compared with.
    data, synthetic : Path, optional
        Image stores to show in the report; one that does not exist is left out.
    skew : mapping, optional
        How the training images were skewed, see `medaug.data.skew.Skew`.
    """
    folder = Path(folder)
    if is_first():
        if not is_made(folder):
            table = pd.concat([read_predictions(Path(file)) for file in predictions], ignore_index=True)
            with write_aside(folder) as aside:
                aside.mkdir()
                results = evaluate_predictions(table, settings, baseline=baseline)
                results.write(aside)
                write_report(
                    aside / "report.html",
                    results,
                    title=title,
                    store=_open(data),
                    synthetic=_open(synthetic),
                    skew=None if skew is None else Skew(**skew),
                    headline=settings.headline,
                    high_risk=settings.high_risk,
                )
                write_tensorboard(folder.parent / "logs" / "evaluation", results.metrics, table)
        print(_summary(read_metrics(folder / "metrics.csv"), settings))
        logger.info("The report is %s", folder / "report.html")
    barrier()


def _open(path: Path | str | None) -> ImageStore | None:
    return ImageStore.open(path) if path is not None and is_made(path) else None


def _summary(metrics: pd.DataFrame, settings: EvaluationSettings) -> str:
    """Return the short table: the metric that leads, with its gap by the first attribute that there is."""
    attributes = [*(name for name in metrics["attribute"].unique() if name), *(settings.attributes or ())]
    return summary_table(
        metrics,
        metric=settings.headline or headline(metrics),
        attribute=attributes[0] if attributes else "",
        splits=tuple(shown_splits(metrics)),
    )
