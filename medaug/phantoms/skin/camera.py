"""What a camera makes of the light from skin: framing, exposure, colour, sharpness, compression."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from typing import Literal

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter

from medaug.arrays import FloatArray, UInt8Array
from medaug.phantoms.skin.canvas import View
from medaug.phantoms.skin.colour import encoded

Shot = Literal["CLOSE_UP", "AT_AN_ANGLE", "AT_DISTANCE"]

SHOTS: tuple[Shot, ...] = ("CLOSE_UP", "AT_AN_ANGLE", "AT_DISTANCE")

SHARPNESS_SIDE = 128
"""Blur is given in pixels of a picture whose shorter side is this."""


@dataclass(frozen=True)
class Camera:
    """The cameras of a site.

    Parameters
    ----------
    shape : tuple of int
        Longer to shorter side.
    resolution : float
        Pixels along the shorter side, compared with the size asked for.
    white : tuple of float
        Gain of red, green and blue.
    white_sd, exposure, gradient : float
        Standard deviation of the gains, mean brightness, and how much light falls off across the picture.
    blur, noise : float
        Standard deviations, in pixels of a picture of 128 and in sRGB of [0, 1].
    quality : int
        Of the JPEG compression.
    shots : tuple of float
        Shares of close-ups, of pictures at an angle, and at a distance.
    """

    shape: tuple[int, int]
    resolution: float
    white: tuple[float, float, float]
    white_sd: float
    exposure: float
    gradient: float
    blur: float
    noise: float
    quality: int
    shots: tuple[float, float, float]


def draw_view(camera: Camera, shot: Shot, size: int, generator: np.random.Generator) -> View:
    """Draw where the camera stands; the shorter side is `size` times the camera's resolution."""
    short = max(16, round(size * camera.resolution))
    sides = short, round(short * camera.shape[0] / camera.shape[1])
    height, width = sides if generator.random() < 0.5 else sides[::-1]
    reach = {"CLOSE_UP": 1.0, "AT_AN_ANGLE": 1.15, "AT_DISTANCE": 1.7}[shot] * generator.uniform(0.9, 1.1)
    x, y = generator.normal(0, 0.07, 2).clip(-0.15, 0.15) * reach
    tilt = generator.uniform(0.62, 0.8) if shot == "AT_AN_ANGLE" else 1.0
    return View(height, width, reach, generator.normal(0, 0.4), tilt, (x, y))


def expose(light: FloatArray, camera: Camera, blurred: bool, generator: np.random.Generator) -> UInt8Array:
    """Return the picture that a camera takes.

    Parameters
    ----------
    light : array of float, (height, width, 3)
        Linear RGB; 1 is white paper in the middle of the view.
    camera : Camera
        The site's.
    blurred : bool
        Whether it is badly out of focus.
    generator : numpy.random.Generator
        Source of chance.

    Returns
    -------
    array of uint8, (height, width, 3)
        sRGB, as a JPEG file of the camera's quality shows it.
    """
    white = np.asarray(camera.white) * np.exp(generator.normal(0, camera.white_sd, 3))
    exposure = camera.exposure * np.exp(generator.normal(0, 0.06))
    shaded = light * (_falloff(light.shape, camera, generator)[..., None] * (exposure * white)).astype(
        np.float32
    )
    sigma = camera.blur * generator.uniform(0.7, 1.3) + (generator.uniform(4, 6) if blurred else 0)
    scale = min(light.shape[:2]) / SHARPNESS_SIDE
    sharp = gaussian_filter(shaded, (sigma * scale, sigma * scale, 0), truncate=3)
    noise = generator.standard_normal(light.shape, np.float32) * np.float32(camera.noise)
    pixels = (255 * (encoded(sharp) + noise)).round().clip(0, 255).astype(np.uint8)
    return _compressed(pixels, int(np.clip(generator.normal(camera.quality, 3), 20, 97)))


def _falloff(shape: tuple[int, ...], camera: Camera, generator: np.random.Generator) -> FloatArray:
    """Light from one side, and a little less of it in the corners."""
    rows, columns = (np.linspace(-1, 1, n, dtype=np.float32) for n in shape[:2])
    angle = generator.uniform(0, 2 * np.pi)
    slope = camera.gradient * generator.uniform(0.4, 1.6)
    side = slope * (rows[:, None] * np.sin(angle) + columns[None] * np.cos(angle))
    return np.asarray((1 + side) * (1 - 0.06 * (rows[:, None] ** 2 + columns[None] ** 2)))


def _compressed(pixels: UInt8Array, quality: int) -> UInt8Array:
    file = BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file))
