"""Ways to spoil a table: what is written, and what each cell may then be read as."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from spoiling.world import World

UNKNOWN = object()
"""Stands for a missing value that the log speaks of."""
SAME = object()
"""Stands for the value of the good table."""
ANY = object()
"""Stands for any value: what matters is that reading goes on, or ends with a sentence."""
OWN = object()
"""Stands for a patient whom no other row shares."""
Cell = tuple[int, str]


@dataclass(frozen=True)
class Spoilt:
    """A spoiled table: its bytes, and what other values cells may have now (by row and column)."""

    data: bytes
    may_be: dict[Cell, tuple[Any, ...]] = field(default_factory=dict)
    must_fail: bool = False


Spoiling = Callable[[World, np.random.Generator], Spoilt | None]


def text_of(header: Sequence[str], rows: Sequence[Sequence[str]], **form: Any) -> str:
    """Return a table as text; `form` are options of Python's ``csv.writer``."""
    out = io.StringIO(newline="")
    csv.writer(out, **{"lineterminator": "\n"} | form).writerows([header, *rows])
    return out.getvalue()


def _plain(world: World) -> str:
    return text_of(world.header, world.rows)


def _with(world: World, cells: dict[Cell, str]) -> list[list[str]]:
    rows = [list(row) for row in world.rows]
    for (row, column), cell in cells.items():
        rows[row][list(world.header).index(column)] = cell
    return rows


def _written(world: World, cells: dict[Cell, str], **form: Any) -> bytes:
    return text_of(world.header, _with(world, cells), **form).encode("utf-8")


def _column(world: World, rng: np.random.Generator, *holds: str) -> str | None:
    """Choose a column that holds one of these."""
    found = [name for name, column in world.columns.items() if column.holds in holds]
    return str(rng.choice(found)) if found else None


def _row(world: World, rng: np.random.Generator) -> int:
    return int(rng.integers(len(world.rows)))


def _form(**options: Any) -> Spoiling:
    """Write the same table in another form."""
    return lambda world, rng: Spoilt(text_of(world.header, world.rows, **options).encode("utf-8"))


def _encoded(encoding: str) -> Spoiling:
    return lambda world, rng: Spoilt(_plain(world).encode(encoding))


def _lines(change: Callable[[list[str], np.random.Generator], None], must_fail: bool = False) -> Spoiling:
    """Change the lines of the text."""

    def spoil(world: World, rng: np.random.Generator) -> Spoilt:
        lines = _plain(world).splitlines()
        change(lines, rng)
        return Spoilt(("\n".join(lines) + "\n").encode("utf-8"), must_fail=must_fail)

    return spoil


def _blank_lines(lines: list[str], rng: np.random.Generator) -> None:
    for _ in range(4):
        lines.insert(int(rng.integers(len(lines) + 1)), rng.choice(["", "", "   "]))


def _rows_of_separators(lines: list[str], rng: np.random.Generator) -> None:
    lines += ["," * lines[0].count(",")] * 3


def _blanks_around(lines: list[str], rng: np.random.Generator) -> None:
    lines[:] = [line.replace(",", " , ") for line in lines]


def _comment(lines: list[str], rng: np.random.Generator) -> None:
    lines.insert(0, "# exported by the archive; version 3")


def _hint(lines: list[str], rng: np.random.Generator) -> None:
    lines.insert(0, "sep=,")


def _comma_everywhere(lines: list[str], rng: np.random.Generator) -> None:
    lines[1:] = [line + "," for line in lines[1:]]


def _comma_in_front(lines: list[str], rng: np.random.Generator) -> None:
    lines[1:] = ["," + line for line in lines[1:]]


def _comma_once(lines: list[str], rng: np.random.Generator) -> None:
    row = int(rng.integers(1, len(lines)))
    cells = lines[row].split(",")
    cells.insert(int(rng.integers(len(cells) + 1)), "x")
    lines[row] = ",".join(cells)


def _comma_missing(lines: list[str], rng: np.random.Generator) -> None:
    row = int(rng.integers(1, len(lines)))
    cells = lines[row].split(",")
    del cells[int(rng.integers(len(cells)))]
    lines[row] = ",".join(cells)


def _open_quote(lines: list[str], rng: np.random.Generator) -> None:
    row = int(rng.integers(1, len(lines)))
    cells = lines[row].split(",")
    place = int(rng.integers(len(cells)))
    cells[place] = '"' + cells[place]
    lines[row] = ",".join(cells)


