"""What a generative model is trained on (Sections 3.1 and E): images with noise, and the noise to predict.

The noisy input is made with the batch, in the loader's workers, so the network is an ordinary one that maps
an input to a target: MONAI's own inferer, batch preparation and torch's ``MSELoss`` do the rest. Every random
number belongs to a position in the run, so a batch is the same for any number of processes and workers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from monai.engines.utils import PrepareBatchExtraInput
from torch import Tensor

from medaug.data.sampling import Example
from medaug.diffusion.schedule import NoiseSchedule
from medaug.randomness import numpy_generator, torch_generator
from medaug.transforms.degradation import Degradation

CONDITION_DROPOUT = 0.1
"""Share of examples whose condition is hidden, for classifier-free guidance (Ho and Salimans 2022)."""


@dataclass(frozen=True)
class NoisyExamples:
    """Turns a batch of images into what a network learns noise prediction from.

    Takes ``image`` uint8 (B, C, H, W), ``position`` (B,) and ``condition`` (B, size); gives

    - ``image``: the input, float32 (B, C or 2C, H, W): the noisy image, and of an upsampler the degraded
      low-resolution image in [-1, 1] behind it;
    - ``label``: the noise in it, float32 (B, C, H, W), standard normal;
    - ``timesteps``: int64 (B,), uniform over the schedule;
    - ``condition``: float32 (B, size), with probability `dropout` all zeros.

    Parameters
    ----------
    seed : int
        Seed of the run; with the position it decides all that is drawn for an example.
    dropout : float
        Probability of hiding the condition.
    low_size : int or None
        Side in pixels of the images that an upsampler enlarges; None for a base model.
    schedule : NoiseSchedule
        The forward process.
    """

    seed: int
    dropout: float = CONDITION_DROPOUT
    low_size: int | None = None
    schedule: NoiseSchedule = field(default_factory=NoiseSchedule)

    def __call__(self, example: Example) -> Example:
        """Transform a batch."""
        pixels, positions = example["image"], example["position"].tolist()
        noise = torch.empty(pixels.shape)
        drawn = [self._draw(position, out) for position, out in zip(positions, noise, strict=True)]
        timesteps = torch.tensor([t for t, _ in drawn])
        kept = torch.tensor([kept for _, kept in drawn])
        noisy = self.schedule.add_noise(pixels.float() / 127.5 - 1, noise, timesteps)
        return {
            "image": noisy if self.low_size is None else torch.cat([noisy, self._low(pixels, positions)], 1),
            "label": noise,
            "timesteps": timesteps,
            "condition": example["condition"] * kept[:, None],
        }

    def _draw(self, position: int, noise: Tensor) -> tuple[int, bool]:
        """Fill the noise of one example; return its time and whether its condition is kept."""
        generator = torch_generator(self.seed, "noise", position)
        timestep = int(torch.randint(self.schedule.steps, (), generator=generator))
        kept = float(torch.rand((), generator=generator)) >= self.dropout
        noise.normal_(generator=generator)
        return timestep, kept

    def _low(self, pixels: Tensor, positions: Sequence[int]) -> Tensor:
        """Degrade each image in its own way (Section E.1)."""
        size = int(self.low_size or 0)
        ways = [Degradation.draw(numpy_generator(self.seed, "degradation", p)) for p in positions]
        return torch.stack([way.apply(image / 255, size) for way, image in zip(ways, pixels, strict=True)])


def prepare_batch() -> PrepareBatchExtraInput:
    """Return MONAI's batch preparation, for a call ``network(image, timesteps=..., class_labels=...)``."""
    return PrepareBatchExtraInput(extra_keys={"timesteps": "timesteps", "class_labels": "condition"})
