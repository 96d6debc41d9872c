"""Colour augmentation of histopathology patches (Sections E.1 and E.2 of the paper) as MONAI transforms.

Brightness, saturation, hue and contrast, in this order, as in standard ImageNet training. The paper gives no
ranges; these are those of Inception's preprocessing (Szegedy et al., 2016, doi:10.1109/CVPR.2016.308).
A transform keeps what it drew in `parameters`, and `jitter_colours` replays it.
"""

from __future__ import annotations

import math
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
from medaug.transforms.recorded import RecordedTransform, RecordedTransformd

MAX_BRIGHTNESS = 32 / 255
"""Is added, either way."""
SATURATION = (0.5, 1.5)
MAX_HUE = 0.2
"""Turns of the colour circle, either way."""
CONTRAST = (0.5, 1.5)


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
    return ColourParameters(
        brightness=float(generator.uniform(-MAX_BRIGHTNESS, MAX_BRIGHTNESS)),
        saturation=float(generator.uniform(*SATURATION)),
        hue=float(generator.uniform(-MAX_HUE, MAX_HUE)),
        contrast=float(generator.uniform(*CONTRAST)),
    )


def jitter_colours(image: Tensor, parameters: ColourParameters) -> Tensor:
    """Apply an augmentation to an image (3, H, W) in [0, 1]; a DataError where it is not in colour."""
    need_colours(image)
    image = adjust_brightness(image, parameters.brightness)
    image = turn_hue(adjust_saturation(image, parameters.saturation), parameters.hue)
    return adjust_contrast_with_mean_subtraction(image, parameters.contrast)


def turn_hue(image: Tensor, turns: float) -> Tensor:
    """Turn the hue of an image (3, H, W) in [0, 1] by a share of the colour circle."""
    return adjust_hue(image, 2 * math.pi * turns)


def need_colours(image: Tensor) -> None:
    """Raise a DataError when an image (C, H, W) has not three channels."""
    if image.shape[0] != 3:
        raise DataError(
            f"an image has {image.shape[0]} channel(s), and colours need 3; prepare the data with channels 3 "
            "or choose another augmentation"
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
