"""Where a slide holds tissue, seen on its thumbnail, and how much of it each patch has."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from skimage.filters import threshold_otsu

PALEST, STRONGEST = 0.06, 0.2
"""Bounds of the threshold: less saturation is noise of empty glass, more is certainly stained."""

DARKEST = 30
"""Brightest channel below which a pixel is black: outside the scan, or black pen."""


def tissue_mask(thumbnail: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return where a thumbnail shows stained tissue.

    Parameters
    ----------
    thumbnail : uint8 array (height, width, 3)
        RGB.

    Returns
    -------
    bool array (height, width)
    """
    brightest = thumbnail.max(axis=2).astype(np.float64)
    saturation = (brightest - thumbnail.min(axis=2)) / np.maximum(brightest, 1)
    usable = (brightest >= DARKEST) & ~_pen(thumbnail)
    if not usable.any():
        return usable
    threshold = np.clip(threshold_otsu(saturation[usable]), PALEST, STRONGEST)
    mask: NDArray[np.bool_] = usable & (saturation > threshold)
    return mask


def tissue_fraction(
    mask: NDArray[np.bool_], positions: NDArray[np.int64], extent: float, dimensions: tuple[int, int]
) -> NDArray[np.float64]:
    """Return the share of each patch's area that is tissue.

    The area is exact for any position and extent: the integral image of the mask is linear between its
    pixels' corners. What lies beyond the slide counts as no tissue.

    Parameters
    ----------
    mask : bool array (height, width)
        From `tissue_mask`; covers the whole slide.
    positions : int64 array (patches, 2)
        x and y of the upper left corners in level-0 pixels.
    extent : float
        Side of a patch in level-0 pixels.
    dimensions : tuple of int
        Width and height of the slide in level-0 pixels.

    Returns
    -------
    float64 array (patches,)
        In [0, 1].

    Examples
    --------
    >>> tissue_fraction(np.array([[True, False]]), np.array([[0, 0], [5, 0]]), 10, (20, 10)).tolist()
    [1.0, 0.5]
    """
    scale = np.array(mask.shape[::-1]) / np.array(dimensions, np.float64)
    low, high = positions * scale, (positions + extent) * scale
    total = np.pad(mask.cumsum(0, dtype=np.int64).cumsum(1), ((1, 0), (1, 0)))
    area = _area(total, high[:, 0], high[:, 1]) + _area(total, low[:, 0], low[:, 1])
    area -= _area(total, low[:, 0], high[:, 1]) + _area(total, high[:, 0], low[:, 1])
    share: NDArray[np.float64] = np.clip(area / (extent**2 * scale.prod()), 0.0, 1.0)
    return share


def _area(total: NDArray[np.int64], x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the tissue above and left of points given in mask pixels."""
    x, y = np.clip(x, 0, total.shape[1] - 1), np.clip(y, 0, total.shape[0] - 1)
    left = np.minimum(x.astype(np.int64), total.shape[1] - 2)
    top = np.minimum(y.astype(np.int64), total.shape[0] - 2)
    right_share, lower_share = x - left, y - top
    upper = total[top, left] * (1 - right_share) + total[top, left + 1] * right_share
    lower = total[top + 1, left] * (1 - right_share) + total[top + 1, left + 1] * right_share
    area: NDArray[np.float64] = upper * (1 - lower_share) + lower * lower_share
    return area


def _pen(thumbnail: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return where green or blue ink is: haematoxylin and eosin let red through more than green."""
    red, green = thumbnail[..., 0].astype(np.int16), thumbnail[..., 1].astype(np.int16)
    pen: NDArray[np.bool_] = green - red > 15
    return pen
