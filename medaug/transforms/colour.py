"""Colour augmentation of histopathology patches (Sections E.1 and E.2 of the paper) as MONAI transforms.

Brightness, saturation, hue and contrast, in this order, as in standard ImageNet training. The paper gives no
ranges; these are those of Inception's preprocessing (Szegedy et al., 2016, doi:10.1109/CVPR.2016.308).
A transform keeps what it drew in `parameters`, and `jitter_colours` replays it. Many images at once are
`COLOURS`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from kornia.enhance import (
    adjust_brightness,
    adjust_contrast_with_mean_subtraction,
    adjust_hue,
    adjust_saturation,
)
from torch import Tensor

from medaug.errors import DataError
from medaug.transforms.batches import Columns, DrawnTransform, batch_of_one, moved_to, spread
from medaug.transforms.recorded import RecordedTransform, RecordedTransformd

MAX_BRIGHTNESS = 32 / 255
"""Is added, either way."""
SATURATION = (0.5, 1.5)
MAX_HUE = 0.2
"""Turns of the colour circle, either way."""
CONTRAST = (0.5, 1.5)

_RANGES: Mapping[str, tuple[float, float]] = {
    "brightness": (-MAX_BRIGHTNESS, MAX_BRIGHTNESS),
    "saturation": SATURATION,
    "hue": (-MAX_HUE, MAX_HUE),
    "contrast": CONTRAST,
}


@dataclass(frozen=True)
class ColourParameters:
    """What one augmentation does.

    ``brightness`` is added. ``saturation`` multiplies that of HSV. ``hue`` turns the colour circle, in turns.
    ``contrast`` multiplies the distance from the mean grey.
    """

    brightness: float
    saturation: float
    hue: float
    contrast: float


def draw_parameters(generator: np.random.RandomState) -> ColourParameters:
    """Draw the parameters of one augmentation, uniform in their ranges."""
    return ColourParameters(**{name: float(generator.uniform(*ends)) for name, ends in _RANGES.items()})


def jitter_colours(image: Tensor, parameters: ColourParameters) -> Tensor:
    """Apply an augmentation to an image (3, H, W) in [0, 1]; a DataError where it is not in colour."""
    return _jitter_batch(image[None], batch_of_one(parameters))[0]


def _jitter_batch(images: Tensor, columns: Columns) -> Tensor:
    need_colours(images)
    images = adjust_brightness(images, moved_to(columns["brightness"], images))
    images = adjust_saturation(images, moved_to(columns["saturation"], images))
    images = turn_hue(images, columns["hue"])
    return adjust_contrast_with_mean_subtraction(images, moved_to(columns["contrast"], images))


COLOURS = DrawnTransform(len(_RANGES), lambda numbers: spread(numbers, _RANGES), _jitter_batch)
"""Augments many images (B, 3, H, W) at once, each by `ColourParameters` of its own."""


def turn_hue(images: Tensor, turns: Tensor) -> Tensor:
    """Turn the hue of images (B, 3, H, W) in [0, 1] by a share of the colour circle (B,) each."""
    return adjust_hue(images, moved_to(2 * math.pi * turns, images))


def need_colours(images: Tensor) -> None:
    """Raise a DataError when images (B, C, H, W) have not three channels."""
    if images.shape[1] != 3:
        raise DataError(
            f"an image has {images.shape[1]} channel(s), and colours need 3; prepare the data with channels "
            "3 or choose another augmentation"
        )


class RandColour(RecordedTransform[ColourParameters]):
    """Jitter the colours of an image (3, H, W), float in [0, 1]; random numbers from `set_random_state` only.

    Examples
    --------
    >>> import torch
    >>> transform = RandColour().set_random_state(seed=0)
    >>> image = torch.rand(3, 96, 96)
    >>> augmented = transform(image)
    >>> bool((jitter_colours(image, transform.parameters) == augmented).all())
    True
    """

    draw = staticmethod(draw_parameters)
    apply = staticmethod(jitter_colours)


class RandColourd(RecordedTransformd[ColourParameters]):
    """Dictionary form of `RandColour`: all keys get the same augmentation."""

    draw = staticmethod(draw_parameters)
    apply = staticmethod(jitter_colours)
