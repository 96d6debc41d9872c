"""How growths and marks of the skin look: moles, cancers, warts, cysts, scars; a single lesion in the middle.

Each function adds one condition to a `Canvas`; the generator is the only source of chance.
"""

from __future__ import annotations

import numpy as np

from medaug.arrays import FloatArray
from medaug.phantoms.skin.canvas import Canvas, disc, oval, scatter, soft, spots

Generator = np.random.Generator


def _dome(depth: FloatArray, height: float) -> FloatArray:
    return np.asarray(height * np.sqrt(depth.clip(0, 1) * (2 - depth.clip(0, 1))), np.float32)


def _grain(canvas: Canvas, period: float, generator: Generator) -> FloatArray:
    """Noise from 0 to 1."""
    return np.asarray((0.5 + 0.5 * canvas.noise(period, generator)).clip(0, 1))


def melanocytic_nevus(canvas: Canvas, generator: Generator) -> None:
    """Add a mole: round, evenly brown, sharply bordered; a few are uneven."""
    radius = generator.uniform(0.2, 0.42)
    at = canvas.warped(generator.choice([0.04, 0.1], p=[0.8, 0.2]), 0.5, generator)
    depth = oval(at, radius, generator.uniform(1, 1.4), generator.uniform(0, np.pi))
    inside = soft(depth, 0.3)
    canvas.melanin += inside * generator.uniform(0.9, 1.7) * (1 + 0.15 * canvas.noise(0.12, generator))
    canvas.relief += _dome(depth, 0.3 * radius * generator.uniform(0, 1))


def melanoma(canvas: Canvas, generator: Generator) -> None:
    """Add a large, asymmetric, notched spot in several colours from black to red and grey-white."""
    radius = generator.uniform(0.32, 0.62)
    at = canvas.warped(0.35 * radius, 0.33, generator)
    depth = oval(at, radius, generator.uniform(1.2, 1.7), generator.uniform(0, np.pi))
    inside = soft(depth, 0.14)
    angle, away = generator.uniform(0, 2 * np.pi), 0.5 * radius
    dark = soft(disc(at, 0.62 * radius, (away * np.cos(angle), away * np.sin(angle))), 0.5)
    red = soft(disc(at, 0.45 * radius, (-away * np.cos(angle), -away * np.sin(angle))), 0.8)
    mottled = canvas.noise(0.2, generator) + 0.7 * canvas.noise(0.07, generator)
    canvas.melanin += inside * (1.5 + 0.8 * mottled + 2.6 * dark - 0.9 * red).clip(0.15, None)
    canvas.blood += inside * 0.75 * red
    canvas.scale += 0.3 * inside * canvas.flakes(0.3, -0.8, generator) * (1 - dark)
    canvas.relief += _dome(depth, 0.12 * radius) * (1 + dark)


def lentigo(canvas: Canvas, generator: Generator) -> None:
    """Add a flat light brown spot with a sharp, wavy border, and smaller ones around it."""
    at = canvas.warped(0.08, 0.2, generator)
    one = oval(at, generator.uniform(0.28, 0.42), generator.uniform(1, 1.6), generator.uniform(0, np.pi))
    depth = np.maximum(one, spots(at, scatter(7, 1.3, (0.04, 0.1), generator)))
    canvas.melanin += (
        soft(depth, 0.12) * generator.uniform(0.4, 0.65) * (1 + 0.2 * canvas.noise(0.08, generator))
    )


def seborrheic_keratosis(canvas: Canvas, generator: Generator) -> None:
    """Add a rough grey-brown plate that looks stuck on, with pale horn cysts and dark plugs."""
    radius = generator.uniform(0.34, 0.52)
    at = canvas.warped(0.07, 0.25, generator)
    depth = oval(at, radius, generator.uniform(1.1, 1.6), generator.uniform(0, np.pi))
    inside = soft(depth, 0.07)
    rough = canvas.noise(0.07, generator)
    canvas.melanin += inside * (generator.uniform(1.1, 2.0) + 0.5 * rough)
    canvas.keratin += inside * 0.14 * _grain(canvas, 0.1, generator)
    canvas.scale += inside * 0.12
    pores = scatter(9, 0.8 * radius, (0.025, 0.04), generator)
    canvas.keratin += 0.7 * inside * soft(spots((canvas.x, canvas.y), pores[:5]), 0.5)
    canvas.crust += 0.7 * inside * soft(spots((canvas.x, canvas.y), pores[5:]), 0.5)
    canvas.relief += inside * (0.09 + 0.03 * rough)


