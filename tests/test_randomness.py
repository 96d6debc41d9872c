import subprocess
import sys

import torch
from hypothesis import given
from hypothesis import strategies as st

from medaug.randomness import derive_seed, numpy_generator, torch_generator

KEYS = st.tuples(st.integers(0, 2**31), st.text(max_size=5), st.integers(0, 10**6))


@given(KEYS, KEYS)
def test_equal_keys_and_only_they_give_equal_seeds(first, second) -> None:
    assert (derive_seed(*first) == derive_seed(*second)) == (first == second)
    assert 0 <= derive_seed(*first) < 2**63


def test_a_seed_is_the_same_in_another_process() -> None:
    code = "from medaug.randomness import derive_seed; print(derive_seed(3, 'noise', 7))"
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(other.stdout) == derive_seed(3, "noise", 7)


def test_generators_of_one_key_agree_and_leave_the_global_one_alone() -> None:
    before = torch.random.get_rng_state()
    first = torch.randn(4, generator=torch_generator(0, "a", 1))
    assert torch.equal(first, torch.randn(4, generator=torch_generator(0, "a", 1)))
    assert not torch.equal(first, torch.randn(4, generator=torch_generator(0, "a", 2)))
    assert numpy_generator(0, "a").random() == numpy_generator(0, "a").random()
    assert torch.equal(before, torch.random.get_rng_state())
