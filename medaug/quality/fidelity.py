"""Whether synthetic images look like real ones, and are as varied: distances between two sets of features."""

from __future__ import annotations

import numpy as np
from sklearn.metrics import euclidean_distances
from sklearn.metrics.pairwise import polynomial_kernel

from medaug.arrays import Array, FloatArray, IntArray
from medaug.data.store import ImageStore
from medaug.quality.resampling import Estimated, share

CHANCE_IMAGES = 100
"""Size of the two samples of real images whose difference by chance is the unit of `kid_ratio`."""

NEIGHBOURS = 5
"""Neighbours that make the radius of an image, as in Naeem et al."""


def kid_ratio(
    synthetic: FloatArray, real: FloatArray, synthetic_weights: Array, real_weights: Array
) -> Estimated:
    """Return the distance of synthetic to real images, in units of that of real to real ones.

    The kernel inception distance (arXiv:1801.01401) is the squared maximum mean discrepancy with the kernel
    (u·v/d + 1)³, here without bias: 0 on average for two samples of the same images, so that no ratio can be
    taken to it. Two samples of 100 real images each differ, chance included, by ``chance = 2 · spread / 100``
    on average, where `spread` is the variance of real images in the space of the kernel. The ratio is ``(kid
    + chance) / chance``: about 1 for images as good as real ones, for any number of images.

    Parameters
    ----------
    synthetic, real : array, (N, F) and (M, F)
        Features.
    synthetic_weights, real_weights : array, (N, R) and (M, R)
        Weights of the images; each column gives a value.
    """
    within_real = polynomial_kernel(real, degree=3, coef0=1)
    apart = _between(within_real, real_weights)
    within = _between(polynomial_kernel(synthetic, degree=3, coef0=1), synthetic_weights)
    to_real = polynomial_kernel(synthetic, real, degree=3, coef0=1) @ real_weights
    pairs = synthetic_weights.sum(axis=0) * real_weights.sum(axis=0)
    across = np.einsum("nr,nr->r", synthetic_weights, to_real) / pairs
    spread = np.diagonal(within_real).mean() - apart[0]
    chance = 2 * spread / CHANCE_IMAGES
    return Estimated((within + apart - 2 * across + chance) / chance, len(synthetic))


def precision_recall(
    synthetic: FloatArray, real: FloatArray, synthetic_weights: Array, real_weights: Array
) -> dict[str, Estimated]:
    """Return precision and recall (arXiv:1904.06991), density and coverage (arXiv:2002.09797).

    Parameters are those of `kid_ratio`; numbers of both kinds should be equal, else recall and coverage are
    those of a smaller or larger set. Intervals take the neighbourhoods as they are.

    Returns
    -------
    dict
        ``precision``: share of the synthetic images within the radius (to the 5th neighbour) of a real one;
        ``density``: how many real ones it is within, on average, over 5; ``recall``: share of the real images
        within the radius of a synthetic one; ``coverage``: share of those with a synthetic image within
        their own radius. Alike sets have a density of 1 and a coverage of 0.97.
    """
    apart = euclidean_distances(real, synthetic)
    real_radius, synthetic_radius = _radii(real)[:, None], _radii(synthetic)[None]
    near = apart < real_radius
    return {
        "precision": share(near.any(axis=0), synthetic_weights),
        "recall": share((apart < synthetic_radius).any(axis=1), real_weights),
        "density": share(near.sum(axis=0) / NEIGHBOURS, synthetic_weights),
        "coverage": share(near.any(axis=1), real_weights),
    }


def roughness(store: ImageStore, rows: IntArray, size: int) -> Array:
    """Return how much neighbouring pixels of each image differ: mean square, in grey levels, (len(rows),)."""
    images = store.images(size)
    return np.array([_mean_square_step(images[row].astype(np.float32)) for row in rows], np.float64)


def _mean_square_step(pixels: FloatArray) -> float:
    return float(np.mean([np.square(np.diff(pixels, axis=axis)).mean() for axis in (0, 1)]))


def _between(kernel: Array, weights: Array) -> Array:
    """Mean over pairs of different images, whatever the weights: an image is not a pair with itself."""
    own = np.square(weights)
    sums = np.einsum("nr,nr->r", weights, kernel @ weights) - np.diagonal(kernel) @ own
    means: Array = sums / (np.square(weights.sum(axis=0)) - own.sum(axis=0))
    return means


def _radii(features: FloatArray) -> Array:
    """Distance of each image to its 5th neighbour of its own kind."""
    distances = np.sort(euclidean_distances(features), axis=1)
    radii: Array = distances[:, min(NEIGHBOURS, len(features) - 1)]
    return radii
