"""A moving average of weights that is right for any length of training.

An average with a fixed decay remembers a fixed number of steps: too many for a short training, which keeps
its first weights, too few for a long one. The power-function average of EDM2 (Karras et al. 2024,
arXiv 2312.02696, Section 3.1) remembers a fixed *share* of what was seen so far.
"""

from __future__ import annotations

from copy import deepcopy

import numpy as np
import torch
from ignite.engine import Events
from monai.engines.trainer import SupervisedTrainer
from torch import nn

from medaug.errors import SettingsError

_WIDEST = 0.28
"""Just below 12 ** -0.5, the width of the plain mean of all weights."""


def power_of_width(width: float) -> float:
    """Return the exponent of the power-function average of a relative width (EDM2, Algorithm 2).

    After n steps the weights of step i count in proportion to about i ** exponent.

    Parameters
    ----------
    width : float
        Standard deviation of the profile of the average, as a share of the training so far.

    Raises
    ------
    SettingsError
        The width is not above 0 and at most 0.28.

    Examples
    --------
    >>> round(power_of_width(0.05), 2), round(power_of_width(0.10), 2)
    (16.97, 6.94)
    """
    if not 0 < width <= _WIDEST:
        raise SettingsError(f"ema_width must be above 0 and at most {_WIDEST}, not {width}")
    inverse = width**-2
    return float(np.roots([1, 7, 16 - inverse, 12 - inverse]).real.max())


class PowerAverage:
    """Handler that keeps the power-function average of a network's weights.

    The average is a function of the weights and of the iteration, so a training that was stopped goes on as
    if it had not been, once the network below has its state back.

    Parameters
    ----------
    network : Module
        The network without wrappers.
    width : float
        See `power_of_width`.

    Attributes
    ----------
    network : Module
        The network with the average of the weights, in evaluation mode; buffers are those of the last step.
    """

    def __init__(self, network: nn.Module, width: float) -> None:
        self._power = power_of_width(width)
        self._trained = network
        self.network = deepcopy(network).eval().requires_grad_(False)
        self._weights = tuple(self.network.parameters()), tuple(network.parameters())

    def attach(self, engine: SupervisedTrainer) -> None:
        """Attach to the trainer."""
        engine.add_event_handler(
            Events.ITERATION_COMPLETED, lambda engine: self.update(engine.state.iteration)
        )

    @torch.no_grad()
    def update(self, iteration: int) -> None:
        """Take in the weights of an iteration, from 1."""
        momentum = 1 - (1 - 1 / iteration) ** (self._power + 1)
        # All weights in few kernels: there are hundreds of small tensors.
        average, trained = self._weights
        torch._foreach_mul_(average, 1 - momentum)
        torch._foreach_add_(average, trained, alpha=momentum)
        for own, other in zip(self.network.buffers(), self._trained.buffers(), strict=True):
            own.copy_(other)
