"""What is right for an image file, and what became of it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from medaug.data.pixels import read_picture
from medaug.errors import DataError

PERSON = ("Doe", "4711")
"""What stands in headers and must be in no message."""

OUTCOMES = ("right", "sentence", "wrong sentence", "silent change", "crash")


@dataclass(frozen=True)
class Case:
    """A file and what is right for it.

    Parameters
    ----------
    path : Path
        The file.
    shows : ndarray of uint8, (H, W) or (H, W, 3), optional
        The right picture; None where the file has to be refused.
    says : str
        Pattern that a reason, or a remark on the picture, has to match.
    apart : int
        Grey levels of 255 by which the picture may differ: rounding, or what a lossy format loses.
    """

    path: Path
    shows: Any = None
    says: str = ""
    apart: int = 1


Kind = Callable[[np.random.Generator, Path], Case]
"""Writes a file of one kind into a folder."""


def outcome(case: Case) -> str:
    """Read a file and return one of `OUTCOMES`."""
    try:
        picture = read_picture(case.path, 3)
    except DataError as error:
        fits = case.shows is None and re.search(case.says, str(error)) and not names_a_person(str(error))
        return "sentence" if fits else "wrong sentence"
    except Exception:
        return "crash"
    if case.shows is None or not re.search(case.says, "; ".join(picture.remarks)):
        return "silent change"
    shows = np.asarray(case.shows)
    shows = shows if shows.ndim == 3 else np.repeat(shows[..., np.newaxis], 3, axis=2)
    same = shows.shape == picture.pixels.shape
    close = same and np.abs(shows.astype(int) - picture.pixels.astype(int)).max() <= case.apart
    return "right" if close else "silent change"


def names_a_person(message: str) -> bool:
    """Whether a message holds what stands in a header about a person."""
    return any(word in message for word in PERSON)


def spread(values: Any, counted: Any = True) -> Any:
    """Spread values over 0..255, from the least to the largest of those that count."""
    real = np.asarray(values, np.float64)
    chosen = real[np.broadcast_to(counted, real.shape)]
    low, high = chosen.min(), chosen.max()
    return eight_bits((real - low) / (high - low))


def eight_bits(share: Any) -> Any:
    """Round 0..1 to 0..255, cut off at the ends."""
    return np.rint(np.clip(share, 0, 1) * 255).astype(np.uint8)


def random_values(rng: np.random.Generator, low: int, high: int) -> Any:
    """Return integers of a random small shape that reach both ends, int64 (H, W)."""
    height, width = rng.integers(5, 40, 2)
    values = rng.integers(low, high, (height, width), endpoint=True)
    values.flat[:2] = low, high
    return values
