import math

import krippendorff
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medaug.study.agreement import krippendorff_alpha


def long_form(matrix):
    """Answers of a matrix (raters, images); NaN is none."""
    raters, images = np.nonzero(~np.isnan(matrix))
    return pd.DataFrame({"rater": raters, "image": images, "answer": matrix[raters, images]})


def test_the_published_example():
    # Krippendorff (2011), section C: four observers, twelve units, missing data; alpha = 0.743.
    n = math.nan
    matrix = np.array(
        [
            [1, 2, 3, 3, 2, 1, 4, 1, 2, n, n, n],
            [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, n, 3],
            [n, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, n],
            [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, n],
        ]
    )
    assert krippendorff_alpha(long_form(matrix)) == pytest.approx(0.743, abs=5e-4)


answers = st.lists(st.sampled_from([0.0, 1.0, 2.0, math.nan]), min_size=6, max_size=6)


@given(st.lists(answers, min_size=2, max_size=5))
def test_the_library_says_the_same(rows):
    matrix = np.array(rows)
    counts = np.array([[(column == v).sum() for v in (0, 1, 2)] for column in matrix.T])
    paired = counts[counts.sum(axis=1) >= 2]
    if (paired.sum(axis=0) > 0).sum() < 2:
        assert math.isnan(krippendorff_alpha(long_form(matrix)))
        return
    expected = krippendorff.alpha(value_counts=paired, level_of_measurement="nominal")
    assert krippendorff_alpha(long_form(matrix)) == pytest.approx(expected, abs=1e-9)


def test_nobody_and_one_rater_have_no_agreement():
    assert math.isnan(krippendorff_alpha(long_form(np.full((2, 3), math.nan))))
    assert math.isnan(krippendorff_alpha(long_form(np.array([[0.0, 1.0, 0.0]]))))
