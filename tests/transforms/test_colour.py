import colorsys
from dataclasses import astuple

import numpy as np
import pytest
import torch

from medaug.errors import DataError
from medaug.transforms.colour import (
    ColourParameters,
    RandColour,
    RandColourd,
    draw_parameters,
    jitter_colours,
)

NOTHING = {"brightness": 0.0, "saturation": 1.0, "hue": 0.0, "contrast": 1.0}


def parameters(**changes):
    return ColourParameters(**{**NOTHING, **changes})


def image(size=12, seed=0):
    return torch.rand(3, size, size, generator=torch.Generator().manual_seed(seed))


def pixel_by_pixel(picture, change):
    """Apply a function of one HSV pixel (Python's own conversion)."""
    pixels = picture.numpy().transpose(1, 2, 0).reshape(-1, 3).astype(float)
    changed = np.array([colorsys.hsv_to_rgb(*change(*colorsys.rgb_to_hsv(*pixel))) for pixel in pixels])
    return changed.reshape(*picture.shape[1:], 3).transpose(2, 0, 1)


def test_without_change_the_image_stays():
    np.testing.assert_allclose(jitter_colours(image(), parameters()), image(), atol=1e-6)


@pytest.mark.parametrize("shift", [-0.12, 0.12])
def test_brightness_is_added_and_clipped(shift):
    found = jitter_colours(image(), parameters(brightness=shift))
    np.testing.assert_allclose(found, np.clip(image().numpy() + shift, 0, 1), atol=1e-5)


@pytest.mark.parametrize("factor", [0.5, 1.5])
def test_saturation_is_that_of_hsv(factor):
    expected = pixel_by_pixel(image(), lambda h, s, v: (h, min(s * factor, 1), v))
    np.testing.assert_allclose(jitter_colours(image(), parameters(saturation=factor)), expected, atol=1e-5)


@pytest.mark.parametrize("turns", [-0.2, 0.05, 0.2])
def test_hue_is_in_turns_of_the_circle(turns):
    expected = pixel_by_pixel(image(), lambda h, s, v: ((h + turns) % 1, s, v))
    np.testing.assert_allclose(jitter_colours(image(), parameters(hue=turns)), expected, atol=1e-5)


@pytest.mark.parametrize("factor", [0.5, 1.5])
def test_contrast_is_about_the_mean_grey(factor):
    mean = float(np.tensordot([0.299, 0.587, 0.114], image().numpy(), 1).mean())
    expected = np.clip((image().numpy() - mean) * factor + mean, 0, 1)
    np.testing.assert_allclose(jitter_colours(image(), parameters(contrast=factor)), expected, atol=1e-4)


def test_drawn_parameters_cover_their_ranges():
    generator = np.random.RandomState(0)
    drawn = np.array([astuple(draw_parameters(generator)) for _ in range(4000)])
    low, high = np.array([-32 / 255, 0.5, -0.2, 0.5]), np.array([32 / 255, 1.5, 0.2, 1.5])
    assert ((drawn >= low) & (drawn <= high)).all()
    np.testing.assert_allclose(drawn.mean(axis=0), (low + high) / 2, atol=0.03)
    np.testing.assert_allclose(drawn.std(axis=0), (high - low) / np.sqrt(12), rtol=0.05)
    assert np.abs(np.corrcoef(drawn.T) - np.eye(4)).max() < 0.06


def test_what_was_drawn_can_be_replayed():
    transform = RandColour().set_random_state(seed=5)
    first = transform(image())
    kept = transform.parameters
    second = transform(image())
    assert first.dtype == torch.float32
    assert not torch.equal(first, second)
    assert torch.equal(jitter_colours(image(), kept), first)
    assert torch.equal(RandColour().set_random_state(seed=5)(image()), first)


def test_all_keys_get_the_same_augmentation_and_the_others_none():
    data = {"image": image(), "other": image(), "label": 1}
    found = RandColourd(["image", "other"]).set_random_state(seed=5)(data)
    assert torch.equal(found["image"], found["other"])
    assert torch.equal(found["image"], RandColour().set_random_state(seed=5)(image()))
    assert found["label"] == 1
    assert torch.equal(data["image"], image())


def test_global_random_state_is_neither_used_nor_changed():
    torch.manual_seed(0)
    first = RandColour().set_random_state(seed=1)(image())
    assert torch.equal(torch.rand(1), torch.rand(1, generator=torch.Generator().manual_seed(0)))
    assert torch.equal(RandColour().set_random_state(seed=1)(image()), first)


def test_a_grey_image_has_no_colours():
    with pytest.raises(DataError, match=r"1 channel.*channels 3"):
        RandColour().set_random_state(seed=0)(torch.rand(1, 8, 8))
