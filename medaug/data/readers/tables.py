"""What the readers share: a CSV file read as text, its columns, and files found below a folder."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Sequence
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
