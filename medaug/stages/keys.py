"""Keys: which names the pseudonyms of a product stand for, in one file that stays where it was made."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from medaug.engine.distributed import is_first
from medaug.files import printable, write_aside

NUMBERED = ("csv", "folder", "slides")
"""Readers whose names of images, slides or patients are running numbers."""

BY_FILES = ("folder", "slides")
"""Those whose numbers stand for names of files; the rows of a table are numbered as its editor shows them."""

COUNTED = r"row [0-9]+"
"""An image without a name, which was only counted."""


def key_path(product: Path | str) -> Path:
    """Return where the key of a product lies: ``data`` has ``data.key.csv``."""
    product = Path(product)
    return product.with_name(f"{product.stem}.key.csv")


def told_apart(tables: Sequence[pd.DataFrame], readers: Sequence[str]) -> list[pd.DataFrame]:
    """Return tables of several data sets in which each number is one image, slide or patient.

    Readers in `NUMBERED` count from 1 in every data set; the second of one reader, and so on, gets a prefix.

    Examples
    --------
    >>> both = [pd.DataFrame({"image_id": ["row 2"], "patient_id": ["patient 1"]})] * 2
    >>> told_apart(both, ["csv", "csv"])[1].iloc[0].tolist()
    ['set 2 row 2', 'set 2 patient 1']
    """
    again = [name in NUMBERED and name in readers[:place] for place, name in enumerate(readers)]
    return [
        _with_prefix(table, f"set {place}") if repeated else table
        for place, (table, repeated) in enumerate(zip(tables, again, strict=True), 1)
    ]


def write_key(product: Path, tables: Sequence[pd.DataFrame], data_sets: Sequence[Mapping[str, Any]]) -> None:
    """Write the key of the images or slides that readers have numbered by their files, if there are any.

    Parameters
    ----------
    product : Path
        Where the pseudonyms are.
    tables : sequence of DataFrame
        Of readers.
    data_sets : sequence of mapping
        ``reader`` and ``folder`` of each.
    """
    pairs = zip(tables, data_sets, strict=True)
    keys = [_of_files(table, Path(s["folder"])) for table, s in pairs if s["reader"] in BY_FILES]
    if keys and is_first():
        with write_aside(key_path(product)) as temporary:
            pd.concat(keys).to_csv(temporary, index=False)


def with_pseudonyms(predictions: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Replace names by numbers in given predictions, for images and patients, in the order of their names.

    Parameters
    ----------
    predictions : DataFrame
        Of `medaug.evaluation.predictions.check_predictions`.

    Returns
    -------
    predictions : DataFrame
        Sorted as before. Images that were only counted keep their number.
    key : DataFrame
        ``column``, ``pseudonym`` and ``name``.

    Examples
    --------
    >>> table = pd.DataFrame({"image_id": ["doe.png", "ann.png"], "patient_id": ["doe", "doe"]})
    >>> with_pseudonyms(table)[0]["image_id"].tolist()
    ['image 2', 'image 1']
    """
    named = ~predictions["image_id"].str.fullmatch(COUNTED).astype(bool)
    images = _numbered("image", predictions["image_id"][named])
    patients = _numbered("patient", predictions["patient_id"])
    key = pd.DataFrame(
        [("image_id", to, name) for name, to in images.items()]
        + [("patient_id", to, name) for name, to in patients.items()],
        columns=["column", "pseudonym", "name"],
    )
    hidden = predictions.assign(
        image_id=predictions["image_id"].map(images).where(named, predictions["image_id"]),
        patient_id=predictions["patient_id"].map(patients),
    )
    return hidden, key


def _with_prefix(table: pd.DataFrame, prefix: str) -> pd.DataFrame:
    columns = [name for name in ("image_id", "slide", "file", "patient_id") if name in table]
    return table.assign(**{name: f"{prefix} " + table[name] for name in columns})


def _of_files(table: pd.DataFrame, folder: Path) -> pd.DataFrame:
    column, root = "slide" if "slide" in table else "image_id", folder.absolute()
    names = [printable(Path(os.path.relpath(path, root)).as_posix()) for path in table["path"]]
    return pd.DataFrame({"column": column, "pseudonym": table[column], "name": names})


def _numbered(what: str, names: pd.Series[str]) -> dict[str, str]:
    """Return a name for each name, in the same order as text, so that no result depends on it."""
    there = sorted(names.unique())
    width = len(str(len(there)))
    return {name: f"{what} {number:0{width}d}" for number, name in enumerate(there, 1)}
