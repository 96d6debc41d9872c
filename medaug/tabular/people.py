"""Ages and sexes as tables say them, in one form; what is not certain is unknown, and counted."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from medaug.tabular.messages import common_form, tell
from medaug.tabular.values import Numbers, as_text, is_unknown, numbers

OLDEST = 120.0
"""Years above which an age is taken for a typing error (ChestX-ray14 has 411)."""

SEXES: Mapping[str, str] = MappingProxyType(
    dict.fromkeys(("f", "female", "females", "w", "woman", "weiblich", "frau", "femme", "feminin"), "F")
    | dict.fromkeys(("féminin", "femenino", "feminino", "mujer", "femmina", "girl"), "F")
    | dict.fromkeys(("m", "male", "males", "man", "männlich", "maennlich", "mann", "homme", "masculin"), "M")
    | dict.fromkeys(("masculino", "hombre", "maschio", "boy"), "M")
)
"""Words (in lower case) for female and male; ``h`` is none of them, see `canonical_sex`."""

_N = r"(\d{1,3}(?:[.,]\d{1,2})?)"
_YEARS = r"years?(?: old| of age)?|yrs?\.?(?: old)?|y\.?|yo|y/o|y\.o\.|jahre?(?: alt)?|ans|anni|años|anos"
_UNITS = (
    (rf"{_YEARS}", 1.0),
    (r"months?(?: old)?|mos?\.?|monate?", 12.0),
    (r"weeks?(?: old)?|wks?\.?|wochen?", 365.25 / 7),
    (r"days?(?: old)?|tage?", 365.25),
)
_DICOM = {"Y": 1.0, "M": 12.0, "W": 365.25 / 7, "D": 365.25}
_ABOVE = rf"(?:>|over|older than) ?{_N}(?: ?(?:{_YEARS}))?"
_FROM = (
    rf"(?:>=|=>|≥|at least) ?{_N}(?: ?(?:{_YEARS}))?",
    rf"{_N}(?: ?(?:{_YEARS}))? ?(?:\+|plus|(?:or|and) (?:older|over|above|more))(?: ?(?:{_YEARS}))?",
)
_BELOW = rf"(?:<|under|younger than) ?{_N}(?: ?(?:{_YEARS}))?"
_UP_TO = (
    rf"(?:<=|=<|≤|up to|at most) ?{_N}(?: ?(?:{_YEARS}))?",
    rf"{_N}(?: ?(?:{_YEARS}))? ?(?:or|and) (?:younger|under|below|less)",
)
_BETWEEN = rf"([\[(]?){_N} ?(?:-|–|—|to|bis|,) ?{_N}([\])]?)(?: ?(?:{_YEARS}))?"


@dataclass(frozen=True)
class Span:
    """All values between two ends; the lower one is part of it unless it is open."""

    low: float
    high: float
    low_open: bool = False

    def within(self, low: float, high: float) -> bool:
        """Whether a bin, open on the left and closed on the right, holds the whole span."""
        return (self.low > low or (self.low == low and self.low_open)) and self.high <= high

    @property
    def value(self) -> float:
        """A value of it: the middle, or the first whole number where it goes on to the oldest."""
        if self.high >= OLDEST:
            return math.floor(self.low) + 1.0 if self.low_open else self.low
        return (self.low + self.high) / 2


def read_age(text: str) -> Span | None:
    """Understand an age in words, in years; None where its meaning is not certain.

    A single M, W or D after the number is a unit in DICOM's form of three digits only: ``45M`` may be a man.

    Examples
    --------
    >>> read_age("013M").low * 12, read_age("45 years").low, read_age("90+"), read_age("17/04/1951")
    (13.0, 45.0, Span(low=90.0, high=120.0, low_open=False), None)
    """
    words = " ".join(text.lower().split())
    if found := re.fullmatch(r"(\d{3}) ?([ymwd])", words):
        return _exactly(float(found[1]) / _DICOM[found[2].upper()])
    for unit, number in _UNITS:
        if found := re.fullmatch(rf"{_N} ?(?:{unit})", words):
            return _exactly(_number(found[1]) / number)
    return _read_span(words)


def _read_span(words: str) -> Span | None:
    if found := re.fullmatch(_ABOVE, words):
        return Span(_number(found[1]), OLDEST, low_open=True)
    if found := re.fullmatch(_BELOW, words):
        return Span(0.0, _number(found[1]), low_open=True)
    for pattern in _FROM:
        if found := re.fullmatch(pattern, words):
            return Span(_number(found[1]), OLDEST)
    for pattern in _UP_TO:
        if found := re.fullmatch(pattern, words):
            return Span(0.0, _number(found[1]), low_open=True)
    if found := re.fullmatch(_BETWEEN, words):
        return _between(found)
    return None


def _between(found: re.Match[str]) -> Span | None:
    """Return ``50-59``, or ``[50, 60)`` with its brackets in pairs; a comma alone is no range."""
    low, high = _number(found[2]), _number(found[3])
    if bool(found[1]) != bool(found[4]) or ("," in found[0] and not found[1]) or low >= high or high > OLDEST:
        return None
    return Span(low, high, low_open=found[1] == "(")


def _exactly(years: float) -> Span:
    return Span(years, years)


def _number(text: str) -> float:
    return float(text.replace(",", "."))


def canonical_age(
    cells: pd.Series[Any], bins: Sequence[float] = (), where: str | None = None
) -> pd.Series[float]:
    """Return ages in years (float64), missing where they are unknown.

    Parameters
    ----------
    cells : Series
        Numbers or text: ``62``, ``45,5``, ``45 years``, DICOM's ``062Y`` and ``013M``, ranges such as
        ``50-59``, ``> 89`` and ``90 or older``.
    bins : sequence of float
        Edges of the groups. A range is read where one group holds all of it, as a value of that group; one
        without an upper end may go on to `OLDEST`.
    where : str, optional
        What the log calls the column; None says nothing.

    Returns
    -------
    Series of float64
        Below 0, above `OLDEST` and whatever is not certain is missing.

    Examples
    --------
    >>> canonical_age(pd.Series(["62", "006M", "> 89", "50-59", "1951"]), (0, 40, 60, 80, 120)).tolist()
    [62.0, 0.5, 90.0, 54.5, nan]
    """
    text, read = as_text(cells), numbers(cells)
    # Nobody writes an age like 1e2; whatever does was something else.
    strange = read.wrong | text.str.contains("[eE]")
    words = {cell: read_age(cell) for cell in text[strange].unique()}
    spans = {cell: span for cell, span in words.items() if span is not None and span.low < span.high}
    exact = {cell: span.low for cell, span in words.items() if span is not None and cell not in spans}
    fitting = {cell: span.value for cell, span in spans.items() if _fits(span, bins)}
    values = read.values.where(~strange, text.map(exact | fitting)).astype(np.float64)
    years = values.where(values.between(0.0, OLDEST))
    if where is not None:
        _tell_ages(where, text, read, years, spans)
    return years


def _fits(span: Span, bins: Sequence[float]) -> bool:
    return any(span.within(low, high) for low, high in pairwise(bins))


def _tell_ages(
    where: str, text: pd.Series[str], read: Numbers, years: pd.Series[float], spans: Mapping[str, Span]
) -> None:
    lost = years.isna() & ~read.blank
    in_range = text.isin(list(spans))
    unread = lost & ~in_range
    tell(
        where,
        len(text),
        int(read.blank.sum()),
        (read.commas, "have a decimal comma, which is read as a point"),
        (int((in_range & ~lost).sum()), "are ranges within one group, which is taken"),
        (int((in_range & lost).sum()), "are ranges that no group holds as a whole: unknown"),
        (int(unread.sum()), f"are no certain age from 0 to {OLDEST:g}, {_example(text, unread)}: unknown"),
    )


def canonical_sex(cells: pd.Series[Any], where: str | None = None) -> pd.Series[Any]:
    """Return ``F``, ``M`` or missing for any spelling.

    In a column that has ``H`` (hombre, homme) and no ``F``, an ``M`` may be a woman (mujer): it is unknown.

    Parameters
    ----------
    cells : Series
        Text.
    where : str, optional
        What the log calls the column; None says nothing.

    Examples
    --------
    >>> canonical_sex(pd.Series(["Female", "m", "O", None])).tolist()
    ['F', 'M', None, None]
    """
    text = as_text(cells)
    words = sex_words(text)
    meaning = {cell: words.get(cell.lower()) for cell in text.unique()}
    known = [meaning[cell] for cell in text]
    result = pd.Series(known, index=cells.index, dtype=object, name=cells.name)
    if where is not None:
        lost = result.isna() & (text != "")
        what = f"are neither female nor male, {_example(text, lost)}: unknown"
        tell(where, len(text), int((text == "").sum()), (int(lost.sum()), what))
    return result


def sex_words(text: pd.Series[str]) -> Mapping[str, str]:
    """Return what the words of a column mean: `SEXES`, but for ``m`` where it may stand for mujer."""
    there = {word.lower() for word in text.unique()}
    if "h" in there and "f" not in there:
        return {word: sex for word, sex in SEXES.items() if word != "m"}
    return SEXES


def _example(text: pd.Series[str], chosen: pd.Series[bool]) -> str:
    """Say what chosen cells look like: words for unknown, or the form of the others."""
    if not chosen.any():
        return ""
    others = chosen & ~is_unknown(text)
    return (
        f"for example of the form {common_form(text[others])!r}" if others.any() else "but words for unknown"
    )
