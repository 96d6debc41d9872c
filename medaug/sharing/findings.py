"""What speaks against a bundle that somebody gave away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["path", "missing", "hash", "metadata", "expression", "target", "pickle", "code", "unread"]

MEANINGS: dict[Kind, str] = {
    "path": "Paths that would leave the folder, or hide others",
    "missing": "Files that a bundle must have",
    "hash": "Files that are not as listed",
    "metadata": "Metadata that is not whole",
    "expression": "Expressions of configs that medaug does not have, and that would run as Python",
    "target": "Things that configs would call, and that medaug's do not",
    "pickle": "Model files that are more than tensors",
    "code": "Programs",
    "unread": "Files that were not looked into",
}
"""What each kind is, in the order in which they are told."""


@dataclass(frozen=True)
class Finding:
    """One thing that speaks against a bundle.

    Parameters
    ----------
    kind : str
        One of `MEANINGS`.
    where : str
        File, and place in it.
    what : str
        What stands there.
    """

    kind: Kind
    where: str
    what: str
