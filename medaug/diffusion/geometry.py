"""Mirrored and shifted training images whose changes do not leak into what is generated.

What was done to an image stands in slots of its own behind the condition vector: a network that is told knows
that such images are not the rule, and is asked for zeros, an image as it is, when images are drawn
("non-leaky augmentation", Karras et al. 2022, arXiv 2206.00364, Section 5 and Appendix F.2).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from medaug.errors import SettingsError
from medaug.randomness import torch_generator

AXES = {"vertical": 1, "horizontal": 2}
"""Dimension of an image (C, H, W) that a mirror of this name turns round."""


@dataclass(frozen=True)
class Geometry:
    """Mirrors and shifts images at random; says what it did.

    Parameters
    ----------
    mirrors : tuple of {"horizontal", "vertical"}
        Each is applied to half of the images: ``horizontal`` exchanges left and right.
    largest_shift : float
        Share of the side by which an image is shifted at most, along each axis, in whole pixels; what comes
        in at the border is mirrored.

    Raises
    ------
    SettingsError
        A mirror is unknown, or the shift is not at least 0 and below 1/2.

    Examples
    --------
    >>> Geometry(("horizontal",), 0.1).slots
    3
    >>> changed, done = Geometry()(torch.zeros(2, 1, 4, 4), [0, 1], seed=0)
    >>> changed.shape, done.shape
    (torch.Size([2, 1, 4, 4]), torch.Size([2, 0]))
    """

    mirrors: tuple[str, ...] = ()
    largest_shift: float = 0.0

    def __post_init__(self) -> None:
        if unknown := set(self.mirrors) - set(AXES):
            raise SettingsError(f"there is no mirror {sorted(unknown)[0]!r}; there are: {', '.join(AXES)}")
        if not 0 <= self.largest_shift < 0.5:
            raise SettingsError(f"largest_shift must be at least 0 and below 0.5, not {self.largest_shift}")

    @property
    def slots(self) -> int:
        """Numbers that say what was done: one a mirror, and two of a shift."""
        return len(self.mirrors) + 2 * (self.largest_shift > 0)

    def __call__(self, images: Tensor, positions: Sequence[int], seed: int) -> tuple[Tensor, Tensor]:
        """Change each image in its own way.

        Parameters
        ----------
        images : Tensor, (B, C, H, W)
            Of any type.
        positions : sequence of int
            Positions in the run; with the seed they decide what is done.
        seed : int
            Seed of the run.

        Returns
        -------
        tuple of Tensor
            Changed images, and float32 (B, slots): 1 where mirrored, and the shifts down and to the right,
            in [-1, 1], as shares of the largest.
        """
        if not self.slots:
            return images, torch.zeros(len(images), 0)
        changed = [self._change(image, seed, p) for image, p in zip(images, positions, strict=True)]
        return torch.stack([image for image, _ in changed]), torch.stack([done for _, done in changed])

    def _change(self, image: Tensor, seed: int, position: int) -> tuple[Tensor, Tensor]:
        generator = torch_generator(seed, "geometry", position)
        mirrored = torch.rand(len(self.mirrors), generator=generator) < 0.5
        axes = [AXES[name] for name, yes in zip(self.mirrors, mirrored.tolist(), strict=True) if yes]
        most = int(self.largest_shift * image.shape[-1])
        shift = torch.randint(-most, most + 1, (2 * (self.largest_shift > 0),), generator=generator)
        done = torch.cat([mirrored.float(), shift / max(most, 1)])
        return _shifted(image.flip(axes), shift.tolist(), most), done


def _shifted(image: Tensor, shift: Sequence[int], most: int) -> Tensor:
    """Move an image down and to the right."""
    if not any(shift):
        return image
    padded = F.pad(image[None].float(), [most] * 4, mode="reflect")[0].to(image.dtype)
    (down, right), side = shift, image.shape[-1]
    return padded[:, most - down : most - down + side, most - right : most - right + side]
