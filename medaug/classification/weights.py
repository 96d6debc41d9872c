"""Which real examples count more: the importance weights w1 of Eq. 9, and oversampling (Section E.2)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from medaug.arrays import FloatArray, IntArray
from medaug.data.row_groups import labelled_rows, row_groups
from medaug.data.sampling import Example
from medaug.data.store import ImageStore
from medaug.errors import DataError, SettingsError
from medaug.randomness import numpy_generator


def importance_weights(store: ImageStore, attribute: str, equality_level: float) -> FloatArray:
    """Return the weight w1(y, a) = (p_f(a|y) / p_train(a|y))^l of every row (Eq. 9, Section G.3.5).

    p_train is counted over the labelled rows of the split ``train`` whose group is known; p_f is uniform over
    all groups of the attribute. The class y is the hard label: the most weighted class (multiclass), or all
    conditions together as present, absent or unknown (multilabel), as in `medaug.diffusion.plan.fair_plan`.

    Parameters
    ----------
    store : ImageStore
        The real images.
    attribute : str
        Name of an attribute, or ``"domain"``.
    equality_level : float
        The exponent l: 0 is no weighting, 1 importance weighting, above 1 goes beyond it.

    Returns
    -------
    ndarray of float32, (rows,)
        Positive; 1 for rows of other splits, of unknown label or of unknown group.

    Raises
    ------
    SettingsError
        The level is negative or not finite, or there is no such attribute.

    Notes
    -----
    The weights are those of the paper, not scaled to a mean of 1. With l = 1 their mean is 1 by itself where
    every class occurs in every group; otherwise the missing groups are the synthetic images' share.
    """
    if not (math.isfinite(equality_level) and equality_level >= 0):
        raise SettingsError(f"the equality level must be a number from 0 on, not {equality_level}")
    groups, weights = row_groups(store, attribute).cat, np.ones(len(store), np.float32)
    codes, rows = np.asarray(groups.codes, np.int64), labelled_rows(store)
    rows = rows[codes[rows] >= 0]
    share = _share_given_class(_hard_labels(store, rows), codes[rows])
    weights[rows] = (1 / len(groups.categories) / share) ** equality_level
    return weights


def oversampled_rows(store: ImageStore, attribute: str, seed: int, within_class: bool = False) -> IntArray:
    """Return the rows of the split ``train`` with those of smaller groups repeated until groups are even.

    Parameters
    ----------
    store : ImageStore
        The real images.
    attribute : str
        Name of an attribute, or ``"domain"``.
    seed : int
        Decides which rows of a group come once more where its size does not divide the largest.
    within_class : bool
        Make groups even within each class, the hard label of `importance_weights`, where groups and labels
        are entangled: over all images they may be even already. A group that lacks a class goes on lacking
        it, and classes that occur in more groups come somewhat more often.

    Returns
    -------
    ndarray of int64
        Every row of the split at least once. Each group that has any row (of the class) has as many entries
        as the largest, and within a group the numbers of entries of two rows differ by at most one; rows of
        unknown group (or unknown class) come once.

    Raises
    ------
    SettingsError
        There is no such attribute.
    DataError
        The group of no training image (of known class) is known.
    """
    groups, rows = row_groups(store, attribute), store.rows("train")
    known = labelled_rows(store) if within_class else rows
    known = known[groups.iloc[known].notna().to_numpy()]
    if not len(known):
        raise DataError(f"{store.path} has no training image whose {attribute} is known")
    if not within_class:
        even = _even_groups(known, groups, seed)
    else:
        classes = _hard_labels(store, known)
        parts = [_even_groups(known[classes == c], groups, seed, int(c)) for c in np.unique(classes)]
        even = np.concatenate(parts)
    return np.concatenate([even, np.setdiff1d(rows, known)])


def prepare_weighted_batch(
    batch: Example, device: torch.device | str | None = None, non_blocking: bool = False, **kwargs: Any
) -> tuple[Tensor, tuple[Tensor, Tensor]]:
    """Return the image, and label and weight together; for the ``prepare_batch`` of MONAI's trainer.

    `medaug.classification.losses.weighted` makes the loss that fits. Arguments are those of MONAI's
    ``default_prepare_batch``.
    """
    image, label, weight = (
        batch[key].to(device=device, non_blocking=non_blocking, **kwargs)
        for key in ("image", "label", "weight")
    )
    return image, (label, weight)


def _hard_labels(store: ImageStore, rows: IntArray) -> IntArray:
    """Give every distinct hard label a number."""
    labels = np.nan_to_num(store.task.labels(store.table.iloc[rows]), nan=-1.0)
    if store.task.kind == "multiclass":
        return np.asarray(labels.argmax(axis=1), np.int64)
    states = np.where(labels < 0, -1, labels >= 0.5)
    return np.asarray(np.unique(states, axis=0, return_inverse=True)[1], np.int64).reshape(-1)


def _share_given_class(labels: IntArray, groups: IntArray) -> FloatArray:
    """p_train(a|y) of each row: of the rows of its class, the share that is of its group."""
    pairs = pd.DataFrame({"label": labels, "group": groups, "rows": 1})
    of_both = pairs.groupby(["label", "group"])["rows"].transform("sum")
    return (of_both / pairs.groupby("label")["rows"].transform("sum")).to_numpy(np.float64)


def _even_groups(rows: IntArray, groups: pd.Series[Any], seed: int, *key: int) -> IntArray:
    """Repeat rows until each group that has any has as many as the largest."""
    own = groups.iloc[rows]
    members = {str(name): rows[(own == name).to_numpy()] for name in groups.cat.categories}
    largest = max(map(len, members.values()))
    return np.concatenate(
        [_repeated(some, largest, seed, name, *key) for name, some in members.items() if len(some)]
    )


def _repeated(rows: IntArray, count: int, seed: int, *key: str | int) -> IntArray:
    order = numpy_generator(seed, "oversample", *key).permutation(rows)
    return np.resize(order, count)
