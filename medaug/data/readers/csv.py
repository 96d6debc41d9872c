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
from medaug.data.readers.skin import skin_tones
from medaug.data.readers.tables import (
    OWN_DATA,
    chosen,
    column_for,
    filled_column,
    known_names,
    label_values,
    listed_files,
    listed_patients,
    mapped_columns,
    truths,
)
from medaug.errors import DataError, SettingsError
from medaug.progress import progress
from medaug.tabular.messages import common_form, first_row, refuse, tell
from medaug.tabular.people import canonical_age, canonical_sex
from medaug.tabular.table_files import read_text_table
from medaug.tabular.values import is_unknown, names, numbers
from medaug.task import Attribute, Task, attribute_column, label_column

HEADER_TAGS = MappingProxyType({"sex": "PatientSex", "age": "PatientAge"})
"""What may be taken from DICOM headers; nothing else is read from them."""

OFFICIAL_SPLITS = ("train", "val", "test")
OPTIONAL = ("domain", "official_split", "synthetic")
"""Names that are understood where a table has them."""

ROUNDING = 0.03
"""By how much the rounded shares of several classes may miss 1."""

_MEANT = MappingProxyType({"valid": "val", "validation": "val"})
_MEANING = {1.0: 1.0, 0.0: 0.0}
logger = logging.getLogger(__name__)

_NO_COLUMNS: Mapping[str, str] = MappingProxyType({})


def read_csv(
    folder: Path,
    task: Task,
    *,
    table: str = "table.csv",
    columns: Mapping[str, str] = _NO_COLUMNS,
    domain: str | None = None,
    from_headers: Sequence[str] = (),
    unlabelled: bool = False,
) -> pd.DataFrame:
    """Read a hospital's own table.

    File names and patient numbers go no further (but for ``path``, which is never stored): ``file`` and
    ``image_id`` are ``row 2``, ``row 3``, ... as an editor numbers the lines of the file, patients are
    ``patient 1``, ``patient 2``, ... in order of appearance. What cannot be understood is unknown, and its
    number is logged, column by column.

    Parameters
    ----------
    folder : Path
        Relative image paths in the table start here.
    task : Task
        Which labels and attributes to read. A label is 1 (present), 0 (absent), or blank or a word such as
        ``NA`` (unknown). Where classes exclude one another (``multiclass``) labels are shares from 0 to 1,
        which sum to 1 up to `ROUNDING` over the classes, or are unknown in all of them.
    table : str
        Name of the CSV (or Parquet) file in the folder.
    columns : mapping of str to str
        Column of the table for each of medaug's names: ``path``, ``patient_id``, the classes and attributes
        of the task, optionally ``domain``, ``official_split`` (``train``, ``val``, ``test`` or blank;
        ``valid`` and ``validation`` are ``val``), ``synthetic`` (1, true, yes: not a picture of a patient; 0,
        false, no or blank), and any further name, which becomes a column that can
        serve as the domain. A name that is not mapped is looked for as it is.
    domain : str, optional
        One name for all images, where the table has no column for the domain. Default `OWN_DATA`.
    from_headers : sequence of {"sex", "age"}
        Attributes to take from the headers of DICOM files instead of the table.
    unlabelled : bool
        The table has no labels: all are unknown, as of new images that a model is to predict.

    Returns
    -------
    DataFrame
        As described in `medaug.data.readers`.

    Raises
    ------
    DataError
        The table, a column, a path or a patient is missing, a file is listed twice, a label or split is not
        understood, or shares do not sum to 1; names the row and the column. A patient called ``nan`` or
        ``NA`` is unknown: each such image counts as a patient of its own.
    SettingsError
        `domain` and a column for it are both given, or `from_headers` names something else.

    Examples
    --------
    >>> from medaug.task import CHEST_RADIOGRAPHS
    >>> columns = {"path": "filename", "patient_id": "MRN", "effusion": "pleural_effusion"}
    >>> read_csv(Path("radiographs"), CHEST_RADIOGRAPHS, columns=columns)  # doctest: +SKIP
    """
    from_headers = chosen("from_headers", from_headers, list(HEADER_TAGS))
    if domain is not None and "domain" in columns:
        raise SettingsError("the domain has both a name and a column; give only one of them")
    if unlabelled and (given := sorted({*columns} & {*task.classes})):
        raise SettingsError(f"the table is unlabelled, but columns names labels: {', '.join(given)}")
    path = folder / str(table)
    if not path.is_file():
        raise DataError(
            f"the table {path} is not there; name it with the option table, --reader_options "
            "\"{'table': 'NAME.csv'}\""
        )
    needed = _needed(() if unlabelled else task.classes, task, from_headers)
    source = mapped_columns(read_text_table(path), columns, needed, OPTIONAL, path)
    rows = pd.Series([f"row {number}" for number in source.index], index=source.index, dtype=object)
    result: dict[str, Any] = {
        "image_id": rows,
        "path": listed_files(source, folder, "file", path),
        "file": rows,
        "patient_id": listed_patients(source, "image", path),
        "domain": _domain(source, domain, path),
        "official_split": _official_split(source, path),
        "synthetic": truths(source["synthetic"], path) if "synthetic" in source else False,
    }
    result |= dict.fromkeys(task.label_columns, np.nan) if unlabelled else _labels(source, task, path)
    result |= _attributes(source, task, from_headers, path, result["path"])
    further = [name for name in columns if name not in result and name not in _known(task)]
    result |= {name: known_names(source[name], column_for(name, path)) for name in further}
    return pd.DataFrame(result).reset_index(drop=True)


