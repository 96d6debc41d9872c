"""How rashes look: inflamed, scaly, blotchy or spotted skin, mostly in several places of the view.

Each function adds one condition to a `Canvas`; the generator is the only source of chance.
"""

from __future__ import annotations

import numpy as np

from medaug.phantoms.skin.canvas import Canvas, disc, scatter, soft, spots

Generator = np.random.Generator


def urticaria(canvas: Canvas, generator: Generator) -> None:
    """Add many raised wheals that run together: pale in the middle, with a red flare around."""
    at = canvas.warped(0.16, 0.35, generator)
    depth = spots(at, scatter(int(generator.integers(6, 11)), 1.1, (0.2, 0.42), generator))
    inside, middle = soft(depth, 0.35), soft(depth - 0.35, 0.5)
    canvas.blood += 0.65 * inside - 0.5 * middle + 0.25 * soft(depth + 0.3, 0.9)
    canvas.pale += 0.15 * middle
    canvas.relief += 0.035 * inside


def eczema(canvas: Canvas, generator: Generator) -> None:
    """Add red patches without a clear border, dry, with fine scale and scratch marks."""
    at = canvas.warped(0.3, 0.4, generator)
    depth = spots(at, scatter(int(generator.integers(2, 4)), 0.5, (0.45, 0.7), generator))
    inside = soft(depth, 1.1)
    canvas.blood += inside * (0.75 + 0.35 * canvas.noise(0.18, generator))
    canvas.scale += 0.3 * inside * canvas.flakes(0.06, -0.45, generator)
    scratches = soft(canvas.noise(0.045, generator, stretch=9) - 0.95, 0.3)
    canvas.blood += 0.9 * inside * scratches
    canvas.crust += 0.3 * inside * scratches
    canvas.relief += 0.02 * inside * canvas.noise(0.05, generator, stretch=5)


def psoriasis(canvas: Canvas, generator: Generator) -> None:
    """Add thick red plaques with a sharp border, covered by silvery scale."""
    at = canvas.warped(0.1, 0.3, generator)
    places = [(0.0, 0.0, generator.uniform(0.45, 0.6)), *scatter(4, 1.2, (0.1, 0.25), generator)]
    depth = spots(at, places)
    inside = soft(depth, 0.1)
    flakes = canvas.flakes(0.13, 0.15, generator) * soft(depth - 0.14, 0.2)
    canvas.blood += inside * (0.95 + 0.2 * canvas.noise(0.2, generator))
    canvas.scale += 0.8 * flakes
    canvas.relief += 0.05 * inside + 0.03 * flakes


def tinea(canvas: Canvas, generator: Generator) -> None:
    """Add a ring: a raised red scaly border that clears in the middle."""
    at = canvas.warped(0.06, 0.3, generator)
    places = [(0.0, 0.0, generator.uniform(0.55, 0.78))]
    if generator.random() < 0.35:
        places += [(*generator.choice([-0.6, 0.6], 2).tolist(), generator.uniform(0.3, 0.4))]
    depth = spots(at, places)
    ring = soft(0.17 - np.abs(depth - 0.1), 0.18)
    canvas.blood += ring * (0.95 + 0.3 * canvas.noise(0.09, generator)) + 0.18 * soft(depth, 0.3)
    canvas.scale += 0.45 * ring * canvas.flakes(0.07, -0.35, generator)
    canvas.melanin += 0.15 * soft(depth - 0.3, 0.5)
    canvas.relief += 0.04 * ring


def seborrheic_dermatitis(canvas: Canvas, generator: Generator) -> None:
    """Add salmon patches with greasy yellow scale."""
    at = canvas.warped(0.2, 0.3, generator)
    depth = spots(at, scatter(int(generator.integers(2, 5)), 0.6, (0.32, 0.5), generator))
    inside = soft(depth, 0.5)
    greasy = canvas.flakes(0.13, -0.1, generator) * inside
    canvas.blood += 0.5 * inside
    canvas.keratin += 0.65 * greasy
    canvas.relief += 0.03 * greasy


def allergic_contact_dermatitis(canvas: Canvas, generator: Generator) -> None:
    """Add red streaks along the trace of a plant, with small blisters."""
    angle, gap = generator.uniform(0, np.pi), generator.uniform(0.45, 0.6)
    at = canvas.warped(0.1, 0.3, generator)
    along = at[0] * np.cos(angle) + at[1] * np.sin(angle)
    across = at[1] * np.cos(angle) - at[0] * np.sin(angle)
    nearest = np.abs(across - gap * np.round(across / gap).clip(-1, 1))
    depth = np.asarray(1 - nearest / 0.15 - (np.abs(along) - 0.8).clip(0, None))
    inside = soft(depth, 0.5) * soft(canvas.noise(0.4, generator) + 0.5, 0.8)
    canvas.blood += 1.1 * inside
    blisters = soft(canvas.noise(0.06, generator) - 0.5, 0.3) * inside
    canvas.keratin += 0.4 * blisters
    canvas.relief += 0.05 * blisters + 0.02 * inside


