"""Where things lie in a phantom lymph node: a coarse map of tissues, and the outlines of metastases."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from scipy.ndimage import gaussian_filter, zoom

from medaug.arrays import BoolArray, FloatArray, UInt8Array

MPP = 0.5
"""Microns per pixel of a phantom slide's finest level."""

STEP = 8
"""Pixels per cell of the map of tissues, which is 4 microns."""

LESION_DEPTH = 12.0
"""Microns that a metastasis stays below the surface of the node."""

GLASS, FAT, CAPSULE, SINUS, LYMPH, MANTLE, GERMINAL, STROMA, TUMOUR, REACTIVE = range(10)
"""Tissues; reactive histiocytes lie in nests outside of metastases, with cells that look like those of a
tumour."""

INFILTRATED, NESTED = 0.25, 1.0
"""Noise above which lymphocytes replace tumour within a metastasis, and reactive cells lie outside: the share
of large cells in a patch of 64 microns tells tumour with an AUC of 0.95."""


@dataclass(frozen=True)
class Blob:
    """A star-shaped region with a wavy outline.

    Parameters
    ----------
    x, y : float
        Centre in pixels of the finest level.
    radius : float
        Mean radius in pixels.
    waves : tuple of (float, float)
        Height (share of the radius) and phase of the wave with 2, 3, … periods around the outline.
    """

    x: float
    y: float
    radius: float
    waves: tuple[tuple[float, float], ...] = ()

    def radius_at(self, angle: FloatArray) -> FloatArray:
        """Return the distance in pixels from the centre to the outline in each direction."""
        waves = [height * np.cos(k * angle + phase) for k, (height, phase) in enumerate(self.waves, start=2)]
        return self.radius * np.asarray(1 + sum(waves, np.zeros_like(angle)))

    def depth(self, x: FloatArray, y: FloatArray) -> FloatArray:
        """Return how far inside the outline points lie, in pixels along the ray; negative outside."""
        dx, dy = x - self.x, y - self.y
        return np.asarray(self.radius_at(np.arctan2(dy, dx)) - np.hypot(dx, dy))

    def outline(self, points: int) -> FloatArray:
        """Return a polygon, (points, 2), x and y in pixels of the finest level."""
        angle = np.linspace(0, 2 * np.pi, points, endpoint=False)
        radius = self.radius_at(angle)
        return np.stack([self.x + radius * np.cos(angle), self.y + radius * np.sin(angle)], axis=1)


@dataclass(frozen=True)
class Lesion:
    """A metastasis: tumour within a blob, save for a hole of ordinary tissue where there is one."""

    blob: Blob
    hole: Blob | None = None


def draw_blob(x: float, y: float, radius: float, generator: np.random.Generator, wavy: float = 0.06) -> Blob:
    """Draw a blob of a mean radius; `wavy` is the typical height of its slowest wave."""
    heights = wavy * generator.normal(0, 1, 5).clip(-1.6, 1.6) / np.arange(1, 6)
    phases = generator.uniform(0, 2 * np.pi, 5)
    return Blob(x, y, radius, tuple(zip(heights.tolist(), phases.tolist(), strict=True)))


def draw_node(side: int, generator: np.random.Generator) -> Blob:
    """Draw the outline of a lymph node that fills most of a slide of a side in pixels."""
    x, y = side * generator.uniform(0.47, 0.53, 2)
    return draw_blob(x, y, side * generator.uniform(0.36, 0.40), generator)


def draw_lesion(node: Blob, share: float, has_hole: bool, generator: np.random.Generator) -> Lesion:
    """Draw a metastasis inside a node, its radius a share of the node's, or less where it would not fit."""
    angle, away = generator.uniform(0, 2 * np.pi), generator.uniform(0.1, 1) * (0.85 - share) * node.radius
    x, y = node.x + away * np.cos(angle), node.y + away * np.sin(angle)
    blob = draw_blob(x, y, share * node.radius, generator, wavy=0.1)
    while node.depth(*blob.outline(90).T).min() < LESION_DEPTH / MPP:
        blob = replace(blob, radius=0.95 * blob.radius)
    hole = draw_blob(x, y, blob.radius * generator.uniform(0.25, 0.35), generator) if has_hole else None
    return Lesion(blob, hole)


