"""A file of any table, CSV or Parquet, as cells of text under the names of its columns."""

from __future__ import annotations

import logging
import re
from collections.abc import Collection, Sequence
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from medaug.arrays import IntArray
from medaug.errors import DataError
from medaug.tabular.rows import parse_rows
from medaug.tabular.text import find_layout, read_utf8
from medaug.tabular.values import as_text

ROW = "row"
"""Name of the index: where a row stands in its file, as an editor numbers lines."""

_DATA = re.compile(r"[\d\s./:,+-]*\d[\d\s./:,+-]*|.*\.(png|jpe?g|dcm|tiff?|svs|nii|gz)", re.IGNORECASE)

logger = logging.getLogger(__name__)


def read_text_table(path: Path) -> pd.DataFrame:
    """Read a table with every cell as text, stripped of blanks; an empty cell is ``""``.

    CSV files may be separated by commas, semicolons or tabs, and be in UTF-8, UTF-16 with its mark, or
    Windows-1252 (which is logged). Blank rows, and comments above the header, are passed over. Words like
    ``NA`` stay words: what they mean depends on the column. Cells of a Parquet file have the names that the
    same values have in a CSV file.

    Parameters
    ----------
    path : Path
        A CSV file, or a Parquet file with the ending ``.parquet``.

    Returns
    -------
    DataFrame
        Text; the index `ROW` is the number that an editor shows for the row (of a CSV file the line on which
        it begins: the header is usually 1; of a Parquet file it counts from 1). Columns without a name are
        left out.

    Raises
    ------
    DataError
        The file is not there or no table (a web page, a spreadsheet), its encoding is not certain, a row has
        more or fewer cells than the header, a quote is not closed (names the row), or two columns have one
        name.
    """
    if path.suffix.lower() == ".parquet":
        table = read_typed_table(path)
        return pd.DataFrame({name: as_text(table[name]) for name in table})
    data = read_utf8(path)
    layout = find_layout(data, path)
    columns, lines = parse_rows(data, layout, path)
    named = [(name, cells) for name, cells in zip(layout.header, columns, strict=True) if name]
    need_distinct([name for name, _ in named], path)
    stripped = {name: pc.utf8_trim_whitespace(cells) for name, cells in named}
    _tell_stripped([cells for _, cells in named], list(stripped.values()), path)
    return _without_blank_rows(stripped, lines, path)


def read_typed_table(path: Path) -> pd.DataFrame:
    """Read a Parquet file with its types; the index `ROW` counts from 1.

    Raises
    ------
    DataError
        The file is not there or damaged, or two columns have one name.
    """
    try:
        table = pd.read_parquet(path)
    except (OSError, ValueError, KeyError, pa.ArrowException) as error:
        raise DataError(f"{path} cannot be read as a Parquet table ({type(error).__name__})") from None
    # What pandas keeps as its index is a column like any other where it has a name.
    if table.index.names != [None]:
        table = table.reset_index()
    table.columns = [str(name).strip() for name in table.columns]
    need_distinct(list(table.columns), path)
    return table.set_axis(pd.RangeIndex(1, len(table) + 1, name=ROW))


def need_distinct(names: Sequence[str], path: Path) -> None:
    """Raise a DataError where two columns have one name, blanks around it left aside."""
    if twice := sorted({name for name in names if names.count(name) > 1}):
        what = "a column" if looks_like_data(names) else f"the column {twice[0]!r}"
        raise DataError(f"{path} has {what} twice (blanks around names do not count); rename or remove one")


def need_columns(table: pd.DataFrame, columns: Collection[str], path: Path) -> None:
    """Raise a DataError that names the columns that a table lacks."""
    if missing := [name for name in columns if name not in table]:
        there = columns_there([str(name) for name in table])
        raise DataError(f"{path} lacks the column(s) {', '.join(map(repr, missing))}; {there}")


def columns_there(names: Sequence[str]) -> str:
    """Say which columns a table has, unless their names look like data, which a message must not show."""
    if looks_like_data(names):
        return "its first row looks like data: is the row of names missing?"
    return f"it has: {', '.join(map(repr, names))}"


def looks_like_data(names: Sequence[str]) -> bool:
    """Whether what stands in the place of names are values, which a message must not show."""
    return any(_DATA.fullmatch(name) for name in names)


def _tell_stripped(before: list[pa.ChunkedArray], after: list[pa.ChunkedArray], path: Path) -> None:
    changed = sum(
        pc.sum(pc.not_equal(old, new)).as_py() or 0
        for old, new in zip(before, after, strict=True)
        if pc.sum(pc.binary_length(old)) != pc.sum(pc.binary_length(new))
    )
    if changed:
        logger.info("%s: blanks around %s cells do not count", path.name, f"{changed:,}")


def _without_blank_rows(columns: dict[str, pa.ChunkedArray], lines: IntArray, path: Path) -> pd.DataFrame:
    """Return the table without rows of blanks only, such as spreadsheets leave below the last one."""
    table: pd.DataFrame = pa.table(columns).to_pandas().set_axis(pd.Index(lines, name=ROW))
    blank = pd.Series(True, index=table.index)
    for name in table:
        if not blank.any():
            return table
        blank &= table[name] == ""
    if blank.any():
        logger.info("%s: %s rows of blanks are passed over", path.name, f"{int(blank.sum()):,}")
    return table.loc[~blank]