def stasis_dermatitis(canvas: Canvas, generator: Generator) -> None:
    """Add wide rusty brown mottling over dusky red, on a shin."""
    reach = soft(canvas.noise(0.9, generator) + 0.5 - 0.5 * np.hypot(canvas.x, canvas.y), 0.8)
    canvas.blood += reach * (0.55 + 0.3 * canvas.noise(0.3, generator)).clip(0, None)
    canvas.melanin += reach * (0.5 + 0.6 * canvas.noise(0.09, generator)).clip(0, None)
    canvas.scale += 0.3 * reach * canvas.flakes(0.08, -0.6, generator)
    canvas.relief += 0.02 * reach * canvas.noise(0.1, generator)


def tinea_versicolor(canvas: Canvas, generator: Generator) -> None:
    """Add many small pale spots of fine scale that run together."""
    at = canvas.warped(0.05, 0.12, generator)
    depth = spots(at, scatter(int(generator.integers(22, 36)), 1.4, (0.06, 0.2), generator))
    inside = soft(depth, 0.3)
    canvas.pale += 0.4 * inside
    canvas.scale += 0.12 * inside * soft(canvas.noise(0.04, generator), 0.8)


def post_inflammatory_hyperpigmentation(canvas: Canvas, generator: Generator) -> None:
    """Add flat brown stains with blurred borders where a rash was."""
    at = canvas.warped(0.12, 0.25, generator)
    depth = spots(at, scatter(int(generator.integers(7, 13)), 1.1, (0.12, 0.26), generator))
    canvas.melanin += 0.75 * soft(depth, 0.9)


def acne(canvas: Canvas, generator: Generator) -> None:
    """Add red papules of all sizes, some with pus, between blackheads and shiny pores."""
    places = scatter(int(generator.integers(14, 24)), 1.2, (0.05, 0.13), generator)
    depth = spots(canvas.warped(0.02, 0.1, generator), places)
    canvas.blood += 0.8 * soft(depth, 0.7) + 0.15 + 0.15 * canvas.noise(0.3, generator)
    canvas.relief += 0.05 * depth.clip(0, 1)
    canvas.keratin += 0.75 * soft(
        spots((canvas.x, canvas.y), [(x, y, 0.4 * r) for x, y, r in places[::3]]), 0.5
    )
    blackheads = scatter(12, 1.3, (0.02, 0.03), generator)
    canvas.crust += 0.8 * soft(spots((canvas.x, canvas.y), blackheads), 0.5)


def folliculitis(canvas: Canvas, generator: Generator) -> None:
    """Add small equal pustules on red halos, each at a hair."""
    places = scatter(int(generator.integers(18, 30)), 1.3, (0.045, 0.06), generator)
    at = (canvas.x, canvas.y)
    canvas.blood += 0.85 * soft(spots(at, [(x, y, 1.6 * r) for x, y, r in places]), 0.8)
    canvas.keratin += 0.85 * soft(spots(at, [(x, y, 0.6 * r) for x, y, r in places]), 0.4)
    canvas.crust += 0.9 * soft(spots(at, [(x, y, 0.2 * r) for x, y, r in places]), 0.5)
    canvas.relief += 0.03 * spots(at, places).clip(0, 1)
    canvas.hair *= 2.5


def hidradenitis(canvas: Canvas, generator: Generator) -> None:
    """Add deep violet nodules and sinuses that weep, bridged by rope-like scars."""
    places = scatter(int(generator.integers(3, 6)), 0.75, (0.2, 0.32), generator)
    depth = spots(canvas.warped(0.1, 0.3, generator), places)
    inside = soft(depth, 0.6)
    canvas.blood += 1.2 * inside
    canvas.melanin += 0.5 * inside
    canvas.relief += 0.16 * depth.clip(0, 1)
    mouths = [(x, y, 0.28 * r) for x, y, r in places[::2]]
    canvas.crust += 0.9 * soft(spots((canvas.x, canvas.y), mouths), 0.5)
    ropes = soft(0.12 - np.abs(canvas.noise(0.5, generator)), 0.14) * soft(
        disc((canvas.x, canvas.y), 1.1), 0.4
    )
    canvas.relief += 0.06 * ropes
    canvas.pale += 0.3 * ropes


def insect_bite(canvas: Canvas, generator: Generator) -> None:
    """Add a few firm red bumps, each with a point in the middle of a wide halo."""
    places = scatter(int(generator.integers(3, 6)), 0.8, (0.12, 0.18), generator)
    at = (canvas.x, canvas.y)
    depth = spots(at, places)
    canvas.blood += 0.7 * soft(depth, 0.5) + 0.3 * soft(depth + 0.7, 1.4)
    canvas.relief += 0.1 * depth.clip(0, 1)
    canvas.crust += 0.8 * soft(spots(at, [(x, y, 0.17 * r) for x, y, r in places]), 0.5)


def herpes_zoster(canvas: Canvas, generator: Generator) -> None:
    """Add groups of blisters on a red band."""
    angle = generator.uniform(0, np.pi)
    at = canvas.warped(0.12, 0.3, generator)
    across = at[1] * np.cos(angle) - at[0] * np.sin(angle)
    band = soft(np.asarray(1 - np.abs(across) / 0.38), 0.5) * soft(canvas.noise(0.35, generator) + 0.2, 0.5)
    places = scatter(60, 1.3, (0.04, 0.07), generator)
    blisters = soft(spots((canvas.x, canvas.y), places), 0.4) * band
    canvas.blood += 0.85 * band
    canvas.keratin += 0.45 * blisters
    canvas.scale += 0.3 * blisters
    canvas.relief += 0.07 * blisters
