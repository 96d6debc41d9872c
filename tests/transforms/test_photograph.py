import colorsys
from dataclasses import astuple

import numpy as np
import pytest
import torch
from scipy import ndimage

from medaug.errors import DataError
from medaug.transforms.photograph import (
    BLURS,
    PhotographParameters,
    RandPhotograph,
    RandPhotographd,
    augment_photograph,
    draw_parameters,
)

NOTHING = {
    "flip_horizontal": False,
    "flip_vertical": False,
    "brightness": 0.0,
    "saturation": 1.0,
    "hue": 0.0,
    "contrast": 1.0,
    "angle": 0.0,
    "blur": 0.001,
}


def parameters(**changes):
    return PhotographParameters(**{**NOTHING, **changes})


def smooth_image(size=64, seed=0):
    noise = np.random.default_rng(seed).random((3, size, size))
    blurred = ndimage.gaussian_filter(noise, (0, 4, 4), mode="wrap")
    return torch.from_numpy((blurred - blurred.min()) / (blurred.max() - blurred.min())).float()


def test_without_change_the_image_stays():
    np.testing.assert_allclose(augment_photograph(smooth_image(), parameters()), smooth_image(), atol=1e-5)


def test_flips():
    image = smooth_image().numpy()
    for changes, expected in (
        ({"flip_horizontal": True}, image[:, :, ::-1]),
        ({"flip_vertical": True}, image[:, ::-1]),
        ({"flip_horizontal": True, "flip_vertical": True}, image[:, ::-1, ::-1]),
    ):
        found = augment_photograph(smooth_image(), parameters(**changes))
        np.testing.assert_allclose(found, expected, atol=1e-4)


def test_colours_change_in_the_order_of_the_paper():
    image = torch.rand(3, 6, 6, generator=torch.Generator().manual_seed(0))
    drawn = parameters(brightness=0.1, saturation=0.8, hue=0.02, contrast=1.2)

    def expected(pixel):
        hue, saturation, value = colorsys.rgb_to_hsv(*np.clip(pixel + 0.1, 0, 1))
        shifted = colorsys.hsv_to_rgb((hue + 0.02) % 1, min(saturation * 0.8, 1), value)
        return np.clip(np.multiply(shifted, 1.2), 0, 1)

    pixels = image.numpy().reshape(3, -1).T.astype(float)
    found = augment_photograph(image, drawn).numpy().reshape(3, -1).T
    np.testing.assert_allclose(found, [expected(pixel) for pixel in pixels], atol=1e-4)


@pytest.mark.parametrize("angle", [-150.0, -20.0, 73.0, 150.0])
def test_the_rotation_is_counter_clockwise_about_the_centre_with_black_outside(angle):
    image = smooth_image()
    expected = ndimage.rotate(image.numpy(), angle, axes=(1, 2), reshape=False, order=1)
    found = augment_photograph(image, parameters(angle=angle)).numpy()
    inside = np.hypot(*(np.indices(image.shape[1:]) - 31.5)) < 30
    np.testing.assert_allclose(found[:, inside], expected[:, inside], atol=2e-3)
    assert (found[:, 0, 0] == 0).all()


@pytest.mark.parametrize("size", [32, 64, 256])
@pytest.mark.parametrize("blur", BLURS)
def test_the_blur_is_in_pixels_of_an_image_of_256(size, blur):
    image = torch.rand(3, size, size, generator=torch.Generator().manual_seed(0))
    sigma = blur * size / 256
    radius = max(1, int(np.ceil(3 * sigma)))
    expected = ndimage.gaussian_filter(
        image.numpy(), (0, sigma, sigma), mode="mirror", radius=(0, radius, radius)
    )
    np.testing.assert_allclose(augment_photograph(image, parameters(blur=blur)), expected, atol=1e-4)


def test_drawn_parameters_cover_the_ranges_of_the_paper():
    generator = np.random.RandomState(0)
    drawn = np.array([astuple(draw_parameters(generator)) for _ in range(4000)], float)
    low = np.array([0, 0, -0.1, 0.8, -0.02, 0.8, -150, 0.001])
    high = np.array([1, 1, 0.1, 1.2, 0.02, 1.2, 150, 7])
    assert ((drawn >= low) & (drawn <= high)).all()
    assert np.abs(drawn[:, :2].mean(axis=0) - 0.5).max() < 0.03
    uniform = slice(2, 7)
    np.testing.assert_allclose(drawn[:, uniform].std(axis=0), (high - low)[uniform] / np.sqrt(12), rtol=0.05)
    assert (np.abs(drawn.mean(axis=0) - (low + high) / 2)[uniform] < 0.03 * (high - low)[uniform]).all()
    values, counts = np.unique(drawn[:, 7], return_counts=True)
    np.testing.assert_allclose(values, [0.001, 0.01, 0.1, 1.0, 3.0, 5.0, 7.0])
    assert np.abs(counts / 4000 - 1 / 7).max() < 0.02


def test_what_was_drawn_can_be_replayed():
    image = smooth_image()
    transform = RandPhotograph().set_random_state(seed=5)
    first = transform(image)
    kept = transform.parameters
    second = transform(image)
    assert first.shape == image.shape
    assert first.dtype == torch.float32
    assert not torch.equal(first, second)
    assert torch.equal(augment_photograph(image, kept), first)
    assert torch.equal(RandPhotograph().set_random_state(seed=5)(image), first)


def test_all_keys_get_the_same_augmentation_and_the_others_none():
    data = {"image": smooth_image(), "other": smooth_image(), "label": 1}
    found = RandPhotographd(["image", "other"]).set_random_state(seed=5)(data)
    assert torch.equal(found["image"], found["other"])
    assert torch.equal(found["image"], RandPhotograph().set_random_state(seed=5)(smooth_image()))
    assert found["label"] == 1
    assert torch.equal(data["image"], smooth_image())


def test_global_random_state_is_neither_used_nor_changed():
    torch.manual_seed(0)
    first = RandPhotograph().set_random_state(seed=1)(smooth_image())
    assert torch.equal(torch.rand(1), torch.rand(1, generator=torch.Generator().manual_seed(0)))
    assert torch.equal(RandPhotograph().set_random_state(seed=1)(smooth_image()), first)


def test_values_stay_in_range():
    transform = RandPhotograph().set_random_state(seed=0)
    for seed in range(50):
        found = transform(torch.rand(3, 16, 24, generator=torch.Generator().manual_seed(seed)))
        assert 0 <= found.min() <= found.max() <= 1


def test_a_grey_image_has_no_colours():
    with pytest.raises(DataError, match="1 channel"):
        RandPhotograph().set_random_state(seed=0)(torch.rand(1, 8, 8))
