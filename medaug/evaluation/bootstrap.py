"""Patient-cluster bootstrap: draw patients with replacement, all replicates at once, as weights.

A patient drawn twice counts twice with all images. A replicate is a column of weights, so groups, methods and
metrics that use the same column are paired, and so are their gaps and differences.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from medaug.arrays import Array

BLOCK_ELEMENTS = 1 << 17  # float64 weights of a block fit the second-level cache


def weight_blocks(
    patients: int, replicates: int, rows: int, generator: np.random.Generator
) -> Iterator[Array]:
    """Yield weights of patients: ones for the estimate itself, then the replicates, a few columns at a time.

    Parameters
    ----------
    patients : int
        Number of patients; each replicate draws as many with replacement.
    replicates : int
        Number of replicates.
    rows : int
        Number of images that the weights will be spread over; it bounds the width of a block.
    generator : numpy.random.Generator
        Source of the draws; the replicates do not depend on the width of the blocks.

    Yields
    ------
    float64 array of shape (patients, width)
        The widths add up to 1 + `replicates`. Each column sums to `patients`.
    """
    yield np.ones((patients, 1))
    width = max(16, BLOCK_ELEMENTS // max(rows, patients, 1))
    for start in range(0, replicates, width):
        yield _draw(patients, min(width, replicates - start), generator)


def _draw(patients: int, width: int, generator: np.random.Generator) -> Array:
    drawn = generator.integers(patients, size=(width, patients))
    drawn += patients * np.arange(width)[:, None]
    counts = np.bincount(drawn.ravel(), minlength=width * patients)
    return np.ascontiguousarray(counts.reshape(width, patients).T, dtype=np.float64)
