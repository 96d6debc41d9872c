"""Names stay names, numbers are certain or refused, and no message shows what a cell says."""

import logging

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medaug.errors import DataError
from medaug.tabular.messages import common_form, form, refuse, shown, tell
from medaug.tabular.values import is_unknown, names, numbers


def test_names_are_kept_as_written() -> None:
    written = ["NA", "None", "nan", "null", "01", "1", "1.10", "-1000600354148496558", "5E2", ""]
    assert names(pd.Series(written), "site").tolist() == written


def test_whole_numbers_that_went_through_floats(caplog: pytest.LogCaptureFixture) -> None:
    assert names(pd.Series(["1000001.0", "", "7.0"]), "t.csv, site").tolist() == ["1000001", "", "7"]
    assert "t.csv, site: of 3 cells 2 end in '.0', which is left off" in caplog.text
    assert names(pd.Series(["1.0", "1.1"]), "version").tolist() == ["1.0", "1.1"]


@pytest.mark.parametrize("cell", ["1.23457E+12", "1e+06", "1,2E+07", "9007199254740993.0", 2.0**60])
def test_names_that_were_rounded_are_refused(cell: object) -> None:
    with pytest.raises(DataError, match=r"t\.csv, site, row 0: a long number was rounded"):
        names(pd.Series([cell, cell]), "t.csv, site")


@pytest.mark.parametrize(
    ("written", "expected", "commas"),
    [
        (["0.5", "1", "-2", "1e-3", ".5", "5."], [0.5, 1, -2, 0.001, 0.5, 5], 0),
        (["0,5", "1,000", ""], [0.5, 1, np.nan], 2),
        (["1,234", "5"], [np.nan, 5], 0),
        (["45,5", "1.234"], [45.5, np.nan], 1),
        (["1.234,5", "1 000", "0x10", "1_000", "٣", "inf", "nan", "--1"], [np.nan] * 8, 0),
        ([" 3 ", None], [3, np.nan], 0),
    ],
)
def test_numbers_are_certain(written: list[str], expected: list[float], commas: int) -> None:
    read = numbers(pd.Series(written))
    np.testing.assert_array_equal(read.values, expected)
    assert read.commas == commas
    blank = [not (cell or "").strip() for cell in written]
    assert read.blank.tolist() == blank
    assert read.wrong.tolist() == [np.isnan(e) and not b for e, b in zip(expected, blank, strict=True)]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1))
def test_numbers_come_back_exactly(values: list[float]) -> None:
    assert numbers(pd.Series([repr(value) for value in values])).values.tolist() == values


def test_typed_numbers_that_are_infinite_are_wrong() -> None:
    read = numbers(pd.Series([1.0, np.inf, np.nan]))
    assert (read.wrong.tolist(), read.blank.tolist()) == ([False, True, False], [False, False, True])


def test_words_for_unknown() -> None:
    assert is_unknown(pd.Series(["NA", "n/a", "None", "x", "", "UNK"])).tolist() == [True] * 3 + [
        False
    ] * 2 + [True]


def test_forms_say_nothing() -> None:
    assert form("Müller, Anna 17/04/1951") == "Aaaaaa, Aaaa 99/99/9999"
    assert len(form("a" * 500)) < 30
    assert common_form(pd.Series(["Bo", "17/04/1951", "18/05/1952"])) == "99/99/9999"
    assert (shown("-1"), shown("Yes"), shown("Anna")) == ("'-1'", "'Yes'", "text of the form 'Aaaa'")
    assert (shown("12345678"), shown("0.07")) == ("a number above 1", "a number between 0 and 1")
    assert (shown("-17"), shown("-0.5")) == ("a number below -1", "a number between -1 and 0")
    assert shown("17.04.1951") == "text of the form '99.99.9999'"


def test_a_refusal_names_file_row_and_column() -> None:
    column = pd.Series(["1", "Anna"], index=[2, 5], name="edema")
    with pytest.raises(
        DataError, match=r"t\.csv, row 5, column 'edema': text of the form 'Aaaa' is no label"
    ):
        refuse(column, column == "Anna", "t.csv", "is no label")
    refuse(column, column == "x", "t.csv", "is no label")


def test_one_line_a_column(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        tell("t.csv, age", 9, 0, (0, "are odd"))
        tell("t.csv, age", 9, 2)
        tell("t.csv, age", 9, 2, (3, "are odd"), (0, "are even"))
    assert [(r.levelname, r.getMessage()) for r in caplog.records] == [
        ("INFO", "t.csv, age: of 9 cells 2 blank, so unknown"),
        ("WARNING", "t.csv, age: of 9 cells 2 blank, so unknown; 3 are odd"),
    ]
