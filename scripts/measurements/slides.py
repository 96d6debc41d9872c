"""Measure tumour back from a drawn or generated patch of a slide, whatever its stain. Nothing is learnt."""

from __future__ import annotations

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter

from medaug.arrays import FloatArray, UInt8Array

SIDE = 32
"""All measuring is done at this size: of a patch of 96 microns, 3 microns a pixel."""

CENTRE = slice(6, 26)
"""What of the patch counts: where the tumour of a tumour patch is bound to be."""

FINE, COARSE = 0.8, 1.8
"""Standard deviations in pixels: lymphocytes vanish behind the first, tumour nuclei behind the second."""

DENSITY_OF_NOTHING = 0.05
"""Optical density added everywhere, so that a little noise on glass is not a structure."""

COARSENESS_WEIGHT = 3.0
"""The two parts' weights are those which separate drawn patches best, roughly."""


def measure_tumour(image: UInt8Array) -> float:
    """Measure how much a patch looks like tumour.

    Tumour has large nuclei and cytoplasm between them. The first is seen in the red channel, which eosin
    hardly darkens in any stain: how much of its contrast is coarse. The second is seen in the green channel,
    which both stains darken: how dark its brightest tenth is.

    Parameters
    ----------
    image : array of uint8, (size, size, 3)
        RGB patch of about 96 microns, as the default grid cuts it; size at least 32.

    Returns
    -------
    float
        Larger means more tumour; of no unit.

    Raises
    ------
    ValueError
        When the image is not a square colour image of at least 32 pixels a side.

    Examples
    --------
    >>> measure_tumour(np.full((32, 32, 3), 240, np.uint8)) < -4
    True
    """
    if image.ndim != 3 or image.shape[2] != 3 or image.shape[0] != image.shape[1] or len(image) < SIDE:
        raise ValueError(f"needs a square colour image of at least {SIDE} pixels a side, not {image.shape}")
    small = np.asarray(Image.fromarray(image).resize((SIDE, SIDE), Image.Resampling.BOX), np.float64)
    density = (-np.log((small + 8) / 255)).clip(0) + DENSITY_OF_NOTHING
    return COARSENESS_WEIGHT * coarseness(density[..., 0]) + cytoplasm(density[..., 1])


def coarseness(density: FloatArray) -> float:
    """Return the logarithm of coarse over fine contrast."""
    fine, coarse = gaussian_filter(density, FINE), gaussian_filter(density, COARSE)
    contrasts = [(part[CENTRE, CENTRE]).std() + 1e-3 for part in (fine - coarse, density - fine)]
    return float(np.log(contrasts[0] / contrasts[1]))


def cytoplasm(density: FloatArray) -> float:
    """Return the logarithm of the density that nine tenths of the pixels exceed."""
    return float(np.log(np.quantile(density[CENTRE, CENTRE], 0.1)))
