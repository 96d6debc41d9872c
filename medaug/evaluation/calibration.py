"""Whether scores can be read as chances: calibration intercept and slope of each condition and group.

The slope is that of a logistic regression of the truth on the logit of the score, 1 if scores are neither too
extreme (below) nor too timid (above); the intercept that of the same with a slope of 1, 0 if scores are as
high as they should be on average (Van Calster et al., 2019, https://doi.org/10.1186/s12916-019-1466-7).
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import statsmodels.api as sm
from scipy.special import logit
from scipy.stats import norm
from statsmodels.tools.sm_exceptions import PerfectSeparationError, PerfectSeparationWarning

from medaug.arrays import Array
from medaug.evaluation.cells import find_cells
from medaug.evaluation.family import EXPLORATORY
from medaug.evaluation.groupings import find_groupings
from medaug.evaluation.metrics import CALIBRATION
from medaug.evaluation.metrics_table import COUNTS, METRIC_COLUMNS, source_of
from medaug.evaluation.settings import EvaluationSettings
from medaug.evaluation.subsets import Job, find_jobs
from medaug.evaluation.targets import Target, find_targets
from medaug.task import Task

LEAST_SCORE = 1e-6
"""Scores of exactly 0 and 1 have no logit; they are moved inside by this."""

Line = tuple[float, float]  # value and its standard error


def calibration_metrics(
    predictions: pd.DataFrame, settings: EvaluationSettings, task: Task | None = None
) -> pd.DataFrame:
    """Return rows of ``metrics.csv``: ``calibration_intercept`` and ``calibration_slope``.

    Parameters
    ----------
    predictions, settings, task
        As for `medaug.evaluation.metrics_table.compute_metrics`.

    Returns
    -------
    DataFrame
        For each class (one against the rest where they exclude one another), over all images and by group of
        each attribute, with intervals from standard errors that are robust to several images of a patient.
        Not estimable with fewer than `settings.min_group_size` patients with, or without, the condition, if
        all images are of one patient, or if the scores separate both. Without those of the two that
        `settings.metrics` leaves out.
    """
    wanted = [metric for metric in CALIBRATION if not settings.metrics or metric in settings.metrics]
    if not wanted:
        return pd.DataFrame(columns=list(METRIC_COLUMNS))
    of_auc = replace(settings, metrics=["auc"], headline=None)  # which needs what these two need
    targets = [target for target in find_targets(predictions, of_auc, task) if target.label]
    groupings = [g for g in find_groupings(predictions, settings, task) if " & " not in g.attribute]
    patient_of, _ = pd.factorize(predictions["patient_id"])
    about = {"source": source_of(predictions), "family": EXPLORATORY}
    rows = [
        {**about, "split": cell.split, "domain": cell.domain, **row}
        for cell in find_cells(predictions, settings.splits)
        for job in find_jobs(predictions, cell, targets, groupings, settings)
        for row in _rows(job, patient_of, settings)
        if row["metric"] in wanted
    ]
    table = pd.DataFrame(rows, columns=list(METRIC_COLUMNS))
    return table.astype(COUNTS)


def calibration_line(y_true: Array, y_score: Array, patient_of: Array) -> tuple[Line, Line]:
    """Return calibration intercept and slope, each with its standard error; NaN where it does not exist.

    Parameters
    ----------
    y_true : bool array, shape (n,)
        The truth, of both kinds.
    y_score : float array, shape (n,)
        Probabilities.
    patient_of : int array, shape (n,)
        Patient of each; errors are robust to likeness within patients.
    """
    lines = logit(np.clip(y_score, LEAST_SCORE, 1 - LEAST_SCORE))
    ones = np.ones((len(lines), 1))
    intercept = _fit(y_true, ones, patient_of, offset=lines)
    slope = _fit(y_true, np.column_stack([ones, lines]), patient_of)
    return intercept, slope


def _fit(y_true: Array, design: Array, patient_of: Array, offset: Array | None = None) -> Line:
    """Last coefficient of a logistic regression, and its error."""
    model = sm.GLM(y_true.astype(float), design, family=sm.families.Binomial(), offset=offset)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", PerfectSeparationWarning)
        try:
            found = model.fit(cov_type="cluster", cov_kwds={"groups": patient_of})
        except (PerfectSeparationError, PerfectSeparationWarning, np.linalg.LinAlgError):
            return np.nan, np.nan
    return float(found.params[-1]), float(found.bse[-1])


def _rows(job: Job, patient_of: Array, settings: EvaluationSettings) -> Iterator[dict[str, Any]]:
    """Yield intercept and slope of the rows of a job, or why there are none."""
    keys = _counted(job)
    reason = job.target.obstacle("auc", job.rows, patient_of, settings.min_group_size)
    if job.one_patient:
        reason = reason or "all images are of one patient"
    lines = ((np.nan, np.nan),) * 2
    if not reason:
        truth, scores = _positive(job.target)[job.rows], job.target.y_score[job.rows]
        lines = calibration_line(truth, scores, patient_of[job.rows])
    reach = float(norm.ppf((1 + settings.confidence) / 2))
    for metric, (value, error) in zip(CALIBRATION, lines, strict=True):
        known = bool(np.isfinite(value) and np.isfinite(error))
        low, high = value - reach * error, value + reach * error
        yield {
            **keys,
            "metric": metric,
            **({"value": value, "ci_low": low, "ci_high": high} if known else {}),
            "estimable": known,
            "reason": reason or ("" if known else "the scores separate both, or are all the same"),
        }


def _counted(job: Job) -> dict[str, Any]:
    """Return what the rows of a job are of, and how many images and patients."""
    return {
        "method": job.subset.method,
        "seed": job.subset.seed,
        "label": job.target.label,
        "attribute": job.subset.attribute,
        "group": job.subset.group,
        "n": len(job.rows),
        "n_positive": int(_positive(job.target)[job.rows].sum()),
        "patients": job.patients[0],
        "patients_positive": job.patients[1],
    }


def _positive(target: Target) -> Array:
    assert target.positive is not None  # targets of one class have a truth of two kinds
    return target.positive
