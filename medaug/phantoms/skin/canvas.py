"""The surface on which skin is drawn: what lies in it and on it, at each point of a view."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, fields

import numpy as np
from scipy.ndimage import map_coordinates

from medaug.arrays import FloatArray
from medaug.phantoms.skin.colour import BLOOD, CRUST, KERATIN, MELANIN, SCALE, UNPIGMENTED

LATTICE = 32
"""Cells after which a texture repeats itself, far outside of any view."""


@dataclass(frozen=True)
class View:
    """How a camera looks at the middle of a lesion.

    Parameters
    ----------
    height, width : int
        Pixels.
    reach : float
        What half of the shorter side shows, in units of the surface; 1 is a close-up.
    turn : float
        Rotation in radians.
    tilt : float
        Cosine of the angle between the camera and the normal of the skin.
    shift : tuple of float
        Where the middle of the picture lies on the surface.
    """

    height: int
    width: int
    reach: float = 1.0
    turn: float = 0.0
    tilt: float = 1.0
    shift: tuple[float, float] = (0.0, 0.0)

    def grid(self) -> tuple[FloatArray, FloatArray]:
        """Return x and y on the surface of each pixel, float32 (height, width)."""
        half = min(self.height, self.width) / 2
        rows = (np.arange(self.height, dtype=np.float32) + 0.5 - self.height / 2) / half / self.tilt
        columns = (np.arange(self.width, dtype=np.float32) + 0.5 - self.width / 2) / half
        x, y = np.meshgrid(columns * self.reach, rows * self.reach)
        cosine, sine = np.float32(np.cos(self.turn)), np.float32(np.sin(self.turn))
        return cosine * x - sine * y + self.shift[0], sine * x + cosine * y + self.shift[1]


@dataclass
class Canvas:
    """Skin with what makes its colour, one float32 (height, width) layer each, at first empty.

    Parameters
    ----------
    x, y : array
        Place of each pixel on the surface; a lesion lies around (0, 0).

    Attributes
    ----------
    melanin, blood : array
        Additional absorption, of any amount, also a little below 0.
    pale, scale, keratin, crust : array
        How far pigment is missing, and how far the surface is covered, 0 to 1.
    relief : array
        Height in units of the surface.
    hair : array
        Density of hair, 1 is the usual one.
    scalp : bool
        Whether hair is that of the head.
    """

    x: FloatArray
    y: FloatArray
    melanin: FloatArray = field(init=False)
    blood: FloatArray = field(init=False)
    pale: FloatArray = field(init=False)
    scale: FloatArray = field(init=False)
    keratin: FloatArray = field(init=False)
    crust: FloatArray = field(init=False)
    relief: FloatArray = field(init=False)
    hair: FloatArray = field(init=False)
    scalp: bool = False

    def __post_init__(self) -> None:
        for layer in fields(self):
            if not layer.init:
                setattr(self, layer.name, np.full_like(self.x, layer.name == "hair"))

    def add(self, other: Canvas, amount: float) -> None:
        """Add what another canvas of the same view has, so far."""
        for name in ("melanin", "blood", "pale", "scale", "keratin", "crust", "relief"):
            getattr(self, name).__iadd__(amount * getattr(other, name))
        self.hair *= 1 + amount * (other.hair - 1)
        self.scalp = self.scalp or other.scalp

    def noise(self, period: float, generator: np.random.Generator, stretch: float = 1.0) -> FloatArray:
        """Return smooth noise, mean 0 and about within -1 and 1, the same place by place in every view.

        Parameters
        ----------
        period : float
            Distance over which it changes.
        generator : numpy.random.Generator
            Source of chance.
        stretch : float
            How much longer its grains are along a random direction than across.
        """
        lattice = generator.normal(0, 0.9, (LATTICE, LATTICE)).astype(np.float32)
        angle, offset = generator.uniform(0, np.pi), generator.uniform(0, LATTICE, 2)
        along = (self.x * np.cos(angle) + self.y * np.sin(angle)) / (period * stretch) + offset[0]
        across = (self.y * np.cos(angle) - self.x * np.sin(angle)) / period + offset[1]
        found: FloatArray = map_coordinates(
            lattice, [along, across], np.float32, 2, mode="grid-wrap", prefilter=False
        )
        return found

    def warped(
        self, amount: float, period: float, generator: np.random.Generator
    ) -> tuple[FloatArray, FloatArray]:
        """Return the places with noise added, in which a disc has a wavy border."""
        fine = 0.35 * self.noise(0.35 * period, generator)
        return (
            self.x + amount * (self.noise(period, generator) + fine),
            self.y + amount * (self.noise(period, generator) - fine),
        )

    def flakes(self, period: float, cover: float, generator: np.random.Generator) -> FloatArray:
        """Return ragged thin flakes, 0 to 1, that cover more or less than half (`cover` above or below 0)."""
        ragged = self.noise(period, generator) + 0.6 * self.noise(0.4 * period, generator)
        return soft(ragged + cover, 1.4)

    def reflectance(self, base: FloatArray) -> FloatArray:
        """Return linear RGB, (height, width, 3), of skin of a base tone, linear RGB (3,)."""
        tone = _covered(np.broadcast_to(base, (*self.x.shape, 3)), UNPIGMENTED, 0.93 * self.pale)
        light = tone * np.exp(-(self.melanin[..., None] * MELANIN + self.blood[..., None] * BLOOD))
        for colour, share in ((KERATIN, self.keratin), (SCALE, self.scale), (CRUST, self.crust)):
            light = _covered(light, colour, share)
        return light


def _covered(light: FloatArray, colour: FloatArray, share: FloatArray) -> FloatArray:
    return np.asarray(light + (colour - light) * share.clip(0, 1)[..., None])


def disc(
    at: tuple[FloatArray, FloatArray], radius: float, centre: tuple[float, float] = (0, 0)
) -> FloatArray:
    """Return depth in a disc: 1 in its centre, 0 at its border, negative outside."""
    return np.asarray(1 - np.hypot(at[0] - centre[0], at[1] - centre[1]) / radius)


def oval(at: tuple[FloatArray, FloatArray], radius: float, aspect: float, angle: float) -> FloatArray:
    """Return depth in an ellipse around (0, 0), as `disc`; `radius` is that of a circle of its area."""
    along = (at[0] * np.cos(angle) + at[1] * np.sin(angle)) / np.sqrt(aspect)
    across = (at[1] * np.cos(angle) - at[0] * np.sin(angle)) * np.sqrt(aspect)
    return disc((np.asarray(along), np.asarray(across)), radius)


def spots(at: tuple[FloatArray, FloatArray], places: Iterable[tuple[float, float, float]]) -> FloatArray:
    """Return depth in the nearest of many discs, given as (x, y, radius)."""
    depth = np.full_like(at[0], -1e3)
    for x, y, radius in places:
        square = ((at[0] - x) ** 2 + (at[1] - y) ** 2) / radius**2
        np.maximum(depth, -square, out=depth)
    return np.asarray(1 - np.sqrt(-depth))


def soft(depth: FloatArray, edge: float) -> FloatArray:
    """Return 0 outside to 1 inside, with a smooth step of width `edge` in depth around the border."""
    t = (depth / edge + 0.5).clip(0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)


def scatter(
    count: int, reach: float, radius: tuple[float, float], generator: np.random.Generator
) -> list[tuple[float, float, float]]:
    """Draw discs, (x, y, radius), in a square of half side `reach`, as evenly as a few tries allow."""
    places: list[tuple[float, float, float]] = []
    for _ in range(count):
        tries = generator.uniform(-reach, reach, (4, 2))
        taken = np.array([place[:2] for place in places] or [(9.0, 9.0)])
        room = np.hypot(*(tries[:, None] - taken[None]).transpose(2, 0, 1)).min(axis=1)
        x, y = tries[int(room.argmax())]
        places.append((float(x), float(y), float(generator.uniform(*radius))))
    return places
