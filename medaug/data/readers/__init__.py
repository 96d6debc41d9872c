"""Readers: a folder of files in, a table out, no pixels.

A reader is a function ``reader(folder, task, **options) -> DataFrame``. Its table has one row an image:
``image_id`` (unique), ``path`` (where the pixels are; never stored), ``file`` (what a store may show of it),
``patient_id``, ``domain``, ``official_split`` (``train``, ``val``, ``test`` or missing), ``label:<class>`` in
[0, 1] or missing, ``attr:sex`` (F, M or missing), ``attr:age`` (years or missing), of skin images ``attr:skin_tone``
(``I`` to ``VI`` or missing), and further columns that can serve as the domain, such as ``view``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from inspect import signature
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pandas as pd

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
from medaug.errors import DataError, SettingsError
from medaug.task import Task

__all__ = [
    "READERS",
    "Reader",
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
    "read_source",
]

Reader = Callable[..., pd.DataFrame]

READERS: Mapping[str, Reader] = MappingProxyType(
    {
        "chexpert": read_chexpert,
        "chestxray14": read_chestxray14,
        "scin": read_scin,
        "ham10000": read_ham10000,
        "fitzpatrick17k": read_fitzpatrick17k,
        "pad_ufes_20": read_pad_ufes_20,
        "ddi": read_ddi,
        "isic": read_isic,
        "csv": read_csv,
        "folder": read_folder,
    }
)
"""Readers by name; one more public data set is one more entry."""


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
        As described in `medaug.data.readers`.

    Raises
    ------
    SettingsError
        The reader is not known, or does not have one of the options.
    DataError
        The folder is not there, or the reader cannot read it.
    """
    if reader not in READERS:
        raise SettingsError(f"there is no reader {reader!r}; there are: {', '.join(READERS)}")
    known = [name for name, p in signature(READERS[reader]).parameters.items() if p.kind is p.KEYWORD_ONLY]
    if unknown := sorted(set(options) - set(known)):
        raise SettingsError(
            f"the reader {reader!r} has no option {', '.join(unknown)}; it has: {', '.join(known)}"
        )
    if not Path(folder).is_dir():
        raise DataError(f"the folder {folder} is not there; set dataset_dir to where the data set lies")
    return READERS[reader](Path(folder).absolute(), task, **options)
