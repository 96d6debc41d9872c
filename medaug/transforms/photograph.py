"""The paper's heuristic augmentation of photographs of skin (Section E.1) as MONAI transforms.

Flips, brightness, saturation, hue, contrast, rotation and blur, in this order. A transform keeps what it drew
in `parameters`, and `augment_photograph` replays it. Many images at once are `PHOTOGRAPHS`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from kornia.enhance import adjust_brightness, adjust_contrast, adjust_saturation
from kornia.filters import gaussian_blur2d
from kornia.geometry.transform import rotate
from torch import Tensor

from medaug.transforms.batches import (
    Columns,
    DrawnTransform,
    batch_of_one,
    by_kind,
    flipped,
    moved_to,
    spread,
)
from medaug.transforms.colour import need_colours, turn_hue
from medaug.transforms.recorded import RecordedTransform, RecordedTransformd

MAX_BRIGHTNESS = 0.1
"""Is added, either way."""
SATURATION = (0.8, 1.2)
MAX_HUE = 0.02
"""Turns of the colour circle, either way."""
CONTRAST = (0.8, 1.2)
MAX_ROTATION = 150.0
"""Degrees, either way."""
BLURS = (0.001, 0.01, 0.1, 1.0, 3.0, 5.0, 7.0)
"""Standard deviations in pixels of an image of `BLURRED_SIDE`."""
BLURRED_SIDE = 256
"""Side in pixels of the paper's photographs."""

_RANGES = {
    "brightness": (-MAX_BRIGHTNESS, MAX_BRIGHTNESS),
    "saturation": SATURATION,
    "hue": (-MAX_HUE, MAX_HUE),
    "contrast": CONTRAST,
    "angle": (-MAX_ROTATION, MAX_ROTATION),
}


@dataclass(frozen=True)
class PhotographParameters:
    """What one augmentation does.

    ``brightness`` is added. ``saturation`` multiplies that of HSV. ``hue`` turns the colour circle, in turns.
    ``contrast`` multiplies the values, as the paper words it for radiographs. ``angle`` is in degrees,
    counter-clockwise. ``blur`` is a standard deviation in pixels of an image with a side of 256, so that the
    same parameters mean the same at every resolution.
    """

    flip_horizontal: bool
    flip_vertical: bool
    brightness: float
    saturation: float
    hue: float
    contrast: float
    angle: float
    blur: float


def draw_parameters(generator: np.random.RandomState) -> PhotographParameters:
    """Draw the parameters of one augmentation (Section E.1)."""
    return PhotographParameters(
        flip_horizontal=bool(generator.random_sample() < 0.5),
        flip_vertical=bool(generator.random_sample() < 0.5),
        **{name: float(generator.uniform(*ends)) for name, ends in _RANGES.items()},
        blur=BLURS[generator.randint(len(BLURS))],
    )


def augment_photograph(image: Tensor, parameters: PhotographParameters) -> Tensor:
    """Apply an augmentation to an image (3, H, W) in [0, 1]; what rotates in from outside is black.

    Raises
    ------
    DataError
        The image is not in colour.
    """
    return _augment_batch(image[None], batch_of_one(parameters))[0]


def _augment_batch(images: Tensor, columns: Columns) -> Tensor:
    need_colours(images)
    images = flipped(images, columns["flip_horizontal"], -1)
    images = flipped(images, columns["flip_vertical"], -2)
    images = adjust_brightness(images, moved_to(columns["brightness"], images))
    images = adjust_saturation(images, moved_to(columns["saturation"], images))
    images = turn_hue(images, columns["hue"])
    images = adjust_contrast(images, moved_to(columns["contrast"], images))
    images = rotate(images, moved_to(columns["angle"], images))
    blurs = columns["blur"]
    return by_kind(images, blurs, lambda some, places: _blur(some, float(blurs[places[0]])))


def _draw_batch(numbers: Tensor) -> Columns:
    flips, blur, others = numbers[:, :2] < 0.5, numbers[:, 2], numbers[:, 3:]
    blurs = torch.tensor(BLURS, dtype=torch.float64)[(blur * len(BLURS)).long()]
    drawn = {"flip_horizontal": flips[:, 0], "flip_vertical": flips[:, 1], "blur": blurs}
    return drawn | spread(others, _RANGES)


PHOTOGRAPHS = DrawnTransform(3 + len(_RANGES), _draw_batch, _augment_batch)
"""Augments many images (B, 3, H, W) at once, each by `PhotographParameters` of its own."""


class RandPhotograph(RecordedTransform[PhotographParameters]):
    """Augment an image (3, H, W), float in [0, 1]; random numbers from `set_random_state` only.

    Examples
    --------
    >>> transform = RandPhotograph().set_random_state(seed=0)
    >>> image = torch.rand(3, 64, 64)
    >>> augmented = transform(image)
    >>> bool((augment_photograph(image, transform.parameters) == augmented).all())
    True
    """

    draw = staticmethod(draw_parameters)
    apply = staticmethod(augment_photograph)


class RandPhotographd(RecordedTransformd[PhotographParameters]):
    """Dictionary form of `RandPhotograph`: all keys get the same augmentation."""

    draw = staticmethod(draw_parameters)
    apply = staticmethod(augment_photograph)


def _blur(images: Tensor, pixels_of_256: float) -> Tensor:
    """Gaussian blur with mirrored borders; the kernel reaches three standard deviations."""
    sigma = pixels_of_256 * max(images.shape[-2:]) / BLURRED_SIDE
    side = 2 * max(1, math.ceil(3 * sigma)) + 1
    return gaussian_blur2d(images, (side, side), (sigma, sigma))
