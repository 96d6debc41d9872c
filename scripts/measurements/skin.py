"""Measure skin tone, redness and pigment back from a drawn or generated photograph. Nothing is learnt."""

from __future__ import annotations

import numpy as np
from PIL import Image
from skimage.color import rgb2lab

from medaug.arrays import BoolArray, FloatArray, UInt8Array
from medaug.phantoms.skin.colour import linear, typology_angle

SIDE = 32
"""All measuring is done at this size."""

MIDDLE = 0.75
"""The lesion is looked for within this distance of the centre, in half sides."""

SKIN_HUES = (15.0, 80.0)
"""CIELAB hue angles of skin in degrees, wide enough for cameras of any white balance."""

LEAST_CHROMA = 6.0
"""Less colourful pixels are hair, scale or a wall."""


def measure_skin(image: UInt8Array) -> dict[str, float]:
    """Measure the tone of the skin, and how the middle of the picture differs from it.

    Parameters
    ----------
    image : array of uint8, (size, size, 3)
        sRGB photograph, size at least 32; a black border is left out.

    Returns
    -------
    dict of str to float
        ``tone`` individual typology angle of the skin in degrees (above 55 very light, below -30 dark;
        Chardon et al. 1991), ``redness`` CIELAB a* of the reddest tenth of the middle less that of the skin,
        ``pigment`` how much more melanin the darkest twentieth of the middle has: density in red light, in
        which blood hardly shows.

    Raises
    ------
    ValueError
        When the image is not a square colour image of at least 32 pixels a side.

    Examples
    --------
    >>> skin = np.full((32, 32, 3), (225, 180, 160), np.uint8)
    >>> {name: round(value) for name, value in measure_skin(skin).items()}
    {'tone': 59, 'redness': 0, 'pigment': 0}
    """
    if image.ndim != 3 or image.shape[2] != 3 or image.shape[0] != image.shape[1] or len(image) < SIDE:
        raise ValueError(f"needs a square colour image of at least {SIDE} pixels a side, not {image.shape}")
    small = np.asarray(Image.fromarray(image).resize((SIDE, SIDE), Image.Resampling.BOX))
    lab = np.asarray(rgb2lab(small), np.float64)
    skin, middle = skin_around(lab, small.max(axis=-1) > 0), _distance() < MIDDLE
    tone = np.median(lab[skin], axis=0)
    density = -np.log(linear(small[..., 0] / 255) + 0.005)
    return {
        "tone": float(typology_angle(tone)),
        "redness": float(np.quantile(lab[middle, 1], 0.9) - tone[1]),
        "pigment": float(np.quantile(density[middle], 0.95) - np.median(density[skin])),
    }


def skin_around(lab: FloatArray, seen: BoolArray) -> BoolArray:
    """Return which pixels show the skin around a lesion, (size, size).

    They are away from the middle and have a colour that skin can have; where there are few of these, they are
    all pixels.

    Parameters
    ----------
    lab : array, (size, size, 3)
        CIELAB.
    seen : array of bool, (size, size)
        False in black borders.
    """
    hue = np.degrees(np.arctan2(lab[..., 2], lab[..., 1]))
    chroma = np.hypot(lab[..., 1], lab[..., 2])
    is_skin = seen & (hue > SKIN_HUES[0]) & (hue < SKIN_HUES[1]) & (chroma > LEAST_CHROMA)
    around = is_skin & (_distance() > MIDDLE)
    return around if around.mean() > 0.05 else np.ones_like(seen)


def _distance() -> FloatArray:
    """Distance of each pixel from the centre in half sides."""
    places = (np.arange(SIDE) + 0.5) / SIDE * 2 - 1
    return np.asarray(np.hypot(places[:, None], places[None]))
