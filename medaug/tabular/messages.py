"""What is said of cells that were changed or not understood: how many, of what form, never what they say."""

from __future__ import annotations

import logging
import re
from pathlib import Path

import pandas as pd

from medaug.errors import DataError

_NUMBER = re.compile(r"([+-]?)(\d+(?:[.,]\d*)?|[.,]\d+)")
_ANSWERS = frozenset(
    {"yes", "no", "true", "false", "positive", "negative", "present", "absent", "uncertain", "maybe", "nan"}
    | {"-1", "0", "1"}
)
_LONGEST = 24

logger = logging.getLogger(__name__)


def form(cell: str) -> str:
    """Return the form of a cell without what it says: digits as 9, letters as A and a.

    Examples
    --------
    >>> form("Jane Doe, 17/04/1951")
    'Aaaa Aaa, 99/99/9999'
    """
    letters = ("9" if c.isdigit() else "A" if c.isupper() else "a" if c.isalpha() else c for c in cell)
    text = "".join(letters)
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"


def shown(cell: object) -> str:
    """Return what a message may show of a cell: a plain answer, else only what kind of thing it is.

    Examples
    --------
    >>> shown("-1"), shown("yes"), shown("Doe"), shown("4711")
    ("'-1'", "'yes'", "text of the form 'Aaa'", 'a number above 1')
    """
    text = str(cell).strip()
    if text.lower() in _ANSWERS:
        return repr(text)
    if number := _NUMBER.fullmatch(text):
        return _kind_of_number(number[1] == "-", float(number[2].replace(",", ".")))
    return f"text of the form {form(text)!r}"


def _kind_of_number(negative: bool, size: float) -> str:
    if size > 1:
        return f"a number {'below -1' if negative else 'above 1'}"
    return f"a number between {'-1 and 0' if negative else '0 and 1'}"


def common_form(cells: pd.Series[str]) -> str:
    """Return the form that most of some cells have; the first of several."""
    forms = cells.map(form)
    return str(forms.value_counts(sort=False).idxmax())


def first_row(wrong: pd.Series[bool]) -> int:
    """Return the row (index) of the first true value."""
    return int(wrong.index[int(wrong.to_numpy(bool).argmax())])


def refuse(cells: pd.Series[str], wrong: pd.Series[bool], path: Path | str, what: str) -> None:
    """Raise a DataError about the first wrong cell, if any: its file, row, column and form, and `what`."""
    if wrong.any():
        row = first_row(wrong)
        raise DataError(f"{path}, row {row}, column {cells.name!r}: {shown(cells.loc[row])} {what}")


def tell(where: str, cells: int, blank: int, *changes: tuple[int, str]) -> None:
    """Log one line about a column: a warning where cells were changed or dropped.

    Parameters
    ----------
    where : str
        Table and column.
    cells : int
        How many cells the column has.
    blank : int
        How many of them are blank, which means unknown.
    *changes : tuple of (int, str)
        How many cells, and what became of them.
    """
    said = [f"{blank:,} blank, so unknown"] if blank else []
    said += [f"{count:,} {what}" for count, what in changes if count]
    if said:
        level = logging.WARNING if any(count for count, _ in changes) else logging.INFO
        logger.log(level, "%s: of %s cells %s", where, f"{cells:,}", "; ".join(said))
