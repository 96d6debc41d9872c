"""The low-resolution image that an upsampler sees: the preprocessing of Section E.1 of the paper.

In training a high-resolution image is reduced, enlarged, and spoiled a little, so that the upsampler forgives
the flaws of the base model; at sampling the base model's image goes through the fixed part (`enlarge`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

NOISE_SIGMA = 4.0 / 255.0
NOISE_PROBABILITY = 0.2
ANTIALIAS_PROBABILITY = 0.5
BLUR_SIGMA_DEVIATION = 0.2
BLUR_SIDE = 7

_NO_BLUR = 1e-3
"""Standard deviation in pixels below which no neighbour has any weight."""


@dataclass(frozen=True)
class Degradation:
    """What was drawn for one image: enough to do the same again.

    Parameters
    ----------
    antialias : bool
        Whether the reduction averages over pixels.
    noise_seed : int or None
        Seed of the added noise; None adds none.
    blur_sigma : float
        Standard deviation of the blur in pixels; 0 does not blur.
    """

    antialias: bool
    noise_seed: int | None
    blur_sigma: float

    @classmethod
    def draw(cls, random: np.random.RandomState | np.random.Generator) -> Degradation:
        """Draw the parameters of Section E.1; always takes the same four numbers from `random`."""
        antialias, noisy, seed = (random.random() for _ in range(3))
        noise_seed = int(seed * 2**53) if noisy < NOISE_PROBABILITY else None
        return cls(
            antialias < ANTIALIAS_PROBABILITY, noise_seed, abs(float(random.normal(0, BLUR_SIGMA_DEVIATION)))
        )

    def apply(self, image: Tensor, low_size: int) -> Tensor:
        """Degrade one image (C, H, W) in [0, 1] with these parameters; see `degrade`."""
        noise = None
        if self.noise_seed is not None:
            generator = torch.Generator().manual_seed(self.noise_seed)
            noise = torch.randn(image.shape, generator=generator).to(image)
        return degrade(image, low_size, antialias=self.antialias, noise=noise, blur_sigma=self.blur_sigma)


def degrade(
    image: Tensor, low_size: int, *, antialias: bool, noise: Tensor | None, blur_sigma: float
) -> Tensor:
    """Reduce and enlarge images, add noise, blur, quantise and normalise (Section E.1, steps 1 to 5).

    Parameters
    ----------
    image : Tensor, (..., C, H, W)
        In [0, 1], H = W.
    low_size : int
        Side in pixels of the images that the upsampler will enlarge.
    antialias : bool
        Whether the reduction averages over pixels.
    noise : Tensor or None
        Standard normal noise of the shape of `image`; is scaled by 4/255.
    blur_sigma : float
        Standard deviation in pixels of the 7 x 7 Gaussian blur; 0 does not blur.

    Returns
    -------
    Tensor
        Same shape, in [-1, 1], one of 256 levels.
    """
    low = _resize(image, low_size, antialias)
    spoiled = _resize(low, image.shape[-1], antialias=False)
    if noise is not None:
        spoiled = spoiled + NOISE_SIGMA * noise
    return _finish(_blur(spoiled, blur_sigma))


def degrade_batch(
    images: Tensor, low_size: int, *, antialias: Tensor, noise: Tensor, blur_sigma: Tensor
) -> Tensor:
    """Degrade each image of a batch in its own way, as `degrade` does one, without a look at what was drawn.

    Parameters
    ----------
    images : Tensor, (B, C, H, W)
        In [0, 1], H = W.
    low_size : int
        Side in pixels of the images that the upsampler will enlarge.
    antialias : Tensor of bool, (B,)
        Whether the reduction averages over pixels.
    noise : Tensor, (B, C, H, W)
        Standard normal, or zeros; is scaled by 4/255.
    blur_sigma : Tensor, (B,)
        Standard deviation in pixels of the 7 x 7 Gaussian blur.

    Returns
    -------
    Tensor
        Same shape, in [-1, 1], one of 256 levels.
    """
    smooth, plain = (_resize(images, low_size, antialias=way) for way in (True, False))
    low = torch.where(antialias[:, None, None, None], smooth, plain)
    spoiled = _resize(low, images.shape[-1], antialias=False) + NOISE_SIGMA * noise
    kernels = _kernel(blur_sigma.clamp(min=_NO_BLUR)[:, None])
    padded = F.pad(spoiled, [BLUR_SIDE // 2] * 4, mode="reflect")
    return _finish(_weighted(_weighted(padded, kernels, 2), kernels, 3))


def enlarge(image: Tensor, size: int) -> Tensor:
    """Make the upsampler's input from images of the base model: the fixed part of `degrade`.

    Parameters
    ----------
    image : Tensor, (..., C, h, w)
        In [0, 1].
    size : int
        Side in pixels of the images that the upsampler makes.

    Returns
    -------
    Tensor, (..., C, size, size)
        In [-1, 1], one of 256 levels.
    """
    return _finish(_resize(image, size, antialias=False))


def _resize(image: Tensor, size: int, antialias: bool) -> Tensor:
    batch = image.reshape(-1, *image.shape[-3:])
    resized = F.interpolate(batch, size=(size, size), mode="bilinear", antialias=antialias)
    return resized.reshape(*image.shape[:-2], size, size)


def _blur(image: Tensor, sigma: float) -> Tensor:
    """Separable Gaussian blur with mirrored borders."""
    if sigma == 0:
        return image
    kernel = _kernel(torch.tensor(sigma, dtype=torch.float64)).to(image)
    planes = F.pad(image.reshape(-1, 1, *image.shape[-2:]), [BLUR_SIDE // 2] * 4, mode="reflect")
    down = F.conv2d(planes, kernel.reshape(1, 1, -1, 1))
    return F.conv2d(down, kernel.reshape(1, 1, 1, -1)).reshape(image.shape)


def _kernel(sigma: Tensor) -> Tensor:
    """Return the weights of a Gaussian in one direction, (..., 7) for standard deviations (..., 1)."""
    offsets = torch.arange(BLUR_SIDE, dtype=sigma.dtype, device=sigma.device) - BLUR_SIDE // 2
    return torch.softmax(-(offsets**2) / (2 * sigma**2), -1)


def _weighted(images: Tensor, kernels: Tensor, dimension: int) -> Tensor:
    """Sum the shifted images of a padded batch along a dimension, each with its own weights (B, 7)."""
    side = images.shape[dimension] - BLUR_SIDE + 1
    shifted = [images.narrow(dimension, place, side) for place in range(BLUR_SIDE)]
    return sum(
        (part * weight[:, None, None, None] for part, weight in zip(shifted, kernels.unbind(1), strict=True)),
        start=torch.zeros((), device=images.device),
    )


def _finish(image: Tensor) -> Tensor:
    """Quantise to 256 levels, and from [0, 1] to [-1, 1]."""
    return (image.clamp(0, 1) * 255).round() / 127.5 - 1
