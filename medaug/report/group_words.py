"""How attributes and their groups are said to the reader; CSV files have ``(40, 60]``, as settings do."""

from __future__ import annotations

import re

from medaug.evaluation.metrics import in_words
from medaug.report.words import listing

BORDERS = "A group such as 40 to 60 holds those over 40 and up to 60."
"""To which group a border belongs; said once on every page that has groups of numbers."""

FEWEST = 10
"""Patients that a number must be about to be told to others, as one about few can be one about somebody."""

_NUMBER = r"-?(?:inf|\d+(?:\.\d+)?)"
_BIN = re.compile(rf"(?:(?P<open>\()|\[)(?P<low>{_NUMBER}), (?P<high>{_NUMBER})(?(open)\]|\))")
"""A range that is open at one end and closed at the other; ``[0.79, 0.83]`` is an interval of confidence."""


def attribute_words(attribute: str) -> str:
    """Say an attribute.

    Examples
    --------
    >>> attribute_words("skin_tone"), attribute_words("sex & age")
    ('skin tone', 'sex and age')
    """
    names = ["hospital" if name == "domain" else name.replace("_", " ") for name in attribute.split(" & ")]
    return listing(names)


def measure_words(metric: str, attribute: str = "") -> str:
    """Say a metric, or what is derived from it, of an attribute where there is one.

    Examples
    --------
    >>> measure_words("auc_gap", "skin_tone"), measure_words("auc")
    ('AUC gap, skin tone', 'AUC')
    """
    return in_words(metric) + (f", {attribute_words(attribute)}" if attribute else "")


def bin_words(text: str) -> str:
    """Say the ranges of numbers in a text; all else stays.

    Examples
    --------
    >>> bin_words("(0, 40]"), bin_words("(40.0, 60.0]"), bin_words("(80, inf]"), bin_words("F")
    ('up to 40', '40 to 60', 'over 80', 'F')
    >>> bin_words("[18, 30)"), bin_words("without (0, 40]")
    ('18 to under 30', 'without up to 40')
    """
    return _BIN.sub(_range_words, text)


def crossed_words(attribute: str, group: str) -> str:
    """Say a group of an attribute, or of several that are crossed.

    Examples
    --------
    >>> crossed_words("sex & age", "F & (40, 60]"), crossed_words("domain", "Mercy & Hope")
    ('F, 40 to 60', 'Mercy & Hope')
    """
    return ", ".join(map(bin_words, _parts(attribute, group)))


def group_words(attribute: str, group: str) -> str:
    """Say a group together with its attribute, or attributes.

    Examples
    --------
    >>> group_words("sex & age", "F & (40, 60]"), group_words("skin_tone", "IV")
    ('sex F and age 40 to 60', 'skin tone IV')
    """
    names, groups = attribute.split(" & "), _parts(attribute, group)
    if len(names) != len(groups):
        return f"{attribute_words(attribute)} {bin_words(group)}"
    return listing([f"{attribute_words(n)} {bin_words(g)}" for n, g in zip(names, groups, strict=True)])


def _parts(attribute: str, group: str) -> list[str]:
    """Return the group of each attribute; a hospital may have an "&" in its name."""
    groups = group.split(" & ")
    return groups if len(groups) == len(attribute.split(" & ")) else [group]


def _range_words(found: re.Match[str]) -> str:
    """Say a range, open at an end where nothing lies beyond; 0 is such an end: ages begin there."""
    low, high = (re.sub(r"\.0+$", "", found[end]).replace("-", "−") for end in ("low", "high"))
    if high == "inf":
        return f"over {low}" if found["open"] else f"{low} and over"
    if low in ("0", "−inf"):
        return f"up to {high}" if found["open"] else f"under {high}"
    return f"{low} to {high}" if found["open"] else f"{low} to under {high}"
