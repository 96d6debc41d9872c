"""Draws haematoxylin-and-eosin slides of lymph nodes, with and without metastases of a carcinoma.

Two fields of concentration are built up, haematoxylin (nuclei) and eosin (cytoplasm, fibres): a base for each
tissue, then cells stamped on it one by one. The stain then gives them their colours. Nuclei have their real
sizes: lymphocytes 6 to 8 microns across, dark; tumour cells 11 to 17 microns, vesicular, crowded, with much
cytoplasm; so the two differ in structure whatever the stain.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import gaussian_filter

from medaug.arrays import Array, FloatArray, IntArray, UInt8Array
from medaug.phantoms.slides.anatomy import (
    CAPSULE,
    FAT,
    GERMINAL,
    LYMPH,
    MANTLE,
    REACTIVE,
    SINUS,
    STEP,
    STROMA,
    TUMOUR,
    Anatomy,
)
from medaug.phantoms.slides.stains import Stain, colour_table

Field = UInt8Array

MARGIN = 128
"""Pixels around the slide, so that cells may overlap its border."""

VARIANTS = 32
"""Different cells of each kind; a slide repeats them in random order."""

FIBRE = 9.0
"""Pixels from one fibre to the next."""

#                  glass fat capsule sinus lymph mantle germinal stroma tumour reactive
EOSIN = np.array([0, 50, 84, 22, 42, 40, 50, 80, 46, 46], np.uint8)
HAEMATOXYLIN = np.array([0, 3, 8, 5, 18, 22, 20, 8, 20, 20], np.uint8)
FIBROUS = np.array([0, 0.1, 0.4, 0.2, 0, 0, 0, 0.4, 0, 0], np.float32)
"""By tissue: concentrations before any cell is drawn, and how strongly fibres show."""


@dataclass(frozen=True)
class Nuclei:
    """How the nuclei of one kind of cell look and how densely they lie.

    Parameters
    ----------
    tissues : tuple of int
        Where they lie.
    spacing : float
        Pixels from one to the next.
    filled : float
        Share of the places that hold one.
    length : tuple of float
        Smallest and largest length in pixels.
    roundness : tuple of float
        Smallest and largest width over length.
    darkness : tuple of float
        Smallest and largest concentration of haematoxylin.
    rim : float
        How much paler the middle is than the rim, 0 to 1.
    cytoplasm : float
        Eosin of the cell's body around it; 0 for none.
    """

    tissues: tuple[int, ...]
    spacing: float
    filled: float
    length: tuple[float, float]
    roundness: tuple[float, float]
    darkness: tuple[float, float]
    rim: float
    cytoplasm: float = 0.0


KINDS = (
    Nuclei((LYMPH,), 15.5, 0.93, (12, 16), (0.8, 1.0), (125, 200), 0.15),
    Nuclei((MANTLE,), 14, 0.97, (12, 15), (0.85, 1.0), (140, 205), 0.15),
    Nuclei((GERMINAL,), 21, 0.94, (14, 21), (0.7, 1.0), (65, 115), 0.35, 62),
    Nuclei((GERMINAL, SINUS, STROMA, TUMOUR, REACTIVE), 50, 0.35, (12, 15), (0.8, 1.0), (130, 190), 0.15),
    Nuclei((SINUS,), 26, 0.5, (11, 17), (0.5, 1.0), (80, 160), 0.2, 34),
    Nuclei((STROMA, CAPSULE), 34, 0.55, (18, 30), (0.2, 0.35), (100, 170), 0.1),
    Nuclei((FAT,), 44, 0.5, (12, 20), (0.3, 0.6), (100, 150), 0.1),
    Nuclei((TUMOUR, REACTIVE), 29, 0.97, (20, 31), (0.6, 0.95), (95, 165), 0.5, 76),
)


@dataclass(frozen=True)
class Hollows:
    """Empty round spaces: fat vacuoles, lumina of glands and vessels.

    Parameters
    ----------
    tissues : tuple of int
        Where they lie.
    spacing : float
        Pixels from one to the next.
    filled : float
        Share of the places that hold one.
    length : tuple of float
        Smallest and largest length in pixels.
    roundness : tuple of float
        Smallest and largest width over length.
    wall : float
        Eosin of the wall; 0 for none.
    """

    tissues: tuple[int, ...]
    spacing: float
    filled: float
    length: tuple[float, float]
    roundness: tuple[float, float]
    wall: float


HOLLOWS = (
    Hollows((FAT,), 96, 1.0, (72, 100), (0.8, 1.0), 0),
    Hollows((TUMOUR,), 150, 0.45, (20, 52), (0.4, 1.0), 85),
    Hollows((LYMPH,), 240, 0.5, (18, 40), (0.35, 1.0), 95),
)


def draw_slide(anatomy: Anatomy, stain: Stain, generator: np.random.Generator) -> UInt8Array:
    """Draw a slide.

    Parameters
    ----------
    anatomy : Anatomy
        What lies where, in cells of `STEP` pixels.
    stain : Stain
        Its colours.
    generator : numpy.random.Generator
        All that is random about the cells.

    Returns
    -------
    array of uint8, (side, side, 3)
        RGB at `MPP` microns per pixel.
    """
    eosin, haematoxylin = _ground(anatomy, generator)
    for kind in KINDS:
        _stamp_cells(haematoxylin, eosin, kind, anatomy, generator)
    for hollows in HOLLOWS:
        _stamp_hollows(haematoxylin, eosin, hollows, anatomy, generator)
    inner = slice(MARGIN, -MARGIN)
    return _coloured(haematoxylin[inner, inner], eosin[inner, inner], stain)


def _coloured(haematoxylin: Field, eosin: Field, stain: Stain) -> UInt8Array:
    pair = (haematoxylin.astype(np.uint16) << 8) | eosin
    return np.take(colour_table(stain).reshape(-1, 3), pair, axis=0)


def _ground(anatomy: Anatomy, generator: np.random.Generator) -> tuple[Field, Field]:
    """Eosin and haematoxylin before any cell, with their margins."""
    tissue = anatomy.tissue
    grains = _grains(len(tissue) * STEP, generator)
    eosin = _enlarged_bytes(EOSIN[tissue], STEP).astype(np.uint16) * _fibres(anatomy) // 100 * grains >> 7
    haematoxylin = _enlarged_bytes(HAEMATOXYLIN[tissue], STEP) * grains >> 7
    return _with_margin(eosin), _with_margin(haematoxylin)


def _with_margin(field: Array) -> Field:
    return np.pad(field.clip(0, 255).astype(np.uint8), MARGIN)


def _fibres(anatomy: Anatomy) -> Field:
    """Waves along the grain, around 100; drawn at half the resolution."""
    phase = _enlarged(anatomy.grain, STEP // 2) * np.float32(2 * np.pi / FIBRE)
    waves = np.sin(phase) + np.float32(0.7) * np.sin(np.float32(0.43) * phase)
    fibres = 100 * (1 + _enlarged(FIBROUS[anatomy.tissue], STEP // 2) * waves)
    return _enlarged_bytes(fibres.astype(np.uint8), 2)


def _enlarged(field: Array, factor: int) -> FloatArray:
    image = Image.fromarray(field.astype(np.float32))
    return np.asarray(image.resize((image.width * factor, image.height * factor), Image.Resampling.BILINEAR))


def _enlarged_bytes(field: Field, factor: int) -> Field:
    image = Image.fromarray(field)
    return np.asarray(image.resize((image.width * factor, image.height * factor), Image.Resampling.BILINEAR))


def _grains(side: int, generator: np.random.Generator, period: int = 512) -> NDArray[np.uint16]:
    """Uneven staining, around 128: fine grain and slow changes; repeats after `period` pixels."""
    white = generator.normal(size=(period, period)).astype(np.float32)
    layers = [gaussian_filter(white, sigma, mode="wrap") for sigma in (1.5, 6, 25)]
    mixed = sum(layer / layer.std() * weight for layer, weight in zip(layers, (0.16, 0.12, 0.1), strict=True))
    tile = (128 * (1 + np.asarray(mixed))).clip(0, 255).astype(np.uint16)
    times = -(-side // period)
    return np.tile(tile, (times, times))[:side, :side]


def _places(
    tissues: Sequence[int], spacing: float, filled: float, anatomy: Anatomy, generator: np.random.Generator
) -> IntArray:
    """Whole pixels (n, 2), y and x, on a shaken hexagonal grid within some tissues."""
    side = anatomy.tissue.shape[0] * STEP
    row, column = np.mgrid[0 : side / (0.87 * spacing), 0 : side / spacing]
    place = np.stack([row * 0.87, column + 0.5 * (row % 2)], axis=-1).reshape(-1, 2) * spacing
    place = place + generator.normal(0, 0.17 * spacing, place.shape)
    place = place[generator.random(len(place)) < filled].astype(np.int64)
    place = place[((place >= 0) & (place < side)).all(axis=1)]
    kept: IntArray = place[np.isin(anatomy.tissue[tuple((place // STEP).T)], tissues)]
    return kept


def _stamp(field: Field, sprites: Sequence[Field], places: IntArray, which: IntArray, how: np.ufunc) -> None:
    """Combine small pictures with the field, centred at places; `how` is maximum or minimum."""
    half = sprites[0].shape[0] // 2
    for (y, x), number in zip((places + MARGIN - half).tolist(), which.tolist(), strict=True):
        sprite = sprites[number]
        window = field[y : y + len(sprite), x : x + len(sprite)]
        how(window, sprite, out=window)


def _stamp_cells(
    haematoxylin: Field, eosin: Field, kind: Nuclei, anatomy: Anatomy, generator: np.random.Generator
) -> None:
    places = _places(kind.tissues, kind.spacing, kind.filled, anatomy, generator)
    which = generator.integers(0, VARIANTS, len(places))
    if kind.cytoplasm:
        bodies = [_body(kind, generator) for _ in range(VARIANTS)]
        _stamp(eosin, bodies, places, which, np.maximum)
    nuclei = [_nucleus(kind, generator) for _ in range(VARIANTS)]
    _stamp(haematoxylin, nuclei, places, which, np.maximum)


def _ellipse(size: int, length: float, width: float, angle: float) -> FloatArray:
    """Distance from the centre in units of the ellipse's own radius, (size, size)."""
    at = np.arange(size) - size // 2
    x, y = np.meshgrid(at, at)
    along, across = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    return np.asarray(np.hypot(along / (length / 2), across / (width / 2)))