def _known(task: Task) -> set[str]:
    return {*task.classes, *(a.name for a in task.attributes)}


def _needed(labels: Sequence[str], task: Task, from_headers: Sequence[str]) -> list[str]:
    return ["path", "patient_id", *labels, *(a.name for a in _from_table(task, from_headers))]


def _from_table(task: Task, from_headers: Sequence[str]) -> list[Attribute]:
    return [a for a in task.attributes if a.name != "domain" and a.name not in from_headers]


def _domain(source: pd.DataFrame, domain: str | None, path: Path) -> pd.Series[Any]:
    if domain is None and "domain" in source:
        return names(filled_column(source, "domain", path), column_for("domain", path))
    return pd.Series(domain or OWN_DATA, index=source.index)


def _labels(source: pd.DataFrame, task: Task, path: Path) -> dict[str, pd.Series[float]]:
    read = _shares if task.kind == "multiclass" else _presence
    known = {name: read(_without_words(source[name], path), path) for name in task.classes}
    if task.kind == "multiclass":
        known = _of_one(pd.DataFrame(known), path)
    return {label_column(name): cells for name, cells in known.items()}


def _without_words(cells: pd.Series[str], path: Path) -> pd.Series[str]:
    """Return the cells of a label, blank where a word says that it is unknown; log both."""
    words = is_unknown(cells)
    tell(
        column_for(str(cells.name), path),
        len(cells),
        int((cells == "").sum()),
        (int(words.sum()), "hold a word such as NA: unknown"),
    )
    return cells.mask(words, "")


def _presence(cells: pd.Series[str], path: Path) -> pd.Series[float]:
    return label_values(cells, _MEANING, path)


def _shares(cells: pd.Series[str], path: Path) -> pd.Series[float]:
    read = numbers(cells)
    wrong = read.wrong | ~(read.blank | read.values.between(0.0, 1.0))
    refuse(cells, wrong, path, "is not the share of a class; shares are blank or from 0 to 1")
    return read.values


def _of_one(shares: pd.DataFrame, path: Path) -> dict[str, pd.Series[float]]:
    """Return shares that sum to 1 exactly; a DataError names the first row in which they do not nearly."""
    whole = shares.sum(axis=1, skipna=False)
    wrong = shares.notna().any(axis=1) & ~whole.between(1.0 - ROUNDING, 1.0 + ROUNDING)
    if wrong.any():
        raise DataError(
            f"{path}, row {first_row(wrong)} ({int(wrong.sum()):,} row(s) in all): the labels of the "
            f"{shares.shape[1]} classes do not sum to 1; fill in all of them, or leave all blank where they "
            "are unknown (kind 'multilabel' is for classes that do not exclude one another)"
        )
    return {str(name): cells / whole for name, cells in shares.items()}


def _official_split(source: pd.DataFrame, path: Path) -> pd.Series[Any]:
    if "official_split" not in source:
        return pd.Series(None, index=source.index, dtype=object)
    values = source["official_split"].str.lower().replace(dict(_MEANT))
    wrong = (values != "") & ~values.isin(OFFICIAL_SPLITS)
    what = f"is no official split; it is blank or one of: {', '.join(OFFICIAL_SPLITS)}"
    refuse(source["official_split"], wrong, path, what)
    return values.astype(object).where(values != "", None)


def _attributes(
    source: pd.DataFrame, task: Task, from_headers: Sequence[str], path: Path, paths: pd.Series[str]
) -> dict[str, pd.Series[Any]]:
    cells = {a.name: source[a.name] for a in _from_table(task, from_headers)}
    where = {name: column_for(name, path) for name in cells}
    if from_headers:
        headers = read_headers(paths.tolist(), from_headers).set_axis(source.index)
        cells |= {name: headers[name] for name in from_headers}
        where |= {name: f"headers of the files of {path}, {name}" for name in from_headers}
    return {attribute_column(name): _canonical(name, task, cells[name], where[name]) for name in cells}


def _canonical(name: str, task: Task, cells: pd.Series[str], where: str) -> pd.Series[Any]:
    if name == "sex":
        return canonical_sex(cells, where)
    if name == "age":
        return canonical_age(cells, task.bins("age"), where)
    if task.bins(name):
        return _measured(cells, where)
    groups = task.attribute(name).groups
    if name == "skin_tone":
        types = skin_tones(cells)
        cells = cells.mask((types != "") & ~cells.isin(groups), types)
    found = known_names(cells, where)
    outside = int((found.notna() & ~found.isin(groups)).sum())
    tell(where, len(found), 0, (outside, f"are none of the groups {', '.join(groups)}: unknown"))
    return found


def _measured(cells: pd.Series[str], where: str) -> pd.Series[float]:
    read = numbers(cells)
    form = common_form(cells[read.wrong]) if read.wrong.any() else ""
    tell(
        where,
        len(cells),
        int(read.blank.sum()),
        (read.commas, "have a decimal comma, which is read as a point"),
        (int(read.wrong.sum()), f"are no certain number, for example of the form {form!r}: unknown"),
    )
    return read.values


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
