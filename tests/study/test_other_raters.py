from fractions import Fraction

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from medaug.study.other_raters import diagnoses_of_others

CLASSES = ("acne", "eczema", "scar")


def ratings(*rows):
    table = pd.DataFrame(rows, columns=["image", "classes", "confidences"])
    return table.set_index(pd.Index(range(7, 7 + len(rows))))


def test_a_rater_is_measured_by_all_others_of_the_same_image():
    table = ratings(
        ("a", ("acne", "eczema"), (4, 3)),
        ("b", ("scar",), (5,)),
        ("a", ("eczema", "acne"), (4, 3)),
        ("a", ("eczema",), (1,)),
    )
    # Of image a, without the first: eczema 2, acne 1/2; the third: acne 1, eczema 3/2; the fourth: a tie.
    expected = [{"eczema"}, set(), {"eczema"}, {"acne", "eczema"}]
    assert [set(names) for names in diagnoses_of_others(table)] == expected


def test_a_rater_without_a_diagnosis_weighs_nothing():
    table = ratings(("a", (), ()), ("a", ("scar",), (2,)))
    assert diagnoses_of_others(table) == [("scar",), ()]


def exact_weight(classes, confidences, name):
    """Sum of the weights of a class by one rater: 1 / rank, shared by equal confidences."""
    total = Fraction(0)
    for own, confidence in zip(classes, confidences, strict=True):
        ranks = [i for i, c in enumerate(sorted(confidences, reverse=True), start=1) if c == confidence]
        total += sum(Fraction(1, rank) for rank in ranks) / len(ranks) if own == name else 0
    return total


answers = st.lists(st.tuples(st.sampled_from(CLASSES), st.integers(1, 5)), max_size=3)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.sampled_from("ab"), answers), min_size=1, max_size=8))
def test_the_diagnosis_of_the_others_has_most_weight_in_exact_numbers(given_):
    rows = [(image, tuple(n for n, _ in said), tuple(c for _, c in said)) for image, said in given_]
    for i, found in enumerate(diagnoses_of_others(ratings(*rows))):
        others = [row for j, row in enumerate(rows) if j != i and row[0] == rows[i][0]]
        sums = {name: sum(exact_weight(*row[1:], name) for row in others) for name in CLASSES}
        most = max(sums.values())
        assert set(found) == {name for name in CLASSES if most and sums[name] == most}
