"""A frontal chest radiograph, drawn from closed forms with soft edges.

Everything is placed in the frame of the thorax: `u` is -1 and +1 at the outer edges of the lungs where
they are widest (+ is the patient's left, the right of the image), `v` is 0 at the apex of the lungs and 1 at
the lowest point of the costophrenic angle. Density is 0 for air and 1 for bone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from medaug.arrays import BoolArray, FloatArray, UInt8Array
from medaug.phantoms.chest.population import CONDITIONS, Patient, Site

ASPECT = 1.9
"""Height of the lungs over half the width of the thorax."""

HEART_CENTRE = (0.10, 0.68)
"""Where the heart lies in the thorax, (u, v)."""

SEPARATION = 2.326
"""Distance between present and absent in what is drawn, in standard deviations; see `draw_grades`."""

DOME_HEIGHT = 0.14
"""Height of the diaphragm over the costophrenic angle, in units of v."""


@dataclass(frozen=True)
class Findings:
    """How the conditions look in one image; 0 is absent.

    ``heart_ratio`` is the width of the heart over that of the thorax.
    ``raised`` (rise of the diaphragm in v), ``fluid`` (height of the meniscus at the chest wall in v) and
    ``patch`` (added density) are (right, left) pairs; ``patch_place`` is (|u|, v, radius); ``haze`` is
    an added density.
    """

    heart_ratio: float
    raised: tuple[float, float]
    fluid: tuple[float, float]
    patch: tuple[float, float]
    patch_place: tuple[float, float, float]
    haze: float


@dataclass(frozen=True)
class Pose:
    """Where the thorax lies in the image: half width, centre and apex in half sides; tilt in radians."""

    half_width: float
    centre: float
    apex: float
    aspect: float
    tilt: float


def draw_radiograph(patient: Patient, site: Site, size: int, generator: np.random.Generator) -> UInt8Array:
    """Draw a chest radiograph of a phantom patient.

    Parameters
    ----------
    patient : Patient
        Whose thorax, with which conditions.
    site : Site
        Where the image is taken.
    size : int
        Side in pixels.
    generator : numpy.random.Generator
        The only source of chance.

    Returns
    -------
    array of uint8, (size, size)
        Bright bone on dark lungs.

    Examples
    --------
    >>> from medaug.phantoms.chest.population import CHEXPERT, Patient
    >>> draw_radiograph(Patient("F", 60), CHEXPERT, 64, np.random.default_rng(0)).shape
    (64, 64)
    """
    pose, findings = draw_pose(patient, generator), draw_findings(patient, generator)
    u, v = thorax_frame(size, pose)
    density = thorax(u, v, patient, findings, generator)
    return expose(density, site, generator)


def draw_pose(patient: Patient, generator: np.random.Generator) -> Pose:
    """Draw how the patient stands before the detector; women's thoraces are smaller."""
    half_width = (0.66 if patient.sex == "F" else 0.73) + generator.uniform(-0.06, 0.06)
    aspect = ASPECT * generator.uniform(0.96, 1.04)
    middle = generator.uniform(-0.09, 0.05)
    apex = middle - half_width * aspect / 2
    return Pose(half_width, generator.uniform(-0.08, 0.08), apex, aspect, generator.normal(0, 0.025))


def draw_findings(patient: Patient, generator: np.random.Generator) -> Findings:
    """Draw how strongly each condition shows, and on which side."""
    grade = draw_grades(patient, generator)
    spread = np.clip(generator.normal(0, 0.01), -0.02, 0.02) + 0.0004 * (patient.age - 55)
    raised = _one_side(generator, 0.38 * grade["atelectasis"])
    return Findings(
        heart_ratio=float(0.39 + 0.22 * grade["cardiomegaly"] + spread),
        raised=(raised[0] + generator.uniform(0, 0.02), raised[1] + generator.uniform(0, 0.02)),
        fluid=_one_or_both(generator, 0.56 * grade["effusion"]),
        patch=_one_side(generator, 0.5 * grade["consolidation"]),
        patch_place=(
            generator.uniform(0.42, 0.62),
            generator.uniform(0.26, 0.38),
            generator.uniform(0.19, 0.26),
        ),
        haze=0.3 * grade["edema"],
    )


def draw_grades(patient: Patient, generator: np.random.Generator) -> dict[str, float]:
    """Draw how much of each condition there is to be seen, in (0, 1): more where it is present.

    What separates present from absent in a film is a matter of degree, and readers differ. The grades behind
    the logistic curve are two normal distributions of the same width, `SEPARATION` standard deviations apart:
    the grade itself has an AUC of 0.95 (binormal model, AUC = Phi(d / sqrt 2)).
    """
    present = np.array([name in patient.conditions for name in CONDITIONS])
    grades = expit(generator.normal(SEPARATION * (present - 0.5)))
    return dict(zip(CONDITIONS, grades.tolist(), strict=True))


