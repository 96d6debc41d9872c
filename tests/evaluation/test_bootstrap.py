import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medaug.evaluation.bootstrap import weight_blocks
from medaug.evaluation.intervals import percentile_interval


def weights(patients: int, replicates: int, rows: int, seed: int = 0) -> np.ndarray:
    return np.concatenate(
        list(weight_blocks(patients, replicates, rows, np.random.default_rng(seed))), axis=1
    )


@given(patients=st.integers(1, 40), replicates=st.integers(0, 80))
def test_every_replicate_draws_as_many_patients_as_there_are(patients: int, replicates: int) -> None:
    drawn = weights(patients, replicates, patients)
    assert drawn.shape == (patients, 1 + replicates)
    assert (drawn[:, 0] == 1).all()
    assert (drawn.sum(axis=0) == patients).all()


def test_replicates_do_not_depend_on_the_width_of_a_block() -> None:
    assert np.array_equal(weights(30, 100, 30), weights(30, 100, 1 << 17))


def test_draws_follow_the_multinomial_distribution() -> None:
    drawn = weights(50, 4000, 50)[:, 1:]
    assert drawn.mean(axis=1) == pytest.approx(np.ones(50), abs=0.08)
    assert drawn.var() == pytest.approx(1 - 1 / 50, rel=0.02)


def test_interval_ignores_undefined_replicates_up_to_a_half() -> None:
    values = np.concatenate([np.arange(101.0), np.full(100, np.nan)])
    assert percentile_interval(values, 0.9) == pytest.approx((5.0, 95.0))
    assert percentile_interval(np.append(values, [np.nan] * 3), 0.9) is None
    assert percentile_interval(np.full(3, np.nan), 0.9) is None