def _late_quote(lines: list[str], rng: np.random.Generator) -> None:
    row = int(rng.integers(1, len(lines) - 1))
    before, _, last = lines[row].rpartition(",")
    lines[row] = f'{before},"{last}'
    lines[row + 1] += '"'


def _no_header(lines: list[str], rng: np.random.Generator) -> None:
    del lines[0]


def _column_twice(blank: bool) -> Spoiling:
    def spoil(world: World, rng: np.random.Generator) -> Spoilt | None:
        column = _column(world, rng, "patient", "label", "age", "sex", "name", "score", "image", "other")
        if not column:
            return None
        header = [*world.header, f" {column} " if blank else column]
        rows = [[*row, str(rng.choice(["0", "1", ""]))] for row in world.rows]
        return Spoilt(text_of(header, rows).encode("utf-8"), must_fail=True)

    return spoil


def _other_order(world: World, rng: np.random.Generator) -> Spoilt | None:
    if world.name == "chestxray14":  # its columns without brackets have no place of their own
        return None
    order = rng.permutation(len(world.header))
    rows = [[row[i] for i in order] for row in world.rows]
    return Spoilt(text_of([world.header[i] for i in order], rows).encode("utf-8"))


def _cell(holds: Sequence[str], values: dict[str, tuple[Any, ...]], **form: Any) -> Spoiling:
    """Write a value into one cell; it may be read as the values beside it."""

    def spoil(world: World, rng: np.random.Generator) -> Spoilt | None:
        column = _column(world, rng, *holds)
        if column is None:
            return None
        row, value = _row(world, rng), str(rng.choice(list(values)))
        meant = values[value] or (value,)
        return Spoilt(_written(world, {(row, column): value}, **form), {(row, column): meant})

    return spoil


def _names(values: Sequence[str], meant: Sequence[str]) -> Spoiling:
    """Write names into a whole column of names."""

    def spoil(world: World, rng: np.random.Generator) -> Spoilt | None:
        column = _column(world, rng, "name")
        if column is None:
            return None
        places = [(row, column) for row in range(len(world.rows))]
        chosen = [int(rng.integers(len(values))) for _ in places]
        cells = {place: values[i] for place, i in zip(places, chosen, strict=True)}
        return Spoilt(_written(world, cells), {p: (meant[i],) for p, i in zip(places, chosen, strict=True)})

    return spoil


def _western(world: World, rng: np.random.Generator) -> Spoilt | None:
    column = _column(world, rng, "name")
    if column is None:
        return None
    row = _row(world, rng)
    data = text_of(world.header, _with(world, {(row, column): "Köln"})).encode("cp1252")
    return Spoilt(data, {(row, column): ("Köln",)})


def _decimal_commas(separator: str) -> Spoiling:
    def spoil(world: World, rng: np.random.Generator) -> Spoilt | None:
        column = _column(world, rng, "score", "age", "label")
        if column is None:
            return None
        cells, meant = {}, {}
        for row, old in enumerate(world.rows):
            number = old[list(world.header).index(column)]
            if number:
                cells[row, column] = f"{float(number):.3f}".replace(".", ",")
                meant[row, column] = (SAME, UNKNOWN)
        return Spoilt(_written(world, cells, delimiter=separator), meant)

    return spoil


def _row_twice(world: World, rng: np.random.Generator) -> Spoilt | None:
    rows = [*world.rows, world.rows[_row(world, rng)]]
    return Spoilt(text_of(world.header, rows).encode("utf-8"), must_fail=True)


def _image_of_another(world: World, rng: np.random.Generator) -> Spoilt | None:
    column = _column(world, rng, "image")
    if column is None:
        return None
    first, second = rng.choice(len(world.rows), 2, replace=False)
    cell = world.rows[first][list(world.header).index(column)]
    return Spoilt(_written(world, {(int(second), column): cell}), must_fail=True)


def _data(data: bytes) -> Spoiling:
    return lambda world, rng: Spoilt(data, must_fail=True)


def _each(texts: Sequence[str], *meant: Any) -> dict[str, tuple[Any, ...]]:
    return dict.fromkeys(texts, meant)


