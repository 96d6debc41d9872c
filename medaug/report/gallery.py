"""Synthetic images by condition, real ones of that condition, and the real ones nearest (Figure 9)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from medaug.arrays import Array
from medaug.data.store import ImageStore
from medaug.randomness import numpy_generator
from medaug.report.image_figures import real_picture, synthetic_picture
from medaug.report.neighbours import nearest_neighbours
from medaug.task import Task

LEARNT_FROM = ("train", "unlabelled")
A_CONDITION = 4
REFERENCE_IMAGES = 24
CERTAIN = 0.9
"""Label from which on an image shows a condition for certain: t of Figure 9."""


@dataclass(frozen=True)
class Pair:
    """A synthetic image, what it was asked to show, and its nearest real image, if there is one to show."""

    synthetic: str
    asked: str
    real: str = ""
    shows: str = ""
    distance: float = float("nan")


@dataclass(frozen=True)
class Certain:
    """Some of the `images` labelled training images that show a condition for certain (Figure 9, middle)."""

    pictures: Sequence[str]
    images: int


@dataclass(frozen=True)
class Shown:
    """What is shown of a condition; ``certain`` is None without real images of it."""

    condition: str
    pairs: Sequence[Pair]
    certain: Certain | None = None


@dataclass(frozen=True)
class Gallery:
    """Pictures by condition.

    ``searched`` counts the real images among which neighbours were looked for, ``reference`` is the median
    distance of real test images to them.
    """

    rows: Sequence[Shown]
    reference: float = float("nan")
    note: str = ""
    searched: int = 0

    @property
    def shows_real(self) -> bool:
        """Whether there are real images among the pictures."""
        certain = any(row.certain and row.certain.pictures for row in self.rows)
        return certain or any(pair.real for row in self.rows for pair in row.pairs)


def gallery(synthetic: ImageStore, store: ImageStore | None, seed: int = 0) -> Gallery:
    """Choose synthetic images of each condition, and find real ones of it and those that are nearest.

    The images are spread evenly over the store, so that none was picked for its looks. Distances are those
    of `nearest_neighbours` at the largest size that both stores have, to all images that the generator learnt
    from, labelled or not.

    Parameters
    ----------
    synthetic : ImageStore
        Generated images.
    store : ImageStore or None
        Real images, as the generator learnt from them; None shows no real image.
    seed : int
        Of the drawing of real images of a condition.
    """
    chosen = _choose(synthetic)
    rows = np.array([row for _, some in chosen for row in some], np.int64)
    certain = {} if store is None else _certain(store, [c for c, _ in chosen], seed)
    problem = _why_not_comparable(synthetic, store)
    if store is None or problem or len(rows) == 0:
        pairs = [_pair(synthetic, row) for row in rows]
        return Gallery(_by_condition(chosen, pairs, certain), note=problem)
    size = max(set(synthetic.sizes) & set(store.sizes))
    tests, learnt_from = store.rows("id_test", "id_val"), store.rows(*LEARNT_FROM)
    tests = tests[_spread(len(tests), REFERENCE_IMAGES)]
    queries = np.concatenate([synthetic.images(size)[rows], store.images(size)[tests]])
    nearest, distances = nearest_neighbours(queries, store.images(size), learnt_from)
    neighbours = zip(rows, nearest, distances, strict=False)
    pairs = [_pair(synthetic, row, store, near, distance) for row, near, distance in neighbours]
    reference = float(np.median(distances[len(rows) :])) if len(tests) else float("nan")
    return Gallery(_by_condition(chosen, pairs, certain), reference, searched=len(learnt_from))


def _why_not_comparable(synthetic: ImageStore, store: ImageStore | None) -> str:
    if store is None:
        return "There is no store of real images here, so their neighbours cannot be shown."
    if not set(synthetic.sizes) & set(store.sizes) or synthetic.channels != store.channels:
        return "Real and synthetic images have no size in common, so distances cannot be measured."
    if len(store.rows(*LEARNT_FROM)) == 0:
        return "The store has no training images, so there are no neighbours to show."
    return ""


def _choose(synthetic: ImageStore) -> list[tuple[str, Array]]:
    """Rows of each condition, and of images without any where classes do not exclude one another."""
    task = synthetic.task
    labels = task.labels(synthetic.table)
    if task.kind == "multiclass":
        largest = np.nan_to_num(labels, nan=-1.0).argmax(axis=1)
        members = [(c, largest == i) for i, c in enumerate(task.classes)]
    else:
        members = [(c, labels[:, i] >= 0.5) for i, c in enumerate(task.classes)]
        members.append(("none of the conditions", (labels < 0.5).all(axis=1)))
    rows_of_condition = [(c, np.flatnonzero(some)) for c, some in members]
    return [(c, rows[_spread(len(rows), _a_condition(task))]) for c, rows in rows_of_condition if len(rows)]


def _a_condition(task: Task) -> int:
    """Images of one kind that are shown of a condition; fewer where there are many conditions."""
    return A_CONDITION if len(task.classes) <= 12 else A_CONDITION // 2


def _certain(store: ImageStore, conditions: Sequence[str], seed: int) -> dict[str, Certain]:
    """Draw some of the labelled training images that show each condition for certain."""
    train, found = store.rows("train"), {}
    labels = store.task.labels(store.table.iloc[train])
    for place, condition in enumerate(store.task.classes):
        if condition in conditions and not np.isnan(labels[:, place]).all():
            rows = train[labels[:, place] >= np.float32(CERTAIN)]
            some = numpy_generator(seed, "gallery", condition).permutation(rows)[: _a_condition(store.task)]
            found[condition] = Certain([real_picture(np.asarray(store.images()[r])) for r in some], len(rows))
    return found


def _spread(length: int, count: int) -> Array:
    """At most `count` positions, evenly spread over `length`."""
    return np.unique(np.linspace(0, length - 1, min(count, length)).round().astype(np.int64))


def _by_condition(
    chosen: list[tuple[str, Array]], pairs: list[Pair], certain: Mapping[str, Certain]
) -> list[Shown]:
    ends = np.cumsum([len(rows) for _, rows in chosen])
    return [
        Shown(c, pairs[end - len(rows) : end], certain.get(c))
        for (c, rows), end in zip(chosen, ends, strict=True)
    ]


def _pair(
    synthetic: ImageStore,
    row: int,
    store: ImageStore | None = None,
    near: int = 0,
    distance: float = float("nan"),
) -> Pair:
    picture = synthetic_picture(np.asarray(synthetic.images()[row]))
    asked = _describe(synthetic.table.iloc[row], synthetic.task)
    if store is None:
        return Pair(picture, asked)
    shows = _conditions(store.table.iloc[near], store.task)
    return Pair(picture, asked, real_picture(np.asarray(store.images()[near])), shows, float(distance))


def _describe(row: pd.Series[Any], task: Task) -> str:
    """Conditions and attributes that a synthetic image was asked to show."""
    columns = [f"attr:{a.name}" for a in task.attributes]
    values = [row[c] for c in columns if c in row and pd.notna(row[c])]
    return "\u00a0· ".join([_conditions(row, task), *(v if isinstance(v, str) else f"{v:g}" for v in values)])


def _conditions(row: pd.Series[Any], task: Task) -> str:
    """Conditions of an image in words; of a real one this is all that is shown beside its pixels."""
    labels = row[task.label_columns].to_numpy(float)
    present = [c for c, label in zip(task.classes, labels, strict=True) if label >= 0.5]
    if present:
        return ", ".join(present)
    return "labels unknown" if np.isnan(labels).any() else "none of the conditions"