def basal_cell_carcinoma(canvas: Canvas, generator: Generator) -> None:
    """Add a pearly pink nodule: rolled shiny rim, small vessels, an ulcer in its middle."""
    radius = generator.uniform(0.36, 0.52)
    at = canvas.warped(0.12, 0.35, generator)
    depth = disc(at, radius)
    inside, ulcer = soft(depth, 0.25), soft(depth - generator.uniform(0.5, 0.75), 0.25)
    vessels = soft(0.06 - np.abs(canvas.noise(0.25, generator)), 0.08) * soft(depth + 0.1, 0.3)
    canvas.blood += inside * 0.5 + 0.8 * vessels * (1 - ulcer) + 0.8 * ulcer
    canvas.pale += inside * 0.3
    canvas.scale += 0.12 * soft(0.2 - np.abs(depth - 0.22), 0.3)
    canvas.crust += 0.8 * ulcer * _grain(canvas, 0.1, generator)
    canvas.relief += 0.09 * np.exp(-(((depth - 0.22) / 0.24) ** 2)).astype(np.float32)


def squamous_cell_carcinoma(canvas: Canvas, generator: Generator) -> None:
    """Add a firm red nodule with an irregular plug of horn and bleeding crust on it."""
    radius = generator.uniform(0.36, 0.55)
    at = canvas.warped(0.11, 0.28, generator)
    depth = disc(at, radius)
    inside, plug = soft(depth, 0.25), soft(depth - 0.38, 0.16)
    rough = canvas.noise(0.09, generator)
    canvas.blood += 0.95 * inside + 0.3 * soft(depth + 0.25, 0.6)
    canvas.keratin += plug * (0.85 + 0.2 * rough)
    canvas.crust += plug * 0.9 * canvas.flakes(0.16, -0.1, generator)
    canvas.scale += 0.45 * inside * (1 - plug) * canvas.flakes(0.1, -0.3, generator)
    canvas.relief += _dome(depth, 0.2 * radius) + 0.05 * plug * rough


def actinic_keratosis(canvas: Canvas, generator: Generator) -> None:
    """Add small rough pink patches with yellow-white scale on sun-damaged, freckled skin."""
    at = canvas.warped(0.1, 0.2, generator)
    depth = spots(at, scatter(int(generator.integers(3, 6)), 0.65, (0.14, 0.24), generator))
    inside = soft(depth, 0.6)
    canvas.blood += 0.45 * inside
    rough = canvas.flakes(0.07, 0.0, generator) * soft(depth - 0.2, 0.5)
    canvas.keratin += 0.4 * rough
    canvas.scale += 0.3 * rough
    canvas.melanin += 0.35 * soft(canvas.noise(0.13, generator) - 0.75, 0.4)
    canvas.relief += 0.02 * rough


def verruca_vulgaris(canvas: Canvas, generator: Generator) -> None:
    """Add grey-yellow rough domes like cauliflower, with black dots."""
    radius = generator.uniform(0.26, 0.4)
    places = [(0.0, 0.0, radius), *scatter(int(generator.integers(0, 3)), 0.8, (0.1, 0.16), generator)]
    depth = spots(canvas.warped(0.03, 0.12, generator), places)
    inside, bumps = soft(depth, 0.12), canvas.noise(0.055, generator)
    canvas.keratin += inside * 0.5
    canvas.scale += inside * (0.28 + 0.22 * bumps)
    canvas.relief += _dome(depth, 0.3 * radius) + 0.035 * inside * bumps
    dots = spots((canvas.x, canvas.y), scatter(14, 0.75 * radius, (0.018, 0.03), generator))
    canvas.crust += 0.95 * inside * soft(dots, 0.6)


