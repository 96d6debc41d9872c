import doctest

import numpy as np
import pytest
from statsmodels.stats.proportion import proportion_confint

from medaug.evaluation import intervals
from medaug.evaluation.intervals import normal_interval, wilson_interval


@pytest.mark.parametrize(("right", "patients"), [(7, 7), (0, 12), (30, 40), (1, 25)])
def test_independent_patients_have_wilsons_interval(right: int, patients: int) -> None:
    share = right / patients
    deviation = np.sqrt(share * (1 - share) / patients) * np.sqrt((patients - 1) / patients)
    replicates = share + deviation * np.sqrt(0.99) * np.tile([-1.0, 1.0], 50)  # of this sample deviation
    found = wilson_interval(share, replicates, patients, 0.95)
    assert found == pytest.approx(proportion_confint(right, patients, method="wilson"), abs=1e-9)


def test_what_varies_more_is_wider() -> None:
    replicates = np.random.default_rng(0).normal(0.8, 0.05, 400)
    low, high = wilson_interval(0.8, replicates, 1000, 0.95)
    trials = 0.16 / np.var(replicates, ddof=1) * 999 / 1000
    assert (low, high) == pytest.approx(proportion_confint(0.8 * trials, trials, method="wilson"))


@pytest.mark.parametrize("interval", [wilson_interval, normal_interval])
def test_no_interval_of_one_patient_or_of_few_replicates(interval) -> None:
    assert interval(0.5, np.full(10, 0.5), 1, 0.95) is None
    assert interval(0.5, np.array([0.5, 0.4] + [np.nan] * 3), 20, 0.95) is None
    assert interval(0.5, np.empty(0), 20, 0.95) is None


def test_examples_say_what_they_show() -> None:
    outcome = doctest.testmod(intervals)
    assert (outcome.failed, outcome.attempted > 3) == (0, True)
