"""Settings and versions at the end of the report, without anything that points to a person or a folder."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from medaug.data.store import ImageStore
from medaug.report.parts import Cell, Table, name

PACKAGES = ("medaug", "monai", "torch", "numpy", "pandas", "scikit-learn", "matplotlib")

_ELSEWHERE = frozenset({"counts", "versions", "format", "identity", "phantom", "sizes", "channels"})
_PLACES = ("path", "file", "folder", "dir", "table", "url")
_LONGEST = 120


def versions_table() -> Table:
    """Return the versions of Python and of the packages that made this report."""
    versions = {"python": platform.python_version(), **{package: _version(package) for package in PACKAGES}}
    return Table(
        "Versions", ["Package", "Version"], [[name(k), Cell(v, kind="text")] for k, v in versions.items()]
    )


def origin_table(caption: str, store: ImageStore) -> Table:
    """Return how a store was made: its settings, sizes and fingerprint; paths and file names are left out."""
    facts = {"images": f"{len(store):,}", "sizes in pixels": ", ".join(map(str, store.sizes))}
    facts["channels"] = str(store.channels)
    facts |= dict(_flat(store.origin))
    facts["fingerprint"] = store.fingerprint[:16]
    rows = [[name(key), Cell(value, kind="text")] for key, value in facts.items()]
    return Table(caption, ["Setting", "Value"], rows)


def _flat(content: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, value in content.items():
        elsewhere = not prefix and key in _ELSEWHERE
        if elsewhere or any(place in str(key).lower() for place in _PLACES):
            continue
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        elif not _names_a_place(shown := _shown(value)):
            yield f"{prefix}{key}", shown


def _shown(value: Any) -> str:
    text = ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _names_a_place(text: str) -> bool:
    return "/" in text or "\\" in text


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
