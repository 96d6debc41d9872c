"""From a network and a condition to the noise predictor that samplers ask.

Each function wraps what is given and returns something that is called in the same way, so that guidance,
the low-resolution image and clipping combine freely, and samplers know none of them.
"""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

from medaug.diffusion.samplers import PredictNoise
from medaug.diffusion.schedule import NoiseSchedule


class NoiseNetwork(Protocol):
    """Anything called like a `ConditionalUNet`."""

    def __call__(self, x: Tensor, *, timesteps: Tensor, class_labels: Tensor) -> Tensor:
        """Predict the noise in x (B, C, H, W) at times (B,) under conditions (B, size)."""


def guided(network: NoiseNetwork, condition: Tensor, scale: float) -> PredictNoise:
    """Predict noise under a condition with classifier-free guidance (Ho and Salimans 2022).

    Parameters
    ----------
    network : callable
        Predicts the noise; a condition of zeros means that nothing is known.
    condition : Tensor, (B, size)
        Condition vectors of the batch.
    scale : float
        1 is the plain conditional prediction, at half the cost of any other; more makes images more
        typical of their condition.

    Returns
    -------
    callable
        eps_0 + scale * (eps_c - eps_0), from one pass over a doubled batch.
    """
    if scale == 1:
        return lambda x, t: network(x, timesteps=t, class_labels=condition)
    both = torch.cat([condition, torch.zeros_like(condition)])

    def predict(x: Tensor, t: Tensor) -> Tensor:
        doubled = network(torch.cat([x, x]), timesteps=torch.cat([t, t]), class_labels=both)
        with_condition, without = doubled.chunk(2)
        return torch.lerp(without, with_condition, scale)

    return predict


def with_image(network: NoiseNetwork, image: Tensor) -> NoiseNetwork:
    """Show an upsampler the low-resolution images besides the noisy ones.

    Parameters
    ----------
    network : callable
        Takes 2C channels.
    image : Tensor, (B, C, H, W)
        Low-resolution images, enlarged (`medaug.transforms.degradation.enlarge`), in [-1, 1].

    Returns
    -------
    callable
        Takes C channels and a batch that is any multiple of B.
    """

    def predict(x: Tensor, *, timesteps: Tensor, class_labels: Tensor) -> Tensor:
        images = image.repeat(len(x) // len(image), 1, 1, 1)
        return network(torch.cat([x, images], dim=1), timesteps=timesteps, class_labels=class_labels)

    return predict


def clipped(predict_noise: PredictNoise, schedule: NoiseSchedule) -> PredictNoise:
    """Keep the clean image that a prediction stands for within [-1, 1], where images are."""

    def predict(x: Tensor, t: Tensor) -> Tensor:
        image_scale, noise_scale = schedule.scales(t, x)
        image = (x - noise_scale * predict_noise(x, t)) / image_scale
        return (x - image_scale * image.clamp(-1, 1)) / noise_scale

    return predict
