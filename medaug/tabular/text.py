"""From the bytes of a table to UTF-8, and where its header and its separators are."""

from __future__ import annotations

import codecs
import csv
import logging
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from medaug.errors import DataError

SEPARATORS = (",", ";", "\t")

_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_FOREIGN = (
    (b"PK\x03\x04", "a spreadsheet or another archive; save it as CSV UTF-8"),
    (b"\xd0\xcf\x11\xe0", "a spreadsheet of an old kind; save it as CSV UTF-8"),
    (b"\x1f\x8b", "a gzip archive; unpack it"),
    (b"PAR1", "a Parquet file; give its name the ending .parquet"),
)
_NOT_WESTERN = re.compile(rb"[\x80-\xff]{3}|[\xc2-\xdf][\x80-\xbf]")
"""Bytes that Western European text hardly has: three letters beyond ASCII in a row, or a letter of UTF-8."""
_SIGNS = "\xa0€°§²³µ´’‘“”–—«»·±½¼¾®©…"
"""What such text may hold beside letters."""
_HINT = re.compile(r"sep=(.)\s*", re.IGNORECASE)  # the first line that Excel understands
_HEAD = 2**18
_SAMPLE = 20

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Layout:
    """Where things are: the cells of the header, the separator, and the first row (byte and line)."""

    header: tuple[str, ...]
    separator: str
    start: int
    line: int


def not_a_table(path: Path, reason: str) -> DataError:
    """Return the error for a file that cannot be read as a table at all."""
    return DataError(f"{path} is not a CSV table: {reason}")


def read_utf8(path: Path) -> bytes:
    """Return the text of a file as UTF-8 without a mark; a file in Windows-1252 is read and told.

    Raises
    ------
    DataError
        The file is not there, or its encoding is not certain.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError(f"the table {path} is not there or cannot be read ({error.strerror})") from None
    for beginning, what in _FOREIGN:
        if data.startswith(beginning):
            raise not_a_table(path, f"it is {what}")
    encoding = next((name for mark, name in _MARKS if data.startswith(mark)), None)
    try:
        text = data.decode(encoding or "utf-8")
    except UnicodeDecodeError:
        if encoding is not None:
            raise not_a_table(path, f"it begins like {encoding.upper()}, but is not") from None
        text, encoding = _western(data, path), "cp1252"
    if "\0" in text:
        raise not_a_table(
            path, "it holds zero bytes, so it is no text, or UTF-16 without a mark; save it as UTF-8"
        )
    return data if encoding is None else text.encode("utf-8")


def _western(data: bytes, path: Path) -> str:
    """Decode Windows-1252 (and so Latin-1), where the bytes look like it; say so."""
    try:
        if _NOT_WESTERN.search(data):
            raise UnicodeError
        text = data.decode("cp1252")
        if not all(c.isascii() or c.isalpha() or c in _SIGNS for c in set(text)):
            raise UnicodeError
    except UnicodeError:
        raise not_a_table(path, "its encoding is neither UTF-8 nor certain; save it as UTF-8") from None
    lines = [number for number, line in enumerate(data.splitlines(), 1) if not line.isascii()]
    logger.warning(
        "%s is not in UTF-8: its %d rows with letters beyond ASCII, the first is row %d, are read as "
        "Windows-1252 (Western European); save it as UTF-8 to be sure",
        path.name,
        len(lines),
        lines[0],
    )
    return text


def find_layout(data: bytes, path: Path) -> Layout:
    """Find header and separator; comments (``#``), blank lines and ``sep=`` above the header are passed over.

    Raises
    ------
    DataError
        There is no header, or a quote in it is not closed.
    """
    lines = [line.decode("utf-8", "replace") for line in data[:_HEAD].splitlines(keepends=True)]
    first, hint = _first_line(lines, path)
    sample = lines[first : first + _SAMPLE]
    separator = hint or max(SEPARATORS, key=lambda one: _fit(sample, one))
    first = _header_line(lines, first, separator)
    reader = csv.reader(lines[first:], delimiter=separator, skipinitialspace=True, strict=True)
    try:
        header = next(reader)
    except csv.Error:
        raise not_a_table(path, f"a quote in its header (row {first + 1}) is not closed") from None
    used = first + reader.line_num
    start = len("".join(lines[:used]).encode("utf-8"))
    return Layout(tuple(name.strip() for name in header), separator, start, used + 1)


def _first_line(lines: list[str], path: Path) -> tuple[int, str | None]:
    """Return the number of the first line that is neither blank nor a comment, and the separator."""
    hint = None
    for number, line in enumerate(lines):
        if found := _HINT.fullmatch(line):
            hint = found[1]
        elif line.strip() and not line.startswith("#"):
            return number, hint
    raise not_a_table(path, "it has no header, or is empty")


def _header_line(lines: list[str], first: int, separator: str) -> int:
    """Return the line of the header: ``#id,path`` is one where the line below it has as many cells."""
    above = first - 1
    if above < 0 or not lines[above].startswith("#"):
        return first
    comment, row = (_lengths([lines[number]], separator) for number in (above, first))
    return above if comment == row and sum(row) > 1 else first


def _fit(sample: list[str], separator: str) -> tuple[bool, int]:
    """Say how well a separator divides some lines: all into as many cells, and into how many."""
    lengths = _lengths(sample, separator)
    cells = lengths[0] if lengths else 0
    return cells > 1 and all(length == cells for length in lengths[:-1]), cells


def _lengths(lines: list[str], separator: str) -> list[int]:
    """Return the numbers of cells of rows, up to one with a cell that is too long for Python's reader."""
    lengths = []
    with suppress(csv.Error):
        for row in csv.reader(lines, delimiter=separator):
            if row:
                lengths.append(len(row))
    return lengths
