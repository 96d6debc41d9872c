"""From a table of files to an image store: decode with all cores, resume after a kill, list what failed."""

from __future__ import annotations

import hashlib
import logging
import platform
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from medaug.arrays import UInt8Array
from medaug.data.pixels import Fit, Images, Recipe, decode
from medaug.data.store import REMARKS, ImageStore, StoreWriter
from medaug.data.table import SplitUnit
from medaug.engine import distributed
from medaug.errors import DataError, SettingsError
from medaug.files import bytes_of, disk_errors, write_aside
from medaug.parallel import in_order
from medaug.progress import Progress
from medaug.task import Task

logger = logging.getLogger(__name__)

BYTES_AT_ONCE = 64 * 2**20
IMAGES_AT_ONCE = 256
FILES_WORTH_PROCESSES = 8
"""As few are decoded before further processes have started."""

PACKAGES = ("medaug", "numpy", "pandas", "pillow", "pydicom", "nibabel")

Decoded = Images | str
"""The image at every size, or the reason why there is none."""


@dataclass(frozen=True)
class PrepareSettings:
    """How files become images.

    Parameters
    ----------
    sizes : tuple of int
        Sides of the square images in pixels.
    channels : {1, 3}
        Grey or colour.
    fit : {"pad", "crop", "stretch"}
        See `medaug.data.pixels.fit_square`.
    max_rejected : float
        Share of the files that may be unusable.
    split_unit : {"patient", "slide", "patch"}
        What is in one split only.
    """

    sizes: tuple[int, ...]
    channels: Literal[1, 3]
    fit: Fit = "pad"
    max_rejected: float = 0.05
    split_unit: SplitUnit = "patient"

    def __post_init__(self) -> None:
        if not self.sizes or min(self.sizes) < 1:
            raise SettingsError(f"sizes must be at least one positive side in pixels, not {self.sizes}")
        if self.channels not in (1, 3):
            raise SettingsError(f"channels must be 1 (grey) or 3 (colour), not {self.channels}")
        if self.fit not in ("pad", "crop", "stretch"):
            raise SettingsError(f"fit must be 'pad', 'crop' or 'stretch', not {self.fit!r}")
        if not 0 <= self.max_rejected <= 1:
            raise SettingsError(f"max_rejected must lie in [0, 1], not {self.max_rejected}")


def prepare(
    table: pd.DataFrame,
    left_out: pd.DataFrame,
    output: Path,
    task: Task,
    settings: PrepareSettings,
    origin: Mapping[str, Any],
    workers: int | None = None,
) -> ImageStore:
    """Decode the files of a table into an image store.

    Killed at any moment and called again, it goes on where it was and ends in the same store. Under
    several processes (torchrun) each decodes its share.

    Parameters
    ----------
    table : DataFrame
        What `medaug.data.split.assign_splits` returned; ``path`` is where the pixels are.
    left_out : DataFrame
        Rows not used, with ``reason``; their numbers go to ``origin.json``.
    output : Path
        Folder of the store.
    task : Task
        What is predicted, for whom.
    settings : PrepareSettings
        How files become images.
    origin : mapping
        What ``origin.json`` shall say about the source, beside settings, counts, versions and listing.
    workers : int, optional
        Decoding processes; default all cores. 0 decodes in this process.

    Returns
    -------
    ImageStore

    Raises
    ------
    DataError
        More files than `max_rejected` allows cannot be used (``rejected.csv`` lists them); the disk is full.
    """
    recipe = Recipe(settings.sizes, settings.channels, settings.fit)
    listing = _listing_hash(table)
    made_by = {"fit": settings.fit, "listing_sha256": listing}
    writer = StoreWriter(output, task, table, settings.sizes, settings.channels, made_by, settings.split_unit)
    _decode_share(writer, [Path(path) for path in table["path"]], recipe, workers)
    distributed.barrier()
    rejected = writer.rejected()
    _check_rejected(rejected, writer, settings.max_rejected)
    store = writer.finish(
        {
            **origin,
            "images": {"fit": settings.fit, "max_rejected": settings.max_rejected},
            "counts": _counts(writer.table, rejected, left_out),
            "remarks": _remarks(writer),
            "listing_sha256": listing,
            "versions": _versions(),
        }
    )
    if distributed.is_first():
        _log_rejected(store)
        _log_remarks(store)
    return store


