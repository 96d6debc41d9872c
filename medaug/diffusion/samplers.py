"""From noise to images: plain functions of one signature, all on the same consistent time grid.

Every step goes from one level of the grid to the next with the noise shares of exactly these two levels, so
that fewer steps cost accuracy but never bias the result. A sampler knows neither network nor condition; it
asks `predict_noise(x, t)` (see `medaug.diffusion.guidance`), once a step.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

import numpy as np
from torch import Tensor

from medaug.diffusion.schedule import NoiseSchedule
from medaug.errors import SettingsError

PredictNoise = Callable[[Tensor, int], Tensor]
"""Noise in the images x (B, C, H, W), all at the time t, 0 ... steps - 1; same shape as x.

The time is a number of the program, not of a device, which would have to be asked for it.
"""

Draw = Callable[[], Tensor]
"""Fresh standard normal noise of the shape of the batch."""

Callback = Callable[[int, Tensor], None]
"""Called after each step with the number of steps done and the batch as it stands."""


class Sampler(Protocol):
    """One signature for all samplers; see `__call__`."""

    def __call__(
        self,
        predict_noise: PredictNoise,
        noise: Tensor,
        schedule: NoiseSchedule,
        steps: int,
        draw: Draw,
        callback: Callback | None = None,
    ) -> Tensor:
        """Turn noise into images in `steps` evaluations of the network.

        Parameters
        ----------
        predict_noise : callable
            Noise in the images x at the time t.
        noise : Tensor, (B, ...)
            Standard normal; the only randomness of a deterministic sampler.
        schedule : NoiseSchedule
            The one that the network was trained with.
        steps : int
            Number of steps, 1 ... schedule.steps.
        draw : callable
            Gives the noise that a step of a random sampler adds.
        callback : callable, optional
            Is shown the batch after each step.

        Returns
        -------
        Tensor, (B, ...)
            Images in the range of the training images, [-1, 1], not clipped.
        """


@dataclass(frozen=True)
class Level:
    """A point of the grid: a time, and the scales of image and noise at it (squares sum to one)."""

    time: int
    image_scale: float
    noise_scale: float

    @property
    def log_snr(self) -> float:
        """Logarithm of image scale over noise scale; infinite without noise."""
        return math.log(self.image_scale / self.noise_scale) if self.noise_scale else math.inf

    def image(self, x: Tensor, noise: Tensor) -> Tensor:
        """Return the clean image that `x` was made from, were `noise` the noise in it."""
        return (x - self.noise_scale * noise) / self.image_scale


CLEAN = Level(-1, 1.0, 0.0)


def time_grid(schedule: NoiseSchedule, steps: int) -> list[int]:
    """Return the times at which the network is asked, the noisiest first.

    They are as even in the logarithm of the signal-to-noise ratio as distinct whole numbers can be, from
    the last time of the schedule to 0; with all steps they are all its times.

    Examples
    --------
    >>> time_grid(NoiseSchedule(), 5)
    [999, 722, 302, 30, 0]
    """
    if not 1 <= steps <= schedule.steps:
        raise SettingsError(f"sampling takes 1 to {schedule.steps} steps, not {steps}")
    if steps == 1:
        return [schedule.steps - 1]
    share = schedule.alphas_cumprod.numpy()
    noisiness = np.log((1 - share) / share)
    even = np.interp(np.linspace(noisiness[0], noisiness[-1], steps), noisiness, np.arange(schedule.steps))
    order = np.arange(steps)
    rising = np.maximum.accumulate(np.rint(even).astype(int) - order) + order
    distinct = np.minimum(rising, schedule.steps - steps + order)
    return [int(time) for time in distinct[::-1]]


def levels(schedule: NoiseSchedule, steps: int) -> list[Level]:
    """Return the levels of the grid, the noisiest first, and at the end the clean image."""
    share = schedule.alphas_cumprod
    times = time_grid(schedule, steps)
    return [Level(t, float(share[t].sqrt()), float((1 - share[t]).sqrt())) for t in times] + [CLEAN]


def ancestral_step(x: Tensor, image: Tensor, now: Level, then: Level) -> tuple[Tensor, float]:
    """Return mean and standard deviation of x at `then`, given x at `now` and the image.

    This is the posterior of the forward process between these two levels (Ho et al. 2020, Eq. 6 and 7),
    whose variance is the fixed one.
    """
    kept = (now.image_scale / then.image_scale) ** 2
    added = 1 - kept
    of_image = then.image_scale * added / now.noise_scale**2
    of_x = math.sqrt(kept) * then.noise_scale**2 / now.noise_scale**2
    return of_image * image + of_x * x, math.sqrt(added) * then.noise_scale / now.noise_scale


def sample_ddpm(
    predict_noise: PredictNoise,
    noise: Tensor,
    schedule: NoiseSchedule,
    steps: int,
    draw: Draw,
    callback: Callback | None = None,
) -> Tensor:
    """Sample along the reversed Markov chain (Ho et al. 2020); see `Sampler`."""
    x = noise
    for done, (now, then) in enumerate(pairwise(levels(schedule, steps)), start=1):
        image = now.image(x, predict_noise(x, now.time))
        x, deviation = ancestral_step(x, image, now, then)
        if then is not CLEAN:
            x = x + deviation * draw()
        _show(callback, done, x)
    return x


def sample_ddim(
    predict_noise: PredictNoise,
    noise: Tensor,
    schedule: NoiseSchedule,
    steps: int,
    draw: Draw,
    callback: Callback | None = None,
) -> Tensor:
    """Sample without further noise (DDIM with eta = 0, Song et al. 2021); see `Sampler`."""
    x = noise
    for done, (now, then) in enumerate(pairwise(levels(schedule, steps)), start=1):
        found = predict_noise(x, now.time)
        x = then.image_scale * now.image(x, found) + then.noise_scale * found
        _show(callback, done, x)
    return x


def sample_dpm_solver(
    predict_noise: PredictNoise,
    noise: Tensor,
    schedule: NoiseSchedule,
    steps: int,
    draw: Draw,
    callback: Callback | None = None,
) -> Tensor:
    """Sample with DPM-Solver++(2M) (Lu et al. 2022, Algorithm 2); see `Sampler`.

    The first step and the last are of first order: one has no past, the other an infinite stride.
    """
    x, before, before_stride = noise, noise, math.inf
    for done, (now, then) in enumerate(pairwise(levels(schedule, steps)), start=1):
        image = now.image(x, predict_noise(x, now.time))
        stride = then.log_snr - now.log_snr
        weight = 0.0 if then is CLEAN else stride / (2 * before_stride)
        aim = image + weight * (image - before) if weight else image
        x = then.noise_scale / now.noise_scale * x - then.image_scale * math.expm1(-stride) * aim
        before, before_stride = image, stride
        _show(callback, done, x)
    return x


SAMPLERS: Mapping[str, Sampler] = {
    "ddpm": sample_ddpm,
    "ddim": sample_ddim,
    "dpm_solver": sample_dpm_solver,
}
"""Samplers by the names that configurations use."""


def _show(callback: Callback | None, done: int, x: Tensor) -> None:
    if callback is not None:
        callback(done, x)
