"""How the learning rate goes over a training."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from torch.optim import Optimizer
from torch.optim.lr_scheduler import ConstantLR, CosineAnnealingLR, LambdaLR, LRScheduler

from medaug.errors import SettingsError


def scheduler(name: str, optimizer: Optimizer, iterations: int, warmup: int = 0) -> LRScheduler:
    """Return a learning-rate schedule in iterations.

    Parameters
    ----------
    name : {"constant", "cosine"}
        ``cosine`` falls to zero at the end.
    optimizer : Optimizer
        Its learning rate is the largest of the schedule.
    iterations : int
        Length of the training.
    warmup : int
        Iterations in which the rate rises to the largest, in a straight line; what the schedule does begins
        after them.

    Raises
    ------
    SettingsError
        The schedule is unknown, or the warm-up does not end within the training.
    """
    if name not in _SHAPES:
        raise SettingsError(f"there is no schedule {name!r}; there are: {', '.join(_SHAPES)}")
    if not 0 <= warmup < iterations:
        raise SettingsError(f"warmup_iterations must be at least 0 and below {iterations}, not {warmup}")
    if warmup:
        shape = _SHAPES[name]
        return LambdaLR(
            optimizer, lambda i: min((i + 1) / warmup, shape((i - warmup) / (iterations - warmup)))
        )
    if name == "cosine":
        return CosineAnnealingLR(optimizer, T_max=iterations)
    return ConstantLR(optimizer, factor=1.0)


_SHAPES: Mapping[str, Callable[[float], float]] = {
    "constant": lambda _: 1.0,
    "cosine": lambda share: (1 + math.cos(math.pi * max(share, 0.0))) / 2,
}
"""Factor of the learning rate after a share of the training that follows the warm-up."""
