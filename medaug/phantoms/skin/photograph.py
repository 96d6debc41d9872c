"""A clinical photograph: skin with its texture, wrinkles, hair and lesions, in some light."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from medaug.arrays import FloatArray, UInt8Array
from medaug.phantoms.skin.camera import Camera, Shot, draw_view, expose
from medaug.phantoms.skin.canvas import Canvas, View, scatter, soft, spots
from medaug.phantoms.skin.colour import base_tone
from medaug.phantoms.skin.people import CONDITIONS, SkinCase
from medaug.randomness import numpy_generator

HAIR_REACH = 2.6
"""Hair grows in a square of this half side around the lesion."""

SCALP_HAIRS = 2600
FINE = 2
"""Hair is drawn at this many times the resolution."""


def draw_photograph(
    case: SkinCase, camera: Camera, shot: Shot, size: int, seed: int, number: int = 0
) -> UInt8Array:
    """Draw a photograph of a phantom case.

    Parameters
    ----------
    case : SkinCase
        Whose skin, with which condition.
    camera : Camera
        How it is taken.
    shot : {"CLOSE_UP", "AT_AN_ANGLE", "AT_DISTANCE"}
        From where.
    size : int
        Shorter side in pixels, before the camera's resolution.
    seed : int
        Names the skin: photographs with the same seed show the same lesion.
    number : int
        Names the photograph among those of a case.

    Returns
    -------
    array of uint8, (height, width, 3)
        sRGB.

    Examples
    --------
    >>> from medaug.phantoms.skin.people import TELEDERMATOLOGY_US
    >>> case = SkinCase("Melanoma", "II", "F", 60)
    >>> draw_photograph(case, TELEDERMATOLOGY_US.camera, "CLOSE_UP", 64, seed=0).shape
    (64, 85, 3)
    """
    skin, picture = numpy_generator(seed, "skin"), numpy_generator(seed, "picture", number)
    view = draw_view(camera, shot, size, picture)
    canvas = Canvas(*view.grid())
    base = base_tone(case.tone, skin)
    draw_lesion(canvas, case, numpy_generator(seed, "lesion"))
    draw_texture(canvas, case, skin)
    light: FloatArray = canvas.reflectance(base) * shading(canvas, view, picture)[..., None]
    strands = draw_hair(canvas, case, view, numpy_generator(seed, "hair"))
    light = light * (1 - strands[..., None]) + strands[..., None] * _hair_colour(case, skin)
    if shot == "AT_DISTANCE" and not canvas.scalp and picture.random() < 0.6:
        light = before_background(light, view, picture)
    return expose(light.astype(np.float32), camera, case.blurred, picture)


def draw_lesion(canvas: Canvas, case: SkinCase, generator: np.random.Generator) -> None:
    """Add to the canvas what a case has and what it resembles, each in its amount."""
    for name, amount in ((case.condition, case.strength), (case.resembled, case.resemblance)):
        if name is not None:
            one = Canvas(canvas.x, canvas.y)
            CONDITIONS[name].draw(one, generator)
            canvas.add(one, amount)


def draw_texture(canvas: Canvas, case: SkinCase, generator: np.random.Generator) -> None:
    """Add what every skin has: blotches, pores, fine lines; with age wrinkles, with freckles in fair skin."""
    years = np.clip((case.age - 30) / 50, 0, 1)
    canvas.blood += 0.07 * canvas.noise(0.5, generator)
    canvas.melanin += 0.05 * canvas.noise(0.3, generator) + 0.04 * canvas.noise(0.05, generator)
    canvas.relief += 0.006 * canvas.noise(0.035, generator)
    canvas.relief += (0.002 + 0.016 * years) * np.abs(canvas.noise(0.09, generator, stretch=5))
    count = int(generator.poisson(3 + 7 * years if case.tone in ("I", "II", "III") else 2))
    freckles = scatter(count, 1.8, (0.02, 0.05), generator)
    canvas.melanin += generator.uniform(0.2, 0.5) * soft(spots((canvas.x, canvas.y), freckles), 0.6)


def shading(canvas: Canvas, view: View, generator: np.random.Generator) -> FloatArray:
    """Return how bright each point is, about 1: light comes from one side, and moist heights shine."""
    angle = generator.uniform(0, 2 * np.pi)
    down, right = np.gradient(canvas.relief)
    unit = 2 * view.reach / min(view.height, view.width)
    slope = (right * np.cos(angle) + down * np.sin(angle)) / unit
    bright = 1 - 0.38 * np.tanh(1.1 * slope)
    shine = soft(-slope - 0.75, 0.9) * (1 - canvas.scale.clip(0, 1))
    return np.asarray(bright + 0.35 * shine, np.float32)


def draw_hair(canvas: Canvas, case: SkinCase, view: View, generator: np.random.Generator) -> FloatArray:
    """Return how far hair covers each pixel, 0 to 1."""
    count = SCALP_HAIRS if canvas.scalp else int(generator.poisson(140 if case.sex == "M" else 25))
    roots = generator.uniform(-HAIR_REACH, HAIR_REACH, (count, 2))
    kept = generator.random(count)
    length = generator.uniform(0.25, 0.5, count) * (1.6 if canvas.scalp else 1)
    angle = generator.uniform(0, 2 * np.pi) + generator.normal(0, 0.25 if canvas.scalp else 0.4, count)
    bend = angle + generator.normal(0, 0.35, count)
    middle = roots + 0.5 * length[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    end = middle + 0.5 * length[:, None] * np.stack([np.cos(bend), np.sin(bend)], axis=1)
    pixels = [_pixels(points, view) for points in (roots, middle, end)]
    column, row = pixels[0].round().astype(int).T
    inside = (row >= 0) & (row < view.height) & (column >= 0) & (column < view.width)
    density = canvas.hair[row.clip(0, view.height - 1), column.clip(0, view.width - 1)]
    most = 1.0 if canvas.scalp else 2.5
    grows = np.where(inside, kept * most < density, canvas.scalp is False or kept > 1)
    return _strands(np.stack(pixels, axis=1)[grows], view, 0.9 if canvas.scalp else 0.6)


def _pixels(points: FloatArray, view: View) -> FloatArray:
    """Column and row of places on the surface; the inverse of `View.grid`."""
    x, y = (points - np.asarray(view.shift)).T
    cosine, sine = np.cos(view.turn), np.sin(view.turn)
    half = min(view.height, view.width) / 2 / view.reach
    column = (cosine * x + sine * y) * half + view.width / 2 - 0.5
    row = (cosine * y - sine * x) * half * view.tilt + view.height / 2 - 0.5
    return np.stack([column, row], axis=1)


def _strands(lines: FloatArray, view: View, opacity: float) -> FloatArray:
    """Lines (count, points, column and row) drawn finely and reduced."""
    image = Image.new("L", (view.width * FINE, view.height * FINE))
    draw = ImageDraw.Draw(image)
    width = max(1, round(FINE * min(view.height, view.width) / view.reach / 150))
    for line in lines:
        draw.line(((line + 0.5) * FINE).ravel().tolist(), fill=255, width=width)
    small = image.resize((view.width, view.height), Image.Resampling.BOX)
    return np.asarray(small, np.float32) * np.float32(opacity / 255)


def _hair_colour(case: SkinCase, generator: np.random.Generator) -> FloatArray:
    dark = np.array([0.018, 0.012, 0.009])
    fair = np.array([0.16, 0.10, 0.05]) if case.tone in ("I", "II") else np.array([0.035, 0.022, 0.015])
    grey = np.array([0.42, 0.42, 0.42]) * (case.age > 60)
    colour = dark + (fair - dark) * generator.random()
    return np.asarray(colour + (grey - colour).clip(0, None) * generator.uniform(0.2, 0.8), np.float32)


def before_background(light: FloatArray, view: View, generator: np.random.Generator) -> FloatArray:
    """Show the skin as a limb, darker towards its edges, before cloth or a wall."""
    rows, columns = np.mgrid[-1 : 1 : view.height * 1j, -1 : 1 : view.width * 1j].astype(np.float32)
    angle = generator.uniform(0, np.pi)
    across = rows * np.cos(angle) + columns * np.sin(angle)
    width = generator.uniform(0.78, 1.0)
    inside = soft(width - np.abs(across), 0.04)[..., None]
    round_ = 1 - 0.55 * (np.abs(across) / width).clip(0, 1)[..., None] ** 4
    backdrop = generator.uniform(0.03, 0.6) * np.exp(generator.normal(0, 0.25, 3)).astype(np.float32)
    return np.asarray(light * round_ * inside + backdrop * (1 - inside))
