from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import rankdata

from medaug.data.raters import rater_weights, soft_labels
from medaug.errors import DataError

RATER = st.lists(st.tuples(st.sampled_from("ABCDE"), st.integers(1, 5)), max_size=3)


def test_the_example_of_the_paper() -> None:
    labels = soft_labels([[("A", 4), ("B", 3)], [("A", 3), ("D", 4)]])

    assert [round(labels.get(name, 0), 3) for name in "ABCD"] == [0.5, 0.167, 0, 0.333]


def test_raters_are_summed_before_they_are_normalised() -> None:
    # The example of SCIN's documentation: five labels by three raters, Eczema 0.69, 0.11, 0.11, 0.08.
    labels = soft_labels([[("E", 3), ("A", 2), ("P", 1)], [("E", 3)], [("E", 4), ("H", 3)]])

    total = 1 + 1 / 2 + 1 / 3 + 1 + 1 + 1 / 2
    assert labels == pytest.approx({"E": 3 / total, "A": 0.5 / total, "P": 1 / 3 / total, "H": 0.5 / total})


@given(RATER)
def test_weights_are_inverse_ranks_and_ties_share_their_mean(diagnoses: list[tuple[str, int]]) -> None:
    confidences = np.array([confidence for _, confidence in diagnoses])
    order = rankdata(-confidences, method="ordinal") if len(diagnoses) else np.array([])
    expected: dict[str, float] = {}
    for condition, confidence in diagnoses:
        tied = order[confidences == confidence]
        expected[condition] = expected.get(condition, 0) + float(np.mean(1 / tied))

    assert rater_weights(diagnoses) == pytest.approx(expected)


@given(st.lists(RATER, max_size=4))
def test_soft_labels_sum_to_one_and_do_not_depend_on_the_order(raters: list[list[tuple[str, int]]]) -> None:
    labels = soft_labels(raters)

    assert sum(labels.values()) == pytest.approx(1.0 if any(raters) else 0.0)
    assert soft_labels([list(reversed(one)) for one in reversed(raters)]) == pytest.approx(labels)


@pytest.mark.parametrize("confidence", [math.nan, math.inf])
def test_a_confidence_that_is_no_number_is_an_error(confidence: float) -> None:
    with pytest.raises(DataError, match=r"the confidence in 'A' is (nan|inf)"):
        rater_weights([("A", confidence)])
