"""Anyone's own table: a CSV file with a row an image, and a mapping from medaug's names to its columns."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from medaug.data.dicom import read_attributes
from medaug.data.readers.tables import (
    filled_column,
    label_values,
    mapped_columns,
    need_choice,
    pseudonyms,
    read_text_table,
)
from medaug.data.table import canonical_age, canonical_sex
from medaug.errors import DataError, SettingsError
from medaug.progress import progress
from medaug.task import Attribute, Task, attribute_column, label_column

HEADER_TAGS = MappingProxyType({"sex": "PatientSex", "age": "PatientAge"})
"""What may be taken from DICOM headers; nothing else is read from them."""

OFFICIAL_SPLITS = ("train", "val", "test")
OPTIONAL = ("domain", "official_split")
"""Names that are understood where a table has them."""

_MEANT = MappingProxyType({"valid": "val", "validation": "val"})
_MEANING = {1.0: 1.0, 0.0: 0.0}
logger = logging.getLogger(__name__)

_CANONICAL = MappingProxyType({"sex": canonical_sex, "age": canonical_age})
_NO_COLUMNS: Mapping[str, str] = MappingProxyType({})


def read_csv(
    folder: Path,
    task: Task,
    *,
    table: str = "table.csv",
    columns: Mapping[str, str] = _NO_COLUMNS,
    domain: str | None = None,
    from_headers: Sequence[str] = (),
) -> pd.DataFrame:
    """Read a hospital's own table.

    File names and patient numbers go no further (but for ``path``, which is never stored): ``file`` and
    ``image_id`` are ``row 1``, ``row 2``, ... (the first row below the header is 1), patients are
    ``patient 1``, ``patient 2``, ... in order of appearance.

    Parameters
    ----------
    folder : Path
        Relative image paths in the table start here.
    task : Task
        Which labels and attributes to read. A label is 1 (present), 0 (absent) or blank (unknown).
    table : str
        Name of the CSV file in the folder.
    columns : mapping of str to str
        Column of the table for each of medaug's names: ``path``, ``patient_id``, the classes and attributes
        of the task, optionally ``domain``, ``official_split`` (``train``, ``val``, ``test`` or blank;
        ``valid`` and ``validation`` are ``val``), and any further name, which becomes a column that can
        serve as the domain. A name that is not mapped is looked for as it is.
    domain : str, optional
        One name for all images, where the table has no column for the domain. Default ``"own data"``.
    from_headers : sequence of {"sex", "age"}
        Attributes to take from the headers of DICOM files instead of the table.

    Returns
    -------
    DataFrame
        As described in `medaug.data.readers`.

    Raises
    ------
    DataError
        The table, a column, a path or a patient is missing, or a label or split is not understood; names
        the row and the column.
    SettingsError
        `domain` and a column for it are both given, or `from_headers` names something else.

    Examples
    --------
    >>> from medaug.task import CHEST_RADIOGRAPHS
    >>> columns = {"path": "filename", "patient_id": "MRN", "effusion": "pleural_effusion"}
    >>> read_csv(Path("radiographs"), CHEST_RADIOGRAPHS, columns=columns)  # doctest: +SKIP
    """
    for name in from_headers:
        need_choice("from_headers", name, list(HEADER_TAGS))
    if domain is not None and "domain" in columns:
        raise SettingsError("the domain has both a name and a column; give only one of them")
    path = folder / table
    source = mapped_columns(read_text_table(path), columns, _needed(task, from_headers), OPTIONAL, path)
    rows = pd.Series([f"row {number}" for number in range(1, len(source) + 1)], index=source.index)
    result: dict[str, Any] = {
        "image_id": rows,
        "path": _paths(folder, source, path),
        "file": rows,
        "patient_id": pseudonyms(filled_column(source, "patient_id", path)),
        "domain": _domain(source, domain, columns, path),
        "official_split": _official_split(source, path),
    }
    result |= {label_column(name): label_values(source[name], _MEANING, path) for name in task.classes}
    result |= _attributes(source, task, from_headers, result["path"])
    further = [name for name in columns if name not in result and name not in _known(task)]
    return pd.DataFrame(result | {name: source[name].where(source[name] != "") for name in further})


def _known(task: Task) -> set[str]:
    return {*task.classes, *(a.name for a in task.attributes)}


def _needed(task: Task, from_headers: Sequence[str]) -> list[str]:
    return ["path", "patient_id", *task.classes, *(a.name for a in _from_table(task, from_headers))]


def _from_table(task: Task, from_headers: Sequence[str]) -> list[Attribute]:
    return [a for a in task.attributes if a.name != "domain" and a.name not in from_headers]


def _paths(folder: Path, source: pd.DataFrame, path: Path) -> list[str]:
    paths = [folder / name for name in filled_column(source, "path", path)]
    if not any(image.is_file() for image in paths):
        raise DataError(
            f"none of the {len(paths):,} files that {path} lists is there; paths are taken from {folder}"
        )
    return [str(image.absolute()) for image in paths]


def _domain(
    source: pd.DataFrame, domain: str | None, columns: Mapping[str, str], path: Path
) -> pd.Series[str]:
    if domain is None and "domain" in source:
        return filled_column(source, "domain", path)
    return pd.Series(domain or "own data", index=source.index)


def _official_split(source: pd.DataFrame, path: Path) -> pd.Series[Any]:
    if "official_split" not in source:
        return pd.Series(None, index=source.index, dtype=object)
    values = source["official_split"].str.lower().replace(dict(_MEANT))
    wrong = ((values != "") & ~values.isin(OFFICIAL_SPLITS)).to_numpy()
    if wrong.any():
        row = int(wrong.argmax())
        raise DataError(
            f"{path}, row {row + 1}: the official split {values.iloc[row]!r} is not understood; "
            f"it is blank or one of: {', '.join(OFFICIAL_SPLITS)}"
        )
    return values.where(values != "", None)


def _attributes(
    source: pd.DataFrame, task: Task, from_headers: Sequence[str], paths: Sequence[str]
) -> dict[str, pd.Series[Any]]:
    found = {attribute_column(a.name): _canonical(a, source[a.name]) for a in _from_table(task, from_headers)}
    if from_headers:
        headers = read_headers(paths, from_headers)
        headers.index = source.index
        found |= {attribute_column(name): _CANONICAL[name](headers[name]) for name in from_headers}
    return found


def _canonical(attribute: Attribute, values: pd.Series[str]) -> pd.Series[Any]:
    if attribute.name in _CANONICAL:
        return _CANONICAL[attribute.name](values)
    if attribute.bins:
        return pd.to_numeric(values, errors="coerce").astype(np.float64)
    return values.where(values != "", None)


def read_headers(paths: Sequence[str], names: Sequence[str]) -> pd.DataFrame:
    """Read attributes from DICOM headers; blank where a file is not there or no DICOM file.

    Parameters
    ----------
    paths : sequence of str
        Files.
    names : sequence of {"sex", "age"}
        What to read; no other element is.

    Returns
    -------
    DataFrame
        One row a file, one column of raw text a name.
    """
    tags = [HEADER_TAGS[name] for name in names]
    shown = progress(paths, "Reading DICOM headers", len(paths), unit="file")
    rows = [read_attributes(Path(path), tags) for path in shown]
    found = pd.DataFrame(rows, columns=list(names))
    for name in names:
        if blank := int((found[name] == "").sum()):
            logger.info("%s of %s files say no %s in a DICOM header", f"{blank:,}", f"{len(found):,}", name)
    return found