def in_tumour(lesions: Iterable[Lesion], x: FloatArray, y: FloatArray) -> BoolArray:
    """Tell which points lie in a metastasis and in no hole of any."""
    inside, outside = np.zeros(np.shape(x), bool), np.zeros(np.shape(x), bool)
    for lesion in lesions:
        inside |= lesion.blob.depth(x, y) > 0
        if lesion.hole is not None:
            outside |= lesion.hole.depth(x, y) > 0
    return np.asarray(inside & ~outside)


def smooth_noise(shape: tuple[int, int], sigma: float, generator: np.random.Generator) -> FloatArray:
    """Return noise of mean 0 and standard deviation 1 that changes over `sigma` cells."""
    coarse = max(1, int(sigma / 2))
    small = generator.normal(size=tuple(-(-n // coarse) + 1 for n in shape)).astype(np.float32)
    field = gaussian_filter(small, sigma / coarse, mode="wrap")
    field = zoom(field, coarse, order=1)[: shape[0], : shape[1]] if coarse > 1 else field
    field = field[: shape[0], : shape[1]]
    return np.asarray((field - field.mean()) / max(float(field.std()), 1e-6), np.float32)


@dataclass(frozen=True)
class Anatomy:
    """The map of a slide, a cell every `STEP` pixels.

    Parameters
    ----------
    tissue : array of uint8, (side / STEP, side / STEP)
        What lies there, `GLASS` to `TUMOUR`.
    grain : array of float32, the same shape
        A length in pixels that grows across the fibres of the stroma, so that its level lines are fibres.
    """

    tissue: UInt8Array
    grain: FloatArray


def draw_anatomy(
    side: int, node: Blob, lesions: tuple[Lesion, ...], generator: np.random.Generator
) -> Anatomy:
    """Draw the tissues of a node with its surroundings; `side` in pixels, a multiple of `STEP`."""
    cells = side // STEP
    centres = (np.arange(cells, dtype=np.float32) + 0.5) * STEP
    x, y = np.meshgrid(centres, centres)
    noise = [smooth_noise((cells, cells), sigma, generator) for sigma in (3, 7, 14, 5)]
    depth = node.depth(x, y) * MPP
    tissue = np.full((cells, cells), GLASS, np.uint8)
    tissue[depth > -75 - 45 * noise[2]] = FAT
    tissue[depth > 0] = LYMPH
    _paint_cortex(tissue, node, (x, y), depth, generator)
    tissue[(depth > 60) & (noise[1] > 1.15 - depth / 800)] = SINUS
    tissue[(depth > 60) & (noise[3] > NESTED)] = REACTIVE
    tissue[(depth > 0) & (np.abs(noise[2]) < 0.07)] = STROMA
    tissue[(depth > 0) & (depth < 46 + 6 * noise[0])] = SINUS
    tissue[(depth > -6) & (depth < 30 + 5 * noise[0])] = CAPSULE
    inside = in_tumour(lesions, x, y)
    tissue[inside] = np.where(np.abs(noise[1][inside]) < 0.08, STROMA, TUMOUR)
    tissue[inside & (noise[3] > INFILTRATED)] = LYMPH
    capsule = tissue == CAPSULE
    grain = np.where(capsule, depth / MPP, 60 * noise[2] + 40 * noise[1]) + 6 * noise[0]
    return Anatomy(tissue, np.asarray(grain, np.float32))


def _paint_cortex(
    tissue: UInt8Array,
    node: Blob,
    at: tuple[FloatArray, FloatArray],
    depth: FloatArray,
    generator: np.random.Generator,
) -> None:
    """Follicles below the capsule: a germinal centre within a mantle of dense small cells."""
    count = max(3, int(node.radius * MPP / 70))
    for angle in np.linspace(0, 2 * np.pi, count, endpoint=False) + generator.normal(0, 0.12, count):
        if generator.random() < 0.35:
            continue
        size = generator.uniform(50, 85) / MPP
        away = float(node.radius_at(np.asarray(angle))) - size - generator.uniform(60, 120) / MPP
        follicle = draw_blob(node.x + away * np.cos(angle), node.y + away * np.sin(angle), size, generator)
        inside = follicle.depth(*at)
        tissue[inside > 0] = MANTLE
        tissue[inside > 0.3 * size] = GERMINAL
