"""Whether a classifier sees in a synthetic image what was asked for, and how many images it rejects."""

from __future__ import annotations

import numpy as np
import pandas as pd

from medaug.arrays import BoolArray
from medaug.evaluation.predictions import score_column
from medaug.evaluation.thresholds import decide
from medaug.task import ATTRIBUTE_PREFIX, Task, label_column


def agreed(predictions: pd.DataFrame, task: Task) -> BoolArray:
    """Say of each image whether the classifier agrees with its label, the condition that was asked for.

    Parameters
    ----------
    predictions : DataFrame
        Of one classifier, for the images in question and for those of the split ``id_val``, on which the
        threshold of each condition is chosen (`medaug.evaluation.thresholds.youden_threshold`).
    task : Task
        What is predicted.

    Returns
    -------
    ndarray of bool, (rows,)
        Multi-label: every known condition is on its side of its threshold. A condition without a threshold,
        because ``id_val`` does not show it both present and absent, rejects nothing. Multi-class: the class
        of the largest score is the most weighted one. An image of unknown label is agreed with.
    """
    if task.kind == "multilabel":
        sides = [_on_its_side(predictions, name) for name in task.classes]
        return np.asarray(np.stack(sides).all(axis=0), bool)
    labels = task.labels(predictions)
    scores = predictions[[score_column(name) for name in task.classes]].to_numpy()
    unknown = np.isnan(labels).all(axis=1)
    same = np.nan_to_num(labels, nan=-1.0).argmax(axis=1) == scores.argmax(axis=1)
    return np.asarray(unknown | same, bool)


def rejected_table(asked: pd.DataFrame, agreed: BoolArray, task: Task) -> pd.DataFrame:
    """Count the images that were rejected: of all, of each class, of each group that was asked for.

    Parameters
    ----------
    asked : DataFrame
        The images, with what was asked for: ``domain``, ``label:<class>``, ``attr:<name>``.
    agreed : array of bool, (rows,)
        Which of them are not rejected.
    task : Task
        Classes, and attributes with their groups.

    Returns
    -------
    DataFrame
        ``by`` (``all``, ``class``, ``domain`` or an attribute), ``name`` of the class or group, ``images``,
        ``rejected``, ``share`` (of those images). An image counts for its most weighted class (multi-class),
        or for each of its conditions (multi-label). What no image was asked for is left out.
    """
    rejected = pd.Series(~agreed, index=asked.index)
    members = {("all", "all"): np.ones(len(asked), bool)}
    members |= {("class", name): own for name, own in _of_classes(asked, task).items()}
    for attribute in task.attributes:
        groups = attribute.group_of(asked[f"{ATTRIBUTE_PREFIX}{attribute.name}"])
        members |= {(attribute.name, str(name)): groups == name for name in groups.cat.categories}
    members |= {("domain", str(name)): asked["domain"] == name for name in sorted(asked["domain"].unique())}
    rows = [
        (*key, int(own.sum()), int(rejected[own].sum()), float(rejected[own].mean()))
        for key, own in members.items()
        if own.any()
    ]
    return pd.DataFrame(rows, columns=["by", "name", "images", "rejected", "share"])


def _on_its_side(predictions: pd.DataFrame, name: str) -> BoolArray:
    label, decided = predictions[label_column(name)].to_numpy(float), decide(predictions, name, "id_val")
    return np.asarray(np.isnan(label) | np.isnan(decided) | (decided == (label >= 0.5)), bool)


def _of_classes(asked: pd.DataFrame, task: Task) -> dict[str, BoolArray]:
    labels = np.nan_to_num(task.labels(asked), nan=0.0)
    if task.kind == "multilabel":
        return dict(zip(task.classes, (labels >= 0.5).T, strict=True))
    known, first = labels.any(axis=1), labels.argmax(axis=1)
    return {name: known & (first == place) for place, name in enumerate(task.classes)}
