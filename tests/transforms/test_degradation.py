from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.ndimage import convolve1d
from skimage.transform import resize

from medaug.transforms.degradation import Degradation, degrade, enlarge


@pytest.fixture
def image():
    return torch.rand(1, 24, 24, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


PLAIN = {"antialias": False, "noise": None, "blur_sigma": 0.0}


def bilinear(image, size):
    """Bilinear enlargement by scikit-image."""
    return resize(image, (size, size), order=1, mode="edge", anti_aliasing=False)


def quantised(image):
    return np.round(np.clip(image, 0, 1) * 255) / 127.5 - 1


def test_enlarging_is_bilinear_quantised_and_normalised(image):
    found = enlarge(image, 96)
    np.testing.assert_allclose(found[0], quantised(bilinear(image[0].numpy(), 96)), atol=1e-9)
    assert found.min() >= -1
    assert found.max() <= 1


def test_without_antialiasing_the_reduction_interpolates_between_neighbours(image):
    low = image[0].reshape(6, 4, 6, 4)[:, 1:3, :, 1:3].mean((1, 3))
    expected = quantised(bilinear(low.numpy(), 24))
    np.testing.assert_allclose(degrade(image, 6, **PLAIN)[0], expected, atol=1e-9)


def test_antialiasing_averages_as_pillow_does(image):
    low = Image.fromarray(image[0].numpy().astype(np.float32)).resize((6, 6), Image.Resampling.BILINEAR)
    found = degrade(image, 6, antialias=True, noise=None, blur_sigma=0.0)
    expected = quantised(bilinear(np.asarray(low, np.float64), 24))
    np.testing.assert_allclose(found[0], expected, atol=1.01 / 127.5)
    assert (np.abs(found[0].numpy() - expected) < 1e-9).mean() > 0.99
    assert not np.allclose(found, degrade(image, 6, **PLAIN))


def test_noise_is_four_grey_levels(image):
    grey = torch.full_like(image, 0.5)
    noise = torch.randn(image.shape, generator=torch.Generator().manual_seed(1), dtype=image.dtype)
    found = degrade(grey, 6, antialias=True, noise=noise, blur_sigma=0.0)
    np.testing.assert_allclose(found, quantised(0.5 + noise.numpy() * 4 / 255), atol=1e-9)


@pytest.mark.parametrize("sigma", [0.05, 0.3, 1.0])
def test_blur_is_a_gaussian_of_seven_pixels(image, sigma):
    kernel = np.exp(-(np.arange(-3.0, 4.0) ** 2) / (2 * sigma**2))
    kernel /= kernel.sum()
    plain = bilinear(image[0].reshape(6, 4, 6, 4)[:, 1:3, :, 1:3].mean((1, 3)).numpy(), 24)
    expected = convolve1d(convolve1d(plain, kernel, 0, mode="mirror"), kernel, 1, mode="mirror")
    found = degrade(image, 6, antialias=False, noise=None, blur_sigma=sigma)
    np.testing.assert_allclose(found[0], quantised(expected), atol=1.01 / 127.5)
    assert (np.abs(found[0].numpy() - quantised(expected)) < 1e-9).mean() > 0.99


def test_batches_and_colours_go_through_alike():
    batch = torch.rand(2, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    arguments = {"antialias": True, "noise": None, "blur_sigma": 0.4}
    alone = torch.stack([degrade(image, 4, **arguments) for image in batch])
    torch.testing.assert_close(degrade(batch, 4, **arguments), alone, rtol=0, atol=1.01 / 127.5)
    torch.testing.assert_close(enlarge(batch, 32)[1], enlarge(batch[1], 32), rtol=0, atol=1.01 / 127.5)


@pytest.mark.parametrize("random", [np.random.default_rng(0), np.random.RandomState(0)])
def test_parameters_are_drawn_as_the_paper_says(random):
    drawn = [Degradation.draw(random) for _ in range(4000)]
    assert np.mean([d.antialias for d in drawn]) == pytest.approx(0.5, abs=0.04)
    assert np.mean([d.noise_seed is not None for d in drawn]) == pytest.approx(0.2, abs=0.03)
    sigmas = np.array([d.blur_sigma for d in drawn])
    assert sigmas.min() >= 0
    assert np.sqrt((sigmas**2).mean()) == pytest.approx(0.2, abs=0.01)
    seeds = [d.noise_seed for d in drawn if d.noise_seed is not None]
    assert len(set(seeds)) == len(seeds)


def test_parameters_are_all_that_an_image_depends_on(image):
    drawn = [Degradation.draw(np.random.default_rng(seed)) for seed in range(12)]
    assert drawn == [Degradation.draw(np.random.default_rng(seed)) for seed in range(12)]
    for one in drawn:
        torch.testing.assert_close(one.apply(image, 6), one.apply(image, 6), rtol=0, atol=0)
        quiet = degrade(image, 6, antialias=one.antialias, noise=None, blur_sigma=one.blur_sigma)
        assert torch.equal(one.apply(image, 6), quiet) == (one.noise_seed is None)
