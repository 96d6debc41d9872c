"""From a store of synthetic images to a folder of files, with a line on each in ``images.jsonl``."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from medaug.arrays import UInt8Array
from medaug.data.real import open_synthetic
from medaug.data.stamp import Stamp
from medaug.data.store import ImageStore
from medaug.data.table import SYNTHETIC_DOMAIN
from medaug.errors import DataError, SettingsError
from medaug.export.pictures import write_nifti, write_png
from medaug.export.secondary_capture import write_dicom
from medaug.files import disk_errors, write_aside
from medaug.phantoms.mark import PHANTOM_FILE
from medaug.progress import progress
from medaug.task import ATTRIBUTE_PREFIX, LABEL_PREFIX

SIDECAR = "images.jsonl"
"""A line of JSON for each file: its name, and the stamp that is in it."""

Write = Callable[[Path, UInt8Array, Stamp], None]

FORMATS: Mapping[str, tuple[str, Write]] = MappingProxyType(
    {"png": (".png", write_png), "dicom": (".dcm", write_dicom), "nifti": (".nii", write_nifti)}
)
"""Ending and writer of each format."""


def export_images(
    store: Path | str, folder: Path | str, form: str = "png", first: int | None = None
) -> list[Path]:
    """Write the images of a synthetic store as files that say so; the folder is whole or absent.

    Parameters
    ----------
    store : Path
        What ``generate.json`` made.
    folder : Path
        Where the files go; must not be there.
    form : {"png", "dicom", "nifti"}
        Format of the files.
    first : int, optional
        Only so many images, spread evenly over the store.

    Returns
    -------
    list of Path
        The files, in the order of the store.

    Raises
    ------
    DataError
        The store has real images, the folder is there, or the disk is full.
    SettingsError
        The format is not known, `first` is not positive, or the package that writes it is not installed.

    Examples
    --------
    >>> export_images("output/synthetic", "to_share", "dicom")  # doctest: +SKIP
    """
    if form not in FORMATS:
        raise SettingsError(f"there is no format {form!r}; there are: {', '.join(FORMATS)}")
    if first is not None and first < 1:
        raise SettingsError(f"first must be at least 1, not {first}")
    opened, folder = open_synthetic(store), Path(folder)
    if folder.exists():
        raise DataError(f"{folder} is there already; name another folder")
    rows = np.unique(np.linspace(0, len(opened) - 1, min(first or len(opened), len(opened))).astype(np.int64))
    with disk_errors(folder), write_aside(folder) as aside:
        aside.mkdir()
        names = _write_files(opened, rows.tolist(), aside, form)
    return [folder / name for name in names]


def stamp_of(store: ImageStore, row: int) -> Stamp:
    """Return the stamp of an image of a synthetic store."""
    settings = store.origin.get("settings", {})
    return Stamp(
        store=store.fingerprint[:16],
        number=row + 1,
        image=str(store.table["image_id"].iloc[row]),
        generator=_generator(store.origin),
        seed=int(settings.get("seed", 0)),
        condition=_condition(store.table.iloc[row]),
        phantom=store.phantom,
    )


def _write_files(store: ImageStore, rows: list[int], folder: Path, form: str) -> list[str]:
    ending, write = FORMATS[form]
    images, names = store.images(), []
    with (folder / SIDECAR).open("w", encoding="utf-8") as sidecar:
        for row in progress(rows, "Exporting images", len(rows), unit="image"):
            stamp = stamp_of(store, row)
            names.append(f"{stamp.image}{ending}")
            write(folder / names[-1], np.asarray(images[row]), stamp)
            sidecar.write(json.dumps({"file": names[-1], **stamp.content}) + "\n")
    if store.phantom:
        (folder / PHANTOM_FILE).write_text("drawn by a model of drawn images\n", encoding="utf-8")
    return names


def _generator(origin: Mapping[str, Any]) -> str:
    """Return program and models; a store that is older than this tells less."""
    version = origin.get("versions", {}).get("medaug", "")
    models = [f"{name} {digest}" for name, digest in origin.get("generator", {}).items() if digest]
    return " ".join(filter(None, ["medaug", version, *models]))


def _condition(row: pd.Series[Any]) -> dict[str, float | str]:
    """Return what is known of labels, attributes and hospital."""
    asked = row[[name for name in row.index if name.startswith((LABEL_PREFIX, ATTRIBUTE_PREFIX))]]
    if row["domain"] != SYNTHETIC_DOMAIN:
        asked["domain"] = row["domain"]
    return {str(n): v if isinstance(v, str) else float(v) for n, v in asked.items() if pd.notna(v)}
