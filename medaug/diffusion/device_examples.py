"""The examples of a diffusion model drawn on the device, a whole batch at once.

What `medaug.diffusion.noisy_examples` draws image by image on the CPU, in the same distributions and as a
function of the seed and the position too, so that a batch is the same for any number of processes. The
numbers are others: a GPU counts (`medaug.engine.philox`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from medaug.data.sampling import Example
from medaug.diffusion.geometry import AXES, Geometry
from medaug.diffusion.noisy_examples import (
    LOG_SIGMA_DEVIATION,
    LOG_SIGMA_MEAN,
    NoisyExamples,
    Prepared,
    prepare_batch,
)
from medaug.engine.philox import Cipher, CounterRandom, philox
from medaug.transforms.degradation import (
    ANTIALIAS_PROBABILITY,
    BLUR_SIGMA_DEVIATION,
    NOISE_PROBABILITY,
    degrade_batch,
)


@dataclass(frozen=True)
class DeviceExamples:
    """Turns batches of a store into what a network is called with; for the ``prepare_batch`` of a trainer.

    Parameters
    ----------
    examples : NoisyExamples
        How examples are made.
    cipher : Cipher
        What counts random numbers.
    """

    examples: NoisyExamples
    cipher: Cipher = philox

    def __call__(
        self,
        batch: Example,
        device: torch.device | str | None = None,
        non_blocking: bool = False,
        **kwargs: Any,
    ) -> Prepared:
        """Move pixels of one byte, positions and conditions to the device, and draw the rest there."""
        moved = {
            key: batch[key].to(device=device, non_blocking=non_blocking)
            for key in ("image", "position", "condition")
        }
        return prepare_batch(self.drawn(moved), device, non_blocking, **kwargs)

    def drawn(self, example: Example) -> Example:
        """Return what `NoisyExamples` describes, computed where the batch is."""
        how, positions = self.examples, example["position"]
        pixels, done = moved(example["image"], positions, how.geometry, self._random("geometry"))
        random = self._random("noise")
        timesteps = self._times(random, positions)
        kept = random.uniform(positions, 1) >= how.dropout
        noise = random.normal(positions, 2, pixels.shape[1:])
        condition = torch.cat([example["condition"] * kept, done], 1)
        if how.low_size is None:
            return how.composed(pixels, noise, timesteps, condition, None)
        low = degraded(pixels / 255, positions, how.low_size, self._random("degradation"))
        return how.composed(pixels, noise, timesteps, condition, low)

    def _random(self, key: str) -> CounterRandom:
        return CounterRandom.of(self.examples.seed, key, cipher=self.cipher)

    def _times(self, random: CounterRandom, positions: Tensor) -> Tensor:
        how = self.examples
        if how.times == "uniform":
            return (random.uniform(positions, 0)[:, 0] * how.schedule.steps).long()
        normal = random.normal(positions, 0).double()
        return how.schedule.nearest_time(LOG_SIGMA_MEAN + LOG_SIGMA_DEVIATION * normal)


def moved(
    images: Tensor, positions: Tensor, geometry: Geometry, random: CounterRandom
) -> tuple[Tensor, Tensor]:
    """Mirror and shift each image (B, C, H, W) in its own way, as `Geometry` does; also say what was done."""
    count = len(geometry.mirrors)
    mirrored = random.uniform(positions, 0, max(count, 1))[:, :count] < 0.5
    for name, yes in zip(geometry.mirrors, mirrored.unbind(1), strict=True):
        images = torch.where(yes[:, None, None, None], images.flip(AXES[name] + 1), images)
    if not geometry.largest_shift:
        return images, mirrored.float()
    most = int(geometry.largest_shift * images.shape[-1])
    shift = (random.uniform(positions, 1, 2) * (2 * most + 1)).long() - most
    done = torch.cat([mirrored.float(), shift / max(most, 1)], 1)
    return _taken(_taken(images, shift[:, 0], 2), shift[:, 1], 3), done


def degraded(images: Tensor, positions: Tensor, low_size: int, random: CounterRandom) -> Tensor:
    """Degrade each image (B, C, H, W) in [0, 1] in its own way (Section E.1)."""
    antialias, noisy = random.uniform(positions, 0, 2).unbind(1)
    noise = random.normal(positions, 1, images.shape[1:])
    return degrade_batch(
        images,
        low_size,
        antialias=antialias < ANTIALIAS_PROBABILITY,
        noise=noise * (noisy < NOISE_PROBABILITY)[:, None, None, None],
        blur_sigma=BLUR_SIGMA_DEVIATION * random.normal(positions, 2).abs(),
    )


def _taken(images: Tensor, shift: Tensor, dimension: int) -> Tensor:
    """Move each image along a dimension; what comes in is mirrored at the border."""
    side = images.shape[dimension]
    place = (torch.arange(side, device=images.device) - shift[:, None]).abs()
    place = torch.minimum(place, 2 * (side - 1) - place)
    shape = [len(images), 1, 1, 1]
    shape[dimension] = side
    return images.gather(dimension, place.reshape(shape).expand_as(images))
