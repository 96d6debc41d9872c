"""What is said of cells that were changed or not understood: how many, of what form, never what they say."""

from __future__ import annotations

import logging
import re
from pathlib import Path

import pandas as pd

from medaug.errors import DataError

_NUMBER = re.compile(r"[+-]?[0-9.,]{1,5}")
_ANSWERS = frozenset(
    {"yes", "no", "true", "false", "positive", "negative", "present", "absent", "uncertain", "maybe", "nan"}
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
    """Return what a message may show of a cell: a short number or a plain answer, else its form.

    Examples
    --------
    >>> shown("-1"), shown("yes"), shown("Doe")
    ("'-1'", "'yes'", "text of the form 'Aaa'")
    """
    text = str(cell).strip()
    if _NUMBER.fullmatch(text) or text.lower() in _ANSWERS:
        return repr(text)
    return f"text of the form {form(text)!r}"


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
