"""Who sends a photograph of which condition to whom: three phantom services of dermatology."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from medaug.phantoms.skin import growths, rashes
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
    growth : bool
        Whether it is a growth in which cancer is to be ruled out, see `Referral`.
    """

    draw: Callable[[Canvas, np.random.Generator], None]
    looks: str
    age: float | None = None
    growth: bool = False


CONDITIONS: Mapping[str, Condition] = {
    "Acne": Condition(rashes.acne, "f", 24),
    "Actinic Keratosis": Condition(growths.actinic_keratosis, "ks", 68, growth=True),
    "Allergic Contact Dermatitis": Condition(rashes.allergic_contact_dermatitis, "ew"),
    "Alopecia Areata": Condition(growths.alopecia_areata, "h", 34),
    "Androgenetic Alopecia": Condition(growths.androgenetic_alopecia, "h", 48),
    "Basal Cell Carcinoma": Condition(growths.basal_cell_carcinoma, "kb", 66, growth=True),
    "Cyst": Condition(growths.cyst, "b"),
    "Eczema": Condition(rashes.eczema, "es"),
    "Folliculitis": Condition(rashes.folliculitis, "f", 33),
    "Hidradenitis": Condition(rashes.hidradenitis, "f", 34),
    "Lentigo": Condition(growths.lentigo, "p", 58, growth=True),
    "Melanocytic Nevus": Condition(growths.melanocytic_nevus, "pb", 35, growth=True),
    "Melanoma": Condition(growths.melanoma, "p", 60, growth=True),
    "Post-Inflammatory hyperpigmentation": Condition(rashes.post_inflammatory_hyperpigmentation, "pv"),
    "Psoriasis": Condition(rashes.psoriasis, "s"),
    "SCC/SCCIS": Condition(growths.squamous_cell_carcinoma, "k", 70, growth=True),
    "SK/ISK": Condition(growths.seborrheic_keratosis, "pk", 62, growth=True),
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

DARK = ("IV", "V", "VI")
"""Types of skin in which growths are hardly ever seen, see `Referral`."""

AMOUNT, RESEMBLANCE, AMOUNT_SD = 0.8, 0.3, 0.215
"""Mean amounts in which a condition is drawn in those who have it and in those who merely resemble it, and
their standard deviation: the amount separates the two with an AUC of 0.95."""

YOUNGEST, OLDEST, AGE_SD = 18, 90, 14.0


@dataclass(frozen=True)
class Referral:
    """Whose photographs a dermatologist of a site sees; only these cases have a diagnosis.

    Labelled images of skin cancer show dark skin hardly ever: Wen et al. 2022,
    doi:10.1016/S2589-7500(21)00252-1; Daneshjou et al. 2022, doi:10.1126/sciadv.abq6147.

    Parameters
    ----------
    usual : float
        Chance of a case to be seen.
    dark_growth : float
        That of a growth in dark skin, in which nobody expects cancer.
    """

    usual: float = 1.0
    dark_growth: float = 1.0

    def chance(self, condition: str, tone: str) -> float:
        """Return the chance of a condition in a skin type to be seen."""
        return self.dark_growth if CONDITIONS[condition].growth and tone in DARK else self.usual


@dataclass(frozen=True)
class SkinSite:
    """A service of dermatology: its patients and its cameras.

    Parameters
    ----------
    name : str
        Folder, and the column ``source``.
    prevalence : mapping of str to float
        Weight of each condition; what is not listed is not met.
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
    referral : Referral
        Whose photographs have a diagnosis.
    blurred, unknown : float
        Shares of cases whose photographs are useless, and of answers about sex, age and skin that were not
        given.
    """

    name: str
    prevalence: Mapping[str, float]
    tones: tuple[float, ...]
    female: float
    age: float
    camera: Camera
    raters: tuple[float, float, float] = (0.3, 0.2, 0.5)
    skill: float = 1.6
    referral: Referral = Referral()
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
        Amount in which the condition is drawn; 1 is a picture of a textbook.
    resembled : str or None
        Another condition that the case resembles.
    resemblance : float
        Amount in which that one is drawn.
    referred : bool
        Whether a dermatologist sees the photographs.
    blurred : bool
        Whether the photographs are out of focus.
    """

    condition: str | None
    tone: str
    sex: Literal["F", "M"]
    age: int
    strength: float = 1.0
    resembled: str | None = None
    resemblance: float = 0.0
    referred: bool = True
    blurred: bool = False


TELEDERMATOLOGY_US = SkinSite(
    name="teledermatology_us",
    prevalence={
        "Acne": 10, "Psoriasis": 10, "Tinea": 10, "Urticaria": 10, "Vitiligo": 10,
        "Basal Cell Carcinoma": 10, "Melanocytic Nevus": 11, "Melanoma": 9, "SCC/SCCIS": 9, "SK/ISK": 11,
    },
    tones=(0.11, 0.26, 0.27, 0.20, 0.11, 0.05),
    female=0.6,
    age=42,
    camera=Camera((4, 3), 1.0, (1.0, 1.0, 1.0), 0.04, 1.02, 0.10, 0.5, 0.008, 88, (0.50, 0.35, 0.15)),
    referral=Referral(usual=0.55, dark_growth=0.04),
)  # fmt: skip
"""Stands for teledermatology in Hawaii and California: many telephones, growths in dark skin are not
expected."""

CLINICS_AUSTRALIA = SkinSite(
    name="clinics_australia",
    prevalence={
        "Basal Cell Carcinoma": 24, "Melanoma": 17, "SCC/SCCIS": 17, "SK/ISK": 12, "Melanocytic Nevus": 14,
        "Psoriasis": 8, "Urticaria": 8,
    },
    tones=(0.27, 0.40, 0.22, 0.07, 0.03, 0.01),
    female=0.45,
    age=58,
    camera=Camera((3, 2), 1.25, (0.98, 1.0, 1.05), 0.015, 1.12, 0.03, 0.3, 0.004, 95, (0.85, 0.15, 0.0)),
    raters=(0.2, 0.2, 0.6),
    skill=2.0,
    blurred=0.01,
    unknown=0.03,
)  # fmt: skip
"""Stands for Australian skin cancer clinics: cancers of fair skin, one good camera with a ring flash."""

TELEDERMATOLOGY_COLOMBIA = SkinSite(
    name="teledermatology_colombia",
    prevalence={
        "Acne": 10, "Psoriasis": 10, "Tinea": 11, "Urticaria": 10, "Vitiligo": 11,
        "Basal Cell Carcinoma": 10, "Melanocytic Nevus": 10, "Melanoma": 10, "SCC/SCCIS": 10, "SK/ISK": 10,
    },
    tones=(0.06, 0.14, 0.26, 0.27, 0.17, 0.10),
    female=0.57,
    age=45,
    camera=Camera((4, 3), 0.85, (1.06, 1.0, 0.91), 0.05, 0.95, 0.14, 0.7, 0.012, 72, (0.45, 0.35, 0.20)),
    raters=(0.5, 0.2, 0.3),
    skill=1.5,
    blurred=0.05,
    unknown=0.12,
)  # fmt: skip
"""Stands for teledermatology in Colombia: darker skin, warm and dim light, soft and compressed pictures."""

SITES = (TELEDERMATOLOGY_US, CLINICS_AUSTRALIA, TELEDERMATOLOGY_COLOMBIA)


def prevalence(site: SkinSite) -> dict[str, float]:
    """Return the share of cases of a site that have each condition met there; they sum to 1."""
    total = sum(site.prevalence.values())
    return {name: weight / total for name, weight in site.prevalence.items()}


def draw_case(site: SkinSite, generator: np.random.Generator) -> SkinCase:
    """Draw a person as they come to a site; one in fifty has nothing to be seen."""
    shares = prevalence(site)
    met, weights = list(shares), list(shares.values())
    name = str(generator.choice(met, p=weights))
    resembled = str(generator.choice([other for other in met if other != name]))
    tone = str(generator.choice(TONES, p=site.tones))
    age = generator.normal(site.age if (usual := CONDITIONS[name].age) is None else usual, AGE_SD)
    amounts = generator.normal((AMOUNT, RESEMBLANCE), AMOUNT_SD).clip(0, 1)
    ill = generator.random() > 0.02
    return SkinCase(
        condition=name if ill else None,
        tone=tone,
        sex="F" if generator.random() < site.female else "M",
        age=int(np.clip(age, YOUNGEST, OLDEST)),
        strength=float(amounts[0]),
        resembled=resembled if ill else None,
        resemblance=float(amounts[1]),
        referred=bool(generator.random() < site.referral.chance(name, tone)),
        blurred=bool(generator.random() < site.blurred),
    )
