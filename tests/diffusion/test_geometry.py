import pytest
import torch

from medaug.diffusion.geometry import Geometry
from medaug.errors import SettingsError

IMAGES = torch.randint(0, 256, (64, 3, 20, 20), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
POSITIONS = list(range(100, 164))
BOTH = Geometry(("horizontal", "vertical"), 0.1)


def test_the_slots_say_what_was_done():
    changed, done = BOTH(IMAGES, POSITIONS, seed=1)
    assert changed.dtype == torch.uint8
    assert done.shape == (64, BOTH.slots) == (64, 4)
    for image, now, (left_right, up_down, down, right) in zip(IMAGES, changed, done.tolist(), strict=True):
        axes = [2] * bool(left_right) + [1] * bool(up_down)
        expected, (down, right) = image.flip(axes), (round(2 * down), round(2 * right))
        middle = slice(2, 18)
        moved = expected.roll((down, right), (1, 2))
        assert torch.equal(now[:, middle, middle], moved[:, middle, middle])


def test_half_are_mirrored_and_every_shift_occurs():
    _, done = BOTH(torch.zeros(2000, 1, 20, 20), list(range(2000)), seed=0)
    assert done[:, :2].mean(0).tolist() == pytest.approx([0.5, 0.5], abs=0.05)
    for shifts in done[:, 2:].T:
        assert sorted(shifts.unique().tolist()) == [-1, -0.5, 0, 0.5, 1]


def test_what_comes_in_is_mirrored():
    image = torch.arange(10.0).expand(1, 1, 10, 10)
    changed, done = Geometry(largest_shift=0.1)(image.repeat(9, 1, 1, 1), list(range(9)), seed=0)
    for now, right in zip(changed, done[:, 1].tolist(), strict=True):
        expected = {0: image[0], 1: image[0].roll(1, 2), -1: image[0].roll(-1, 2)}[round(right)].clone()
        if round(right) == 1:
            expected[..., 0] = 1
        if round(right) == -1:
            expected[..., -1] = 8
        assert torch.equal(now, expected)


def test_an_image_depends_on_its_position_and_the_seed_only():
    whole, done = BOTH(IMAGES, POSITIONS, seed=1)
    part, its = BOTH(IMAGES[5:7], POSITIONS[5:7], seed=1)
    assert torch.equal(whole[5:7], part)
    assert torch.equal(done[5:7], its)
    assert not torch.equal(done, BOTH(IMAGES, POSITIONS, seed=2)[1])


def test_nothing_asked_for_is_nothing_done():
    same, done = Geometry()(IMAGES, POSITIONS, seed=0)
    assert torch.equal(same, IMAGES)
    assert done.shape == (64, 0)


@pytest.mark.parametrize(
    ("wrong", "match"),
    [({"mirrors": ("sideways",)}, "no mirror 'sideways'"), ({"largest_shift": 0.5}, "below 0.5, not 0.5")],
)
def test_settings_that_make_no_sense_are_refused(wrong, match):
    with pytest.raises(SettingsError, match=match):
        Geometry(**wrong)
