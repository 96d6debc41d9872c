"""All that an evaluation finds, and the folder of tables that it is written to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from medaug.evaluation.compare import compare
from medaug.evaluation.evaluate import evaluate, write_table
from medaug.evaluation.improvement import improvement
from medaug.evaluation.kinds import with_kind
from medaug.evaluation.posterior import central_estimate, spread_metrics
from medaug.evaluation.predictions import check_predictions, write_predictions
from medaug.evaluation.settings import EvaluationSettings
from medaug.task import Kind


@dataclass(frozen=True)
class Results:
    """The tables of an evaluation.

    Parameters
    ----------
    metrics : DataFrame
        Of `medaug.evaluation.evaluate.evaluate`, with the rows of `spread_metrics` where there are any.
    predictions : DataFrame
        What was measured.
    comparison, improvement : DataFrame, optional
        Of `medaug.evaluation.compare.compare` and `medaug.evaluation.improvement.improvement`: the other
        methods beside a baseline.
    posterior : DataFrame, optional
        Of `medaug.evaluation.posterior.central_estimate`: groups beside all others.
    kind : {"multilabel", "multiclass"}, optional
        Whether the classes exclude one another.
    """

    metrics: pd.DataFrame
    predictions: pd.DataFrame
    comparison: pd.DataFrame | None = None
    improvement: pd.DataFrame | None = None
    posterior: pd.DataFrame | None = None
    kind: Kind | None = None


def measure(
    predictions: pd.DataFrame, settings: EvaluationSettings | None = None, baseline: str | None = None
) -> Results:
    """Measure accuracy and fairness in every way that these predictions allow.

    Parameters
    ----------
    predictions, settings
        As for `medaug.evaluation.evaluate.evaluate`.
    baseline : str, optional
        Method that the others are compared with.

    Raises
    ------
    DataError
        The predictions are not usable, or `baseline` is not among their methods or is the only one.
    SettingsError
        A setting does not apply to these predictions.

    Examples
    --------
    >>> table = pd.DataFrame({"score:edema": [0.1, 0.4, 0.6, 0.8], "label:edema": [0, 0, 1, 1]})
    >>> measure(table, EvaluationSettings(metrics=["auc"], replicates=0)).comparison is None
    True
    """
    settings = with_kind(check_predictions(predictions), settings or EvaluationSettings())
    metrics = evaluate(predictions, settings)
    posterior = central_estimate(predictions, settings)
    if posterior is not None:
        metrics = pd.concat([metrics, spread_metrics(posterior)], ignore_index=True)
    if baseline is None:
        return Results(metrics, predictions, posterior=posterior, kind=settings.kind)
    comparison, improved = compare(predictions, baseline, settings), improvement(metrics, baseline)
    return Results(metrics, predictions, comparison, improved, posterior, settings.kind)


def write_results(results: Results, folder: Path | str) -> None:
    """Write ``predictions.parquet`` and a CSV file for each table that there is into a folder."""
    write_predictions(results.predictions, Path(folder) / "predictions.parquet")
    for name in ("metrics", "comparison", "improvement", "posterior"):
        table = getattr(results, name)
        if table is not None:
            write_table(table, Path(folder) / f"{name}.csv")
