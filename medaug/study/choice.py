"""Which images a study shows: as many of each condition, real and synthetic, drawn with a seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from medaug.arrays import Array, BoolArray
from medaug.data.store import ImageStore
from medaug.data.table import SPLITS, is_synthetic
from medaug.errors import DataError, SettingsError
from medaug.randomness import numpy_generator
from medaug.task import Task

SOURCES = {"real": False, "synthetic": True}
"""What an image may be, and the column ``synthetic`` then."""


@dataclass(frozen=True, kw_only=True)
class ChoiceSettings:
    """How the images of a study are chosen.

    Parameters
    ----------
    images_per_class : int
        Images of each condition: so many real ones and so many synthetic ones, where the stores hold both.
    conditions : tuple of str
        Classes to show; empty for all that have an image (the paper shows eight of 27).
    splits : tuple of str
        Splits that real images are taken from; empty for all.
    least_label : float
        An image shows a condition where its label is at least this. One half, as in the paper: the majority
        of raters hold this condition for the most likely.
    seed : int
        Decides which images and in which order.
    """

    images_per_class: int
    conditions: tuple[str, ...] = ()
    splits: tuple[str, ...] = ()
    least_label: float = 0.5
    seed: int = 0

    def __post_init__(self) -> None:
        if self.images_per_class < 1:
            raise SettingsError(f"images_per_class must be at least 1, not {self.images_per_class}")
        if not 0 < self.least_label <= 1:
            raise SettingsError(f"least_label must lie in (0, 1], not {self.least_label}")
        if unknown := [split for split in self.splits if split not in SPLITS]:
            raise SettingsError(f"splits {unknown} are unknown; there are: {', '.join(SPLITS)}")


def choose(stores: Sequence[ImageStore], settings: ChoiceSettings) -> pd.DataFrame:
    """Choose the images of a study, balanced over conditions, in the order of the page.

    Parameters
    ----------
    stores : sequence of ImageStore
        Real, synthetic or mixed; the column ``synthetic`` of each says which image is what.
    settings : ChoiceSettings
        How many, of what, with which seed.

    Returns
    -------
    DataFrame
        One row an image: ``store`` (its number in `stores`), ``row``, ``image_id``, ``synthetic``,
        ``condition`` (for which it was drawn) and ``truth`` (tuple of all classes that it shows; one in a
        multi-class task).

    Raises
    ------
    DataError
        The stores predict different classes, or hold no image that shows a condition.
    SettingsError
        A condition is unknown, or has too few images.

    Notes
    -----
    No two real images are of the same patient. An image of two equally likely classes shows neither.
    """
    task = _common_task(stores)
    if unknown := [name for name in settings.conditions if name not in task.classes]:
        raise SettingsError(f"conditions {unknown} are unknown; the task has: {', '.join(task.classes)}")
    pool = _pool(stores, settings)
    members = _members(pool, task, settings.least_label)
    asked = [i for i, name in enumerate(task.classes) if name in (settings.conditions or task.classes)]
    asked = [i for i in asked if settings.conditions or members[:, i].any()]
    if not members[:, asked].any():
        raise DataError("no image of these stores shows a condition; give other stores, splits or conditions")
    drawn = _draw_sources(pool, members, asked, task, settings)
    order = numpy_generator(settings.seed, "study order").permutation(len(drawn))
    rows, classes = np.array(drawn)[order].T
    chosen: pd.DataFrame = pool.iloc[rows][["store", "row", "image_id", "synthetic"]].reset_index(drop=True)
    chosen["condition"] = [task.classes[i] for i in classes]
    chosen["truth"] = [tuple(np.array(task.classes)[members[row]].tolist()) for row in rows]
    return chosen


def _common_task(stores: Sequence[ImageStore]) -> Task:
    tasks = [store.task for store in stores]
    if not tasks:
        raise SettingsError("a study needs at least one image store")
    for store, task in zip(stores, tasks, strict=True):
        if (task.kind, task.classes) != (tasks[0].kind, tasks[0].classes):
            raise DataError(f"{store.path} has other classes than {stores[0].path}; a study is of one task")
    return tasks[0]


def _pool(stores: Sequence[ImageStore], settings: ChoiceSettings) -> pd.DataFrame:
    """All images that may be shown, with their place in the stores."""
    tables = []
    for number, store in enumerate(stores):
        table = store.table.assign(
            store=number, row=np.arange(len(store)), synthetic=is_synthetic(store.table)
        )
        keep = table["synthetic"] | table["split"].isin(settings.splits or SPLITS)
        tables.append(table[keep])
    pool: pd.DataFrame = pd.concat(tables, ignore_index=True)
    return pool


def _members(pool: pd.DataFrame, task: Task, least: float) -> BoolArray:
    """Which image (row) shows which class (column)."""
    labels = np.nan_to_num(task.labels(pool), nan=-1.0)
    members: BoolArray = labels >= least
    if task.kind == "multiclass":
        members &= labels == labels.max(axis=1, keepdims=True)
        members &= members.sum(axis=1, keepdims=True) == 1
    return members


def _draw_sources(
    pool: pd.DataFrame, members: BoolArray, asked: list[int], task: Task, settings: ChoiceSettings
) -> list[tuple[int, int]]:
    """Pairs of an image and its condition, of each source; all that are too few are in one error."""
    drawn, short = [], []
    for source, value in SOURCES.items():
        rows = np.flatnonzero(pool["synthetic"] == value)
        if len(rows) == 0:
            continue
        rows = numpy_generator(settings.seed, "study", source).permutation(rows)
        some = _draw(pool, members, rows, asked, settings.images_per_class)
        short += [
            f"{source} {task.classes[i]} {len(some[i])}"
            for i in asked
            if len(some[i]) < settings.images_per_class
        ]
        drawn += [(row, i) for i in asked for row in some[i]]
    if short:
        raise SettingsError(
            f"too few images for images_per_class={settings.images_per_class}: {', '.join(short)}; "
            "ask for fewer, or name the conditions to show"
        )
    return drawn


def _draw(
    pool: pd.DataFrame, members: BoolArray, rows: Array, asked: list[int], count: int
) -> dict[int, list[int]]:
    """Up to `count` rows of each class, the rarest class first, no image and no patient twice."""
    person = _people(pool)
    used: set[tuple[int, str]] = set()
    drawn: dict[int, list[int]] = {}
    for i in sorted(asked, key=lambda i: int(members[rows, i].sum())):
        drawn[i] = []
        for row in rows[members[rows, i]].tolist():
            if len(drawn[i]) < count and person[row] not in used:
                used.add(person[row])
                drawn[i].append(row)
    return drawn


def _people(pool: pd.DataFrame) -> list[tuple[int, str]]:
    """Whose image each is; a synthetic image is of nobody, so each stands for itself."""
    someone = pool["patient_id"].where(~pool["synthetic"] & pool["patient_id"].notna(), pool["image_id"])
    return list(zip(pool["store"].tolist(), someone.astype(str).tolist(), strict=True))
