"""In which order real and synthetic examples come: how many of the examples before a position are real.

Such a function decides for every position whether its example is real, whatever came before, so that a run
that is resumed or shared by processes sees the same examples.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction

import numpy as np

from medaug.arrays import IntArray
from medaug.errors import SettingsError

Order = Callable[[IntArray], IntArray]
"""Of positions: how many of the examples before each are real."""

_LARGEST_DENOMINATOR = 1_000_000
"""Keeps position times numerator within 64 bits for any length of training."""


def mixed(real_fraction: float, iterations: int = 0, batch_size: int = 0) -> Order:
    """Return the order in which real and synthetic examples are mixed evenly (Eq. 2-3), at any length.

    Parameters
    ----------
    real_fraction : float
        Share of real examples, the paper's alpha: of the first P examples ``floor(P · real_fraction)`` are
        real.
    iterations, batch_size : int
        Of no effect: other orders ask for them.

    Raises
    ------
    SettingsError
        The share is not between 0 and 1.

    Examples
    --------
    >>> mixed(0.5)(np.arange(6)).tolist()
    [0, 0, 1, 1, 2, 2]
    """
    share = _exact(real_fraction)
    # In whole numbers, so that no rounding creeps in.
    return lambda positions: positions * share.numerator // share.denominator


def synthetic_first(real_fraction: float, iterations: int, batch_size: int) -> Order:
    """Return the order in which synthetic examples come first, then real ones (arXiv:2508.16783).

    Parameters
    ----------
    real_fraction : float
        Share of iterations with real examples only, rounded down; all before them are synthetic only.
    iterations, batch_size : int
        Length of the training, and examples of each iteration in all processes together.

    Raises
    ------
    SettingsError
        The share is not between 0 and 1.

    Examples
    --------
    >>> synthetic_first(0.5, iterations=2, batch_size=3)(np.arange(6)).tolist()
    [0, 0, 0, 0, 1, 2]
    """
    share = _exact(real_fraction)
    real = iterations * share.numerator // share.denominator
    synthetic = (iterations - real) * batch_size
    return lambda positions: np.maximum(positions - synthetic, 0)


ORDERS: Mapping[str, Callable[[float, int, int], Order]] = {
    "mixed": mixed,
    "synthetic_first": synthetic_first,
}
"""Orders by name; adding one is adding a function of share, iterations and batch size."""


def _exact(real_fraction: float) -> Fraction:
    if not 0 <= real_fraction <= 1:
        raise SettingsError(f"real_fraction must be between 0 and 1, not {real_fraction}")
    return Fraction(str(real_fraction)).limit_denominator(_LARGEST_DENOMINATOR)
