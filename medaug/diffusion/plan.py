"""Which images to ask a generator for: the fair sampling of Section 3.1, step 2.

The label distribution of the labelled training images is kept, so that disease prevalence and co-occurrence
stay; the properties are uniform over their groups, whatever the label. All counts are exact, none is left to
chance.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import lcm

import numpy as np
import pandas as pd

from medaug.arrays import Array, IntArray
from medaug.data.store import ImageStore
from medaug.data.table import SYNTHETIC_DOMAIN
from medaug.diffusion.condition import ConditionEncoder
from medaug.errors import DataError, SettingsError
from medaug.randomness import numpy_generator
from medaug.task import Attribute, Task, attribute_column, label_column


def fair_plan(
    store: ImageStore | None,
    encoder: ConditionEncoder,
    images: int,
    seed: int,
    exclude: Sequence[str] = (),
) -> pd.DataFrame:
    """Plan a synthetic set, one row an image.

    Parameters
    ----------
    store : ImageStore or None
        The real images; the rows of its split ``train`` give the label distribution. Without any, each class
        by itself is as frequent as every other, and, where classes are present or absent, as none of them.
    encoder : ConditionEncoder
        The one of the generator; gives the task and the properties.
    images : int
        Number of images to plan.
    seed : int
        Decides the order of the rows and which label gets which group first; no count depends on it but
        by one.
    exclude : sequence of str
        Dominant classes that are not generated (the filter w2 of Section G.3.5): rows whose class of largest
        weight is one of them (multiclass), or in which one of them is present (multilabel).

    Returns
    -------
    DataFrame
        A table for a store: ``image_id``, ``domain`` (the hospital asked for, or ``synthetic``), ``split``
        ``train``, ``synthetic`` true, the labels, and the attributes: a value of the group asked for, or
        missing where the generator is not conditioned on it.

    Raises
    ------
    SettingsError
        An excluded class is unknown, or `images` is not positive.
    DataError
        No labelled training row is left, or the images have other classes than the generator.

    Notes
    -----
    Each distinct label vector gets its share of the images by largest remainder. Over the whole plan the
    sizes of any two groups of a property, and of any two combinations of groups, differ by at most one.
    Within a label vector they differ by at most one for the first property, by at most two for others.
    """
    if images < 1:
        raise SettingsError(f"a plan needs at least one image, not {images}")
    labels = _even_labels(encoder.task) if store is None else _training_labels(store, encoder.task)
    vectors, counts = np.unique(_kept(labels, encoder.task, exclude), axis=0, return_counts=True)
    random = numpy_generator(seed, "plan")
    order = random.permutation(len(vectors))
    labels = np.repeat(vectors[order], largest_remainder(counts[order], images), axis=0)
    labels = np.where(labels < 0, np.float32(np.nan), labels)
    shuffled = random.permutation(images)
    table = pd.DataFrame(labels[shuffled], columns=encoder.task.label_columns)
    groups = uniform_groups([len(a.group_names) for a in encoder.attributes], images)[shuffled]
    return _with_values(table, encoder, groups)


def largest_remainder(weights: IntArray, total: int) -> IntArray:
    """Share out `total` in proportion to `weights` in whole numbers, exactly.

    Every share is the exact one rounded down or up; the largest remainders are rounded up, and of equal ones
    the earlier.

    Examples
    --------
    >>> largest_remainder(np.array([5, 3, 2]), 7).tolist()
    [4, 2, 1]
    """
    whole = int(weights.sum())
    shares = weights.astype(np.int64) * total // whole
    remainders = weights.astype(np.int64) * total % whole
    largest = np.argsort(-remainders, kind="stable")[: total - int(shares.sum())]
    shares[largest] += 1
    return shares


def uniform_groups(sizes: Sequence[int], count: int) -> IntArray:
    """Return `count` combinations of groups in which every combination comes round equally often.

    Parameters
    ----------
    sizes : sequence of int
        Number of groups of each property.
    count : int
        Number of combinations.

    Returns
    -------
    ndarray of int64, (count, len(sizes))
        Number of the group of each property. Each property by itself goes round its groups too, so that any
        stretch of rows is balanced.

    Examples
    --------
    >>> uniform_groups([2, 2], 4).tolist()
    [[0, 0], [1, 1], [0, 1], [1, 0]]
    """
    columns, period = [], 1
    for size in sizes:
        place = np.arange(count) % (period * size)
        # After each common period the property is shifted by one, else it would repeat the same pairs.
        columns.append((place + place // lcm(period, size)) % size)
        period *= size
    return np.stack(columns, axis=1) if columns else np.empty((count, 0), np.int64)


def _training_labels(store: ImageStore, task: Task) -> Array:
    """Labels of the rows whose distribution is kept; unknown is -1, which can be compared."""
    if missing := [name for name in task.classes if label_column(name) not in store.table]:
        raise DataError(
            f"the images in {store.path} have no labels for {', '.join(missing)}, which the generator draws: "
            "prepare them for the generator's classes, or train a generator on theirs"
        )
    known: Array = np.nan_to_num(task.labels(store.table.iloc[store.rows("train")]), nan=-1.0)
    return known[(known >= 0).any(axis=1)]


def _even_labels(task: Task) -> Array:
    """Each class by itself, once, and none of them where that is possible."""
    alone = np.eye(len(task.classes), dtype=np.float32)
    none = np.zeros((1 if task.kind == "multilabel" else 0, len(task.classes)), np.float32)
    return np.concatenate([none, alone])


def _kept(labels: Array, task: Task, exclude: Sequence[str]) -> Array:
    """Leave out the rows of excluded classes."""
    kept: Array = labels[~task.dominated_by(exclude, labels)]
    if not len(kept):
        raise DataError("there is no labelled training image to take labels from")
    return kept


def _with_values(table: pd.DataFrame, encoder: ConditionEncoder, groups: IntArray) -> pd.DataFrame:
    """Complete the table: identity, domain, and a value of the group asked for in each attribute."""
    asked = {a.name: _values(a, codes) for a, codes in zip(encoder.attributes, groups.T, strict=True)}
    table["image_id"] = [f"synthetic-{row:07d}" for row in range(len(table))]
    table["domain"] = asked.pop("domain", SYNTHETIC_DOMAIN)
    table["split"] = "train"
    table["synthetic"] = True
    for attribute in encoder.task.attributes:
        table[attribute_column(attribute.name)] = asked.get(
            attribute.name, np.nan if attribute.bins else None
        )
    return table


def _values(attribute: Attribute, codes: IntArray) -> Array:
    values = [attribute.representative(group) for group in attribute.group_names]
    return np.array(values, dtype=float if attribute.bins else object)[codes]
