"""What is spoiled: a small good table, what its columns mean, and how it is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from medaug.data.readers import read_slide_source, read_source
from medaug.task import Attribute, Task

SEX, AGE = Attribute("sex", ("F", "M")), Attribute("age", bins=(0.0, 40.0, 60.0, 80.0, 120.0))
TUMOUR = Task("multilabel", ("tumour",))
ROWS = 6
PEOPLE = ("Doe Jane", "Roe Richard", "Doe Jane", "Poe Edgar", "Moe Mary", "Loe Lena")
SITES = ("North", "South", "North", "East", "South", "East")
SEXES, AGES = ("Female", "Male", "Female", "Male", "Female", "Male"), ("35", "71", "36", "54", "64", "22")


@dataclass(frozen=True)
class Column:
    """What a column holds, and the column of the result where it goes, if any.

    It holds an ``image``, ``patient``, ``name``, ``label``, ``diagnosis``, ``score``, ``age``, ``sex``,
    ``group``, ``case`` or ``other`` things.
    """

    holds: str
    result: str | None = None


@dataclass(frozen=True)
class World:
    """A table, the files around it, and the function that reads it."""

    name: str
    table: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    columns: Mapping[str, Column]
    read: Callable[[Path], pd.DataFrame]
    files: Sequence[str] = ()
    tables: Mapping[str, str] = field(default_factory=dict)
    numbered: bool = False
    """Whether images are called by their row, so that another row is another name."""
    derived: Mapping[str, str] = field(default_factory=dict)
    """Further columns of the result, and the column that they follow from."""

    def write(self, folder: Path, data: bytes) -> None:
        """Write the table with this content, and everything around it."""
        for name in self.files:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).touch()
        for name, text in self.tables.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8")
        (folder / self.table).parent.mkdir(parents=True, exist_ok=True)
        (folder / self.table).write_bytes(data)


def rows_of(*columns: Sequence[str]) -> list[list[str]]:
    """Return the rows of some columns."""
    return [list(row) for row in zip(*columns, strict=True)]


def some(pattern: str) -> list[str]:
    """Return a pattern with the number of each row, from 1."""
    return [pattern.format(number) for number in range(1, ROWS + 1)]


def reader(name: str, task: Task, **options: Any) -> Callable[[Path], pd.DataFrame]:
    """Return the function that reads a folder with a reader of medaug."""
    read = read_slide_source if name in ("slides", "camelyon17") else read_source
    return lambda folder: read(name, folder, task, **options)
