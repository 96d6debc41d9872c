"""Any images below a folder, without labels: what a trained model is applied to."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from medaug.data.readers.tables import OWN_DATA, found_files
from medaug.task import Task, attribute_column

ENDINGS = (
    *(".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp"),
    *(".dcm", ".dicom", ".nii", ".gz", ""),
)
"""Endings of images; ``.gz`` is compressed NIfTI, and DICOM files often have none."""


def read_folder(
    folder: Path, task: Task, *, domain: str = OWN_DATA, endings: Sequence[str] = ENDINGS
) -> pd.DataFrame:
    """List all images below a folder.

    Nothing is known of them but where they lie: labels and attributes are missing, and every image counts
    as a patient of its own.

    Parameters
    ----------
    folder : Path
        Searched with all folders in it; hidden files are passed over.
    task : Task
        Its classes and attributes become empty columns.
    domain : str
        Name of where the images come from.
    endings : sequence of str
        Which files are images, by the end of their names in lower case; ``""`` is a name without a dot, or
        with digits alone behind the last one.

    Returns
    -------
    DataFrame
        As described in `medaug.data.readers`, in the order of the names. Names of files may name a person:
        ``image_id``, ``file`` and ``patient_id`` are ``image 1``, ``image 2``, ...

    Raises
    ------
    DataError
        There is no such file, or a folder cannot be read.
    """
    paths = found_files(folder, "image", endings)
    names = [f"image {number}" for number in range(1, len(paths) + 1)]
    table = pd.DataFrame(
        {
            "image_id": names,
            "path": pd.Series(paths, dtype=object),  # names that are not UTF-8 are no text to pandas
            "file": names,
            "patient_id": names,
            "domain": domain,
        }
    )
    table["official_split"] = pd.Series(None, index=table.index, dtype=object)
    table[task.label_columns] = np.nan
    for attribute in task.attributes:
        if attribute.name != "domain":
            kind, missing = (float, np.nan) if attribute.bins else (object, None)
            table[attribute_column(attribute.name)] = pd.Series(missing, index=table.index, dtype=kind)
    return table
