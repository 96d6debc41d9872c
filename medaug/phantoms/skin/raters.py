"""What raters say about a phantom case: up to three conditions with confidences, and they disagree."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from medaug.data.raters import Diagnoses
from medaug.phantoms.skin.colour import TONES
from medaug.phantoms.skin.people import AMOUNT, CONDITIONS, SkinCase, SkinSite

SUFFICIENT = "DEFAULT_YES_IMAGE_QUALITY_SUFFICIENT"
NORMAL = "YES_IMAGE_QUALITY_SUFFICIENT_NO_DISCERNIBLE_PATHOLOGY"
INSUFFICIENT = "NO_IMAGE_QUALITY_INSUFFICIENT"

MOST = 3
"""Conditions that one rater names at most."""


@dataclass(frozen=True)
class Rating:
    """What one rater said about a case.

    Parameters
    ----------
    gradable : str
        As SCIN words it.
    diagnoses : sequence of (str, int)
        Conditions with confidences 1 to 5, the most likely first.
    tone : str or None
        Fitzpatrick type; None where the rater could not tell.
    """

    gradable: str
    diagnoses: Diagnoses
    tone: str | None


def draw_ratings(case: SkinCase, site: SkinSite, generator: np.random.Generator) -> list[Rating]:
    """Draw what one to three raters say about a case."""
    if not case.referred:
        return [Rating("", [], _tone_seen(case.tone, generator))]
    count = int(generator.choice([1, 2, 3], p=site.raters))
    return [_rating(case, site, generator) for _ in range(count)]


def _rating(case: SkinCase, site: SkinSite, generator: np.random.Generator) -> Rating:
    cannot_judge = generator.random() < (0.8 if case.blurred else 0.05)
    tone = _tone_seen(case.tone, generator) if generator.random() < (0.5 if case.blurred else 0.95) else None
    if cannot_judge:
        return Rating(INSUFFICIENT, [], tone)
    if case.condition is None and generator.random() < 0.85:
        return Rating(NORMAL, [], tone)
    return Rating(SUFFICIENT, draw_diagnoses(case, site, generator), tone)


def _tone_seen(tone: str, generator: np.random.Generator) -> str:
    step = int(generator.choice([-1, 0, 1], p=[0.1, 0.8, 0.1]))
    return TONES[int(np.clip(TONES.index(tone) + step, 0, len(TONES) - 1))]


def resemblance(condition: str, other: str) -> int:
    """Return in how many groups of look-alikes two conditions are together.

    Examples
    --------
    >>> resemblance("Melanoma", "Melanocytic Nevus"), resemblance("Melanoma", "Acne")
    (1, 0)
    """
    return len(set(CONDITIONS[condition].looks) & set(CONDITIONS[other].looks))


def draw_diagnoses(case: SkinCase, site: SkinSite, generator: np.random.Generator) -> Diagnoses:
    """Draw the differential diagnosis of one rater.

    Evidence for a condition is its amount in the picture, as far as the raters are skilled, its look and
    chance; what lies close behind the first is named too.

    Parameters
    ----------
    case : SkinCase
        Of healthy skin the rater sees something all the same.
    site : SkinSite
        Its raters name what is met there.
    generator : numpy.random.Generator
        Source of chance.

    Returns
    -------
    list of (str, int)
        One to three conditions, no confidence larger than the one before.
    """
    names = list(site.prevalence)
    evidence = generator.gumbel(0, 0.5, len(names))
    if case.condition is not None:
        evidence += [1.2 * resemblance(case.condition, name) for name in names]
    for name, amount in ((case.condition, case.strength), (case.resembled, case.resemblance)):
        if name is not None:
            evidence[names.index(name)] += site.skill * amount / AMOUNT
    order = np.argsort(-evidence)[:MOST]
    behind = evidence[order[0]] - evidence[order]
    named = order[: 1 + int(np.sum(behind[1:] < generator.uniform(0.6, 2.2)))]
    first = 1.5 + 1.1 * (evidence[order[0]] - evidence[order[1]]) + generator.normal(0, 0.7)
    return [(names[k], int(np.clip(round(first - 0.9 * behind[i]), 1, 5))) for i, k in enumerate(named)]
