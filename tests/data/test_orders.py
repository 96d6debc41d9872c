import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medaug.data.orders import ORDERS, synthetic_first
from medaug.errors import SettingsError


@settings(deadline=None)
@given(st.integers(0, 100), st.integers(1, 60), st.integers(1, 9))
def test_every_order_has_the_same_share_of_real_examples(percent, iterations, batch_size):
    length = np.array([iterations * batch_size])
    mixed, first = (ORDERS[name](percent / 100, iterations, batch_size)(length)[0] for name in ORDERS)
    assert mixed == length[0] * percent // 100
    assert first == iterations * percent // 100 * batch_size


@settings(deadline=None)
@given(st.integers(0, 100), st.integers(1, 60), st.integers(1, 9))
def test_synthetic_first_changes_once_and_between_two_steps(percent, iterations, batch_size):
    before = synthetic_first(percent / 100, iterations, batch_size)(np.arange(iterations * batch_size + 1))
    real = np.diff(before).reshape(iterations, batch_size)
    assert (real == real[:, :1]).all()
    assert (np.diff(real[:, 0]) >= 0).all()


@pytest.mark.parametrize("name", ORDERS)
@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_a_share_outside_of_zero_to_one_is_refused(name, share):
    with pytest.raises(SettingsError, match=r"real_fraction must be between 0 and 1"):
        ORDERS[name](share, 10, 4)
