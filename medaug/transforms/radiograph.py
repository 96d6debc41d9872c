"""The paper's heuristic augmentation of chest radiographs (Section E.1) as MONAI transforms.

Flip, crop and resize back, rotation, luminance and contrast, in this order. A transform keeps what it drew in
`parameters`, and `augment_radiograph` replays it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from medaug.transforms.recorded import RecordedTransform, RecordedTransformd

CROP = 202 / 224
"""Side of the crop, as a share of the image's (the paper crops 202 of 224 pixels)."""
MAX_ROTATION = 15.0
"""Degrees, either way."""
MAX_LUMINANCE = 0.1
CONTRAST = (0.8, 1.2)


@dataclass(frozen=True)
class RadiographParameters:
    """What one augmentation does.

    ``top`` and ``left`` place the crop, as shares (0 to 1) of the free margin, so that the same parameters
    mean the same at every resolution. ``angle`` is in degrees, counter-clockwise. ``luminance`` is added,
    then ``contrast`` multiplied.
    """

    flip: bool
    top: float
    left: float
    angle: float
    luminance: float
    contrast: float


def draw_parameters(generator: np.random.RandomState) -> RadiographParameters:
    """Draw the parameters of one augmentation (Section E.1)."""
    return RadiographParameters(
        flip=bool(generator.random_sample() < 0.5),
        top=float(generator.random_sample()),
        left=float(generator.random_sample()),
        angle=float(generator.uniform(-MAX_ROTATION, MAX_ROTATION)),
        luminance=float(generator.uniform(-MAX_LUMINANCE, MAX_LUMINANCE)),
        contrast=float(generator.uniform(*CONTRAST)),
    )


def augment_radiograph(image: Tensor, parameters: RadiographParameters) -> Tensor:
    """Apply an augmentation to an image (C, H, W) in [0, 1]; what rotates in from outside is black."""
    if parameters.flip:
        image = image.flip(-1)
    image = _crop_and_resize(image, parameters.top, parameters.left)
    image = _rotate(image, parameters.angle)
    return ((image + parameters.luminance) * parameters.contrast).clamp(0.0, 1.0)


class RandRadiograph(RecordedTransform[RadiographParameters]):
    """Augment an image (C, H, W), float in [0, 1]; random numbers from `set_random_state` only.

    Examples
    --------
    >>> transform = RandRadiograph().set_random_state(seed=0)
    >>> image = torch.rand(1, 64, 64)
    >>> augmented = transform(image)
    >>> bool((augment_radiograph(image, transform.parameters) == augmented).all())
    True
    """

    draw = staticmethod(draw_parameters)
    apply = staticmethod(augment_radiograph)


class RandRadiographd(RecordedTransformd[RadiographParameters]):
    """Dictionary form of `RandRadiograph`: all keys get the same augmentation."""

    draw = staticmethod(draw_parameters)
    apply = staticmethod(augment_radiograph)


def _crop_and_resize(image: Tensor, top: float, left: float) -> Tensor:
    height, width = image.shape[-2:]
    crop_height, crop_width = round(height * CROP), round(width * CROP)
    first_row, first_column = round(top * (height - crop_height)), round(left * (width - crop_width))
    crop = image[:, first_row : first_row + crop_height, first_column : first_column + crop_width]
    resized = F.interpolate(crop[None], (height, width), mode="bilinear", align_corners=False, antialias=True)
    return resized[0]


def _rotate(image: Tensor, degrees: float) -> Tensor:
    """Rotate counter-clockwise about the centre; `affine_grid` counts both axes in half sides."""
    height, width = image.shape[-2:]
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    matrix = [[cosine, -sine * height / width, 0.0], [sine * width / height, cosine, 0.0]]
    grid = F.affine_grid(torch.tensor([matrix], dtype=image.dtype), [1, *image.shape], align_corners=False)
    return F.grid_sample(image[None], grid, mode="bilinear", align_corners=False)[0]
