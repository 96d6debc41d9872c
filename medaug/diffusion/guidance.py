"""From a network and a condition to the noise predictor that samplers ask.

Each function wraps what is given and returns something that is called in the same way, so that guidance,
the low-resolution image and clipping combine freely, and samplers know none of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor

from medaug.diffusion.prediction import Prediction, noise_of
from medaug.diffusion.samplers import PredictNoise
from medaug.diffusion.schedule import NoiseSchedule
from medaug.engine.acceleration import one_stride
from medaug.errors import SettingsError


class NoiseNetwork(Protocol):
    """Anything called like a `ConditionalUNet`."""

    def __call__(self, x: Tensor, *, timesteps: Tensor, class_labels: Tensor) -> Tensor:
        """Predict the noise in x (B, C, H, W) at times (B,) under conditions (B, size)."""


def predicting_noise(network: NoiseNetwork, kind: Prediction, schedule: NoiseSchedule) -> NoiseNetwork:
    """Have a network that predicts noise, v or the image give the noise, in the precision of its input.

    Parameters
    ----------
    network : callable
        What it predicts has the shape of x (B, C, H, W).
    kind : {"epsilon", "v", "x"}
        What it predicts.
    schedule : NoiseSchedule
        The one that it was trained with.
    """

    def predict(x: Tensor, *, timesteps: Tensor, class_labels: Tensor) -> Tensor:
        found = network(one_stride(x), timesteps=timesteps, class_labels=class_labels)
        # A copy: a network that is replayed by a CUDA graph writes over what it said before.
        predicted = found.to(x, copy=True)
        return noise_of(kind, predicted, x, *schedule.scales(timesteps, x))

    return predict


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
        return lambda x, t: network(x, timesteps=_times(x, t), class_labels=condition)
    both = torch.cat([condition, torch.zeros_like(condition)])

    def predict(x: Tensor, t: int) -> Tensor:
        twice = torch.cat([x, x])
        doubled = network(twice, timesteps=_times(twice, t), class_labels=both)
        with_condition, without = doubled.chunk(2)
        return torch.lerp(without, with_condition, scale)

    return predict


def autoguided(predict_noise: PredictNoise, guide: PredictNoise, scale: float) -> PredictNoise:
    """Guide a prediction away from that of a worse version of the network (Karras et al. 2024, 2406.02507).

    Parameters
    ----------
    predict_noise : callable
        The prediction to improve.
    guide : callable
        That of an earlier snapshot of the same training, under the same condition.
    scale : float
        1 is the prediction itself; more moves it further from the guide.

    Returns
    -------
    callable
        eps_guide + scale * (eps - eps_guide).
    """
    if scale == 1:
        return predict_noise
    return lambda x, t: torch.lerp(guide(x, t), predict_noise(x, t), scale)


def within(
    inside: PredictNoise, outside: PredictNoise, interval: Sequence[float] | None, schedule: NoiseSchedule
) -> PredictNoise:
    """Use one prediction at some levels of noise only (guidance interval, Kynkäänniemi et al., 2404.07724).

    Parameters
    ----------
    inside, outside : callable
        What to use within the interval, and what elsewhere.
    interval : pair of float or None
        Lowest and highest ratio of noise to image scale, both within; None is everywhere.
    schedule : NoiseSchedule
        The one of the networks.

    Raises
    ------
    SettingsError
        The interval is not two rising numbers.
    """
    if interval is None:
        return inside
    if len(interval) != 2 or not 0 <= interval[0] < interval[1]:
        raise SettingsError(f"guidance_interval is two rising numbers, for example [0.2, 3], not {interval}")
    lowest, highest = interval
    used = ((schedule.log_sigmas.exp() >= lowest) & (schedule.log_sigmas.exp() <= highest)).tolist()
    return lambda x, t: inside(x, t) if used[t] else outside(x, t)


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

    def predict(x: Tensor, t: int) -> Tensor:
        image_scale, noise_scale = schedule.scales(_times(x, t), x)
        image = (x - noise_scale * predict_noise(x, t)) / image_scale
        return (x - image_scale * image.clamp(-1, 1)) / noise_scale

    return predict


def _times(x: Tensor, time: int) -> Tensor:
    return torch.full((len(x),), time, dtype=torch.int64, device=x.device)
