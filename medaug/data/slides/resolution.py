"""How many microns a pixel of a slide is wide, where the file says so credibly."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import openslide

SMALLEST, LARGEST = 0.02, 20.0
"""Microns per pixel that can be those of a scanned slide. A TIFF of 72 dots per inch, which is what programs
write that know nothing better, would have 353."""

SQUARE = 1.05
"""Ratio of the sides of a pixel up to which it is taken for square; scanners differ by less than 1 %."""

_MICRONS = {"centimeter": 10_000.0, "inch": 25_400.0}
_WAY_OUT = "give the resolution of level 0 with --level0_mpp, or choose --level (and --mpp null)"


@dataclass(frozen=True)
class Resolution:
    """The resolution of level 0.

    Parameters
    ----------
    mpp : float or None
        Microns per pixel; None where none can be told.
    why_none : str
        A sentence that says why, and the way out; empty where there is one.
    """

    mpp: float | None
    why_none: str = ""


def resolution_of(properties: Mapping[str, str]) -> Resolution:
    """Take the resolution from what OpenSlide says, else from the tags of a TIFF.

    Parameters
    ----------
    properties : mapping of str to str
        Those of an opened slide.
    """
    across = _microns(properties, openslide.PROPERTY_NAME_MPP_X, "tiff.XResolution")
    down = _microns(properties, openslide.PROPERTY_NAME_MPP_Y, "tiff.YResolution")
    if across is None or down is None:
        return Resolution(None, f"the slide has no credible resolution: {_WAY_OUT}")
    if not (SMALLEST <= across <= LARGEST and SMALLEST <= down <= LARGEST):
        said = f"the slide has no credible resolution (its file says {across:.4g} microns per pixel)"
        return Resolution(None, f"{said}: {_WAY_OUT}")
    if max(across / down, down / across) > SQUARE:
        return Resolution(
            None, f"the slide's pixels are not square ({across:.4g} by {down:.4g} microns): {_WAY_OUT}"
        )
    return Resolution(math.sqrt(across * down))


def _microns(properties: Mapping[str, str], name: str, tag: str) -> float | None:
    try:
        per_unit = _MICRONS.get(properties.get("tiff.ResolutionUnit", ""), math.nan)
        mpp = float(properties.get(name) or per_unit / float(properties.get(tag, "nan")))
    except (ValueError, ZeroDivisionError):
        return None
    return mpp if 0 < mpp < math.inf else None
