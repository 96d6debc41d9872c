"""Folders of phantom photographs of skin in the form of SCIN, with its quirks: one folder a site."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from medaug.data.raters import soft_labels
from medaug.files import write_aside
from medaug.phantoms.mark import PHANTOM_FILE
from medaug.phantoms.skin.camera import SHOTS, Shot
from medaug.phantoms.skin.colour import TONES
from medaug.phantoms.skin.columns import CASE_COLUMNS, LABEL_COLUMNS
from medaug.phantoms.skin.people import SITES, SkinCase, SkinSite, draw_case
from medaug.phantoms.skin.photograph import draw_photograph
from medaug.phantoms.skin.raters import Rating, draw_ratings
from medaug.progress import Progress
from medaug.randomness import derive_seed, numpy_generator

SKIN_NOTE = "Phantom data: every image in this folder is drawn by medaug. No person was photographed.\n"

TABLES = {"scin_cases.csv": CASE_COLUMNS, "scin_labels.csv": LABEL_COLUMNS}
MOST_IMAGES = 3
RATERS = (1, 2, 3)


@dataclass(frozen=True)
class Submission:
    """What a site gets: a case with its photographs and what raters say.

    Parameters
    ----------
    case_id : str
        A signed 64-bit number, which is also the seed of the skin.
    case : SkinCase
        Who, and with what.
    shots : tuple of str
        How each photograph was taken.
    ratings : list of Rating
        By one to three raters.
    """

    case_id: str
    case: SkinCase
    shots: tuple[Shot, ...]
    ratings: list[Rating]


def write_skin_phantoms(folder: Path, seed: int, images: tuple[int, int, int], size: int = 80) -> None:
    """Write three phantom services of dermatology, each in the form of SCIN.

    Parameters
    ----------
    folder : Path
        Gets ``<site>/dataset/{scin_cases.csv,scin_labels.csv,images/}`` for the sites ``teledermatology_us``,
        ``clinics_australia`` and ``teledermatology_colombia``, and `PHANTOM_FILE`. A site that is already
        there is kept, so that an interrupted call can be repeated; give each seed and size a folder of its
        own.
    seed : int
        Names the data; a case depends on nothing but the seed, its site and its own number.
    images : tuple of int
        Number of images of each site, in this order.
    size : int
        Shorter side in pixels; a site's cameras take a little more or less.

    Examples
    --------
    >>> write_skin_phantoms(Path("phantoms"), seed=0, images=(900, 300, 300))  # doctest: +SKIP
    """
    for site, count in zip(SITES, images, strict=True):
        if not (folder / site.name).exists():
            write_scin_tree(folder / site.name, site, seed, count, size)
    with write_aside(folder / PHANTOM_FILE) as temporary:
        temporary.write_text(SKIN_NOTE, encoding="utf-8")


def write_scin_tree(folder: Path, site: SkinSite, seed: int, images: int, size: int = 80) -> None:
    """Write one site in the form of SCIN: see `write_skin_phantoms`.

    Sex, age and skin type are unknown for some, some photographs are out of focus or show nothing, raters
    differ in diagnosis and skin type, and the published weights are rounded to two decimals.

    Parameters
    ----------
    folder : Path
        The site's folder; appears as a whole or not at all.
    site : SkinSite
        Its name is the column ``source``.
    seed, images, size
        See `write_skin_phantoms`.
    """
    with (
        write_aside(folder) as temporary,
        Progress(f"Drawing photographs of {site.name}", images) as progress,
    ):
        (temporary / "dataset" / "images").mkdir(parents=True)
        rows = []
        for number, submission in enumerate(draw_submissions(site, seed, images)):
            paths = _write_images(temporary, submission, site, size)
            generator = numpy_generator(seed, site.name, "answers", number)
            rows.append((_case_row(submission, paths, site, generator), _label_row(submission, generator)))
            progress.update(len(paths))
        for k, (name, columns) in enumerate(TABLES.items()):
            table = pd.DataFrame([row[k] for row in rows], columns=list(columns))
            table.to_csv(temporary / "dataset" / name, index=False)
        (temporary / PHANTOM_FILE).write_text(SKIN_NOTE, encoding="utf-8")


def draw_submissions(site: SkinSite, seed: int, images: int) -> Iterator[Submission]:
    """Draw cases in order until there are enough images; the last case may have fewer than it would have."""
    number = 0
    while images > 0:
        generator = numpy_generator(seed, site.name, "case", number)
        case = draw_case(site, generator)
        ratings = draw_ratings(case, site, generator)
        count = min(int(generator.choice([1, 2, 3], p=[0.6, 0.25, 0.15])), images)
        shots = tuple(
            SHOTS[k] for k in generator.choice(len(SHOTS), MOST_IMAGES, p=site.camera.shots)[:count]
        )
        yield Submission(_signed(seed, site.name, "case_id", number), case, shots, ratings)
        images -= count
        number += 1


def _signed(seed: int, *key: str | int) -> str:
    """Return a number of 63 bits with either sign, as SCIN names cases and images."""
    number = derive_seed(seed, *key)
    return str(-number if number % 2 else number)


def _write_images(folder: Path, submission: Submission, site: SkinSite, size: int) -> list[str]:
    """Write the photographs of a case; return their paths as the table of cases names them."""
    seed, paths = int(submission.case_id), []
    for number, shot in enumerate(submission.shots):
        path = f"dataset/images/{_signed(seed, 'image', number)}.png"
        pixels = draw_photograph(submission.case, site.camera, shot, size, seed, number)
        Image.fromarray(pixels).save(folder / path, compress_level=1)
        paths.append(path)
    return paths


def _case_row(
    submission: Submission, paths: list[str], site: SkinSite, generator: np.random.Generator
) -> dict[str, str]:
    case, unknown = submission.case, generator.random(3) < site.unknown
    row = {
        "case_id": submission.case_id,
        "source": site.name,
        "release": "phantom",
        "year": "2023",
        "age_group": "AGE_UNKNOWN" if unknown[0] else age_group(case.age),
        "sex_at_birth": "OTHER_OR_UNSPECIFIED" if unknown[1] else {"F": "FEMALE", "M": "MALE"}[case.sex],
        "fitzpatrick_skin_type": _self_report(case, bool(unknown[2]), generator),
        str(generator.choice(_BODY_PARTS)): "YES",
        "related_category": "LOOKS_HEALTHY" if case.condition is None else "RASH",
    }
    for number, (path, shot) in enumerate(zip(paths, submission.shots, strict=True), 1):
        row[f"image_{number}_path"], row[f"image_{number}_shot_type"] = path, shot
    return row


_BODY_PARTS = [name for name in CASE_COLUMNS if name.startswith("body_parts_")]


def age_group(age: int) -> str:
    """Return the group of an age in years as SCIN names it.

    Examples
    --------
    >>> age_group(18), age_group(47), age_group(88)
    ('AGE_18_TO_29', 'AGE_40_TO_49', 'AGE_80_OR_ABOVE')
    """
    if age >= 80:
        return "AGE_80_OR_ABOVE"
    return "AGE_18_TO_29" if age < 30 else f"AGE_{age // 10 * 10}_TO_{age // 10 * 10 + 9}"


def _self_report(case: SkinCase, unknown: bool, generator: np.random.Generator) -> str:
    """People err by a type more often than dermatologists do; who does not answer leaves one of two marks."""
    if unknown:
        return str(generator.choice(["", "NONE_IDENTIFIED"]))
    step = int(generator.choice([-1, 0, 1], p=[0.2, 0.6, 0.2]))
    return _type_name(TONES[int(np.clip(TONES.index(case.tone) + step, 0, len(TONES) - 1))])


def _type_name(tone: str | None) -> str:
    return "" if tone is None else f"FST{TONES.index(tone) + 1}"


def _label_row(submission: Submission, generator: np.random.Generator) -> dict[str, str]:
    ratings = submission.ratings
    said = [diagnosis for rating in ratings for diagnosis in rating.diagnoses]
    weights = soft_labels([rating.diagnoses for rating in ratings])
    row = {
        "case_id": submission.case_id,
        "dermatologist_skin_condition_on_label_name": str([name for name, _ in said]),
        "dermatologist_skin_condition_confidence": str([confidence for _, confidence in said]),
        "weighted_skin_condition_label": str({name: round(weight, 2) for name, weight in weights.items()}),
    }
    for number, rating in zip_longest(RATERS, ratings):
        row[f"dermatologist_gradable_for_skin_condition_{number}"] = rating.gradable if rating else ""
        row[f"dermatologist_gradable_for_fitzpatrick_skin_type_{number}"] = _can_tell(rating)
        row[f"dermatologist_fitzpatrick_skin_type_label_{number}"] = _type_name(
            rating.tone if rating else None
        )
    for country in ("india", "us"):
        row[f"gradable_for_monk_skin_tone_{country}"] = "True"
        row[f"monk_skin_tone_label_{country}"] = _monk(submission.case.tone, generator)
    return row


def _can_tell(rating: Rating | None) -> str:
    return "" if rating is None else "NO" if rating.tone is None else "YES"


def _monk(tone: str, generator: np.random.Generator) -> str:
    """Monk's scale has ten tones; Fitzpatrick's types spread over them."""
    return str(int(np.clip(round(1.6 * TONES.index(tone) + 1.2 + generator.normal(0, 0.6)), 1, 10)))
