"""The real images nearest to synthetic ones (Figure 9 of the paper): the first look for copied patients."""

from __future__ import annotations

import numpy as np

from medaug.arrays import Array
from medaug.progress import Progress

BYTES_AT_ONCE = 32 << 20


def nearest_neighbours(queries: Array, images: Array, rows: Array) -> tuple[Array, Array]:
    """Find for each query the nearest of some images, by l2 distance of the pixels.

    Memory does not grow with the number of images: they are read in portions (a memory map is welcome).

    Parameters
    ----------
    queries : array of uint8, shape (Q, H, W, C)
        Synthetic images.
    images : array of uint8, shape (N, H, W, C)
        Real images.
    rows : array of int, shape (M,)
        Rows of `images` to search, at least one.

    Returns
    -------
    nearest : array of int64, shape (Q,)
        Row of the nearest image; of equally near ones the first in `rows`.
    distances : array of float64, shape (Q,)
        Root mean square difference of the pixels, in grey levels (0 to 255), so that sizes compare.
    """
    flat = _flat(queries)
    best = np.full(len(flat), np.inf)
    nearest = np.zeros(len(flat), np.int64)
    portion = max(1, BYTES_AT_ONCE // (8 * flat.shape[1]))
    with Progress("Searching nearest real images", len(rows)) as shown:
        for start in range(0, len(rows), portion):
            some = rows[start : start + portion]
            squared = _squared_distances(flat, _flat(images[some]))
            closest = squared.argmin(axis=1)
            smallest = squared[np.arange(len(flat)), closest]
            nearest = np.where(smallest < best, some[closest], nearest)
            best = np.minimum(best, smallest)
            shown.update(len(some))
    return nearest, np.sqrt(best / flat.shape[1])


def _flat(images: Array) -> Array:
    """Float64 rows; sums of squares of whole numbers stay exact in it."""
    return np.asarray(images).reshape(len(images), -1).astype(np.float64)


def _squared_distances(a: Array, b: Array) -> Array:
    """Squared distances of all pairs, (len(a), len(b)); exact for 8-bit images."""
    distances: Array = (a * a).sum(1)[:, None] - 2 * (a @ b.T) + (b * b).sum(1)
    return distances
