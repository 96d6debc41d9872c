import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medaug.tabular.people import canonical_age, canonical_sex
from medaug.task import Attribute


def test_sex_in_every_spelling_seen():
    spelt = pd.Series(
        ["Female", "FEMALE", "f", " F ", "Male", "M", "m", "O", "Unknown", "unknown", "", None, np.nan]
    )
    expected = ["F"] * 4 + ["M"] * 3 + [None] * 6
    assert canonical_sex(spelt).tolist() == expected


def test_age_in_every_form_seen():
    spelt = pd.Series(
        ["060Y", "013M", "001D", "026W", "411Y", "62", 62, 0, "0", -1, "", None, np.nan, "old", "1e2"]
    )
    expected = [60, 13 / 12, 1 / 365.25, 26 * 7 / 365.25, np.nan, 62, 62, 0, 0, *[np.nan] * 6]
    np.testing.assert_allclose(canonical_age(spelt).to_numpy(), expected)


@settings(deadline=None)
@given(st.lists(st.integers(-10, 200), min_size=1))
def test_plain_ages_stay_or_are_missing(ages):
    found = canonical_age(pd.Series(ages))
    expected = [float(age) if 0 <= age <= 120 else np.nan for age in ages]
    np.testing.assert_array_equal(found, expected)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.one_of(st.none(), st.text(max_size=8), st.floats(), st.integers()), min_size=1))
def test_any_value_is_an_age_or_missing(values):
    found = canonical_age(pd.Series(values, dtype=object))
    assert (found.isna() | found.between(0, 120)).all()


def test_the_index_is_kept():
    values = pd.Series(["F", "M"], index=[7, 3])
    assert canonical_sex(values).index.tolist() == [7, 3]
    assert canonical_age(values).index.tolist() == [7, 3]


BINS = (0.0, 40.0, 60.0, 80.0, 120.0)


@pytest.mark.parametrize(
    ("written", "years"),
    [
        *(
            (text, 45.0)
            for text in ("45", "45 years", "45 y", "45y", "045Y", "45 yrs", "45 years old", "45 Jahre")
        ),
        *((text, 45.5) for text in ("45.5", "45,5")),
        ("013M", 13 / 12),
        ("13 months", 13 / 12),
        ("6 weeks", 6 * 7 / 365.25),
        ("10 days", 10 / 365.25),
    ],
)
def test_exact_ages_in_words(written: str, years: float) -> None:
    assert canonical_age(pd.Series([written])).tolist() == [pytest.approx(years)]


@pytest.mark.parametrize(
    "written", ["> 89", ">89", ">=90", "≥ 90", "90+", "90 +", "90 or older", "90 and over", "over 89"]
)
def test_an_age_without_upper_end_is_in_the_last_group(written: str) -> None:
    for bins in (BINS, (0.0, 60.0, math.inf)):
        found = canonical_age(pd.Series([written]), bins)
        assert Attribute("age", bins=bins).group_of(found).tolist() == [
            Attribute("age", bins=bins).group_names[-1]
        ]
    # Where the last group ends earlier, or begins later, nothing is certain.
    assert canonical_age(pd.Series([written]), (0.0, 60.0, 100.0)).isna().all()
    assert canonical_age(pd.Series([written]), (0.0, 95.0, 120.0)).isna().all()
    assert canonical_age(pd.Series([written])).isna().all()


@pytest.mark.parametrize(
    ("written", "group"),
    [
        ("50-59", "(40, 60]"),
        ("50–59 years", "(40, 60]"),
        ("41 to 60", "(40, 60]"),
        ("[50-60)", "(40, 60]"),
        ("(60, 80]", "(60, 80]"),
        ("<18", "(0, 40]"),
        ("40-49", None),
        ("55-65", None),
        ("10-5", None),
    ],
)
def test_a_range_is_read_where_one_group_holds_it(written: str, group: str | None) -> None:
    found = Attribute("age", bins=BINS).group_of(canonical_age(pd.Series([written]), BINS))
    assert found.astype(object).where(found.notna(), None).tolist() == [group]


@pytest.mark.parametrize(
    "written",
    ["17/04/1951", "1951", "1951-04-17", "45M", "45F", "12-Oct", "NA", "ca. 45", "45 50", "1e1", "-3"],
)
def test_what_is_not_certain_is_unknown_and_told(written: str, caplog: pytest.LogCaptureFixture) -> None:
    assert canonical_age(pd.Series([written, "45", ""]), BINS, "t.csv, age").isna().tolist() == [
        True,
        False,
        True,
    ]
    [line] = [record.getMessage() for record in caplog.records]
    assert line.startswith("t.csv, age: of 3 cells 1 blank, so unknown; 1 are no certain age from 0 to 120")
    if written[0].isdigit():
        assert written not in line


def test_what_was_read_otherwise_is_told(caplog: pytest.LogCaptureFixture) -> None:
    canonical_age(pd.Series(["45,5", "90+", "55-65", "60"]), BINS, "age")
    [line] = [record.getMessage() for record in caplog.records]
    assert line == (
        "age: of 4 cells 1 have a decimal comma, which is read as a point; 1 are ranges within one group, "
        "which is taken; 1 are ranges that no group holds as a whole: unknown"
    )


def test_sexes_in_other_languages_and_what_is_told(caplog: pytest.LogCaptureFixture) -> None:
    found = canonical_sex(pd.Series(["weiblich", "Mann", "w", "divers", "U", ""]), "t.csv, sex")
    assert found.tolist() == ["F", "M", "F", None, None, None]
    assert (
        "of 6 cells 1 blank, so unknown; 2 are neither female nor male, for example of the form 'aaaaaa'"
        in caplog.text
    )


def test_an_m_beside_an_h_may_be_a_woman() -> None:
    assert canonical_sex(pd.Series(["H", "M", "mujer"])).tolist() == [None, None, "F"]
    assert canonical_sex(pd.Series(["H", "M", "F"])).tolist() == [None, "M", "F"]
