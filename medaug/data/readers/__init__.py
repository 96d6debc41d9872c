"""Readers: a folder of files in, a table out, no pixels.

A reader is a function ``reader(folder, task, **options) -> DataFrame``. Its table has one row an image:
``image_id`` (unique), ``path`` (where the pixels are; never stored), ``file`` (what a store may show of it),
``patient_id``, ``domain``, ``official_split`` (``train``, ``val``, ``test`` or missing), ``label:<class>`` in
[0, 1] or missing, ``attr:sex`` (F, M or missing), ``attr:age`` (years or missing), of skin images also
``attr:skin_tone`` (I to VI or missing), and further columns that can serve as the domain, such as ``view``.

A reader of whole slides has the same form. Its table has one row a slide: ``slide`` (unique, names files and
may be shown), ``path`` (never stored), ``file`` (what may be shown), ``patient_id``, ``domain`` (missing:
unknown), ``annotation`` (path of its ASAP file, or missing), ``tumour_free`` (bool: known to hold no tumour).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from inspect import signature
from pathlib import Path
from typing import Any

import pandas as pd

from medaug.data.readers.camelyon17 import read_camelyon17
from medaug.data.readers.chestxray14 import read_chestxray14
from medaug.data.readers.chexpert import read_chexpert
from medaug.data.readers.csv import read_csv
from medaug.data.readers.ddi import read_ddi
from medaug.data.readers.fitzpatrick17k import read_fitzpatrick17k
from medaug.data.readers.folder import read_folder
from medaug.data.readers.ham10000 import read_ham10000
from medaug.data.readers.isic import read_isic
from medaug.data.readers.pad_ufes_20 import read_pad_ufes_20
from medaug.data.readers.scin import read_scin
from medaug.data.readers.slides import read_slides
from medaug.data.readers.wilds import read_wilds
from medaug.data.stamp import with_stamps
from medaug.errors import DataError, SettingsError
from medaug.files import printable
from medaug.task import Task

__all__ = [
    "READERS",
    "SLIDE_READERS",
    "Reader",
    "read_camelyon17",
    "read_chestxray14",
    "read_chexpert",
    "read_csv",
    "read_ddi",
    "read_fitzpatrick17k",
    "read_folder",
    "read_ham10000",
    "read_isic",
    "read_pad_ufes_20",
    "read_scin",
    "read_slide_source",
    "read_slides",
    "read_source",
    "read_wilds",
]

Reader = Callable[..., pd.DataFrame]

READERS: Mapping[str, Reader] = {
    "chexpert": read_chexpert,
    "chestxray14": read_chestxray14,
    "wilds": read_wilds,
    "scin": read_scin,
    "ham10000": read_ham10000,
    "fitzpatrick17k": read_fitzpatrick17k,
    "pad_ufes_20": read_pad_ufes_20,
    "ddi": read_ddi,
    "isic": read_isic,
    "csv": read_csv,
    "folder": read_folder,
}
"""Readers by name; one more public data set is one more entry."""

SLIDE_READERS: Mapping[str, Reader] = {"camelyon17": read_camelyon17, "slides": read_slides}
"""Readers of whole slides by name."""


def read_source(reader: str, folder: Path, task: Task, **options: Any) -> pd.DataFrame:
    """Read the table of a data set.

    Parameters
    ----------
    reader : str
        A name in `READERS`.
    folder : Path
        Where the data set lies.
    task : Task
        Which labels to read.
    **options
        Settings of the reader, for example ``views=("frontal",)`` of `read_chexpert`.

    Returns
    -------
    DataFrame
        As described in `medaug.data.readers`, with ``synthetic``: what the table or the file itself says.

    Raises
    ------
    SettingsError
        The reader is not known, or does not have one of the options.
    DataError
        The folder is not there, or the reader cannot read it.
    """
    return with_stamps(_read(READERS, reader, folder, task, options))


def read_slide_source(reader: str, folder: Path, task: Task, **options: Any) -> pd.DataFrame:
    """Read the table of a data set of whole slides.

    Parameters
    ----------
    reader : str
        A name in `SLIDE_READERS`.
    folder : Path
        Where the data set lies.
    task : Task
        Which label is wanted.
    **options
        Settings of the reader, for example ``table="cases.csv"`` of `read_slides`.

    Returns
    -------
    DataFrame
        One row a slide, as described in `medaug.data.readers`.

    Raises
    ------
    SettingsError
        The reader is not known, or does not have one of the options.
    DataError
        The folder is not there, or the reader cannot read it.
    """
    return _read(SLIDE_READERS, reader, folder, task, options)


def _read(
    readers: Mapping[str, Reader], name: str, folder: Path, task: Task, options: Mapping[str, Any]
) -> pd.DataFrame:
    if name not in readers:
        raise SettingsError(f"there is no reader {name!r}; there are: {', '.join(readers)}")
    known = [key for key, p in signature(readers[name]).parameters.items() if p.kind is p.KEYWORD_ONLY]
    if unknown := sorted(set(options) - set(known)):
        there = ", ".join(known) or "none"
        raise SettingsError(f"the reader {name!r} has no option {', '.join(unknown)}; it has: {there}")
    if not Path(folder).is_dir():
        raise DataError(f"the folder {folder} is not there; set dataset_dir to where the data set lies")
    if printable(str(folder)) != str(folder):
        raise DataError(f"the name of the folder {printable(str(folder))} is not valid UTF-8; rename it")
    return readers[name](Path(folder).absolute(), task, **options)
