"""How noise is added to images: the forward process of Ho et al. (2020), noise prediction, fixed variance."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import torch
from torch import Tensor


@dataclass(frozen=True)
class NoiseSchedule:
    """Variances of the forward process at times 0 ... steps - 1.

    The paper gives 1,000 time steps and no schedule; the default is that of Ho et al. (2020).

    Parameters
    ----------
    steps : int
        Number of time steps.
    beta_start, beta_end : float
        Variance that the first and the last step add.
    kind : {"linear", "scaled_linear"}
        ``linear`` interpolates the variances, ``scaled_linear`` their square roots.

    Examples
    --------
    >>> round(float(NoiseSchedule().alphas_cumprod[-1]), 6)
    4e-05
    """

    steps: int = 1000
    beta_start: float = 1e-4
    beta_end: float = 0.02
    kind: Literal["linear", "scaled_linear"] = "linear"

    @cached_property
    def alphas_cumprod(self) -> Tensor:
        """Share of the image's variance that is left at each time: float64 (steps,), on the CPU."""
        if self.kind == "linear":
            betas = torch.linspace(self.beta_start, self.beta_end, self.steps, dtype=torch.float64)
        else:
            roots = torch.linspace(self.beta_start**0.5, self.beta_end**0.5, self.steps, dtype=torch.float64)
            betas = roots**2
        return torch.cumprod(1 - betas, 0)

    @cached_property
    def log_sigmas(self) -> Tensor:
        """Logarithm of noise over image scale at each time, rising: float64 (steps,), on the CPU."""
        return torch.log((1 - self.alphas_cumprod) / self.alphas_cumprod) / 2

    def nearest_time(self, log_sigma: Tensor) -> Tensor:
        """Return the times, int64, whose noise levels are the nearest to these.

        Parameters
        ----------
        log_sigma : Tensor of float64
            Logarithm of noise over image scale; what is outside the schedule becomes its first or last time.

        Examples
        --------
        >>> schedule = NoiseSchedule()
        >>> schedule.nearest_time(schedule.log_sigmas[[0, 500, 999]]).tolist()
        [0, 500, 999]
        """
        return torch.searchsorted(self._borders(log_sigma.device), log_sigma)

    def scales(self, t: Tensor, like: Tensor) -> tuple[Tensor, Tensor]:
        """Return the factors of image and noise at times `t`, shaped to multiply `like`.

        Parameters
        ----------
        t : Tensor of int64, (B,)
            Times, 0 ... steps - 1.
        like : Tensor, (B, ...)
            Gives the dtype, device and number of dimensions.

        Returns
        -------
        tuple of Tensor, (B, 1, ...)
            Square roots of the variances of image and noise.
        """
        of_image, of_noise = self._tables(t.device, like.dtype)
        shape = (-1, *[1] * (like.ndim - 1))
        return of_image[t].reshape(shape).to(like), of_noise[t].reshape(shape).to(like)

    def _tables(self, device: torch.device, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
        """Return the factors of image and noise at all times, where the times are: a GPU need not wait."""
        if (device, dtype) not in self._kept_tables:
            share = self.alphas_cumprod
            tables = share.sqrt().to(device, dtype), (1 - share).sqrt().to(device, dtype)
            self._kept_tables[device, dtype] = tables
        return self._kept_tables[device, dtype]

    def _borders(self, device: torch.device) -> Tensor:
        """Return the levels between two times each."""
        if device not in self._kept_borders:
            self._kept_borders[device] = ((self.log_sigmas[1:] + self.log_sigmas[:-1]) / 2).to(device)
        return self._kept_borders[device]

    @cached_property
    def _kept_borders(self) -> dict[torch.device, Tensor]:
        return {}

    @cached_property
    def _kept_tables(self) -> dict[tuple[torch.device, torch.dtype], tuple[Tensor, Tensor]]:
        return {}

    def add_noise(self, images: Tensor, noise: Tensor, t: Tensor) -> Tensor:
        """Return the noisy images x_t of a batch.

        Parameters
        ----------
        images, noise : Tensor, (B, ...)
            Images in [-1, 1], and standard normal noise of the same shape.
        t : Tensor of int64, (B,)
            Time of each image.
        """
        image_scale, noise_scale = self.scales(t, images)
        return image_scale * images + noise_scale * noise