def _one_side(generator: np.random.Generator, amount: float) -> tuple[float, float]:
    return (amount, 0.0) if generator.random() < 0.5 else (0.0, amount)


def _one_or_both(generator: np.random.Generator, amount: float) -> tuple[float, float]:
    both = generator.random() < 0.35
    right, left = _one_side(generator, amount)
    return (amount, amount) if both else (right, left)


def thorax_frame(size: int, pose: Pose) -> tuple[FloatArray, FloatArray]:
    """Return (u, v) of the pixel centres, float32 (size, size) each."""
    axis = ((np.arange(size, dtype=np.float32) + 0.5) / size * 2 - 1).astype(np.float32)
    x, y = axis[None, :] - np.float32(pose.centre), axis[:, None]
    cos, sin = np.float32(np.cos(pose.tilt)), np.float32(np.sin(pose.tilt))
    u = (x * cos + y * sin) / np.float32(pose.half_width)
    v = (y * cos - x * sin - np.float32(pose.apex)) / np.float32(pose.half_width * pose.aspect)
    return u, v


def lungs(u: FloatArray, v: FloatArray, findings: Findings) -> FloatArray:
    """Return how much of each pixel is aerated lung, 0 to 1, same shape as `u`."""
    side, across = u > 0, np.abs(u)
    rise = np.clip(1 - v / np.float32(0.7), 0, 1)
    outer = np.sqrt(np.clip(1 - rise * rise * np.sqrt(rise), 0, 1))
    inner = np.float32(0.15) + np.float32(0.05) * v
    return (
        soft(outer - across, 0.06)
        * soft(across - inner, 0.05)
        * soft(floor(across, side, findings) - v, 0.04)
    )


def floor(across: FloatArray, side: BoolArray, findings: Findings) -> FloatArray:
    """Return the v at which the lung ends: the dome of the diaphragm, or the meniscus of an effusion."""
    raised, fluid = (_on_side(side, amounts) for amounts in (findings.raised, findings.fluid))
    bow = np.square((across - np.float32(0.45)) / np.float32(0.55))
    meniscus = np.square(np.clip((across - np.float32(0.45)) / np.float32(0.4), 0, None))
    dome = 1 - DOME_HEIGHT * (1 - bow) - raised * (1 - np.float32(0.25) * bow)
    level: FloatArray = dome - fluid * meniscus
    return level


def _on_side(side: BoolArray, amounts: tuple[float, float]) -> FloatArray:
    return np.where(side, np.float32(amounts[1]), np.float32(amounts[0]))


def heart(u: FloatArray, v: FloatArray, findings: Findings) -> FloatArray:
    """Return how much of each pixel is heart, 0 to 1; atelectasis pulls it to its side."""
    shift = 0.25 * (findings.raised[1] - findings.raised[0])
    half_width, half_height = findings.heart_ratio, 0.16 + 0.2 * findings.heart_ratio
    down = (v - HEART_CENTRE[1]) / half_height
    across = (u - (HEART_CENTRE[0] + shift)) / half_width - 0.12 * np.abs(down)
    return soft(1 - np.hypot(across, down), 0.1)


def thorax(
    u: FloatArray, v: FloatArray, patient: Patient, findings: Findings, generator: np.random.Generator
) -> FloatArray:
    """Return the density of a thorax with its findings, same shape as `u`."""
    air, muscle, across = lungs(u, v, findings), heart(u, v, findings), np.abs(u)
    inside = np.float32(0.16) + ribs(across, v, generator) + hila(across, v, generator)
    inside += haze(across, v, findings, generator) + patch(u, v, findings)
    outside = np.float32(0.64) + np.float32(0.14) * soft(v - np.float32(0.85), 0.3)
    density: FloatArray = (outside + (np.minimum(inside, 0.68) - outside) * air) * body(across, v, generator)
    if patient.sex == "F":
        density += breasts(across, v, generator) * air
    density += np.maximum(np.float32(0.76) - density, 0) * muscle
    return density + midline(u, v, patient)


def body(across: FloatArray, v: FloatArray, generator: np.random.Generator) -> FloatArray:
    """Return how much of each pixel is body: neck, sloping shoulders, trunk."""
    neck = np.float32(0.4)
    shoulders = np.float32(0.25) * np.maximum(across - neck, 0) - np.float32(0.2)
    over = np.maximum(v - shoulders, neck - across)
    width = np.float32(generator.uniform(1.3, 1.6))
    return np.float32(0.06) + np.float32(0.94) * soft(over, 0.08) * soft(width - across, 0.08)


