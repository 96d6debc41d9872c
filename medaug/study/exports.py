"""What the raters said: exports of the page, checked against the key."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from medaug.errors import DataError
from medaug.study.key import StudyKey
from medaug.study.page import FORMAT

MOST_DIAGNOSES = 3
CONFIDENCES = (1, 2, 3, 4, 5)


def read_exports(paths: Sequence[Path], key: StudyKey) -> pd.DataFrame:
    """Read the exports of one study.

    Parameters
    ----------
    paths : sequence of Path
        One JSON file a rater.
    key : StudyKey
        The key of the study.

    Returns
    -------
    DataFrame
        One row a rating: ``rater``, ``image``, ``diagnosable`` (bool), ``classes`` (tuple: the class of
        each diagnosis, the most confident first, see Notes; empty where not diagnosable), ``confidences``
        (tuple: 1–5, of each) and ``confidence`` (of the first; NaN where not diagnosable).

    Raises
    ------
    DataError
        A file is damaged, belongs to another study, holds what the page can not have written, or two
        files are of one rater.

    Notes
    -----
    Diagnoses are ranked by confidence; of equally confident ones the one that was entered first comes
    first, and the page says so. Two diagnoses of the same class stay two.
    """
    if not paths:
        raise DataError("there is no export to score; name the JSON files that the page exported")
    tables: dict[str, Path] = {}
    rows = []
    for path in paths:
        content = _read(path, key)
        rater = _rater(path, content)
        if rater in tables:
            raise DataError(
                f"{tables[rater]} and {path} are both of rater {rater!r}; keep the newer one only"
            )
        tables[rater] = path
        rows += [{"rater": rater, **rating} for rating in _ratings(path, content, key)]
    if not rows:
        raise DataError("the exports hold no rating yet; rate some images and export again")
    return pd.DataFrame(rows)


def _read(path: Path, key: StudyKey) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read as an export ({error}); export it again") from None
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise DataError(f"{path} is not an export of a reader study; give the file that the page exported")
    if content.get("study") != key.study:
        raise DataError(
            f"{path} belongs to another study ({content.get('study')}) than the key ({key.study})"
        )
    return content


def _rater(path: Path, content: dict[str, Any]) -> str:
    rater = content.get("rater")
    if not isinstance(rater, str) or not rater.strip():
        raise DataError(f"{path} does not say which rater it is of; export it again")
    return rater.strip()


def _ratings(path: Path, content: dict[str, Any], key: StudyKey) -> list[dict[str, Any]]:
    """Return the ratings of one export; the first impossible one is named by its place."""
    ratings = content.get("ratings")
    if not isinstance(ratings, list):
        raise DataError(f"{path} holds no list of ratings; export it again")
    known, seen = set(key.images["image"]), set()
    rows = []
    for number, rating in enumerate(ratings, start=1):
        try:
            row = _rating(rating, key.diagnoses)
            if row["image"] not in known or row["image"] in seen:
                raise ValueError("its image is not in the study, or is rated twice")
        except ValueError as error:
            raise DataError(f"{path}, rating {number}: {error}; export it again") from None
        seen.add(row["image"])
        rows.append(row)
    return rows


def _rating(rating: Any, classes: dict[str, str]) -> dict[str, Any]:
    if not isinstance(rating, dict) or not isinstance(rating.get("image"), str):
        raise ValueError("it does not name its image")
    diagnosable, given = rating.get("diagnosable"), rating.get("diagnoses")
    if not isinstance(diagnosable, bool) or not isinstance(given, list):
        raise ValueError("diagnosable must be true or false, and diagnoses a list")
    if not (1 <= len(given) <= MOST_DIAGNOSES if diagnosable else len(given) == 0):
        raise ValueError("a diagnosable image has one to three diagnoses, any other none")
    ranked = sorted((_diagnosis(one, classes) for one in given), key=lambda pair: -pair[1])
    return {
        "image": rating["image"],
        "diagnosable": diagnosable,
        "classes": tuple(name for name, _ in ranked),
        "confidences": tuple(confidence for _, confidence in ranked),
        "confidence": float(ranked[0][1]) if ranked else float("nan"),
    }


def _diagnosis(one: Any, classes: dict[str, str]) -> tuple[str, int]:
    """Class and confidence of a diagnosis."""
    if not isinstance(one, dict) or not isinstance(one.get("condition"), str):
        raise ValueError("a diagnosis names no condition")
    if one["condition"] not in classes:
        raise ValueError(f"{one['condition']!r} is not among the diagnoses of the study")
    confidence = one.get("confidence")
    if type(confidence) is not int or confidence not in CONFIDENCES:
        raise ValueError(f"the confidence in {one['condition']!r} is {confidence!r}, not 1 to 5")
    return classes[one["condition"]], confidence
