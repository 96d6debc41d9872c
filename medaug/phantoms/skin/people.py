"""Who sends a photograph of which condition to whom: three phantom services of dermatology."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from medaug.phantoms.skin import growths as growths
from medaug.phantoms.skin import rashes as rashes
from medaug.phantoms.skin.camera import Camera
from medaug.phantoms.skin.canvas import Canvas
from medaug.phantoms.skin.colour import TONES


@dataclass(frozen=True)
class Condition:
    """A condition as it is drawn and as it is met.

    Parameters
    ----------
    draw : callable
        Adds it to a canvas.
    looks : str
        Groups of look-alikes to which it belongs, a letter each; raters mistake one for another.
    age : float, optional
        Mean age of those who have it; default that of the site.
    sun : bool
        Whether the sun brings it about, which is rare in dark skin.
    """

    draw: Callable[[Canvas, np.random.Generator], None]
    looks: str
    age: float | None = None
    sun: bool = False


CONDITIONS: Mapping[str, Condition] = {
    "Acne": Condition(rashes.acne, "f", 24),
    "Actinic Keratosis": Condition(growths.actinic_keratosis, "ks", 68, sun=True),
    "Allergic Contact Dermatitis": Condition(rashes.allergic_contact_dermatitis, "ew"),
    "Alopecia Areata": Condition(growths.alopecia_areata, "h", 34),
    "Androgenetic Alopecia": Condition(growths.androgenetic_alopecia, "h", 48),
    "Basal Cell Carcinoma": Condition(growths.basal_cell_carcinoma, "kb", 66, sun=True),
    "Cyst": Condition(growths.cyst, "b"),
    "Eczema": Condition(rashes.eczema, "es"),
    "Folliculitis": Condition(rashes.folliculitis, "f", 33),
    "Hidradenitis": Condition(rashes.hidradenitis, "f", 34),
    "Lentigo": Condition(growths.lentigo, "p", 58, sun=True),
    "Melanocytic Nevus": Condition(growths.melanocytic_nevus, "pb", 35),
    "Melanoma": Condition(growths.melanoma, "p", 60, sun=True),
    "Post-Inflammatory hyperpigmentation": Condition(rashes.post_inflammatory_hyperpigmentation, "pv"),
    "Psoriasis": Condition(rashes.psoriasis, "s"),
    "SCC/SCCIS": Condition(growths.squamous_cell_carcinoma, "k", 70, sun=True),
    "SK/ISK": Condition(growths.seborrheic_keratosis, "pk", 62),
    "Scar Condition": Condition(growths.scar_condition, "b"),
    "Seborrheic Dermatitis": Condition(rashes.seborrheic_dermatitis, "es"),
    "Skin Tag": Condition(growths.skin_tag, "b", 50),
    "Stasis Dermatitis": Condition(rashes.stasis_dermatitis, "ev", 66),
    "Tinea": Condition(rashes.tinea, "s"),
    "Tinea Versicolor": Condition(rashes.tinea_versicolor, "v", 28),
    "Urticaria": Condition(rashes.urticaria, "w"),
    "Verruca vulgaris": Condition(growths.verruca_vulgaris, "kb", 26),
    "Vitiligo": Condition(growths.vitiligo, "v"),
    "Insect Bite": Condition(rashes.insect_bite, "wf"),
    "Herpes Zoster": Condition(rashes.herpes_zoster, "ew", 58),
}
"""The 26 named conditions of Liu et al. 2020 (doi:10.1038/s41591-020-0842-3) and two others, by SCIN's names.

