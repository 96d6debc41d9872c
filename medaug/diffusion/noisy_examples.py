"""What a generative model is trained on (Sections 3.1 and E): images with noise, and what to predict.

The noisy input is made with the batch, in the loader's workers, so the network is an ordinary one that maps
an input to a target: MONAI's own trainer and inferer do the rest. Every random number belongs to a position
in the run, so a batch is the same for any number of processes and workers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import torch
from torch import Tensor, nn

from medaug.data.sampling import Example
from medaug.diffusion.geometry import Geometry
from medaug.diffusion.prediction import LossWeight, Prediction, check_prediction, loss_weight, target
from medaug.diffusion.schedule import NoiseSchedule
from medaug.errors import SettingsError
from medaug.randomness import numpy_generator, torch_generator
from medaug.transforms.degradation import Degradation

CONDITION_DROPOUT = 0.1
"""Share of examples whose condition is hidden, for classifier-free guidance (Ho and Salimans 2022)."""

Times = Literal["uniform", "lognormal"]

LOG_SIGMA_MEAN, LOG_SIGMA_DEVIATION = 0.2, 1.2
"""Of the log-normal times. The deviation is that of EDM (arXiv 2206.00364, Table 1); its mean, -1.2, and
that of EDM2, -0.4, are below ours: what a condition changes is decided where there is more noise."""


@dataclass(frozen=True, kw_only=True)
class NoisyExamples:
    """Turns a batch of images into what a network learns to take noise away from.

    Takes ``image`` uint8 (B, C, H, W), ``position`` (B,) and ``condition`` (B, size); gives

    - ``image``: the input, float32 (B, C or 2C, H, W): the noisy image, and of an upsampler the degraded
      low-resolution image in [-1, 1] behind it;
    - ``label``: what to predict, float32 (B, C, H, W);
    - ``weight``: float32 (B,), of the squared error;
    - ``timesteps``: int64 (B,);
    - ``condition``: float32 (B, size + slots): with probability `dropout` all zeros, and behind it what was
      done to the image.

    Parameters
    ----------
    seed : int
        Seed of the run; with the position it decides all that is drawn for an example.
    dropout : float
        Probability of hiding the condition.
    low_size : int or None
        Side in pixels of the images that an upsampler enlarges; None for a base model.
    prediction : {"epsilon", "v", "x"}
        What to predict, see `medaug.diffusion.prediction`.
    times : {"uniform", "lognormal"}
        How times are drawn: evenly over the schedule, or so that the ratio of noise to image is log-normal.
    loss_weight : {"none", "min_snr", "bounded"}
        See `medaug.diffusion.prediction.loss_weight`.
    geometry : Geometry
        What is done to images.
    schedule : NoiseSchedule
        The forward process.

    Raises
    ------
    SettingsError
        A name is unknown.
    """

    seed: int
    dropout: float = CONDITION_DROPOUT
    low_size: int | None = None
    prediction: Prediction = "epsilon"
    times: Times = "uniform"
    loss_weight: LossWeight = "none"
    geometry: Geometry = field(default_factory=Geometry)
    schedule: NoiseSchedule = field(default_factory=NoiseSchedule)

    def __post_init__(self) -> None:
        check_prediction(self.prediction)
        _check_name("times", self.times, get_args(Times))
        _check_name("loss_weight", self.loss_weight, get_args(LossWeight))

    def __call__(self, example: Example) -> Example:
        """Transform a batch."""
        positions = example["position"].tolist()
        pixels, done = self.geometry(example["image"], positions, self.seed)
        noise = torch.empty(pixels.shape)
        drawn = [self._draw(position, out) for position, out in zip(positions, noise, strict=True)]
        timesteps = torch.stack([t for t, _ in drawn])
        kept = torch.tensor([kept for _, kept in drawn])
        low = None if self.low_size is None else self._low(pixels, positions)
        condition = torch.cat([example["condition"] * kept[:, None], done], 1)
        return self.composed(pixels, noise, timesteps, condition, low)

    def composed(
        self, pixels: Tensor, noise: Tensor, timesteps: Tensor, condition: Tensor, low: Tensor | None
    ) -> Example:
        """Put together what was drawn for a batch, wherever it was drawn."""
        image = pixels.float() / 127.5 - 1
        scales = self.schedule.scales(timesteps, image)
        noisy = scales[0] * image + scales[1] * noise
        return {
            "image": noisy if low is None else torch.cat([noisy, low], 1),
            "label": target(self.prediction, image, noise, *scales),
            "weight": loss_weight(self.loss_weight, self.prediction, *scales).flatten(),
            "timesteps": timesteps,
            "condition": condition,
        }

    def _draw(self, position: int, noise: Tensor) -> tuple[Tensor, bool]:
        """Fill the noise of one example; return its time and whether its condition is kept."""
        generator = torch_generator(self.seed, "noise", position)
        time = self._time(generator)
        kept = float(torch.rand((), generator=generator)) >= self.dropout
        noise.normal_(generator=generator)
        return time, kept

    def _time(self, generator: torch.Generator) -> Tensor:
        if self.times == "uniform":
            return torch.randint(self.schedule.steps, (), generator=generator)
        normal = torch.randn((), generator=generator, dtype=torch.float64)
        return self.schedule.nearest_time(LOG_SIGMA_MEAN + LOG_SIGMA_DEVIATION * normal)

    def _low(self, pixels: Tensor, positions: Sequence[int]) -> Tensor:
        """Degrade each image in its own way (Section E.1)."""
        size = int(self.low_size or 0)
        ways = [Degradation.draw(numpy_generator(self.seed, "degradation", p)) for p in positions]
        return torch.stack([way.apply(image / 255, size) for way, image in zip(ways, pixels, strict=True)])


Prepared = tuple[Tensor, tuple[Tensor, Tensor], tuple[()], dict[str, Tensor]]


def prepare_batch(
    batch: Example, device: torch.device | str | None = None, non_blocking: bool = False, **kwargs: Any
) -> Prepared:
    """Return what MONAI's trainer calls ``network(image, timesteps=..., class_labels=...)`` with.

    The second value is for `WeightedSquaredError`. Arguments are those of MONAI's ``default_prepare_batch``.
    """
    moved = {
        key: batch[key].to(device=device, non_blocking=non_blocking, **kwargs)
        for key in ("image", "label", "weight", "timesteps", "condition")
    }
    named = {"timesteps": moved["timesteps"], "class_labels": moved["condition"]}
    return moved["image"], (moved["label"], moved["weight"]), (), named


class WeightedSquaredError(nn.Module):
    """Mean over a batch of each example's mean squared error times its weight.

    It is not divided by the sum of the weights, which differs from process to process.
    """

    def forward(self, predicted: Tensor, targets: tuple[Tensor, Tensor]) -> Tensor:
        """Return a scalar for predictions (B, ...) and (targets (B, ...), weights (B,))."""
        wanted, weights = targets
        errors = (predicted.float() - wanted).square().flatten(1).mean(1)
        return (weights * errors).mean()


def _check_name(setting: str, name: str, known: tuple[str, ...]) -> None:
    if name not in known:
        raise SettingsError(f"{setting} is one of {', '.join(known)}, not {name!r}")
