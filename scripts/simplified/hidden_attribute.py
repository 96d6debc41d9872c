"""Appendix D.2: the label can be sampled at will, a hidden attribute only as it comes with the label.

y is the label, a the hidden attribute. From training set and generator one takes examples of each label in
any number, t̄(y) and p̄(y), but their attributes are those of t(a|y) and p̂(a|y): Eq. 4 and 5. The paper calls
the optimum hard to solve analytically; it is closed. Write p'(y, a) = m(y) q_y(a), q_y = (1 - β_y) t(a|y) +
β_y p̂(a|y). In both directions the divergence falls with that of each q_y from p(a|y), so that β_y is D.1's
optimum label by label; then m(y) = p(y) for KL(p ‖ p'), and m(y) ∝ p(y) exp(-KL(q_y ‖ p(a|y))) for
KL(p' ‖ p), whose value is -log Σ_y p(y) exp(-KL(q_y ‖ p(a|y))).

Readings. Eq. 6 prints KL(p' ‖ p), which is never infinite here, since p has no empty cell. The text finds it
infinite for small N, which only KL(p ‖ p') of D.1 is; both are computed. The matrix that the text calls p' is
taken as p̂ (p' is what is optimised), rows as y and columns as a.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import pandas as pd

from medaug.arrays import Array
from medaug.randomness import numpy_generator
from simplified.bernoulli import divergence, optimal_share

TRUTH = np.array([[0.35, 0.4], [0.1, 0.15]])
GENERATOR = np.array([[0.7, 0.2], [0.05, 0.05]])
SIZES = (5, 10, 20, 50, 100, 200, 500, 1000)
RESAMPLES = 1000

Direction = Literal["KL(p||p')", "KL(p'||p)"]
DIRECTIONS: Sequence[Direction] = ("KL(p||p')", "KL(p'||p)")
COLUMNS = ("direction", "n", "generated", "mean", "ci_low", "ci_high", "infinite")


def best_divergence(truth: Array, generator: Array | None, training: Array, direction: Direction) -> Array:
    """Return the least divergence that a mixture can have from the truth.

    Parameters
    ----------
    truth, generator : array of shape (2, 2)
        p(y, a) and p̂(y, a); rows are labels. Without a generator only the training set is resampled.
    training : array of shape (..., 2, 2)
        t(y, a), or counts of a training set.
    direction : {"KL(p||p')", "KL(p'||p)"}
        Which divergence.

    Returns
    -------
    float array of shape (...)
        In nats; infinite where the mixture lacks what the truth has and the direction minds it.
    """
    labels = truth.sum(axis=1)
    wanted = truth[:, 0] / labels
    with np.errstate(invalid="ignore"):
        reached = training[..., 0] / training.sum(axis=-1)  # NaN: no example of the label
    if generator is not None:
        reached = _nearest(wanted, generator[:, 0] / generator.sum(axis=1), reached)
    there = ~np.isnan(reached)
    filled = np.where(there, reached, 0.5)
    if direction == "KL(p||p')":
        found = np.where(there, divergence(wanted, filled), np.inf)
        return np.asarray((labels * found).sum(axis=-1))
    weights = np.where(there, labels * np.exp(-divergence(filled, wanted)), 0.0)
    return np.asarray(-np.log(weights.sum(axis=-1)))


def sweep(seed: int = 0, resamples: int = RESAMPLES, sizes: Sequence[int] = SIZES) -> pd.DataFrame:
    """Return Figure D2: mean least divergence with and without generated data, by size of the training set.

    Returns
    -------
    DataFrame
        Columns `COLUMNS`: means with 95 % confidence intervals are over the resamples in which the divergence
        is finite; ``infinite`` is the share of the others, which makes a mean without them too small.
    """
    rows = []
    for n in sizes:
        training = numpy_generator(seed, "D.2", n).multinomial(n, TRUTH.ravel(), resamples).reshape(-1, 2, 2)
        for direction in DIRECTIONS:
            for generator in (None, GENERATOR):
                found = best_divergence(TRUTH, generator, training, direction)
                rows.append((direction, n, generator is not None, *_summary(found)))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _nearest(wanted: Array, generated: Array, real: Array) -> Array:
    """Return the point nearest to what is wanted between real and generated, for each label."""
    reached = np.empty_like(real)
    for y in range(2):
        share = np.nan_to_num(optimal_share(float(wanted[y]), float(generated[y]), real[..., y]))
        mixed = (1 - share) * real[..., y] + share * generated[y]
        reached[..., y] = np.where(np.isnan(real[..., y]), generated[y], mixed)
    return reached


def _summary(found: Array) -> tuple[float, float, float, float]:
    finite = found[np.isfinite(found)]
    if len(finite) < 2:
        return np.nan, np.nan, np.nan, 1 - len(finite) / len(found)
    mean, reach = float(finite.mean()), 1.96 * float(finite.std(ddof=1)) / len(finite) ** 0.5
    return mean, mean - reach, mean + reach, 1 - len(finite) / len(found)
