"""What the readers share: a CSV file read as text, its columns, and files found below a folder."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

import pandas as pd

from medaug.errors import DataError, SettingsError


def read_text_table(path: Path) -> pd.DataFrame:
    """Read a CSV file with every cell as text, stripped; an empty cell is ``""``.

    Raises
    ------
    DataError
        The file is not there, not text, or no table (a web page under its name, for example).
    """
    if not path.is_file():
        raise DataError(f"the table {path} is not there; check the folder")
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig", index_col=False)
    except (ValueError, pd.errors.ParserWarning) as error:
        raise DataError(f"{path} is not a CSV table: {str(error).strip()}") from None
    table.columns = [str(name).strip() for name in table.columns]
    return pd.DataFrame({name: table[name].str.strip() for name in table})


def need_columns(table: pd.DataFrame, columns: Collection[str], path: Path) -> None:
    """Raise a DataError that names the columns that a table lacks."""
    if missing := [name for name in columns if name not in table]:
        raise DataError(
            f"{path} lacks the column(s) {', '.join(map(repr, missing))}; "
            f"it has: {', '.join(map(repr, table))}"
        )


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
        As `read_text_table` returned it.
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
    """
    found = {name: name for name in needed} | {name: name for name in optional if name in table}
    names = found | dict(columns)
    need_columns(table, list(names.values()), path)
    return pd.DataFrame({name: table[column] for name, column in names.items()})


def filled_column(table: pd.DataFrame, name: str, path: Path) -> pd.Series[str]:
    """Return a column that must not have blanks; a DataError names the first row that has."""
    blank = (table[name] == "").to_numpy()
    if blank.any():
        raise DataError(f"{path}, row {int(blank.argmax()) + 1}: the column for {name!r} is blank")
    return table[name]


def pseudonyms(patients: pd.Series[str]) -> pd.Series[str]:
    """Return running numbers for patients, so that no hospital number gets any further."""
    numbers, _ = pd.factorize(patients)
    return pd.Series([f"patient {number + 1}" for number in numbers], index=patients.index)


def need_choice(name: str, value: str, choices: Sequence[str]) -> None:
    """Raise a SettingsError when the value of an option is none of its choices."""
    if value not in choices:
        raise SettingsError(f"{name} is {value!r}; it is one of: {', '.join(choices)}")


def label_values(values: pd.Series[str], meaning: dict[float, float], path: Path) -> pd.Series[float]:
    """Turn the cells of a label column into numbers.

    Parameters
    ----------
    values : Series of str
        Cells; an empty one is missing in the result.
    meaning : dict of float to float
        What each number that may occur means: 0, 1 or NaN.
    path : Path
        The table, for the message.

    Raises
    ------
    DataError
        A cell holds something else; names the row (the first below the header is 1) and the column.
    """
    numbers = pd.to_numeric(values, errors="coerce")
    wrong = (values != "") & ~numbers.isin(list(meaning))
    if wrong.any():
        row = int(wrong.to_numpy().argmax())
        known = ", ".join(f"{number:g}" for number in meaning)
        raise DataError(
            f"{path}, row {row + 1}, column {values.name!r}: {values.iloc[row]!r} is not a label; "
            f"labels are blank or one of: {known}"
        )
    return numbers.map(meaning).astype("float64")


def files_below(folder: Path, endings: Collection[str]) -> Iterator[os.DirEntry[str]]:
    """Yield all files below a folder whose name has one of the endings (lower case), in one walk."""
    pending = [os.fspath(folder)]
    while pending:
        with os.scandir(pending.pop()) as entries:
            for entry in entries:
                if entry.name.startswith("."):
                    continue
                if entry.is_dir():
                    pending.append(entry.path)
                elif os.path.splitext(entry.name)[1].lower() in endings:
                    yield entry


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