def midline(u: FloatArray, v: FloatArray, patient: Patient) -> FloatArray:
    """Return the density of spine and windpipe, and of the aortic knob that grows with age."""
    years = float(np.clip((patient.age - 40) / 40, 0, 1.2))
    spine = np.float32(0.08 + 0.05 * years) * bump(u, 0, 0.1)
    windpipe = np.float32(0.12) * bump(u, 0, 0.06) * soft(np.float32(0.28) - v, 0.2)
    return spine - windpipe + np.float32(0.25 * years) * bump(u, 0.2, 0.07) * bump(v, 0.27, 0.05)


def breasts(across: FloatArray, v: FloatArray, generator: np.random.Generator) -> FloatArray:
    """Return the density that breasts add over the lower lungs."""
    size, strength = generator.uniform(0.30, 0.40), generator.uniform(0.12, 0.20)
    distance = np.hypot(across - np.float32(0.6), np.float32(ASPECT) * (v - np.float32(0.74)))
    return np.float32(strength) * soft(1 - distance / np.float32(size), 0.3) * soft(np.float32(0.95) - v, 0.2)


def ribs(across: FloatArray, v: FloatArray, generator: np.random.Generator) -> FloatArray:
    """Return the density that ribs add: bands that fall away from the spine."""
    phase, strength = generator.uniform(0, 1), generator.uniform(0.05, 0.10)
    wave = np.cos(
        2 * np.pi * (np.float32(8.5) * (v - np.float32(0.16) * across * across) + np.float32(phase))
    )
    return np.float32(strength) * np.clip(wave + np.float32(0.3), 0, 1)


def hila(across: FloatArray, v: FloatArray, generator: np.random.Generator) -> FloatArray:
    """Return the density that healthy lung vessels add near the heart."""
    strength = np.float32(generator.uniform(0.06, 0.16))
    return strength * bump(across, 0.22, 0.14) * bump(v, 0.45, 0.14)


def haze(across: FloatArray, v: FloatArray, findings: Findings, generator: np.random.Generator) -> FloatArray:
    """Return the density of edema: a bilateral perihilar cloud with fine lines in it."""
    phase = np.float32(generator.uniform(0, 2 * np.pi))
    lines: FloatArray = 1 + np.float32(0.12) * np.cos(np.float32(70) * (v + np.float32(0.3) * across) + phase)
    cloud: FloatArray = np.float32(findings.haze) * bump(across, 0.3, 0.36) * bump(v, 0.42, 0.27) * lines
    return cloud


def patch(u: FloatArray, v: FloatArray, findings: Findings) -> FloatArray:
    """Return the density of a consolidation: one dense spot in the upper or middle lung."""
    across, along, radius = findings.patch_place
    strength = findings.patch[1] - findings.patch[0]
    distance = np.hypot(
        u - np.float32(np.copysign(across, strength)), np.float32(ASPECT) * (v - np.float32(along))
    )
    return np.float32(abs(strength)) * bump(distance, 0, radius)


def expose(density: FloatArray, site: Site, generator: np.random.Generator) -> UInt8Array:
    """Turn density into the grey values of a site: contrast, uneven exposure, noise, black border."""
    size = len(density)
    axis = np.linspace(-1, 1, size, dtype=np.float32)
    slope = generator.normal(0, 0.03, 2).astype(np.float32)
    gamma, gain = site.gamma * generator.uniform(0.85, 1.2), site.contrast * generator.uniform(0.88, 1.12)
    grey = np.float32(gain) * np.clip(density, 0, 1.2) ** np.float32(gamma) + np.float32(site.brightness)
    grey = grey + slope[0] * axis[None, :] + slope[1] * axis[:, None]
    grey += np.float32(site.noise) * generator.standard_normal((size, size), dtype=np.float32)
    grey *= _shutter(axis, site, generator)[:, None] * _shutter(axis, site, generator)[None, :]
    return np.asarray(np.clip(grey * 255 + 0.5, 0, 255), np.uint8)


def _shutter(axis: FloatArray, site: Site, generator: np.random.Generator) -> FloatArray:
    low, high = generator.uniform(0, site.collimation * 2, 2)
    open_part: FloatArray = soft(axis + np.float32(1 - low), 0.03) * soft(np.float32(1 - high) - axis, 0.03)
    return open_part


def soft(distance: FloatArray, width: float) -> FloatArray:
    """Return 0 outside (negative), 1 inside, with a ramp of this width between."""
    ramp: FloatArray = np.clip(distance * np.float32(1 / width) + np.float32(0.5), 0, 1)
    return ramp


def bump(value: FloatArray, centre: float, width: float) -> FloatArray:
    """Return a smooth hill of height 1 (a Gaussian with this standard deviation times the root of two)."""
    hill: FloatArray = np.exp(-np.square((value - np.float32(centre)) * np.float32(1 / width)))
    return hill
