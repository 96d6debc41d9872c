"""From scores to decisions: a fixed threshold, one chosen on ``id_val``, or the decisions of the user."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from medaug.arrays import Array
from medaug.errors import DataError
from medaug.evaluation.predictions import decision_column, score_column
from medaug.task import label_column


def youden_threshold(y_true: npt.ArrayLike, y_score: npt.ArrayLike) -> float:
    """Return the score that, as a threshold, has the largest sensitivity + specificity - 1 (Youden's J).

    The highest of several equally good ones; NaN where there is one class only.

    Examples
    --------
    >>> youden_threshold([0, 0, 1, 1], [0.1, 0.2, 0.3, 0.9])
    0.3
    """
    labels, scores = np.asarray(y_true, bool), np.asarray(y_score, float)
    if labels.all() or not labels.any():
        return float("nan")
    candidates = np.unique(scores)[::-1]
    sensitivity = _share_at_or_above(scores[labels], candidates)
    false_alarms = _share_at_or_above(scores[~labels], candidates)
    return float(candidates[np.argmax(sensitivity - false_alarms)])


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
    thresholds = _chosen(predictions, name) if threshold == "id_val" else float(threshold)
    scores = predictions[score_column(name)].to_numpy(float)
    return np.where(np.isnan(thresholds), np.nan, scores >= thresholds)


def _chosen(predictions: pd.DataFrame, name: str) -> Array:
    """Threshold of each row, chosen on the rows of its method and seed in ``id_val``."""
    if not (predictions["split"] == "id_val").any():
        raise DataError(
            "threshold 'id_val' needs predictions of the split id_val; without them give a number"
        )
    thresholds = np.full(len(predictions), np.nan)
    usable = (predictions["split"] == "id_val") & predictions[label_column(name)].notna()
    for rows in predictions.groupby(["method", "seed"]).indices.values():
        chosen = predictions.iloc[rows[usable.to_numpy()[rows]]]
        thresholds[rows] = youden_threshold(chosen[label_column(name)], chosen[score_column(name)])
    return thresholds


def _share_at_or_above(scores: Array, thresholds: Array) -> Array:
    return 1 - np.searchsorted(np.sort(scores), thresholds, "left") / len(scores)
