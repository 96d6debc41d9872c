"""From scores to decisions: a fixed threshold, one chosen on ``id_val``, or the decisions of the user."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from medaug.arrays import Array
from medaug.errors import DataError
from medaug.evaluation.binary import example_weights, ratio
from medaug.evaluation.bootstrap import weight_blocks
from medaug.evaluation.cells import find_cells, numbered_patients, rows_by_method
from medaug.evaluation.intervals import percentile_bounds
from medaug.evaluation.predictions import class_names, decision_column, score_column
from medaug.evaluation.settings import EvaluationSettings
from medaug.randomness import numpy_generator
from medaug.task import label_column

VALIDATION = "id_val"

THRESHOLD_COLUMNS = (
    *("method", "seed", "label", "threshold", "ci_low", "ci_high", "chosen_on", "n", "n_positive"),
)

_Run = tuple[str, int, str]  # method, seed, class


def youden_threshold(
    y_true: npt.ArrayLike, y_score: npt.ArrayLike, *, weights: npt.ArrayLike | None = None
) -> Any:
    """Return the score that, as a threshold, has the largest sensitivity + specificity - 1 (Youden's J).

    The highest of several equally good ones; NaN where there is one class only, or no example. Weights of
    shape (n, R) give R thresholds.

    Examples
    --------
    >>> youden_threshold([0, 0, 1, 1], [0.1, 0.2, 0.3, 0.9])
    0.3
    """
    labels, scores = np.asarray(y_true, bool), np.asarray(y_score, float)
    weight = example_weights(weights, len(labels))
    columns = weight if weight.ndim == 2 else weight[:, None]
    if not len(labels):
        return np.full(columns.shape[1], np.nan) if weight.ndim == 2 else np.nan
    falling = np.argsort(-scores, kind="stable")
    last = np.flatnonzero(np.diff(scores[falling], append=-np.inf))  # of each run of equal scores
    found, alarms = (
        _share_at_or_above(columns[falling], labels[falling] == truth, last) for truth in (True, False)
    )
    index = found - alarms
    there = np.diff(np.cumsum(columns[falling], axis=0)[last], axis=0, prepend=0) > 0
    best = np.where(there, np.nan_to_num(index), -np.inf).argmax(axis=0)
    chosen = np.where(np.isnan(index[0]), np.nan, scores[falling][last[best]])
    return chosen if weight.ndim == 2 else float(chosen[0])


def decide(predictions: pd.DataFrame, name: str, threshold: float | str) -> Array:
    """Return the decisions for a class, 0.0 or 1.0, shape (rows,); NaN where no threshold could be chosen.

    A column ``decision:<class>`` wins. Otherwise a score at or above the threshold is positive; ``"id_val"``
    chooses the threshold for each method and seed with `youden_threshold` on the split ``id_val``.

    Raises
    ------
    DataError
        ``"id_val"`` is asked for and the table has no such split.
    """
    if decision_column(name) in predictions:
        return predictions[decision_column(name)].to_numpy(float)
    thresholds = _chosen(predictions, name) if threshold == VALIDATION else float(threshold)
    scores = predictions[score_column(name)].to_numpy(float)
    return np.where(np.isnan(thresholds), np.nan, scores >= thresholds)


def chosen_thresholds(
    predictions: pd.DataFrame, settings: EvaluationSettings
) -> dict[tuple[str, int, str], Array]:
    """Choose each threshold on ``id_val``, and again on replicates of its patients.

    Returns
    -------
    dict
        By method, seed and class: the threshold, then one for each replicate, shape (1 + replicates,); NaN
        where one of both truths is missing. Empty where no threshold is chosen. The draws are those of
        `medaug.evaluation.estimation.bootstrap_estimates` for ``id_val`` itself.
    """
    names = [n for n in class_names(predictions) if decision_column(n) not in predictions]
    if settings.threshold != VALIDATION or not (predictions["split"] == VALIDATION).any():
        return {}
    cell = find_cells(predictions, [VALIDATION])[-1]
    patients, patient_of = numbered_patients(predictions, cell.rows)
    generator = numpy_generator(settings.seed, "bootstrap", cell.split, cell.domain)
    blocks = weight_blocks(patients, settings.replicates, len(cell.rows), generator)
    runs = rows_by_method(predictions, cell.rows)
    found: dict[_Run, list[Array]] = {(*run, name): [] for run in runs for name in names}
    for weights in blocks:
        for run, rows in runs.items():
            for name in names:
                found[*run, name].append(_chosen_on(predictions, name, rows, weights, patient_of))
    return {key: np.concatenate(parts) for key, parts in found.items()}


def threshold_table(predictions: pd.DataFrame, settings: EvaluationSettings) -> pd.DataFrame:
    """Return the thresholds that were used (``thresholds.csv``), for conditions that are present or absent.

    Returns
    -------
    DataFrame
        Columns `THRESHOLD_COLUMNS`, one row a method, seed and class: the threshold, the interval of a chosen
        one over the patients of ``id_val``, what it was ``chosen_on`` ("id_val", "setting", or "decision" for
        decisions of the user, which have none), images and positives it was chosen on.
    """
    chosen, rows = chosen_thresholds(predictions, settings), []
    for method, seed in predictions[["method", "seed"]].drop_duplicates().itertuples(index=False):
        for name in class_names(predictions):
            row = {"method": method, "seed": seed, "label": name}
            rows.append(row | _threshold_fields(predictions, settings, chosen.get((method, seed, name)), row))
    table = pd.DataFrame(rows, columns=list(THRESHOLD_COLUMNS))
    return table.astype({"n": "Int64", "n_positive": "Int64"})


def _threshold_fields(
    predictions: pd.DataFrame, settings: EvaluationSettings, chosen: Array | None, row: dict[str, Any]
) -> dict[str, Any]:
    if decision_column(row["label"]) in predictions:
        return {"threshold": np.nan, "chosen_on": "decision"}
    if settings.threshold != VALIDATION:
        return {"threshold": float(settings.threshold), "chosen_on": "setting"}
    of_run = (predictions["method"] == row["method"]) & (predictions["seed"] == row["seed"])
    labels = predictions.loc[
        of_run & (predictions["split"] == VALIDATION), label_column(row["label"])
    ].dropna()
    counts = {"chosen_on": VALIDATION, "n": len(labels), "n_positive": int(labels.sum())}
    if chosen is None:
        return counts
    low, high = percentile_bounds(chosen[1:], settings.confidence)
    return counts | {"threshold": float(chosen[0]), "ci_low": low, "ci_high": high}


def _chosen_on(predictions: pd.DataFrame, name: str, rows: Array, weights: Array, patient_of: Array) -> Array:
    """Thresholds of a class on the rows of a run in ``id_val``, one a column of weights."""
    label = predictions[label_column(name)].to_numpy(float)[rows]
    there = ~np.isnan(label)
    known = rows[there]
    scores = predictions[score_column(name)].to_numpy(float)[known]
    thresholds: Array = youden_threshold(label[there], scores, weights=weights[patient_of[known]])
    return thresholds


def _chosen(predictions: pd.DataFrame, name: str) -> Array:
    """Threshold of each row, chosen on the rows of its method and seed in ``id_val``."""
    in_validation = predictions["split"] == VALIDATION
    if not in_validation.any():
        raise DataError(
            "threshold 'id_val' needs predictions of the split id_val; without them give a number"
        )
    thresholds = np.full(len(predictions), np.nan)
    usable = (in_validation & predictions[label_column(name)].notna()).to_numpy()
    for rows in predictions.groupby(["method", "seed"]).indices.values():
        chosen = predictions.iloc[rows[usable[rows]]]
        thresholds[rows] = youden_threshold(chosen[label_column(name)], chosen[score_column(name)])
    return thresholds


def _share_at_or_above(weight: Array, chosen: Array, last: Array) -> Array:
    """Return the share of the chosen examples up to each of `last`, by falling score."""
    counted = np.cumsum(weight * chosen[:, None], axis=0)
    return ratio(counted[last], np.broadcast_to(counted[-1], (len(last), weight.shape[1])))