Look-alikes: p pigmented, k horny, b bumps, e eczematous, s scaly, f follicles, w wheals, v patches of another
pigment, h hair.
"""

SUN_BY_TONE = (1.0, 1.0, 0.7, 0.4, 0.15, 0.08)
"""How often the sun brings about a condition in each type, I to VI, compared with type I."""

YOUNGEST, OLDEST, AGE_SD = 18, 90, 14.0


@dataclass(frozen=True)
class SkinSite:
    """A service of dermatology: its patients and its cameras.

    Parameters
    ----------
    name : str
        Folder, and the column ``source``.
    prevalence : mapping of str to float
        Weight of each condition; what is not listed has `rest`.
    rest : float
        Weight of every other condition.
    tones : tuple of float
        Weights of the types I to VI.
    female, age : float
        Share of women and mean age in years of those whose condition does not decide it.
    camera : Camera
        How photographs look.
    raters : tuple of float
        Shares of cases with one, two and three raters.
    skill : float
        How well the raters tell look-alikes apart; 0 is guessing.
    blurred, unknown : float
        Shares of cases whose photographs are useless, and of answers about sex, age and skin that were not
        given.
    """

    name: str
    prevalence: Mapping[str, float]
    rest: float
    tones: tuple[float, ...]
    female: float
    age: float
    camera: Camera
    raters: tuple[float, float, float] = (0.3, 0.2, 0.5)
    skill: float = 2.2
    blurred: float = 0.04
    unknown: float = 0.08


@dataclass(frozen=True)
class SkinCase:
    """A person with a condition.

    Parameters
    ----------
    condition : str or None
        Key of `CONDITIONS`; None is healthy skin.
    tone : str
        Fitzpatrick type, ``"I"`` to ``"VI"``.
    sex : {"F", "M"}
        Men have more and darker hair.
    age : int
        Years; adds wrinkles and spots.
    strength : float
        How strongly the condition shows, 1 is usual.
    blurred : bool
        Whether the photographs are out of focus.
    """

    condition: str | None
    tone: str
    sex: Literal["F", "M"]
    age: int
    strength: float = 1.0
    blurred: bool = False


TELEDERMATOLOGY_US = SkinSite(
    name="teledermatology_us",
    prevalence={
        "Acne": 10, "Eczema": 11, "Psoriasis": 8, "Melanocytic Nevus": 9, "SK/ISK": 7, "Urticaria": 4,
        "Basal Cell Carcinoma": 3, "Melanoma": 2, "SCC/SCCIS": 2.5, "Verruca vulgaris": 5, "Tinea": 5,
        "Vitiligo": 4,
    },
    rest=1.6,
    tones=(0.11, 0.26, 0.27, 0.20, 0.11, 0.05),
    female=0.6,
    age=42,
    camera=Camera((4, 3), 1.0, (1.0, 1.0, 1.0), 0.04, 1.02, 0.10, 0.5, 0.008, 88, (0.50, 0.35, 0.15)),
)  # fmt: skip
"""Stands for teledermatology in Hawaii and California: many telephones, all conditions, mostly benign."""

CLINICS_AUSTRALIA = SkinSite(
    name="clinics_australia",
    prevalence={
        "Basal Cell Carcinoma": 24, "Melanoma": 15, "SCC/SCCIS": 16, "Actinic Keratosis": 10, "SK/ISK": 9,
        "Melanocytic Nevus": 9, "Lentigo": 5, "Urticaria": 1,
    },
    rest=0.5,
    tones=(0.27, 0.40, 0.22, 0.07, 0.03, 0.01),
    female=0.45,
    age=58,
    camera=Camera((3, 2), 1.25, (0.98, 1.0, 1.05), 0.015, 1.12, 0.03, 0.3, 0.004, 95, (0.85, 0.15, 0.0)),
    raters=(0.2, 0.2, 0.6),
    skill=2.7,
    blurred=0.01,
    unknown=0.03,
)  # fmt: skip
"""Stands for Australian skin cancer clinics: cancers of fair skin, one good camera with a ring flash."""

TELEDERMATOLOGY_COLOMBIA = SkinSite(
    name="teledermatology_colombia",
    prevalence={
        "Acne": 7, "Eczema": 7, "Psoriasis": 7, "Vitiligo": 7, "Tinea": 7, "Tinea Versicolor": 6,
        "Urticaria": 5, "Post-Inflammatory hyperpigmentation": 6, "Basal Cell Carcinoma": 7, "Melanoma": 2,
        "SCC/SCCIS": 3, "Melanocytic Nevus": 4, "SK/ISK": 4, "Verruca vulgaris": 5,
    },
    rest=1.2,
    tones=(0.03, 0.12, 0.29, 0.33, 0.17, 0.06),
    female=0.57,
    age=45,
    camera=Camera((4, 3), 0.8, (1.08, 1.0, 0.88), 0.05, 0.9, 0.2, 0.9, 0.016, 62, (0.35, 0.35, 0.30)),
    raters=(0.5, 0.2, 0.3),
    skill=2.0,
    blurred=0.05,
    unknown=0.12,
)  # fmt: skip
"""Stands for teledermatology in Colombia: darker skin, warm and dim light, soft and compressed pictures."""

SITES = (TELEDERMATOLOGY_US, CLINICS_AUSTRALIA, TELEDERMATOLOGY_COLOMBIA)


def prevalence(site: SkinSite) -> dict[str, float]:
    """Return the share of cases of a site that have each condition; they sum to 1."""
    weights = {name: site.prevalence.get(name, site.rest) for name in CONDITIONS}
    return {name: weight / sum(weights.values()) for name, weight in weights.items()}


def draw_case(site: SkinSite, generator: np.random.Generator) -> SkinCase:
    """Draw a person as they come to a site; one in fifty has nothing to be seen."""
    shares = prevalence(site)
    name = str(generator.choice(list(shares), p=list(shares.values())))
    condition = CONDITIONS[name]
    tones = np.asarray(site.tones) * (SUN_BY_TONE if condition.sun else 1)
    age = generator.normal(site.age if condition.age is None else condition.age, AGE_SD)
    return SkinCase(
        condition=name if generator.random() > 0.02 else None,
        tone=str(generator.choice(TONES, p=tones / tones.sum())),
        sex="F" if generator.random() < site.female else "M",
        age=int(np.clip(age, YOUNGEST, OLDEST)),
        strength=float(generator.uniform(0.45, 1.15)),
        blurred=bool(generator.random() < site.blurred),
    )
