import numpy as np
import pytest
from scipy import stats

from medaug.evaluation.effective_share import Share, effective_share
from medaug.evaluation.posterior import difference_posterior


def test_an_image_a_patient_changes_nothing():
    assert effective_share(np.array([True, False, True]), np.arange(3)) == Share(2.0, 3.0)


def test_copies_of_images_are_no_further_evidence():
    """Ten copies of each image count about as often as there are patients."""
    right = np.random.default_rng(0).random(50) < 0.7
    found = effective_share(np.repeat(right, 10), np.repeat(np.arange(50), 10))
    few = (stats.norm.ppf(0.975) / stats.t.ppf(0.975, 49)) ** 2
    assert found.n == pytest.approx(49 * few)  # the variance over patients has 49 degrees of freedom
    assert found.right / found.n == pytest.approx(right.mean())


def test_all_right_counts_patients():
    assert effective_share(np.ones(30, bool), np.repeat(np.arange(3), 10)) == Share(3.0, 3.0)


def test_the_interval_covers_no_difference_where_patients_are_alike():
    generator = np.random.default_rng(0)
    of = np.repeat(np.arange(10), 300)  # ten slides a group
    covered = []
    for _ in range(120):
        own = generator.beta(0.8 * 2.3, 0.2 * 2.3, (2, 10))
        shares = [effective_share(generator.random(len(of)) < side[of], of) for side in own]
        _, samples = difference_posterior(*shares, generator, 500)
        low, high = np.quantile(samples, [0.025, 0.975])
        covered.append(low <= 0 <= high)
    assert 0.88 < np.mean(covered) <= 1
