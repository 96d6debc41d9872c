"""What the readers share: columns of a table and their checks, and files found below a folder."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from unicodedata import normalize

import pandas as pd

from medaug.errors import DataError, SettingsError
from medaug.tabular.messages import first_row, refuse, tell
from medaug.tabular.table_files import need_columns
from medaug.tabular.values import TRUTHS, is_unknown, names, numbers

OWN_DATA = "own data"
"""Domain of images whose hospital has no name."""


def mapped_columns(
    table: pd.DataFrame,
    columns: Mapping[str, str],
    needed: Collection[str],
    optional: Collection[str],
    path: Path,
) -> pd.DataFrame:
    """Return a table under medaug's names.

    Parameters
    ----------
    table : DataFrame
        As `medaug.tabular.table_files.read_text_table` returned it.
    columns : mapping of str to str
        Column of the table for each of medaug's names; a name that is not mapped is looked for as it is.
    needed, optional : collections of str
        Names that must be there, and those that are taken where they are.
    path : Path
        The table, for the message.

    Raises
    ------
    DataError
        A column that is needed or mapped is not there.
    SettingsError
        `columns` is no mapping, or turned round.
    """
    _check_mapping(table, columns, needed)
    found = {name: name for name in needed} | {name: name for name in optional if name in table}
    wanted = found | dict(columns)
    need_columns(table, list(wanted.values()), path)
    return pd.DataFrame({name: table[column] for name, column in wanted.items()})


def _check_mapping(table: pd.DataFrame, columns: Mapping[str, str], needed: Collection[str]) -> None:
    if not isinstance(columns, Mapping):
        raise SettingsError(f"columns is a mapping, for example {{'path': 'filename'}}, not {columns!r}")
    for column, name in columns.items():
        if column in table and name in needed and name not in table:
            raise SettingsError(
                f"columns is turned round: medaug's name comes first, {{{name!r}: {column!r}}} and so on"
            )


def filled_column(table: pd.DataFrame, name: str, path: Path) -> pd.Series[str]:
    """Return a column that must not have blanks; a DataError names the first row that has."""
    blank = table[name] == ""
    if blank.any():
        raise DataError(f"{path}, row {first_row(blank)}: the column for {name!r} is blank")
    return table[name]


def distinct(cells: pd.Series[str], what: str, path: Path) -> pd.Series[str]:
    """Return cells that must all be there and differ; a DataError names the row that is blank or repeats."""
    blank, again = cells == "", cells.duplicated()
    if blank.any():
        raise DataError(f"{path}, row {first_row(blank)}: there is no {what}")
    if again.any():
        second = first_row(again)
        first = first_row(cells == cells.loc[second])
        raise DataError(f"{path}, row {second}: its {what} is that of row {first}; list it once")
    return cells


def listed_files(table: pd.DataFrame, folder: Path, what: str, path: Path) -> pd.Series[str]:
    """Return where the files of the column ``path`` lie; relative names start in a folder.

    Parameters
    ----------
    table : DataFrame
        From `mapped_columns`.
    folder : Path
        Where relative names start.
    what : str
        What a message calls a file.
    path : Path
        The table, for the message.

    Raises
    ------
    DataError
        A name is blank, none of the files is there, or one is listed twice.
    """
    names = filled_column(table, "path", path)
    files = names.map(lambda name: _as_on_disk(folder.absolute(), name)).astype(object)
    if not any(map(os.path.isfile, files)):
        foreign = os.sep == "/" and names.str.contains("\\", regex=False).any()
        raise DataError(
            f"none of the {len(files):,} {what}s that {path} lists is there; paths are taken from {folder}, "
            f"with their endings{', and parted by /, not by backslashes' if foreign else ''}"
        )
    distinct(files.map(os.path.normpath), what, path)
    return files


def _as_on_disk(folder: Path, name: str) -> str:
    """Return where a file lies, or should.

    Folders that come from a Mac spell an accented letter as two characters, tables mostly as one.
    """
    path = os.path.join(folder, name)
    if name.isascii() or os.path.exists(path):
        return path
    place = os.fspath(folder)
    for part in Path(name).parts:
        forms = (os.path.join(place, normalize(form, part)) for form in ("NFC", "NFD"))
        place = next(filter(os.path.exists, forms), os.path.join(place, part))
    return place


def listed_patients(table: pd.DataFrame, what: str, path: Path) -> pd.Series[str]:
    """Return running numbers for the patients of the column ``patient_id``.

    Parameters
    ----------
    table : DataFrame
        From `mapped_columns`.
    what : str
        What a row is: an image, a slide.
    path : Path
        The table, for the message.

    Raises
    ------
    DataError
        A cell is blank, or a number was rounded.
    """
    where = column_for("patient_id", path)
    patients = names(filled_column(table, "patient_id", path), where)
    own = pd.Series([f"{what} of row {row}" for row in table.index], index=table.index, dtype=object)
    return pseudonyms(known_patients(patients, own, where))


def column_for(name: str, path: Path) -> str:
    """Return what messages call the column of a table that holds what medaug calls by a name."""
    return f"{path}, column for {name!r}"


def known_patients(cells: pd.Series[str], images: pd.Series[str], where: str) -> pd.Series[str]:
    """Return patients; where none is named (a blank, ``nan``, ``NA``) the image is one of its own, logged."""
    unknown = (cells == "") | is_unknown(cells)
    tell(where, len(cells), 0, (int(unknown.sum()), "name no patient: each image counts as one of its own"))
    own = images.mask(images.isin(cells), "image " + images)  # a patient may be called like an image
    return cells.mask(unknown, own)


def pseudonyms(patients: pd.Series[str]) -> pd.Series[str]:
    """Return running numbers for patients, so that no hospital number gets any further."""
    numbers, _ = pd.factorize(patients)
    return pd.Series([f"patient {number + 1}" for number in numbers], index=patients.index)


def known_names(cells: pd.Series[str], where: str) -> pd.Series[Any]:
    """Return the names in a column (of sites, say) as written, missing where blank; blanks are logged."""
    found = names(cells, where)
    blank = found == ""
    tell(where, len(found), int(blank.sum()))
    return found.astype(object).where(~blank, None)


def need_choice(name: str, value: str, choices: Sequence[str]) -> None:
    """Raise a SettingsError when the value of an option is none of its choices."""
    if value not in choices:
        raise SettingsError(f"{name} is {value!r}; it is one of: {', '.join(choices)}")


def chosen(name: str, values: Sequence[str], choices: Sequence[str]) -> list[str]:
    """Return the values of an option, a lone one as a list of one; a SettingsError where one is no choice."""
    given = as_list(values)
    for value in given:
        need_choice(name, value, choices)
    return given


def as_list(values: Sequence[str]) -> list[str]:
    """Return the values of an option as a list; a lone one is a list of one."""
    return [values] if isinstance(values, str) else list(values)


def label_values(cells: pd.Series[str], meaning: dict[float, float], path: Path) -> pd.Series[float]:
    """Turn the cells of a label column into numbers.

    Parameters
    ----------
    cells : Series of str
        Cells; an empty one is missing in the result.
    meaning : dict of float to float
        What each number that may occur means: 0, 1 or NaN.
    path : Path
        The table, for the message.

    Raises
    ------
    DataError
        A cell holds something else; names the row and the column.
    """
    read = numbers(cells)
    wrong = read.wrong | (~read.blank & ~read.values.isin(list(meaning)))
    known = ", ".join(f"{number:g}" for number in meaning)
    refuse(cells, wrong, path, f"is not a label; labels are blank or one of: {known}")
    return read.values.map(meaning).astype("float64")


def truths(cells: pd.Series[str], path: Path) -> pd.Series[bool]:
    """Return a column that is true or false, blank for false; a DataError names the first other cell."""
    values = cells.str.lower()
    known = ", ".join(filter(None, TRUTHS))
    refuse(cells, ~values.isin(list(TRUTHS)), path, f"is not understood; it is blank or one of: {known}")
    return values.map(TRUTHS).astype(bool)


def files_below(folder: Path, endings: Collection[str]) -> Iterator[os.DirEntry[str]]:
    """Yield all files below a folder whose name has one of the endings (lower case), in one walk.

    Hidden files and folders are passed over. Digits behind the last dot are no ending (``""``) too: DICOM
    files are often called by their UID, or ``IM.0001``.

    Raises
    ------
    DataError
        A folder in it cannot be read, or is a link to one that it lies in.
    """
    try:
        yield from (entry for entry in _all_files(folder) if _has_ending(entry.name, endings))
    except OSError as error:
        raise DataError(
            f"{folder} cannot be searched ({error.strerror}): a folder in it may not be read, or is a link "
            "to one above it; move that away, or name another folder"
        ) from None


def found_files(folder: Path, what: str, endings: Sequence[str]) -> list[str]:
    """Return the files below a folder that have one of the endings, in the order of their paths.

    Raises
    ------
    DataError
        There is none, which a message calls `what`, or a folder cannot be read.
    """
    wanted = [ending.lower() for ending in as_list(endings)]
    paths = sorted(entry.path for entry in files_below(folder, wanted))
    if not paths:
        raise DataError(
            f"there is no {what} below {folder}; names that end in these count: {', '.join(wanted)}"
        )
    return paths


def _all_files(folder: Path) -> Iterator[os.DirEntry[str]]:
    pending = [os.fspath(folder)]
    while pending:
        with os.scandir(pending.pop()) as entries:
            for entry in entries:
                if entry.name.startswith("."):
                    continue
                if entry.is_dir():
                    pending.append(entry.path)
                else:
                    yield entry


def _has_ending(name: str, endings: Collection[str]) -> bool:
    ending = os.path.splitext(name)[1].lower()
    return ending in endings or (ending[1:].isdecimal() and "" in endings)


def largest_files(folder: Path, wanted: Collection[str], endings: Collection[str]) -> dict[str, str]:
    """Find files by name without ending, anywhere below a folder.

    Parameters
    ----------
    folder : Path
        Where to look.
    wanted : collection of str
        Names without ending.
    endings : collection of str
        Endings that count, in lower case with the dot.

    Returns
    -------
    dict of str to str
        Path of each name that is there; one that occurs twice (two resolutions) is the larger file.
    """
    found: dict[str, str] = {}
    for entry in files_below(folder, endings):
        name = os.path.splitext(entry.name)[0]
        if name in wanted:
            found[name] = _larger(found[name], entry.path) if name in found else entry.path
    return found


def _larger(first: str, second: str) -> str:
    return max(first, second, key=lambda path: (os.stat(path).st_size, path))
