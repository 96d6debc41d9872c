"""Losses that leave unknown labels (NaN) out.

Every loss is divided by a constant, all entries (or rows) of the batch, known or not. A loss divided by the
number of known labels would weight images differently from batch to batch, and differently again when a
batch is shared over processes. The same holds for weights of the rows: a loss is the weighted sum over B, not
over the sum of the weights.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional as F

from medaug.errors import SettingsError


class Loss(Protocol):
    """What a loss takes: logits, targets and, where rows do not count alike, a weight of each row."""

    def __call__(self, logits: Tensor, targets: Tensor, weights: Tensor | None = None, /) -> Tensor:
        """Return a scalar."""
        ...


WeightedLoss = Callable[[Tensor, tuple[Tensor, Tensor]], Tensor]
"""A loss of logits and of labels with the weights of their rows."""

FOCAL_GAMMA = 2.0
"""Focusing parameter that Lin et al. (2017) found best; the paper does not give another."""


def masked_bce(logits: Tensor, targets: Tensor, weights: Tensor | None = None) -> Tensor:
    """Binary cross-entropy of each condition (Section 3.2.2).

    Parameters
    ----------
    logits : Tensor
        (B, classes).
    targets : Tensor
        (B, classes) in [0, 1]; NaN where the label is unknown.
    weights : Tensor, optional
        (B,) factor of each row, for example w1 of Eq. 9; without it all are 1.

    Returns
    -------
    Tensor
        Scalar: the sum over known labels, divided by B · classes.
    """
    return _mean_of_known(_cross_entropy(logits, targets), targets, weights)


def masked_focal(logits: Tensor, targets: Tensor, weights: Tensor | None = None) -> Tensor:
    """Focal loss (Lin et al., 2017; baseline of Section E.2) with gamma 2 and no class weights.

    The factor is ``|target - p|^gamma``, which is ``(1 - p_t)^gamma`` for targets 0 and 1 and goes on to soft
    ones. Shapes, weights and normaliser as in `masked_bce`.
    """
    known = targets.nan_to_num(0.0)
    factor = (known - logits.float().sigmoid()).abs() ** FOCAL_GAMMA
    return _mean_of_known(factor * _cross_entropy(logits, targets), targets, weights)


def soft_cross_entropy(logits: Tensor, targets: Tensor, weights: Tensor | None = None) -> Tensor:
    """Cross-entropy of classes that exclude each other, with soft labels.

    `targets` (B, classes) are weights that sum to one in each row; a row with a NaN is unknown and
    contributes nothing. The sum over rows, each times its weight (B,) where there are weights, is divided
    by B.
    """
    rows = -(targets.nan_to_num(0.0) * logits.float().log_softmax(dim=1)).sum(dim=1)
    return _mean_of_known(rows, targets.sum(dim=1), weights)


LOSSES: Mapping[str, Loss] = {
    "bce": masked_bce,
    "focal": masked_focal,
    "soft_cross_entropy": soft_cross_entropy,
}


def loss_function(name: str) -> Loss:
    """Return a loss by name: ``bce``, ``focal`` or ``soft_cross_entropy``."""
    if name not in LOSSES:
        raise SettingsError(f"there is no loss {name!r}; there are: {', '.join(LOSSES)}")
    return LOSSES[name]


def weighted(loss: Loss) -> WeightedLoss:
    """Return a loss for targets that come as (labels, weights), as `prepare_weighted_batch` gives them."""
    return lambda logits, targets: loss(logits, *targets)


def _cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    return F.binary_cross_entropy_with_logits(logits.float(), targets.nan_to_num(0.0), reduction="none")


def _mean_of_known(values: Tensor, targets: Tensor, weights: Tensor | None) -> Tensor:
    known = torch.where(targets.isnan(), 0.0, values)
    if weights is None:
        return known.mean()
    return (known * weights.reshape(-1, *[1] * (known.ndim - 1))).mean()
