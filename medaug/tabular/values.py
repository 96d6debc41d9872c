"""What single cells mean, whatever the type of their column: names, numbers, and words for unknown."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from medaug.errors import DataError
from medaug.tabular.messages import first_row, tell

UNKNOWN_WORDS = frozenset(
    {"na", "n/a", "n.a.", "#n/a", "nan", "<na>", "none", "null", "nil", "unk", "unknown", "-", "--", "?", "."}
)
"""Words (in lower case) for unknown, in columns of labels, numbers and patients. Elsewhere they are names."""

TRUTHS: Mapping[str, bool] = MappingProxyType(
    {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False, "": False}
)
"""Words (in lower case) in columns that are true or false; a blank is false."""

_EXACT = 2**53
_NUMBER = r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
_COMMA = r"[+-]?[0-9]+,[0-9]+"
_THOUSANDS = r"[+-]?[1-9][0-9]{0,2},[0-9]{3}"
_POINT_THOUSANDS = r"[+-]?[1-9][0-9]{0,2}\.[0-9]{3}"
_FLOATING = r"-?[0-9]+\.0+"
_TOO_LONG = r"[+-]?[0-9](?:[.,][0-9]+)?[eE]\+[0-9]+|-?[0-9]{16,}\.0+"
_ROUNDED = (
    "a long number was rounded on its way into the table, so that different names may look the same; "
    "save the column as text"
)

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Numbers:
    """Cells as numbers.

    Attributes
    ----------
    values : Series of float64
        NaN where a cell is blank or wrong.
    blank, wrong : Series of bool
        Cells that are empty, and those that hold something else than a finite number.
    commas : int
        Cells whose decimal comma was read as a point.
    """

    values: pd.Series[float]
    blank: pd.Series[bool]
    wrong: pd.Series[bool]
    commas: int


def as_text(cells: pd.Series[Any]) -> pd.Series[str]:
    """Return cells of any type as stripped text, as a CSV file has them; a missing one is ``""``.

    Whole numbers have no decimal point, whatever type they were stored in.

    Examples
    --------
    >>> as_text(pd.Series([1000001.0, None])).tolist()
    ['1000001', '']
    """
    if isinstance(cells.dtype, pd.CategoricalDtype):
        cells = cells.astype(object)
    if pd.api.types.is_datetime64_any_dtype(cells.dtype):
        cells = cells.astype("str").where(cells.notna())
    if isinstance(cells.dtype, pd.StringDtype):
        return cells.fillna("").str.strip()
    known = cells.notna().to_numpy(bool)
    if cells.dtype == object:
        found = [_text_of(value) if there else "" for value, there in zip(cells, known, strict=True)]
    else:
        unique = {value: _text_of(value) for value in cells[known].unique()}
        found = [unique[value] if there else "" for value, there in zip(cells, known, strict=True)]
    return pd.Series(found, index=cells.index, name=cells.name, dtype=object)


def names(cells: pd.Series[Any], where: str) -> pd.Series[str]:
    """Return the names that cells give (to sites, groups, patients), as written; a blank is ``""``.

    ``01`` and ``1`` are two names, ``NA`` is one. Only where every cell ends in ``.0`` (a column of whole
    numbers that went through floating point) is that left off, and logged.

    Raises
    ------
    DataError
        A number was rounded by a spreadsheet (``1.2E+06``) or by floating point: several names would be one.
    """
    text = as_text(cells)
    if text.str.contains("+", regex=False).any():
        _check_exact(text, where)
    if not _went_through_floats(text):
        return text
    _check_exact(text, where)
    tell(where, len(text), 0, (int((text != "").sum()), "end in '.0', which is left off"))
    return text.str.replace(r"\.0+$", "", regex=True)


def _check_exact(text: pd.Series[str], where: str) -> None:
    rounded = _matches(text, _TOO_LONG)
    if rounded.any():
        raise DataError(f"{where}, row {first_row(rounded)}: {_ROUNDED}")


def _went_through_floats(text: pd.Series[str]) -> bool:
    """Whether all cells that are not blank are whole numbers with a point; the first one mostly tells."""
    known = text != ""
    if not known.any() or not str(text.iloc[int(known.to_numpy(bool).argmax())]).endswith("0"):
        return False
    return not (known & ~_matches(text, _FLOATING)).any()


def is_unknown(cells: pd.Series[str]) -> pd.Series[bool]:
    """Return which cells hold a word for unknown (`UNKNOWN_WORDS`)."""
    return cells.str.lower().isin(list(UNKNOWN_WORDS))


def numbers(cells: pd.Series[Any]) -> Numbers:
    """Return cells as finite numbers; a decimal comma is read where it cannot separate thousands.

    ``0,5`` and ``45,25`` are certain; ``1,234`` is, where other cells of the column show that commas are
    decimal. A column with such commas has no thousands with points either: its ``1.234`` is not certain.

    Examples
    --------
    >>> numbers(pd.Series(["0,5", "1,000", "", "x"])).values.tolist()
    [0.5, 1.0, nan, nan]
    """
    if pd.api.types.is_numeric_dtype(cells.dtype) and not pd.api.types.is_bool_dtype(cells.dtype):
        return _typed(cells)
    # Text that needs no stripping is the rule, and stripping takes longer than reading numbers.
    text = cells.fillna("") if isinstance(cells.dtype, pd.StringDtype) else as_text(cells)
    values, commas, blank = _cast(text), 0, text == ""
    if not (np.isfinite(values) | blank).all():
        text = text.str.strip()
        good, commas = _certain(text)
        values, blank = _cast(good), text == ""
    wrong = _not_finite(values) & ~blank
    return Numbers(values.mask(wrong), blank, wrong, commas)


def _typed(cells: pd.Series[Any]) -> Numbers:
    values = pd.Series(cells.to_numpy(np.float64, na_value=np.nan), index=cells.index, name=cells.name)
    blank = cells.isna()
    wrong = _not_finite(values) & ~blank
    return Numbers(values.mask(wrong), blank, wrong, 0)


def _not_finite(values: pd.Series[float]) -> pd.Series[bool]:
    return pd.Series(~np.isfinite(values.to_numpy(np.float64)), index=values.index, dtype=bool)


def _certain(text: pd.Series[str]) -> tuple[pd.Series[str], int]:
    """Return the cells that are certainly numbers, with points, others blank; and how many had commas."""
    point, comma = _matches(text, _NUMBER), _matches(text, _COMMA)
    if (comma & ~_matches(text, _THOUSANDS)).any():
        point &= ~_matches(text, _POINT_THOUSANDS)
    else:
        comma &= False
    pointed = text.where(~comma, text.str.replace(",", ".", regex=False))
    return pointed.where(point | comma, ""), int(comma.sum())


def _matches(text: pd.Series[str], pattern: str) -> pd.Series[bool]:
    return text.str.fullmatch(pattern).astype(bool)


def _cast(text: pd.Series[str]) -> pd.Series[float]:
    """Convert text exactly, blanks to NaN; everything is infinite where any cell is no number."""
    try:
        cells = pa.array(text.mask(text == ""), pa.large_string(), from_pandas=True)
        values = pc.cast(cells, pa.float64()).to_numpy(zero_copy_only=False)
    except ValueError:
        values = np.full(len(text), np.inf)
    return pd.Series(values, index=text.index, name=text.name)


def _text_of(value: Any) -> str:
    if isinstance(value, float | np.floating):
        number = float(value)
        return str(int(number)) if abs(number) < _EXACT and number.is_integer() else str(value)
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace").strip()
    return str(value).strip()