_WORDS = ("NA", "None", "nan", "null", "N/A", "NULL", "NaN")
_NAMES = (
    "Köln",
    "東京",
    "St. Mary, East",
    'The "Old" Ward',
    "East\nWing",
    "2",
    "1.10",
    "007",
    "<b>x</b>",
    "=1+1",
)
_LONG = ("-1000600354148496558", "9094416934450217084")
_AGES = {
    **_each(("> 89", "90+", "90 or older", ">=90", "≥ 90"), 90.0, UNKNOWN),
    **_each(("45 years", "45 y", "045Y", "45.0", "45 yrs"), 45.0, UNKNOWN),
    **_each(("50-59", "41 to 59", "[50-60)"), 54.5, 50.0, 55.0, UNKNOWN),
    **_each(("17/04/1951", "1951-04-17", "NA", "-3", "1951", "45M", "Doe Jane", "10-70", "1e1", ""), UNKNOWN),
    "45,5": (45.5, UNKNOWN),
    "013M": (13 / 12, UNKNOWN),
}
_SEXES = {
    **_each(("female", "F", "f", "W", "weiblich"), "F", UNKNOWN),
    **_each(("male", "M", "m", "Mann"), "M", UNKNOWN),
    **_each(("O", "U", "unknown", "NA", "1", "Doe Jane", ""), UNKNOWN),
}
_BAD_SCORES = _each(("", "NA", "1.5", "-0.2", "0.5.1", "Doe Jane", "inf", "nan", "50%"), UNKNOWN)
_BAD_LABELS = _each(("NA", "nan", "yes", "7", "Doe Jane", "inf", "0,7x", "2020-01-01"), UNKNOWN)
_IMAGES = _each(("", "x" * 300, "../elsewhere.png", "/", "NA", "a\tb"), ANY)

SPOILINGS: dict[str, Spoiling] = {
    "nothing": _form(),
    "CRLF": _form(lineterminator="\r\n"),
    "CR": _form(lineterminator="\r"),
    "semicolons": _form(delimiter=";"),
    "tabs": _form(delimiter="\t"),
    "all quoted": _form(quoting=csv.QUOTE_ALL),
    "UTF-8 with a mark": _encoded("utf-8-sig"),
    "UTF-16 with a mark": _encoded("utf-16"),
    "UTF-16 without a mark": _encoded("utf-16-le"),
    "UTF-32": _encoded("utf-32"),
    "Windows-1252": _western,
    "blank lines": _lines(_blank_lines),
    "rows of separators": _lines(_rows_of_separators),
    "blanks around cells": _lines(_blanks_around),
    "comment above": _lines(_comment),
    "sep= above": _lines(_hint),
    "another order of columns": _other_order,
    "a comma too many in every row": _lines(_comma_everywhere, must_fail=True),
    "a comma in front of every row": _lines(_comma_in_front, must_fail=True),
    "a comma too many once": _lines(_comma_once, must_fail=True),
    "a comma missing once": _lines(_comma_missing, must_fail=True),
    "a quote not closed": _lines(_open_quote, must_fail=True),
    "a quote closed a row late": _lines(_late_quote, must_fail=True),
    "no header": _lines(_no_header, must_fail=True),
    "a column twice": _column_twice(blank=False),
    "a column twice, blanks": _column_twice(blank=True),
    "a row twice": _row_twice,
    "an image of another row": _image_of_another,
    "names of all kinds": _cell(("name",), _each(_NAMES)),
    "inner quotes as they are": _cell(("name",), {'St. "Mary"': ()}, quoting=csv.QUOTE_NONE, quotechar=None),
    "an image of a strange name": _cell(("image",), _IMAGES),
    "word as a name": _cell(("name",), _each(_WORDS)),
    "word as a patient": _cell(("patient",), _each(_WORDS, OWN)),
    "01 and 1": _names(("01", "1"), ("01", "1")),
    "seven digits": _names(("1000001", "1000002"), ("1000001", "1000002")),
    "seven digits, floating": _names(("1000001.0", "1000002.0"), ("1000001", "1000002")),
    "64-bit numbers": _names(_LONG, _LONG),
    "rounded names": _names(("1.00E+06", "1.0e+06"), ("", "")),
    "age in words": _cell(("age",), _AGES),
    "sex in words": _cell(("sex",), _SEXES),
    "score that is none": _cell(("score",), _BAD_SCORES),
    "label that is none": _cell(("label",), _BAD_LABELS),
    "diagnosis that is none": _cell(("diagnosis",), _each(_WORDS, UNKNOWN)),
    "decimal commas": _decimal_commas(","),
    "decimal commas and semicolons": _decimal_commas(";"),
    "empty": _data(b""),
    "spreadsheet": _data(b"PK\x03\x04" + bytes(range(256))),
    "web page": _data(b"<!DOCTYPE html>\n<html><body>Not found, sorry</body></html>\n"),
    "zeros": _data(bytes(500)),
    "noise": lambda world, rng: Spoilt(rng.bytes(400), must_fail=True),
}
"""All ways, by name."""
