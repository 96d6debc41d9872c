"""From the folders of cut slides to an image store."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from medaug.arrays import Array, IntArray, UInt8Array
from medaug.data.slides.shards import OVERVIEW, note_of, pixels_name, shard_name
from medaug.data.store import ImageStore, StoreWriter
from medaug.data.table import SplitUnit
from medaug.engine import distributed
from medaug.errors import DataError
from medaug.files import disk_errors
from medaug.progress import Progress
from medaug.task import Task

OVERVIEWS = "overviews"
"""Folder of a store that holds a picture ``<slide>.png`` of each slide."""

BYTES_AT_ONCE = 32 * 2**20


def store_patches(
    patches: pd.DataFrame,
    rejected: pd.DataFrame,
    output: Path,
    task: Task,
    sizes: Sequence[int],
    origin: Mapping[str, Any],
    max_rejected: float = 0.05,
    split_unit: SplitUnit = "patient",
) -> ImageStore:
    """Move the patches of `medaug.data.slides.cutting.cut` into an image store.

    Killed at any moment and called again (after `cut`), it goes on where it was. The pixels of a slide are
    deleted as soon as the store has them, and the folders of all slides when the store is finished, so the
    disk needs room for little more than the store twice. Under several processes each moves its share.

    Parameters
    ----------
    patches, rejected : DataFrame
        From `cut`; ``split`` of patches may have been changed, and rows left out.
    output : Path
        Folder of the store. It also gets ``overviews/<slide>.png``.
    task : Task
        What is predicted, for whom.
    sizes : sequence of int
        Those that were cut.
    origin : mapping
        What ``origin.json`` shall say about the source; counts are added.
    max_rejected : float
        Share of the slides that may be unusable.
    split_unit : {"patient", "slide", "patch"}
        What is in one split only.

    Returns
    -------
    ImageStore
        The rejected slides are in its ``rejected.csv``.

    Raises
    ------
    DataError
        More slides than `max_rejected` allows cannot be used; the disk is full.
    """
    slides = patches["slide"].nunique() + len(rejected)
    _check_rejected(rejected, slides, max_rejected)
    table = pd.concat([patches, _as_patches(rejected, task)], ignore_index=True) if len(rejected) else patches
    folders = sorted(patches["work"].unique())
    recipe = {"slides": [note_of(Path(folder)).get("identity") for folder in folders]}
    writer = StoreWriter(output, task, table, sizes, 3, recipe, split_unit)
    _move_share(writer, patches)
    _reject(writer, rejected, len(patches))
    if distributed.is_first():
        _copy_overviews(patches, writer.partial / OVERVIEWS)
    lost = sum(note_of(Path(folder)).get("lost", 0) for folder in folders)
    store = writer.finish({**origin, "counts": {**_counts(patches, rejected), "lost": lost}})
    if distributed.is_first():
        for folder in folders:
            shutil.rmtree(folder, ignore_errors=True)
    return store


def _move_share(writer: StoreWriter, patches: pd.DataFrame) -> None:
    """Move this process's share of the slides that are not all in the store yet."""
    pending = writer.pending()
    pending = pending[pending < len(patches)]
    work = patches["work"].iloc[pending]
    by_folder = work.groupby(work).indices
    share = distributed.own_share([str(folder) for folder in by_folder])
    with Progress("Storing patches", len(patches), done=len(patches) - len(pending), unit="patch") as shown:
        for folder in share:
            rows = pending[by_folder[folder]]
            for portion in _portions(rows, writer.sizes):
                numbers = patches["index"].iloc[portion].to_numpy(np.int64)
                writer.write(portion, {size: _read(Path(folder), size, numbers) for size in writer.sizes})
                shown.update(len(portion) * distributed.processes())
            for size in writer.sizes:
                (Path(folder) / pixels_name(size)).unlink(missing_ok=True)


def _portions(rows: Array, sizes: Sequence[int]) -> list[Array]:
    at_once = max(1, BYTES_AT_ONCE // (3 * sum(size * size for size in sizes)))
    return [rows[start : start + at_once] for start in range(0, len(rows), at_once)]


def _read(folder: Path, size: int, numbers: IntArray) -> UInt8Array:
    """Read some patches of a slide; not through a memory map, whose pages would count as memory."""
    length = size * size * 3
    images = np.empty((len(numbers), size, size, 3), np.uint8)
    try:
        with (folder / pixels_name(size)).open("rb") as file:
            for number, image in zip(numbers.tolist(), images, strict=True):
                file.seek(number * length)
                if file.readinto(image.data.cast("B")) < length:
                    raise DataError(f"{file.name} ends too early; delete {folder} and run the command again")
    except FileNotFoundError:
        raise DataError(
            f"the patches of {folder} went into a store that is gone; delete {folder.parent} and run the "
            "command again"
        ) from None
    return images


def _as_patches(rejected: pd.DataFrame, task: Task) -> pd.DataFrame:
    """Give every rejected slide a row, so that it is listed among what the store could not use."""
    unknown = dict.fromkeys(task.label_columns, np.float32(np.nan))
    place = dict.fromkeys(("x", "y", "level"), 0)
    kept = rejected[["slide", "file", "patient_id", "domain", "split"]]
    return kept.assign(image_id=rejected["slide"], synthetic=False, **unknown, **place)


def _reject(writer: StoreWriter, rejected: pd.DataFrame, first: int) -> None:
    pending = set(writer.pending().tolist())
    for number, reason in enumerate(rejected["reason"], first):
        if number in pending and distributed.is_first():
            writer.reject(number, reason)


def _check_rejected(rejected: pd.DataFrame, slides: int, allowed: float) -> None:
    if len(rejected) <= allowed * slides:
        return
    names = ", ".join(f"{row.file} ({row.reason})" for row in rejected.head(3).itertuples())
    raise DataError(
        f"{len(rejected)} of {slides} slides cannot be used: {names}{', ...' if len(rejected) > 3 else ''}; "
        f"mend or remove them, or allow more with max_rejected (now {allowed:g})"
    )


def _copy_overviews(patches: pd.DataFrame, folder: Path) -> None:
    with disk_errors(folder):
        folder.mkdir(exist_ok=True)
        for slide, work in patches.groupby("slide")["work"].first().items():
            shutil.copyfile(Path(work) / OVERVIEW, folder / f"{shard_name(str(slide))}.png")


def _counts(patches: pd.DataFrame, rejected: pd.DataFrame) -> dict[str, Any]:
    splits = patches["split"].value_counts().sort_index()
    return {
        "images": len(patches),
        "slides": int(patches["slide"].nunique()),
        "patients": int(patches["patient_id"].nunique()),
        "splits": {str(name): int(count) for name, count in splits.items()},
        "rejected": len(rejected),
    }
