"""The paper's heuristic augmentation of chest radiographs (Section E.1) as MONAI transforms.

Flip, crop and resize back, rotation, luminance and contrast, in this order. A transform keeps what it drew in
`parameters`, and `augment_radiograph` replays it. Many images at once are `RADIOGRAPHS`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from medaug.transforms.batches import Columns, DrawnTransform, batch_of_one, flipped, moved_to, spread
from medaug.transforms.recorded import RecordedTransform, RecordedTransformd

CROP = 202 / 224
"""Side of the crop, as a share of the image's (the paper crops 202 of 224 pixels)."""
MAX_ROTATION = 15.0
"""Degrees, either way."""
MAX_LUMINANCE = 0.1
CONTRAST = (0.8, 1.2)

_RANGES = {
    "top": (0.0, 1.0),
    "left": (0.0, 1.0),
    "angle": (-MAX_ROTATION, MAX_ROTATION),
    "luminance": (-MAX_LUMINANCE, MAX_LUMINANCE),
    "contrast": CONTRAST,
}


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
        **{name: float(generator.uniform(*ends)) for name, ends in _RANGES.items()},
    )


def augment_radiograph(image: Tensor, parameters: RadiographParameters) -> Tensor:
    """Apply an augmentation to an image (C, H, W) in [0, 1]; what rotates in from outside is black."""
    return _augment_batch(image[None], batch_of_one(parameters))[0]


def _augment_batch(images: Tensor, columns: Columns) -> Tensor:
    images = flipped(images, columns["flip"], -1)
    images = _crop_and_resize(images, columns["top"], columns["left"])
    images = _rotate(images, columns["angle"])
    luminance, contrast = (
        moved_to(columns[name], images)[:, None, None, None] for name in ("luminance", "contrast")
    )
    return ((images + luminance) * contrast).clamp(0.0, 1.0)


def _draw_batch(numbers: Tensor) -> Columns:
    return {"flip": numbers[:, 0] < 0.5} | spread(numbers[:, 1:], _RANGES)


RADIOGRAPHS = DrawnTransform(1 + len(_RANGES), _draw_batch, _augment_batch)
"""Augments many images (B, C, H, W) at once, each by `RadiographParameters` of its own."""


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


def _crop_and_resize(images: Tensor, top: Tensor, left: Tensor) -> Tensor:
    height, width = images.shape[-2:]
    crop = _cropped(_cropped(images, top, 2), left, 3)
    return F.interpolate(crop, (height, width), mode="bilinear", align_corners=False, antialias=True)


def _cropped(images: Tensor, place: Tensor, dimension: int) -> Tensor:
    """Keep a part of each image along a dimension, that begins at its own share of the free margin."""
    side = images.shape[dimension]
    kept = round(side * CROP)
    first = (place * (side - kept)).round().long().to(images.device, non_blocking=True)
    shape = [len(images), 1, 1, 1]
    shape[dimension] = kept
    rows = (first[:, None] + torch.arange(kept, device=images.device)).reshape(shape)
    size = list(images.shape)
    size[dimension] = kept
    return images.gather(dimension, rows.expand(size))


def _rotate(images: Tensor, degrees: Tensor) -> Tensor:
    """Rotate counter-clockwise about the centre; `affine_grid` counts both axes in half sides."""
    height, width = images.shape[-2:]
    cosine, sine, zero = degrees.deg2rad().cos(), degrees.deg2rad().sin(), torch.zeros_like(degrees)
    rows = [[cosine, -sine * height / width, zero], [sine * width / height, cosine, zero]]
    matrices = torch.stack([torch.stack(row, -1) for row in rows], -2)
    grid = F.affine_grid(moved_to(matrices, images), list(images.shape), align_corners=False)
    return F.grid_sample(images, grid, mode="bilinear", align_corners=False)
