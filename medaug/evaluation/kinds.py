"""Whether the classes of predictions exclude one another: said and checked, or guessed and told."""

from __future__ import annotations

import logging
from dataclasses import replace

import numpy as np
import pandas as pd

from medaug.errors import DataError, SettingsError
from medaug.evaluation.predictions import class_names, detect_kind, sum_to_one
from medaug.evaluation.settings import EvaluationSettings
from medaug.task import Kind, Task, label_column

logger = logging.getLogger(__name__)


def kind_of(predictions: pd.DataFrame, settings: EvaluationSettings, task: Task | None = None) -> Kind:
    """Return whether classes exclude one another: what the settings say, else the task, else the table."""
    return _said(settings, task) or detect_kind(predictions)


def with_kind(
    predictions: pd.DataFrame, settings: EvaluationSettings, task: Task | None = None
) -> EvaluationSettings:
    """Return settings that say the kind: theirs, that of the task, or a guess, which is logged.

    Raises
    ------
    DataError
        Classes are said to exclude one another, and known labels of an image do not sum to one.
    SettingsError
        They are said to, and there is one only.

    Examples
    --------
    >>> row = {"score:a": 0.2, "score:b": 0.8, "label:a": 0, "label:b": 1}
    >>> with_kind(pd.DataFrame([row]), EvaluationSettings(kind="multilabel")).kind
    'multilabel'
    """
    if (said := _said(settings, task)) is not None:
        if said == "multiclass":
            _check_exclusive(predictions)
        return replace(settings, kind=said)
    kind, classes = detect_kind(predictions), class_names(predictions)
    if len(classes) > 1:
        why = (
            "the scores of every image sum to one, and so do its labels"
            if kind == "multiclass"
            else "the scores or the labels of some images do not sum to one"
        )
        logger.info("The %d classes are taken as %s, because %s; set kind if not", len(classes), kind, why)
    return replace(settings, kind=kind)


def _said(settings: EvaluationSettings, task: Task | None) -> Kind | None:
    return settings.kind or (task.kind if task else None)


def _check_exclusive(predictions: pd.DataFrame) -> None:
    classes = class_names(predictions)
    if len(classes) == 1:
        raise SettingsError(
            "kind is 'multiclass', but the predictions have one class; set it to 'multilabel'"
        )
    labels = predictions[[label_column(name) for name in classes]].to_numpy(float)
    known = labels[~np.isnan(labels).any(axis=1)]
    if not sum_to_one(known):
        raise DataError(
            "kind is 'multiclass', but the labels of some images do not sum to one over the classes; mend "
            "them, or set kind to 'multilabel'"
        )
