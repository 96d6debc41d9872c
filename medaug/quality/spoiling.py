"""Real images made bad on purpose: what synthetic images must be clearly better than.

How far noise and blur lie from real images in a space of features depends on network and modality (15 times
chance for noise beside dermatoscopic images, 50 times beside drawn chests), so no constant can be the limit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from kornia.filters import gaussian_blur2d
from torch import Tensor

from medaug.randomness import torch_generator

BLUR = 1 / 16
"""Standard deviation of the blur, as a share of the side."""

NOISE = 1 / 4
"""Standard deviation of the noise, as a share of the range of pixels."""


def blurred(image: Tensor) -> Tensor:
    """Return images (B, C, H, W) in [0, 1] without their detail."""
    sigma = BLUR * image.shape[-1]
    kernel = 2 * round(2 * sigma) + 1
    soft: Tensor = gaussian_blur2d(image, (kernel, kernel), (sigma, sigma), border_type="replicate")
    return soft


def noisy(image: Tensor) -> Tensor:
    """Return images (B, C, H, W) in [0, 1] with noise, which is the same for all."""
    noise = torch.randn(image.shape[1:], generator=torch_generator(0, "quality", "noise"))
    return (image + NOISE * noise.to(image.device)).clamp(0, 1)


SPOILINGS: Mapping[str, Callable[[Tensor], Tensor]] = {"blurred": blurred, "noisy": noisy}
"""What is done to held-out real images, by name."""
