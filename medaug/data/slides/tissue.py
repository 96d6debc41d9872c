"""Where a slide holds tissue, seen on its thumbnail, and how much of it each patch has."""

from __future__ import annotations

import numpy as np
from skimage.filters import threshold_otsu

from medaug.arrays import BoolArray, FloatArray, IntArray, UInt8Array

PALEST, STRONGEST = 0.07, 0.15
"""Bounds of the threshold on saturation: below is the noise of empty glass, above is stain even where a slide
is full of tissue, so that there is no glass to tell it from."""

DARKEST = 30
"""Brightest channel below which a pixel is black: outside the scan, or black pen."""

GREEN_OVER_RED, BLUE_OVER_GREEN, VIVID = 5, 12, 0.5
"""Green or blue ink lets more green than red through; red ink is vivid and lets hardly more blue than green
through. Haematoxylin and eosin do neither: they take green away most. (Of 24,000 stained places on patches of
CAMELYON16, reduced to the size of a thumbnail's pixels, 4 look like green or blue ink and none like red.)"""


def tissue_mask(thumbnail: UInt8Array) -> BoolArray:
    """Return where a thumbnail shows stained tissue.

    Otsu's threshold (doi:10.1109/TSMC.1979.4310076) on saturation divides stain from glass, among pixels
    that are neither black nor ink of a pen. It is bounded, so that an empty slide has no tissue.

    Parameters
    ----------
    thumbnail : uint8 array (height, width, 3)
        RGB; what is transparent in the slide has been laid on a background of white or black.

    Returns
    -------
    bool array (height, width)

    Examples
    --------
    >>> glass, stain, ink = [245, 243, 246], [180, 90, 160], [40, 60, 150]
    >>> tissue_mask(np.array([[glass, stain, ink]], np.uint8)).tolist()
    [[False, True, False]]
    """
    brightest = thumbnail.max(axis=2).astype(np.float64)
    saturation = (brightest - thumbnail.min(axis=2)) / np.maximum(brightest, 1)
    usable: BoolArray = (brightest >= DARKEST) & ~_ink(thumbnail, saturation)
    if not usable.any():
        return usable
    threshold = threshold_otsu(saturation[usable])  # type: ignore[no-untyped-call]
    usable &= saturation > np.clip(threshold, PALEST, STRONGEST)
    return usable


def tissue_fraction(
    mask: BoolArray, positions: IntArray, extent: float, dimensions: tuple[int, int]
) -> FloatArray:
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
        In [0, 1], to six decimals.

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
    share: FloatArray = area / (extent**2 * scale.prod())
    # Differences of large sums: without rounding, a patch full of tissue would fall just short of 1.
    return np.clip(share.round(6), 0.0, 1.0)


def _area(total: IntArray, x: FloatArray, y: FloatArray) -> FloatArray:
    """Return the tissue above and left of points given in mask pixels."""
    x, y = np.clip(x, 0, total.shape[1] - 1), np.clip(y, 0, total.shape[0] - 1)
    left = np.minimum(x.astype(np.int64), total.shape[1] - 2)
    top = np.minimum(y.astype(np.int64), total.shape[0] - 2)
    right_share, lower_share = x - left, y - top
    upper = total[top, left] * (1 - right_share) + total[top, left + 1] * right_share
    lower = total[top + 1, left] * (1 - right_share) + total[top + 1, left + 1] * right_share
    area: FloatArray = upper * (1 - lower_share) + lower * lower_share
    return area


def _ink(thumbnail: UInt8Array, saturation: FloatArray) -> BoolArray:
    """Return where a pen has drawn."""
    red, green, blue = np.moveaxis(thumbnail.astype(np.int16), 2, 0)
    ink: BoolArray = green - red > GREEN_OVER_RED
    ink |= (saturation > VIVID) & (blue - green < BLUE_OVER_GREEN)
    return ink
