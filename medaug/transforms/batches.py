"""Augmenting many images at once, each with parameters of its own, on any device.

Parameters are drawn and kept on the CPU, where little is to be computed, and what they decide goes to the
device without waiting for it. So a GPU is never asked what was drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import torch
from torch import Tensor

Columns = Mapping[str, Tensor]
"""The parameters of a batch by name, one value an image: (B,), on the CPU."""


class BatchTransform(Protocol):
    """An augmentation that is a function of images and of uniform numbers."""

    @property
    def numbers(self) -> int:
        """How many uniform numbers an image needs."""

    def __call__(self, images: Tensor, numbers: Tensor) -> Tensor:
        """Augment images (B, C, H, W) in [0, 1] by `numbers` (B, self.numbers) in [0, 1), on the CPU."""


@dataclass(frozen=True)
class DrawnTransform:
    """Draws parameters from uniform numbers, and applies them.

    Parameters
    ----------
    numbers : int
        Uniform numbers an image.
    draw : callable
        From numbers (B, `numbers`) to parameters.
    apply : callable
        From images (B, C, H, W) in [0, 1] and parameters to images.
    """

    numbers: int
    draw: Callable[[Tensor], Columns]
    apply: Callable[[Tensor, Columns], Tensor]

    def __call__(self, images: Tensor, numbers: Tensor) -> Tensor:
        """Augment images by uniform numbers."""
        return self.apply(images, self.draw(numbers))


def batch_of_one(parameters: Any) -> Columns:
    """Return the parameters of one image, a dataclass of numbers, as those of a batch."""
    return {name: torch.tensor([value], dtype=torch.float64) for name, value in asdict(parameters).items()}


def spread(numbers: Tensor, ranges: Mapping[str, tuple[float, float]]) -> dict[str, Tensor]:
    """Stretch uniform numbers (B, len(ranges)) in [0, 1) over a range of values each.

    Examples
    --------
    >>> spread(torch.tensor([[0.0], [0.5]]), {"angle": (-15.0, 15.0)})["angle"].tolist()
    [-15.0, 0.0]
    """
    columns = numbers.double().unbind(1)
    return {
        name: low + (high - low) * u for (name, (low, high)), u in zip(ranges.items(), columns, strict=True)
    }


def moved_to(values: Tensor, images: Tensor) -> Tensor:
    """Return values in the precision and on the device of images, without waiting for it."""
    return values.to(images.dtype).to(images.device, non_blocking=True)


def flipped(images: Tensor, yes: Tensor, axis: int) -> Tensor:
    """Flip the images (B, C, H, W) of which `yes` (B,) is not zero along an axis."""
    chosen = moved_to(yes, images)[:, None, None, None] != 0
    return torch.where(chosen, images.flip(axis), images)


def by_kind(images: Tensor, kinds: Tensor, change: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    """Change the images of each kind together.

    Parameters
    ----------
    images : Tensor, (B, C, H, W)
        On any device.
    kinds : Tensor, (B,)
        Of each image, on the CPU.
    change : callable
        Is given the images of a kind and their places in the batch, int64 on the CPU.
    """
    changed = torch.empty_like(images)
    for kind in sorted(set(kinds.tolist())):
        places = (kinds == kind).nonzero()[:, 0]
        there = places.to(images.device, non_blocking=True)
        changed.index_copy_(0, there, change(images.index_select(0, there), places))
    return changed
