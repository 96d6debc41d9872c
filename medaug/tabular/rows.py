"""From text to rows of cells: every row has as many cells as the header, or a sentence says which has not."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import csv as arrow_csv

from medaug.arrays import IntArray, UInt8Array
from medaug.errors import DataError
from medaug.tabular.text import Layout

_QUOTE, _LINE_FEED, _RETURN = ord('"'), ord("\n"), ord("\r")
_LARGEST_BLOCK = 2**30


def parse_rows(data: bytes, layout: Layout, path: Path) -> tuple[list[pa.ChunkedArray], IntArray]:
    """Return the columns of a table as text, and the line on which each row begins (an editor's number).

    Plain tables go through a fast parser. Whatever it does not like, or could understand in two ways, goes
    through a strict one, which knows the row.

    Raises
    ------
    DataError
        A row has more or fewer cells than the header, a quote is not closed, or a cell that is not plain is
        too long.
    """
    body = data[layout.start :]
    found = _fast(body, layout) if _is_plain(body, layout.separator) else None
    return found if found is not None else _strict(body, layout, path)


def _is_plain(body: bytes, separator: str) -> bool:
    """Whether all parsers agree on a text: quotes enclose whole cells, lines end in one way."""
    if not body.strip():
        return False
    returns = body.count(b"\r")
    if returns and returns != body.count(b"\r\n") and b"\n" in body:
        return False
    return _quotes_enclose(np.frombuffer(body, np.uint8), separator)


def _quotes_enclose(text: UInt8Array, separator: str) -> bool:
    """Whether each quote opens or closes a cell or is doubled, and no line break is in a cell."""
    quotes = np.flatnonzero(text == _QUOTE)
    if len(quotes) == 0:
        return True
    if len(quotes) % 2:
        return False
    opening, closing = quotes[::2], quotes[1::2]
    before = np.where(opening > 0, text[opening - 1], _LINE_FEED)
    after = np.where(closing + 1 < len(text), text[np.minimum(closing + 1, len(text) - 1)], _LINE_FEED)
    edges = np.array([ord(separator), _LINE_FEED, _RETURN, _QUOTE], np.uint8)
    breaks = np.flatnonzero((text == _LINE_FEED) | (text == _RETURN))
    inside = np.searchsorted(quotes, breaks) % 2
    return bool(np.isin(before, edges).all() and np.isin(after, edges).all() and not inside.any())


def _fast(body: bytes, layout: Layout) -> tuple[list[pa.ChunkedArray], IntArray] | None:
    """Parse a plain text; None where its rows differ in length or the line numbers would not be certain."""
    names = [f"f{number}" for number in range(len(layout.header))]
    try:
        table = arrow_csv.read_csv(
            pa.BufferReader(body),
            arrow_csv.ReadOptions(
                use_threads=False, column_names=names, block_size=min(len(body) + 1, _LARGEST_BLOCK)
            ),
            arrow_csv.ParseOptions(delimiter=layout.separator),
            arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.large_string()), strings_can_be_null=False
            ),
        )
    except pa.ArrowInvalid:
        return None
    lines = _line_numbers(body) + layout.line
    return (table.columns, lines) if len(lines) == table.num_rows else None


def _line_numbers(body: bytes) -> IntArray:
    """Return the numbers of the lines that are not blank, from 0."""
    text = np.frombuffer(body, np.uint8)
    ends = np.flatnonzero(text == (_LINE_FEED if b"\n" in body else _RETURN))
    starts = np.concatenate([[0], ends + 1])
    ends = np.concatenate([ends, [len(text)]])
    # A line of one carriage return is blank too, in a file whose lines end in two characters.
    blank = (ends == starts) | ((ends == starts + 1) & (text[np.minimum(starts, len(text) - 1)] == _RETURN))
    return np.flatnonzero(~blank).astype(np.int64)


def _strict(body: bytes, layout: Layout, path: Path) -> tuple[list[pa.ChunkedArray], IntArray]:
    expected = len(layout.header)
    rows = [(line, row) for line, row in _numbered(body, layout, path) if any(map(str.strip, row))]
    if wrong := [(line, len(row)) for line, row in rows if len(row) != expected]:
        raise _wrong_length(wrong, expected, path)
    columns = zip(*(row for _, row in rows), strict=True) if rows else [()] * expected
    arrays = [pa.chunked_array([pa.array(cells, pa.large_string())]) for cells in columns]
    return arrays, np.array([line for line, _ in rows], np.int64)


def _numbered(body: bytes, layout: Layout, path: Path) -> Iterator[tuple[int, list[str]]]:
    """Give each row with the line on which it begins."""
    text = io.StringIO(body.decode("utf-8"), newline="")
    reader = csv.reader(text, delimiter=layout.separator, skipinitialspace=True, strict=True)
    line = layout.line
    try:
        for row in reader:
            after = layout.line + reader.line_num
            if after - line > 1:
                _check_breaks(row, line, layout, path)
            yield line, row
            line = after
    except csv.Error:
        raise DataError(
            f"{path}, row {line}: a quote is not closed, or stands within a cell without being doubled, or a "
            f"cell has more than {csv.field_size_limit():,} characters"
        ) from None


def _check_breaks(row: list[str], line: int, layout: Layout, path: Path) -> None:
    """Refuse a cell of several lines that holds what looks like a row: its quote was closed too late."""
    separators = len(layout.header) - 1
    for cell in row:
        if separators > 1 and any(
            part.count(layout.separator) >= separators for part in cell.splitlines()[1:]
        ):
            raise DataError(f"{path}, row {line}: a quoted cell holds whole rows; close its quote")


def _wrong_length(wrong: list[tuple[int, int]], expected: int, path: Path) -> DataError:
    line, found = wrong[0]
    several = f" ({len(wrong):,} such rows in all)" if len(wrong) > 1 else ""
    return DataError(
        f"{path}, row {line}: {found} cells, but the header has {expected}{several}; put a cell that holds a "
        "separator in quotes, and give every row as many cells as the header"
    )
