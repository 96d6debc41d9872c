"""The noise of synthetic images: a function of the seed and the image alone.

So an image depends neither on the batch it is made in nor on the number of processes. A CPU draws it with
torch's own generator, one an image; a GPU by counting (`medaug.engine.philox`), where it is used. The two
differ, and the settings in the origin of a store name the noise that was counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor

from medaug.arrays import IntArray
from medaug.engine.philox import Cipher, CounterRandom, philox
from medaug.randomness import torch_generator

KEY = "image"


class ImageNoise(Protocol):
    """Fresh noise for the images of a batch each time that it is asked."""

    def __call__(self, shape: Sequence[int]) -> Tensor:
        """Return standard normal noise, float32 (B, *shape)."""


class GeneratorNoise:
    """Draws with a generator of torch an image, seeded by (seed, "image", number of the image).

    Parameters
    ----------
    seed : int
        Seed of the run.
    images : sequence of int, (B,)
        Numbers of the images.

    Examples
    --------
    >>> GeneratorNoise(0, [4, 5])((1, 8, 8)).shape
    torch.Size([2, 1, 8, 8])
    """

    def __init__(self, seed: int, images: IntArray | Sequence[int]) -> None:
        self._generators = [torch_generator(seed, KEY, int(image)) for image in images]

    def __call__(self, shape: Sequence[int]) -> Tensor:
        """Return the next noise, on the CPU."""
        return torch.stack([torch.randn(tuple(shape), generator=g) for g in self._generators])


class CounterNoise:
    """Draws on a device by counting: parameters are those of `GeneratorNoise`, the device, the cipher."""

    def __init__(
        self,
        seed: int,
        images: IntArray | Sequence[int],
        device: torch.device | str = "cpu",
        cipher: Cipher = philox,
    ) -> None:
        self._random = CounterRandom.of(seed, KEY, cipher=cipher)
        self._images = torch.as_tensor(images, dtype=torch.int64).to(device)
        self._draws = 0

    def __call__(self, shape: Sequence[int]) -> Tensor:
        """Return the next noise, on the device."""
        self._draws += 1
        return self._random.normal(self._images, self._draws - 1, shape)
