"""How five phantom hospitals stain and scan: haematoxylin and eosin as optical densities.

A stain absorbs: the light that passes is the white point times ``exp(-density)``, and the densities of two
stains add up (Beer-Lambert; Ruifrok and Johnston 2001, Anal Quant Cytol Histol 23:291).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from medaug.arrays import UInt8Array

UNIT = 100.0
"""Stored concentration (0 to 255) of an optical density of 1 in the vector's direction."""


@dataclass(frozen=True)
class Stain:
    """One laboratory and its scanner.

    Parameters
    ----------
    haematoxylin, eosin : tuple of float
        Direction of the optical density in red, green, blue; scaled to length 1 when used.
    strength : tuple of float
        Factors on the concentration of haematoxylin and eosin.
    white : tuple of float
        Colour of empty glass, 0 to 255.
    gamma : float
        Exponent on the share of light that passes; above 1 makes a darker, more contrasted scan.
    """

    haematoxylin: tuple[float, float, float]
    eosin: tuple[float, float, float]
    strength: tuple[float, float]
    white: tuple[float, float, float]
    gamma: float = 1.0


STAINS = (
    Stain((0.62, 0.72, 0.34), (0.13, 0.86, 0.50), (1.00, 1.00), (243, 241, 243)),
    Stain((0.75, 0.63, 0.15), (0.26, 0.93, 0.24), (0.80, 0.78), (232, 235, 245), 0.9),
    Stain((0.61, 0.72, 0.36), (0.12, 0.85, 0.52), (1.02, 1.04), (244, 241, 240)),
    Stain((0.69, 0.67, 0.24), (0.19, 0.90, 0.36), (0.92, 0.88), (238, 239, 245)),
    Stain((0.59, 0.73, 0.38), (0.11, 0.84, 0.54), (0.94, 1.08), (244, 240, 241)),
)
"""By hospital. 0, 2 and 4 resemble one another, 3 is a little paler and more violet; 1 is pale and violet."""


def vary(stain: Stain, generator: np.random.Generator) -> Stain:
    """Return the stain of one slide: its laboratory's with another day's concentrations and hues."""
    strength = np.asarray(stain.strength) * np.exp(generator.normal(0, 0.07, 2))
    haematoxylin = np.asarray(stain.haematoxylin) + generator.normal(0, 0.012, 3)
    eosin = np.asarray(stain.eosin) + generator.normal(0, 0.012, 3)
    return replace(
        stain,
        haematoxylin=tuple(haematoxylin.tolist()),
        eosin=tuple(eosin.tolist()),
        strength=tuple(strength.tolist()),
    )


def colour_table(stain: Stain) -> UInt8Array:
    """Return the colour of every pair of stored concentrations: (256 haematoxylin, 256 eosin, 3)."""
    levels = np.arange(256) / UNIT
    vectors = [np.asarray(v) / np.linalg.norm(v) for v in (stain.haematoxylin, stain.eosin)]
    density = [s * levels[:, None] * v for s, v in zip(stain.strength, vectors, strict=True)]
    passed = np.exp(-(density[0][:, None] + density[1][None])) ** stain.gamma
    return np.asarray(np.round(np.asarray(stain.white) * passed).clip(0, 255), np.uint8)