def _decode_share(writer: StoreWriter, paths: list[Path], recipe: Recipe, workers: int | None) -> None:
    """Decode this process's share of what is pending, and write it in portions."""
    pending = writer.pending()
    share = distributed.own_share(pending)
    workers = distributed.own_cores() if workers is None else workers
    decoded = decode_files(share.tolist(), paths, recipe, workers)
    with Progress("Decoding images", len(paths), done=len(paths) - len(pending)) as shown:
        for portion in _portions(decoded, _images_at_once(recipe)):
            _write(writer, portion)
            shown.update(len(portion) * distributed.processes())


def decode_files(
    rows: Sequence[int], paths: Sequence[Path], recipe: Recipe, workers: int
) -> Iterator[tuple[int, Decoded]]:
    """Return each of some rows with its images, or with the reason why there are none, in order."""
    workers = 0 if len(rows) <= FILES_WORTH_PROCESSES else workers
    results = in_order(partial(decode, recipe=recipe), [paths[row] for row in rows], workers)
    return zip(rows, results, strict=True)


def _write(writer: StoreWriter, portion: list[tuple[int, Decoded]]) -> None:
    images: dict[int, dict[int, UInt8Array]] = {}
    for row, result in portion:
        if isinstance(result, str):
            writer.reject(row, result)
            continue
        if result.remarks:
            writer.remark(row, result.remarks)
        images[row] = result
    if images:
        writer.write(list(images), {s: np.stack([i[s] for i in images.values()]) for s in writer.sizes})


def _portions(decoded: Iterator[tuple[int, Decoded]], length: int) -> Iterator[list[tuple[int, Decoded]]]:
    portion = []
    for item in decoded:
        portion.append(item)
        if len(portion) == length:
            yield portion
            portion = []
    if portion:
        yield portion


def _images_at_once(recipe: Recipe) -> int:
    """Return how many images are written together, so that memory stays bounded at any size."""
    bytes_each = recipe.channels * sum(size * size for size in recipe.sizes)
    return max(1, min(IMAGES_AT_ONCE, BYTES_AT_ONCE // bytes_each))


def _check_rejected(rejected: pd.DataFrame, writer: StoreWriter, allowed: float) -> None:
    """Stop when too many files failed; what was decoded stays, so that a higher limit goes on at once."""
    share = len(rejected) / len(writer.table)
    if share <= allowed:
        return
    path = writer.partial / "rejected.csv"
    if distributed.is_first():
        with disk_errors(path), write_aside(path) as temporary:
            rejected.to_csv(temporary, index=False)
    raise DataError(
        f"{len(rejected)} of {len(writer.table)} files ({share:.1%}) cannot be used, see {path}; "
        f"mend the files and delete {writer.partial}, or allow more with max_rejected (now {allowed:g})"
    )


def _counts(table: pd.DataFrame, rejected: pd.DataFrame, left_out: pd.DataFrame) -> dict[str, Any]:
    kept = table.drop(index=rejected.index)
    reasons = left_out["reason"].value_counts().sort_index() if len(left_out) else pd.Series(dtype=int)
    return {
        "images": len(kept),
        "patients": int(kept["patient_id"].nunique()),
        "splits": {
            str(name): int(count) for name, count in kept["split"].value_counts().sort_index().items()
        },
        "rejected": len(rejected),
        "left_out": {str(reason): int(count) for reason, count in reasons.items()},
    }


def _remarks(writer: StoreWriter) -> dict[str, int]:
    """Return how many pictures each remark holds for, the most frequent first."""
    return dict(Counter(writer.remarks()["remark"]).most_common())


def _log_rejected(store: ImageStore) -> None:
    rejected = store.origin["counts"]["rejected"]
    if rejected:
        files = len(store) + rejected
        logger.warning(
            "%s of %s files cannot be used; %s says why",
            f"{rejected:,}",
            f"{files:,}",
            store.path / "rejected.csv",
        )


def _log_remarks(store: ImageStore) -> None:
    """Say once, of all pictures together, what was left out, taken for granted or may be on them."""
    if not store.origin["remarks"]:
        return
    first = pd.read_csv(store.path / REMARKS).groupby("remark")["row"].first()
    for remark, count in store.origin["remarks"].items():
        logger.warning(
            "%s of %s images: %s (for example row %d of the table; %s lists all)",
            *(f"{count:,}", f"{len(store):,}", remark, first[remark], store.path / REMARKS),
        )


def _listing_hash(table: pd.DataFrame) -> str:
    """Return the SHA-256 over the sorted names and sizes in bytes of the files (-1: there is none)."""
    sizes = [-1 if (size := bytes_of(path)) is None else size for path in table["path"]]
    lines = sorted(f"{name}\t{size}" for name, size in zip(table["file"], sizes, strict=True))
    return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogateescape")).hexdigest()


def _versions() -> dict[str, str]:
    return {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}}