def _nucleus(kind: Nuclei, generator: np.random.Generator) -> Field:
    """Draw a nucleus with its clumps of chromatin."""
    size = int(kind.length[1]) + 5
    length = generator.uniform(*kind.length)
    width = length * generator.uniform(*kind.roundness)
    radius = _ellipse(size, length, width, generator.uniform(0, np.pi))
    clumps = gaussian_filter(generator.normal(size=(size, size)), 1.6)
    texture = 1 - kind.rim * (1 - radius.clip(0, 1) ** 3) + (0.08 + 0.2 * kind.rim) * clumps / clumps.std()
    edge = ((1 - radius) * width / 2 / 2 + 0.5).clip(0, 1)
    return np.asarray((edge * texture * generator.uniform(*kind.darkness)).clip(0, 255), np.uint8)


def _body(kind: Nuclei, generator: np.random.Generator) -> Field:
    """Draw the cytoplasm around a nucleus, up to the next cell."""
    size = int(1.5 * kind.spacing) | 1
    length = kind.spacing * generator.uniform(1.0, 1.3)
    radius = _ellipse(size, length, length * generator.uniform(0.75, 1), generator.uniform(0, np.pi))
    edge = ((1 - radius) * length / 2 / 4 + 0.5).clip(0, 1)
    return np.asarray(edge * kind.cytoplasm * generator.uniform(0.75, 1.1), np.uint8)


def _stamp_hollows(
    haematoxylin: Field, eosin: Field, kind: Hollows, anatomy: Anatomy, generator: np.random.Generator
) -> None:
    places = _places(kind.tissues, kind.spacing, kind.filled, anatomy, generator)
    which = generator.integers(0, VARIANTS, len(places))
    walls, spaces = zip(*(_hollow(kind, generator) for _ in range(VARIANTS)), strict=True)
    if kind.wall:
        _stamp(eosin, walls, places, which, np.maximum)
    for field in (eosin, haematoxylin):
        _stamp(field, spaces, places, which, np.minimum)


def _hollow(kind: Hollows, generator: np.random.Generator) -> tuple[Field, Field]:
    """Draw a wall, to be added, and the space within, to be cut out."""
    length = generator.uniform(*kind.length)
    size = int(kind.length[1] + 24) | 1
    radius = _ellipse(size, length, length * generator.uniform(*kind.roundness), generator.uniform(0, np.pi))
    outside = (radius - 1) * length / 2
    wall = kind.wall * (1 - np.abs(outside - 4) / 6).clip(0, 1)
    return wall.astype(np.uint8), (255 * (outside / 5 + 0.5).clip(0, 1)).astype(np.uint8)
