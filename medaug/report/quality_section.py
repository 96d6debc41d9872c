"""The section of the report on the synthetic images: whether they are good enough, in words and numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from medaug.data.store import ImageStore
from medaug.quality.judgement import Judgement
from medaug.report.group_words import attribute_words
from medaug.report.image_figures import real_picture, synthetic_picture
from medaug.report.naming import named
from medaug.report.parts import Beside, Cell, Picture, Section, Table, name, picture
from medaug.report.quality_figure import probe_figure
from medaug.report.words import NOT_ESTIMABLE, count, interval, number

WORDS = {
    "kid_ratio": "Distance to real images (KID, 1 is that of real images)",
    "blurred": "The same distance of real images that were blurred",
    "noisy": "The same distance of real images that were made noisy",
    "precision": "Precision: share that lies among real images",
    "recall": "Recall: share of the real images that lies among them",
    "density": "Density around real images (1 is that of real images)",
    "coverage": "Coverage: share of the real images with one nearby",
    "alike": "Share with a double",
    "detail": "Detail, as a multiple of that of training images",
    "distance": "Distance to the nearest training image, in features",
    "pixel_distance": "Distance to the nearest training image, in grey levels",
    "copies": "Share of copies",
    "agreement": "AUC of the conditions asked for, by a probe trained on real images",
    "synthetic_only": "AUC on real images, of a probe trained on synthetic ones",
    "property": "AUC of the property asked for, by a probe trained on real images",
}
"""Each measure in words, in the order of the table."""

BY_GROUP = ("kid_ratio", "precision", "recall", "coverage", "agreement", "synthetic_only", "property")
SHORT = ("KID", "Precision", "Recall", "Coverage", "AUC asked for", "AUC synthetic only", "AUC property")
SUSPICIOUS = 4
_OUTCOMES = {"passed": "better", "failed": "worse", "undecided": "not-known"}
"""How an outcome is coloured."""


def quality_section(
    judgement: Judgement | None, synthetic: ImageStore | None, real: ImageStore | None
) -> Section | None:
    """Say whether the synthetic images are good enough, and show the most suspicious ones.

    Parameters
    ----------
    judgement : Judgement or None
        What ``quality.json`` left; without it there is no section.
    synthetic, real : ImageStore or None
        For the pictures.
    """
    if judgement is None:
        return None
    how = (
        "Synthetic images are compared with the real images that the generator learnt from; real images of "
        "the validation split, which nobody trained on, show what good images reach. Conditions and "
        "properties are told by logistic regressions on the same features."
    )
    numbers = named(judgement.numbers)
    parts: list[Table | Picture | Beside] = [check_table(judgement), measure_table(numbers)]
    drawn = probe_figure(numbers)
    if drawn is not None:
        words = "What probes tell of synthetic and of real images, with intervals; 0.5 is guessing."
        parts.append(picture(drawn, f"{words} The table has the numbers.", words))
    parts.append(group_table(numbers))
    if synthetic is not None and real is not None:
        parts += _suspicious(judgement.images, synthetic, real)
    return Section("Are the synthetic images good enough?", [judgement.sentence, how], parts)


def check_table(judgement: Judgement) -> Table:
    """Return each check, how it came out, and the sentence that says why."""
    rows = [
        [name(c.name), Cell(c.outcome, kind=f"text {_OUTCOMES[c.outcome]}"), Cell(c.sentence, kind="text")]
        for c in judgement.checks
    ]
    return Table("Checks", ["Check", "Outcome", "Why"], rows)


def measure_table(numbers: pd.DataFrame) -> Table:
    """Return every measure over all images beside that of held-out real ones."""
    overall = numbers[(numbers["label"] == "") & (numbers["group"] == "")]
    rows = [
        [name(_named(row)), *_both(row)]
        for measure in WORDS
        for row in overall[overall["measure"] == measure].to_dict("records")
    ]
    head = ["Measure", "Synthetic", "Images", "Real, held out", "Images"]
    return Table("All synthetic images, with intervals", head, rows)


def group_table(numbers: pd.DataFrame) -> Table:
    """Return the measures of each class and each group; below each value is that of real images."""
    some = numbers[(numbers["label"] != "") | (numbers["group"] != "")]
    rows = []
    for key, measured in some.groupby(["label", "attribute", "group"], sort=False):
        label, attribute, group = map(str, key)
        by_measure = {row["measure"]: row for _, row in measured.iterrows()}
        there = [by_measure.get(m) for m in BY_GROUP]
        rows.append(
            [name(attribute_words(attribute) or "condition"), name(label or group), *map(_with_real, there)]
        )
    rows.sort(key=lambda row: row[0].text != "condition")
    head = ["Of", "Class or group", *SHORT]
    return Table("By condition and group; below, real held-out images", head, rows, names=2)


def _named(row: dict[Any, Any]) -> str:
    return WORDS[row["measure"]] + (f": {attribute_words(row['attribute'])}" if row["attribute"] else "")


def _both(row: dict[Any, Any]) -> list[Cell]:
    made = _value(row["value"], row["ci_low"], row["ci_high"])
    real = _value(row["real"], row["real_low"], row["real_high"])
    return [made, Cell(count(row["n"])), real, Cell(count(row["real_n"]))]


def _value(value: float, low: float, high: float) -> Cell:
    return Cell("–", kind="quiet") if np.isnan(value) else Cell(number(value), interval(low, high))


def _with_real(row: pd.Series[Any] | None) -> Cell:
    if row is None:
        return Cell("", kind="quiet")
    if np.isnan(row["value"]):
        return Cell(NOT_ESTIMABLE, kind="quiet")
    return Cell(number(row["value"]), f"real {number(row['real'])}" if pd.notna(row["real"]) else "")


def _suspicious(images: pd.DataFrame, synthetic: ImageStore, real: ImageStore) -> Sequence[Beside]:
    """Show the synthetic images that are near to one patient more than to others, beside that patient's."""
    rows = np.argsort(images["pixel_ratio"].to_numpy(), kind="stable")[:SUSPICIOUS]
    place = pd.Series(np.arange(len(real)), index=real.table["image_id"])
    return [Beside(_pair(images.iloc[row], synthetic, row, real, place)) for row in rows]


def _pair(
    image: pd.Series[Any], synthetic: ImageStore, row: int, real: ImageStore, place: pd.Series[Any]
) -> tuple[Picture, Picture]:
    near = int(place[image["nearest_in_pixels"]])
    said = "A copy, left out" if image["copy"] else "Not a copy"
    made, beside = f"{said}: {image['pixel_distance']:.1f} grey levels from", "this training image"
    pixels = (np.asarray(store.images()[at]) for store, at in ((synthetic, row), (real, near)))
    uris = [draw(p) for draw, p in zip((synthetic_picture, real_picture), pixels, strict=True)]
    return Picture(uris[0], 160, made, made), Picture(uris[1], 160, beside, beside)
