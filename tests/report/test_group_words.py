import re

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medaug.report.group_words import attribute_words, bin_words, crossed_words, group_words, measure_words
from medaug.task import Attribute

EDGES = st.lists(st.integers(-200, 400), min_size=2, max_size=6, unique=True).map(sorted)


def holds(words: str, value: float) -> bool:
    """Whether a group in words holds a value, borders as the pages say: over the lower, up to the upper."""
    numbers = [float(found.replace("−", "-")) for found in re.findall(r"−?[\d.]+", words)]
    if words.startswith("over"):
        return value > numbers[0]
    if words.startswith("up to"):
        return value <= numbers[0]
    return numbers[0] < value <= numbers[1]


@given(EDGES, st.booleans(), st.booleans(), st.integers(-400, 800).map(lambda half: half / 2))
@settings(deadline=None, max_examples=60)
def test_a_value_is_in_the_group_whose_words_hold_it(edges, open_below, open_above, value):
    bins = [*([-float("inf")] if open_below else []), *edges, *([float("inf")] if open_above else [])]
    attribute = Attribute("depth", bins=tuple(map(float, bins)))
    (group,) = attribute.group_of(pd.Series([value]))
    # The first group of ages begins at 0, of which "up to" says nothing.
    said = [bin_words(name) for name in attribute.group_names if not (name.startswith("(0,") and value <= 0)]
    assert [words for words in said if holds(words, value)] == ([bin_words(group)] if pd.notna(group) else [])


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("(40.0, 60.0]", "40 to 60"),
        ("(0.0, 15.0]", "up to 15"),
        ("(2.5, 3.5]", "2.5 to 3.5"),
        ("(75, inf]", "over 75"),
        ("[75, inf)", "75 and over"),
        ("[0, 15)", "under 15"),
        ("[15, 75)", "15 to under 75"),
        ("(-inf, -5]", "up to −5"),
        ("IV", "IV"),
        ("0.856 [0.831, 0.878]", "0.856 [0.831, 0.878]"),
        ("without (0, 40], (80, inf]", "without up to 40, over 80"),
    ],
)
def test_ranges_are_said_as_people_write_them_and_intervals_stay(key, words):
    assert bin_words(key) == words


def test_attributes_and_crossed_groups_are_said():
    assert attribute_words("skin_tone & domain") == "skin tone and hospital"
    assert measure_words("auc_gap", "sex & age") == "AUC gap, sex and age"
    assert crossed_words("sex & age", "F & (80, inf]") == "F, over 80"
    assert group_words("domain", "Mercy & Hope") == "hospital Mercy & Hope"
