import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from medaug.tabular.people import canonical_age, canonical_sex


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
