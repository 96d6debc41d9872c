"""RandAugment of many images at once: the operations of `medaug.transforms.randaugment`, an image's own each.

Kornia's RandAugment draws the operations of a whole batch together. Here each image has its own, those of one
operation go through it together, and the numbers that decide are given, not drawn.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import torch
from kornia.augmentation.auto.rand_augment.rand_augment import default_policy
from kornia.enhance import (
    adjust_brightness,
    adjust_contrast,
    adjust_saturation,
    equalize,
    normalize_min_max,
    posterize,
    sharpness,
    solarize,
)
from kornia.geometry.transform import (
    get_rotation_matrix2d,
    get_shear_matrix2d,
    get_translation_matrix2d,
    warp_affine,
)
from torch import Tensor

from medaug.transforms.batches import by_kind, moved_to
from medaug.transforms.randaugment import COLOUR_ONLY, MAGNITUDE, OPERATIONS, check_strength

SCALE = 30
"""Of kornia's magnitudes."""

BatchOperation = Callable[[Tensor, float, Tensor], Tensor]
"""Of images (B, C, H, W) in [0, 1], a strength, and a uniform number an image, (B,), on the CPU."""


class BatchRandAugment:
    """Applies `n` different operations of strength `m` to each image, drawn by uniform numbers.

    Parameters
    ----------
    n, m : int
        As for `medaug.transforms.randaugment.RandAugmentation`.

    Examples
    --------
    >>> augment = BatchRandAugment()
    >>> augment(torch.rand(4, 1, 16, 16), torch.rand(4, augment.numbers)).shape
    torch.Size([4, 1, 16, 16])
    """

    def __init__(self, n: int = OPERATIONS, m: int = MAGNITUDE) -> None:
        check_strength(n, m)
        self._n = n
        self._strengths = {
            name: _strength(name, low, high or 0.0, m) for ((name, low, high),) in default_policy
        }

    @property
    def numbers(self) -> int:
        """Uniform numbers an image: an order of the operations, and one for each that is applied."""
        return len(self._strengths) + self._n

    def __call__(self, images: Tensor, numbers: Tensor) -> Tensor:
        """Augment images (B, 1 or 3, H, W) in [0, 1] by `numbers` (B, self.numbers) in [0, 1), on the CPU."""
        names = [name for name in self._strengths if images.shape[1] != 1 or name != COLOUR_ONLY]
        orders = numbers[:, : len(names)].argsort(1)
        for kinds, own in zip(orders[:, : self._n].unbind(1), numbers[:, -self._n :].unbind(1), strict=True):

            def change(some: Tensor, places: Tensor, kinds: Tensor = kinds, own: Tensor = own) -> Tensor:
                name = names[int(kinds[places[0]])]
                return OPERATIONS_BY_NAME[name](some, self._strengths[name], own[places])

            images = by_kind(images, kinds, change)
        return images.clamp(0.0, 1.0)


def _strength(name: str, low: float, high: float, m: int) -> float:
    """Return what kornia makes of a magnitude: signs come later, and posterising keeps fewer bits."""
    share = m / SCALE
    if name == "posterize":
        return high - (high - low) * share
    return high * share if low == -high else low + (high - low) * share


def _signed(strength: float, numbers: Tensor) -> Tensor:
    return strength * torch.where(numbers < 0.5, -1.0, 1.0)


def _there(images: Tensor, value: float) -> Tensor:
    """Return a number filled in where images are; one that is copied there would be waited for."""
    return torch.full((), value, device=images.device)


def _moved(images: Tensor, matrices: Tensor) -> Tensor:
    """Warp each image by its own matrix (3, 3) in pixels; what comes in from outside is black."""
    height, width = images.shape[-2:]
    return warp_affine(images, moved_to(matrices[:, :2], images), (height, width), align_corners=False)


def _centres(images: Tensor) -> Tensor:
    height, width = images.shape[-2:]
    return torch.tensor([[(width - 1) / 2, (height - 1) / 2]]).expand(len(images), 2)


def _rotate(images: Tensor, strength: float, numbers: Tensor) -> Tensor:
    centres = _centres(images)
    return _moved(
        images, get_rotation_matrix2d(centres, _signed(strength, numbers), torch.ones_like(centres))
    )


def _shear_x(images: Tensor, strength: float, numbers: Tensor) -> Tensor:
    return _moved(images, get_shear_matrix2d(_centres(images), sx=_signed(strength * math.pi, numbers)))


def _shear_y(images: Tensor, strength: float, numbers: Tensor) -> Tensor:
    return _moved(images, get_shear_matrix2d(_centres(images), sy=_signed(strength * math.pi, numbers)))


def _translate_x(images: Tensor, strength: float, numbers: Tensor) -> Tensor:
    shift = _signed(strength * images.shape[-1], numbers)
    return _moved(images, get_translation_matrix2d(torch.stack([shift, torch.zeros_like(shift)], 1)))


def _translate_y(images: Tensor, strength: float, numbers: Tensor) -> Tensor:
    shift = _signed(strength * images.shape[-2], numbers)
    return _moved(images, get_translation_matrix2d(torch.stack([torch.zeros_like(shift), shift], 1)))


OPERATIONS_BY_NAME: Mapping[str, BatchOperation] = {
    "auto_contrast": lambda images, strength, numbers: normalize_min_max(images),
    "equalize": lambda images, strength, numbers: equalize(images.clamp(0, 1)),
    "invert": lambda images, strength, numbers: 1 - images,
    "rotate": _rotate,
    "posterize": lambda images, strength, numbers: posterize(
        images.clamp(0, 1), _there(images, int(strength))
    ),
    "solarize": lambda images, strength, numbers: torch.where(images < strength, images, 1 - images),
    # Kornia draws the threshold of this one: its range is all values.
    "solarize_add": lambda images, strength, numbers: solarize(
        images, moved_to(numbers, images), moved_to(torch.full_like(numbers, strength), images)
    ),
    "color": lambda images, strength, numbers: adjust_saturation(images, _there(images, strength)).clamp(
        0, 1
    ),
    "contrast": lambda images, strength, numbers: adjust_contrast(images, _there(images, strength)),
    "brightness": lambda images, strength, numbers: adjust_brightness(images, _there(images, strength - 1)),
    "sharpness": lambda images, strength, numbers: sharpness(images, _there(images, strength)),
    "shear_x": _shear_x,
    "shear_y": _shear_y,
    "translate_x": _translate_x,
    "translate_y": _translate_y,
}
"""Kornia's operations by the names of its policy, for many images at once."""
