"""Colours of skin: base tones by Fitzpatrick type, and what pigment, blood and scale make of them.

A base tone is chosen by its individual typology angle, ITA = arctan((L* - 50) / b*) (Chardon et al. 1991,
doi:10.1111/j.1467-2494.1991.tb00561.x), which falls from above 55 degrees in very light skin to below -30 in
dark skin. Melanin and blood absorb by Beer and Lambert's law, so that redness fades into brown on dark skin
by itself; scale, keratin and crust cover what lies below.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from skimage.color import lab2rgb

from medaug.arrays import FloatArray

TONES = ("I", "II", "III", "IV", "V", "VI")
"""Fitzpatrick's skin types, from pale to dark."""

BASE_LAB: Mapping[str, tuple[float, float, float]] = {
    "I": (74.0, 9.5, 13.0),
    "II": (68.0, 11.0, 16.5),
    "III": (62.5, 12.0, 18.5),
    "IV": (55.5, 13.0, 20.0),
    "V": (45.0, 13.0, 18.5),
    "VI": (34.5, 10.5, 14.0),
}
"""CIELAB (D65) of healthy skin of each type; ITA 62, 48, 34, 15, -15 and -48 degrees."""

SPREAD_LAB = (1.6, 0.9, 0.9)
"""Standard deviations within a type."""

MELANIN = np.array([0.65, 1.0, 1.3], np.float32)
BLOOD = np.array([0.13, 0.95, 0.75], np.float32)
"""Absorption of red, green and blue by a unit of each."""

UNPIGMENTED = np.array([0.70, 0.52, 0.44], np.float32)
SCALE = np.array([0.74, 0.69, 0.65], np.float32)
KERATIN = np.array([0.62, 0.47, 0.25], np.float32)
CRUST = np.array([0.13, 0.045, 0.025], np.float32)
"""Linear RGB of skin without melanin, silvery scale, horn or pus, and dried blood."""


def base_tone(tone: str, generator: np.random.Generator) -> FloatArray:
    """Draw the linear RGB (3,) of the healthy skin of one person of a Fitzpatrick type."""
    lab = np.asarray(BASE_LAB[tone]) + generator.normal(0, 1, 3).clip(-2, 2) * SPREAD_LAB
    return linear(np.asarray(lab2rgb(lab)))


def linear(encoded: FloatArray) -> FloatArray:
    """Return linear RGB of sRGB, both in [0, 1] (IEC 61966-2-1)."""
    return np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4).astype(
        np.float32
    )


def encoded(light: FloatArray) -> FloatArray:
    """Return sRGB of linear RGB, both in [0, 1]; what lies outside is cut off."""
    cut = light.clip(0, 1)
    return np.where(cut <= 0.0031308, 12.92 * cut, 1.055 * cut ** (1 / 2.4) - 0.055).astype(np.float32)


def typology_angle(lab: FloatArray) -> FloatArray:
    """Return the individual typology angle in degrees of CIELAB colours (..., 3).

    Examples
    --------
    >>> float(typology_angle(np.array([65.0, 11.0, 15.0])))
    45.0
    """
    return np.asarray(np.degrees(np.arctan2(lab[..., 0] - 50, lab[..., 2])))
