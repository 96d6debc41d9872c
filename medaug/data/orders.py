"""In which order examples of two kinds come: how many of those before a position are of the first, say real.

Such a function decides for every position of which kind its example is, whatever came before, so that a run
that is resumed or shared by processes sees the same examples.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction

import numpy as np

from medaug.arrays import IntArray
from medaug.errors import SettingsError

Order = Callable[[IntArray], IntArray]
"""Of positions: how many of the examples before each are of the first kind."""

_LARGEST_DENOMINATOR = 1_000_000
"""Keeps position times numerator within 64 bits for any length of training."""


def mixed(share: float) -> Order:
    """Return the order in which two kinds are mixed evenly (Eq. 2-3), at any length.

    Parameters
    ----------
    share : float
        Of the first kind; of real examples it is the paper's alpha. Of the first P examples
        ``floor(P · share)`` are of that kind.

    Raises
    ------
    SettingsError
        The share is not between 0 and 1.

    Examples
    --------
    >>> mixed(0.5)(np.arange(6)).tolist()
    [0, 0, 1, 1, 2, 2]
    """
    exact = _exact(share)
    # In whole numbers, so that no rounding creeps in.
    return lambda positions: positions * exact.numerator // exact.denominator


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
    "mixed": lambda real_fraction, iterations, batch_size: mixed(real_fraction),
    "synthetic_first": synthetic_first,
}
"""Orders by name; adding one is adding a function of share, iterations and batch size."""


def _exact(real_fraction: float) -> Fraction:
    if not 0 <= real_fraction <= 1:
        raise SettingsError(f"real_fraction must be between 0 and 1, not {real_fraction}")
    return Fraction(str(real_fraction)).limit_denominator(_LARGEST_DENOMINATOR)
