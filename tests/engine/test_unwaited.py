"""The stand-in for a GPU finds what it is for."""

import pytest
import torch
from unwaited import META, Waiting, unwaited

IMAGES = torch.empty(4, 3, device=META)
MASK = torch.empty(4, dtype=torch.bool, device=META)
PLACES = torch.empty(2, dtype=torch.int64, device=META)


@pytest.mark.parametrize(
    "work",
    [
        lambda: torch.tensor([1.0, 2.0], device=META),
        lambda: torch.ones(2).to(META),
        lambda: torch.empty(2, device=META).copy_(torch.ones(2)),
        lambda: IMAGES.index_put((MASK,), IMAGES[0]),
        lambda: torch.linalg.inv(torch.empty(2, 2, device=META)),
        lambda: torch.bincount(PLACES, minlength=3),
    ],
)
def test_what_a_gpu_is_waited_for_is_an_error(work):
    with unwaited(), pytest.raises(Waiting):
        work()


@pytest.mark.parametrize("work", [lambda: IMAGES[MASK], IMAGES.sum().item, IMAGES.tolist, IMAGES.cpu])
def test_torch_itself_makes_an_error_of_a_look_at_values(work):
    with unwaited(), pytest.raises((Waiting, NotImplementedError, RuntimeError)):
        work()


def test_what_only_tells_the_device_is_none():
    with unwaited():
        there = torch.ones(4).to(META, non_blocking=True)
        found = (
            torch.where(MASK[:, None], IMAGES, there[:, None])[PLACES] + 1.5 + torch.full((), 2, device=META)
        )
    assert found.shape == (2, 3)