def cyst(canvas: Canvas, generator: Generator) -> None:
    """Add a smooth dome of the skin's own colour with a dark point."""
    radius = generator.uniform(0.42, 0.58)
    depth = disc(canvas.warped(0.03, 0.6, generator), radius)
    canvas.relief += _dome(depth, 0.42 * radius)
    canvas.blood += 0.22 * soft(depth, 0.5)
    canvas.pale += 0.2 * soft(depth - 0.3, 0.6)
    point = tuple(generator.uniform(-0.25, 0.25, 2) * radius)
    canvas.crust += soft(disc((canvas.x, canvas.y), 0.05, (point[0], point[1])), 0.6)


def skin_tag(canvas: Canvas, generator: Generator) -> None:
    """Add a soft pouch on a thin stalk, with its shadow beside it."""
    angle, length = generator.uniform(0, 2 * np.pi), generator.uniform(0.24, 0.36)
    at = canvas.warped(0.03, 0.2, generator)
    along = at[0] * np.cos(angle) + at[1] * np.sin(angle)
    across = at[1] * np.cos(angle) - at[0] * np.sin(angle)
    pouch = disc((np.asarray(along - 0.35 * length), np.asarray(across * 1.25)), length)
    stalk = disc((np.asarray((along + 0.75 * length) * 0.6), np.asarray(across * 1.6)), 0.3 * length)
    depth = np.maximum(pouch, stalk)
    shadow = disc((canvas.x - 0.1, canvas.y - 0.13), 1.15 * length)
    canvas.melanin += 0.55 * soft(shadow, 0.7) * (1 - soft(depth, 0.1)) + 0.3 * soft(depth, 0.15)
    canvas.blood += 0.25 * soft(depth, 0.15)
    canvas.relief += _dome(depth, 0.6 * length)


def scar_condition(canvas: Canvas, generator: Generator) -> None:
    """Add a long raised band, pink or pale, smooth and without hair, with marks of stitches beside it."""
    angle, width = generator.uniform(0, np.pi), generator.uniform(0.07, 0.15)
    at = canvas.warped(0.07, 0.5, generator)
    along = at[0] * np.cos(angle) + at[1] * np.sin(angle)
    across = at[1] * np.cos(angle) - at[0] * np.sin(angle)
    end = soft(np.asarray(generator.uniform(0.65, 0.95) - np.abs(along)), 0.2)
    band = end * soft(np.asarray(1 - np.abs(across) / width), 0.35)
    stitches = np.asarray(np.cos(along * 2 * np.pi / 0.17) - 0.75 - np.abs(across) / (3.2 * width))
    canvas.blood += band * generator.uniform(0.2, 0.7) + 0.4 * end * soft(stitches, 0.3)
    canvas.pale += band * generator.uniform(0.4, 0.8)
    canvas.relief += 0.1 * band
    canvas.hair *= 1 - band


def vitiligo(canvas: Canvas, generator: Generator) -> None:
    """Add chalk-white patches with sharp scalloped borders; hair in them is left."""
    at = canvas.warped(0.16, 0.35, generator)
    places = scatter(int(generator.integers(2, 5)), 0.7, (0.28, 0.5), generator)
    canvas.pale += soft(spots(at, places), 0.12)


def alopecia_areata(canvas: Canvas, generator: Generator) -> None:
    """Add a round smooth bald patch in thick hair of the head."""
    depth = disc(canvas.warped(0.08, 0.5, generator), generator.uniform(0.5, 0.75))
    canvas.scalp = True
    canvas.hair *= 1 - 0.98 * soft(depth, 0.15)
    canvas.blood += 0.1 * soft(depth, 0.3)


def androgenetic_alopecia(canvas: Canvas, generator: Generator) -> None:
    """Let hair of the head thin out towards a midline."""
    angle = generator.uniform(0, np.pi)
    across = np.abs(canvas.y * np.cos(angle) - canvas.x * np.sin(angle))
    canvas.scalp = True
    canvas.hair *= 0.12 + 0.88 * soft(np.asarray(across - generator.uniform(0.5, 0.75)), 0.9)
