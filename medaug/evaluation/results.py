"""The whole evaluation of a table of predictions at once, and the folder of tables that it is written to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import pandas as pd

from medaug.errors import SettingsError
from medaug.evaluation.calibration import calibration_metrics
from medaug.evaluation.comparison import (
    assembled_differences,
    difference_rows,
    need_baseline,
)
from medaug.evaluation.estimation import bootstrap_estimates
from medaug.evaluation.groupings import Grouping, find_groupings
from medaug.evaluation.identities import ALL_DOMAINS
from medaug.evaluation.improvement import improvement_over_baseline
from medaug.evaluation.kinds import with_kind
from medaug.evaluation.metrics import GAP, in_words
from medaug.evaluation.metrics_table import (
    PHANTOM_DATA,
    assembled_metrics,
    headline,
    metric_rows,
    source_of,
    tell_table,
    write_table,
)
from medaug.evaluation.posterior import central_estimate, spread_metrics
from medaug.evaluation.predictions import check_predictions, read_predictions, write_predictions
from medaug.evaluation.settings import EvaluationSettings
from medaug.evaluation.shared_images import comparable
from medaug.evaluation.thresholds import threshold_table
from medaug.task import Kind, Task

_TABLES = ("metrics", "comparison", "improvement", "posterior", "thresholds")
_SUMMARY = ["method", "seed", "split", "domain", "n", "metric", "attribute", "value", "ci_low", "ci_high"]


@dataclass(frozen=True, repr=False)
class Results:
    """The tables of an evaluation; shown as their `summary`.

    Parameters
    ----------
    metrics : DataFrame
        Of `medaug.evaluation.metrics_table.compute_metrics`, with the rows of
        `medaug.evaluation.posterior.spread_metrics` where there are any.
    predictions : DataFrame
        What was evaluated.
    comparison, improvement : DataFrame, optional
        The other methods beside a baseline: of `medaug.evaluation.comparison.compare_methods`, with paired
        intervals, and of `medaug.evaluation.improvement.improvement_over_baseline`, over seeds.
    posterior : DataFrame, optional
        Groups beside all others, of `medaug.evaluation.posterior.central_estimate`.
    thresholds : DataFrame, optional
        Those that decided, of `medaug.evaluation.thresholds.threshold_table`.
    kind : {"multilabel", "multiclass"}, optional
        Whether the classes exclude one another.
    baseline : str, optional
        What the other methods are compared with.
    groupings : sequence of Grouping
        The groups of the images, of each attribute by itself.
    notes : sequence of str
        Sentences about images and seeds that were left out, so that all methods are measured on the same.
    """

    metrics: pd.DataFrame
    predictions: pd.DataFrame
    comparison: pd.DataFrame | None = None
    improvement: pd.DataFrame | None = None
    posterior: pd.DataFrame | None = None
    thresholds: pd.DataFrame | None = None
    kind: Kind | None = None
    baseline: str | None = None
    groupings: Sequence[Grouping] = ()
    notes: Sequence[str] = ()

    def summary(self, metric: str | None = None) -> str:
        """Return a metric and its gaps, for each method and split, as a short text.

        Parameters
        ----------
        metric : str, optional
            None: the one that leads, see `medaug.evaluation.metrics_table.headline`.

        Raises
        ------
        SettingsError
            The metric was not measured.
        """
        measured = list(dict.fromkeys(self.metrics["metric"]))
        if metric is not None and metric not in measured:
            raise SettingsError(f"no metric {metric!r} was measured; there are: {', '.join(measured)}")
        metric = metric or headline(self.metrics)
        table = self.metrics[self.metrics["metric"].isin([metric, GAP.of(metric)])]
        table = table[(table["label"] == "") & (table["group"] == "")]
        table = table[~table["attribute"].str.contains(" & ")]
        several = table["split"].isin(table.loc[table["domain"] == ALL_DOMAINS, "split"])
        table = table.loc[~several | (table["domain"] == ALL_DOMAINS), _SUMMARY]
        shown = table.assign(metric=table["metric"].map(in_words)).to_string(
            index=False, na_rep="-", float_format="{:.3f}".format
        )
        return f"{shown}\n({PHANTOM_DATA})" if PHANTOM_DATA in set(self.metrics["source"]) else shown

    def __repr__(self) -> str:
        return self.summary()

    def write(self, folder: Path | str) -> None:
        """Write ``predictions.parquet`` and a CSV file for each table that there is into a folder."""
        folder = Path(folder)
        write_predictions(self.predictions, folder / "predictions.parquet")
        for name in _TABLES:
            table = getattr(self, name)
            if table is not None:
                write_table(table, folder / f"{name}.csv")


def evaluate(
    predictions: pd.DataFrame | Path | str,
    settings: EvaluationSettings | None = None,
    baseline: str | None = None,
    *,
    task: Task | None = None,
    **changes: Any,
) -> Results:
    """Evaluate accuracy and fairness in every way that these predictions allow.

    Parameters
    ----------
    predictions : DataFrame or Path
        One row an image (and method and seed), or the CSV or parquet file of such a table. It needs
        ``score:<class>`` and ``label:<class>``; all else may be left out, see
        `medaug.evaluation.predictions.check_predictions`.
    settings : EvaluationSettings, optional
        What to compute; by default everything.
    baseline : str, optional
        Method that the others are compared with.
    task : Task, optional
        Kind of the task, high-risk classes, groups; by default they follow from table and settings.
    **changes
        Single settings by name, instead of those in `settings`, for example ``replicates=200``.

    Returns
    -------
    Results
        Its ``metrics`` are the tidy table; ``summary()`` is a short text, and ``write(folder)`` leaves all
        tables as CSV files.

    Raises
    ------
    DataError
        The predictions are not usable; `baseline` is not among their methods or is the only one; methods
        share no image or no seed, or the truth about an image differs between them.
    SettingsError
        A setting is unknown, or does not apply to these predictions.

    Examples
    --------
    >>> table = pd.DataFrame({"score:edema": [0.1, 0.4, 0.4, 0.8], "label:edema": [0, 0, 1, 1]})
    >>> evaluate(table, replicates=0)
    method  seed   split  domain  n metric attribute  value  ci_low  ci_high
     model     0 unknown unknown  4    AUC            0.875       -        -
    """
    settings = _with_changes(settings or EvaluationSettings(), changes)
    if isinstance(predictions, pd.DataFrame):
        predictions = check_predictions(predictions)
    else:
        predictions = read_predictions(predictions)
    settings = with_kind(predictions, settings, task)
    notes: list[str] = []
    if baseline is not None:
        need_baseline(predictions, baseline)
        predictions, notes = comparable(predictions)
    metrics, comparison = _measured(predictions, settings, task, baseline)
    posterior = central_estimate(predictions, settings, task)
    if posterior is not None:
        metrics = pd.concat([metrics, spread_metrics(posterior)], ignore_index=True)
    improvement = None
    if baseline is not None and len(metrics):  # empty where calibration alone was asked for
        improvement = improvement_over_baseline(metrics, baseline)
    thresholds = threshold_table(predictions, settings) if settings.kind == "multilabel" else None
    calibration = calibration_metrics(predictions, settings, task)
    return Results(
        metrics=pd.concat([metrics, calibration], ignore_index=True) if len(calibration) else metrics,
        predictions=predictions,
        comparison=comparison,
        improvement=improvement,
        posterior=posterior,
        thresholds=thresholds,
        kind=settings.kind,
        baseline=baseline,
        groupings=find_groupings(predictions, replace(settings, intersections=()), task),
        notes=tuple(notes),
    )


def _measured(
    predictions: pd.DataFrame, settings: EvaluationSettings, task: Task | None, baseline: str | None
) -> tuple[pd.DataFrame, pd.DataFrame | None]:
    """Metrics, and differences to the baseline, from the same estimates."""
    tell_table(predictions, settings, task)
    rows: list[dict[str, Any]] = []
    differences: list[dict[str, Any]] = []
    for cell in bootstrap_estimates(predictions, settings, task):
        rows += metric_rows(cell, settings, source_of(predictions))
        if baseline is not None:
            differences += difference_rows(cell, baseline, settings.confidence)
    metrics = assembled_metrics(rows, settings)
    if baseline is None:
        return metrics, None
    leading = headline(metrics, settings.headline)
    return metrics, assembled_differences(differences, settings, leading)


measure = evaluate
"""The name of `evaluate` in version 0.2.0, for scripts that were written then."""


def _with_changes(settings: EvaluationSettings, changes: dict[str, Any]) -> EvaluationSettings:
    names = [field.name for field in fields(settings)]
    if unknown := [name for name in changes if name not in names]:
        raise SettingsError(f"there is no setting {unknown[0]!r}; there are: {', '.join(names)}")
    return replace(settings, **changes)
