from dataclasses import astuple

import numpy as np
import pytest
import torch
from scipy import ndimage
from skimage.transform import resize

from medaug.transforms.radiograph import (
    RadiographParameters,
    RandRadiograph,
    RandRadiographd,
    augment_radiograph,
    draw_parameters,
)

NOTHING = {"flip": False, "top": 0.5, "left": 0.5, "angle": 0.0, "luminance": 0.0, "contrast": 1.0}


def parameters(**changes):
    return RadiographParameters(**{**NOTHING, **changes})


def smooth_image(channels=1, size=64, seed=0):
    noise = np.random.default_rng(seed).random((channels, size, size))
    blurred = ndimage.gaussian_filter(noise, (0, 4, 4), mode="wrap")
    return torch.from_numpy((blurred - blurred.min()) / (blurred.max() - blurred.min())).float()


@pytest.mark.parametrize(("top", "left"), [(0.0, 0.0), (1.0, 0.0), (0.5, 1.0)])
def test_the_crop_is_202_of_224_pixels_resized_back(top, left):
    image = smooth_image(size=224)
    first_row, first_column = round(22 * top), round(22 * left)
    crop = image[0, first_row : first_row + 202, first_column : first_column + 202].numpy()
    expected = resize(crop, (224, 224), order=1, anti_aliasing=False, mode="edge")
    found = augment_radiograph(image, parameters(top=top, left=left))[0].numpy()
    np.testing.assert_allclose(found, expected, atol=1e-3)


def test_the_flip_is_horizontal():
    image = smooth_image()
    plain = augment_radiograph(image, parameters())
    flipped = augment_radiograph(image, parameters(flip=True))
    torch.testing.assert_close(flipped, plain.flip(-1), atol=1e-5, rtol=0)


@pytest.mark.parametrize("angle", [-15.0, 7.0, 15.0])
def test_the_rotation_is_counter_clockwise_about_the_centre_with_black_outside(angle):
    image = smooth_image()
    plain = augment_radiograph(image, parameters())[0].numpy()
    expected = ndimage.rotate(plain, angle, reshape=False, order=1, mode="constant", cval=0.0)
    found = augment_radiograph(image, parameters(angle=angle))[0].numpy()
    inside = np.hypot(*(np.indices(plain.shape) - 31.5)) < 30
    np.testing.assert_allclose(found[inside], expected[inside], atol=2e-3)
    assert found[0, 0] == 0.0


def test_luminance_is_added_then_contrast_multiplied_then_clipped():
    image = torch.full((1, 16, 16), 0.5)
    found = augment_radiograph(image, parameters(luminance=0.1, contrast=1.2))
    torch.testing.assert_close(found, torch.full((1, 16, 16), 0.72))
    assert augment_radiograph(image + 0.5, parameters(contrast=1.2)).max() == 1.0
    assert augment_radiograph(image - 0.5, parameters(luminance=-0.1)).min() == 0.0


def test_drawn_parameters_cover_the_ranges_of_the_paper():
    generator = np.random.RandomState(0)
    drawn = np.array([astuple(draw_parameters(generator)) for _ in range(4000)], float)
    low = [0.0, 0.0, 0.0, -15.0, -0.1, 0.8]
    high = [1.0, 1.0, 1.0, 15.0, 0.1, 1.2]
    assert (drawn >= low).all()
    assert (drawn <= high).all()
    np.testing.assert_allclose(
        drawn.mean(axis=0), np.add(low, high) / 2, atol=0.03 * np.subtract(high, low).max()
    )
    width = np.subtract(high, low)
    np.testing.assert_allclose(drawn[:, 1:].std(axis=0), width[1:] / np.sqrt(12), rtol=0.05)
    assert abs(drawn[:, 0].mean() - 0.5) < 0.03


@pytest.mark.parametrize("channels", [1, 3])
def test_what_was_drawn_can_be_replayed(channels):
    image = smooth_image(channels)
    transform = RandRadiograph().set_random_state(seed=5)
    first = transform(image)
    kept = transform.parameters
    second = transform(image)
    assert first.shape == image.shape
    assert first.dtype == torch.float32
    assert not torch.equal(first, second)
    assert torch.equal(augment_radiograph(image, kept), first)
    assert torch.equal(RandRadiograph().set_random_state(seed=5)(image), first)


def test_all_keys_get_the_same_augmentation_and_the_others_none():
    image = smooth_image()
    data = {"image": image, "other": image.clone(), "label": 1}
    transform = RandRadiographd(["image", "other"]).set_random_state(seed=5)
    found = transform(data)
    assert torch.equal(found["image"], found["other"])
    assert torch.equal(found["image"], RandRadiograph().set_random_state(seed=5)(image))
    assert found["label"] == 1
    assert torch.equal(data["image"], image)


def test_global_random_state_is_neither_used_nor_changed():
    image = smooth_image()
    torch.manual_seed(0)
    first = RandRadiograph().set_random_state(seed=1)(image)
    assert torch.equal(torch.rand(1), torch.rand(1, generator=torch.Generator().manual_seed(0)))
    assert torch.equal(RandRadiograph().set_random_state(seed=1)(image), first)


def test_a_landscape_image_keeps_its_shape_and_its_angles():
    # A disc stays a disc: rotation is in pixels, not in shares of the sides.
    rows, columns = np.indices((40, 80))
    disc = torch.from_numpy(np.hypot(rows - 19.5, columns - 39.5) < 12)[None].float()
    plain = augment_radiograph(disc, parameters())
    rotated = augment_radiograph(disc, parameters(angle=15.0))
    assert rotated.shape == disc.shape
    assert (plain - rotated).abs().mean() < 0.02
