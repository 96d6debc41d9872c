import math

import numpy as np
import pytest
from scipy import stats

from medaug.evaluation.verdict import difference_between, verdict

GENERATOR = np.random.default_rng(0)


def trainings(values, patients):
    """A line a training: its value, then the replicates, moved by the same draws of patients."""
    return np.asarray(values)[:, None] + np.append(0.0, patients)


def test_without_variation_over_patients_it_is_students_t_test():
    own, other = GENERATOR.normal(0.8, 0.01, 5), GENERATOR.normal(0.79, 0.01, 5)
    found = difference_between(trainings(own, np.zeros(50)), trainings(other, np.zeros(50)))
    expected = stats.ttest_ind(own, other)
    assert found.p_value == pytest.approx(expected.pvalue)
    interval = expected.confidence_interval(0.95)
    assert (found.ci_low, found.ci_high) == pytest.approx((interval.low, interval.high))
    assert (found.about, found.trainings) == ("methods", 5)


def test_both_variations_are_in_the_interval():
    own, other = np.array([0.80, 0.82, 0.84]), np.array([0.75, 0.76, 0.80])
    patients = GENERATOR.normal(0, 0.03, 400)
    found = difference_between(trainings(own, patients), trainings(other, np.zeros(400)))
    squared = np.var(patients, ddof=1) + (np.var(own, ddof=1) + np.var(other, ddof=1)) / 3
    assert found.standard_error == pytest.approx(math.sqrt(squared))
    reach = stats.t(4).ppf(0.975) * found.standard_error
    assert found.ci_high - found.difference == pytest.approx(reach)
    assert found.detectable == pytest.approx(reach + stats.t(4).ppf(0.8) * found.standard_error)


@pytest.mark.parametrize("number", [1, 2])
def test_one_or_two_trainings_say_nothing_about_methods(number):
    patients = GENERATOR.normal(0, 0.001, 400)
    found = difference_between(trainings([0.9] * number, patients), trainings([0.5] * number, np.zeros(400)))
    assert found.about == "trained models"
    assert math.isnan(found.p_value)
    assert (found.ci_low, found.ci_high) == pytest.approx(tuple(0.4 + np.quantile(patients, [0.025, 0.975])))
    assert verdict(found.difference, found.p_value, "auc") == "not known"


def test_without_replicates_nothing_is_said_of_chance():
    found = difference_between(np.array([[0.9], [0.8], [0.7]]), np.array([[0.5], [0.4], [0.3]]))
    assert found.difference == pytest.approx(0.4)
    assert all(map(math.isnan, (found.standard_error, found.ci_low, found.p_value, found.detectable)))


def test_a_method_is_itself():
    same = trainings([0.8, 0.8, 0.8], np.zeros(10))
    assert difference_between(same, same).p_value == 1
    assert difference_between(same + 0.1, same).p_value < 1e-9


@pytest.mark.parametrize(
    ("difference", "p_value", "metric", "expected"),
    [
        (0.03, 0.01, "auc", "better"),
        (-0.03, 0.01, "auc", "worse"),
        (0.03, 0.01, "auc_gap", "worse"),
        (-0.03, 0.01, "fnr_worst", "better"),
        (0.03, 0.05, "auc", "better"),
        (0.03, 0.051, "auc", "no clear difference"),
        (0.03, math.nan, "auc", "not known"),
        (0.03, 0.01, "selection_rate", "not known"),
        (0.03, 0.2, "selection_rate", "no clear difference"),
        (0.03, 0.01, "selection_rate_gap", "worse"),
    ],
)
def test_verdict(difference, p_value, metric, expected):
    assert verdict(difference, p_value, metric) == expected
