"""How numbers and splits are said to the reader; metrics say it themselves (`medaug.evaluation.metrics`)."""

from __future__ import annotations

import math

import pandas as pd

SPLIT_NAMES = {
    "train": "training",
    "unlabelled": "training, unlabelled",
    "left_out": "left out by the skew",
    "id_val": "in distribution, validation",
    "id_test": "in distribution, test",
    "ood_val": "out of distribution, validation",
    "ood_test": "out of distribution, test",
    "unknown": "in an unknown split",
}

NOT_ESTIMABLE = "not estimable"


def split_name(split: str) -> str:
    """Say a split in words.

    Examples
    --------
    >>> split_name("ood_test")
    'out of distribution, test'
    """
    return SPLIT_NAMES.get(split, split)


def in_sentence(words: str) -> str:
    """Return words of a heading as they stand inside a sentence; abbreviations keep their capitals.

    Examples
    --------
    >>> in_sentence("Balanced accuracy"), in_sentence("AUC gap")
    ('balanced accuracy', 'AUC gap')
    """
    return words[:1].lower() + words[1:] if words[1:2].islower() else words


def number(value: float) -> str:
    """Return a value with three decimals; nothing where there is none.

    Rounded to nine first, so that a value read back from ``metrics.csv`` is said in the same way.

    Examples
    --------
    >>> number(0.81249), number(-0.02), number(float("nan"))
    ('0.812', '−0.020', '')
    """
    return "" if _missing(value) else f"{round(value, 9):.3f}".replace("-", "−")


def signed(value: float) -> str:
    """Return a difference with its sign.

    Examples
    --------
    >>> signed(0.031), signed(-0.02)
    ('+0.031', '−0.020')
    """
    return "" if _missing(value) else f"{round(value, 9):+.3f}".replace("-", "−")


def interval(low: float, high: float) -> str:
    """Return an interval, or nothing where either end is missing.

    Examples
    --------
    >>> interval(0.79, 0.834)
    '[0.790, 0.834]'
    """
    return "" if _missing(low) or _missing(high) else f"[{number(low)}, {number(high)}]"


def count(value: float) -> str:
    """Return a number of things with separators; nothing where it is unknown."""
    return "" if _missing(value) else f"{int(value):,}"


def plural(number: int, thing: str) -> str:
    """Say a number of things.

    Examples
    --------
    >>> plural(1, "image"), plural(1200, "image")
    ('1 image', '1,200 images')
    """
    return f"{number:,} {thing}" + ("" if number == 1 else "s")


def share(part: float, whole: float) -> str:
    """Return a share in per cent.

    Examples
    --------
    >>> share(1, 8)
    '12.5 %'
    """
    return f"{part / whole:.1%}".replace("%", " %") if whole else "–"


def listing(items: list[str]) -> str:
    """Join items as in a sentence.

    Examples
    --------
    >>> listing(["A", "B", "C"])
    'A, B and C'
    """
    return " and ".join([", ".join(items[:-1]), items[-1]] if len(items) > 1 else items)


def _missing(value: float) -> bool:
    return bool(pd.isna(value)) or math.isinf(value)
