"""Optimisers of the classifier, by name (Table E1 (a))."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from torch import nn
from torch.optim import SGD, Adam, Optimizer

from medaug.errors import SettingsError

_OPTIMIZERS: dict[str, Callable[..., Optimizer]] = {
    "adam": Adam,
    "sgd": lambda parameters, **settings: SGD(parameters, momentum=0.9, **settings),
}


def optimizer(
    name: str, parameters: Iterable[nn.Parameter], lr: float, weight_decay: float, fused: bool = False
) -> Optimizer:
    """Return ``adam``, or ``sgd`` with momentum 0.9 (Table E1 (a), "Momentum"); `fused`: in one kernel."""
    if name not in _OPTIMIZERS:
        raise SettingsError(f"there is no optimizer {name!r}; there are: {', '.join(_OPTIMIZERS)}")
    return _OPTIMIZERS[name](parameters, lr=lr, weight_decay=weight_decay, fused=fused or None)
