"""The list of all files of a bundle with their SHA-256, in the form that ``sha256sum --check`` reads."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

MANIFEST = "SHA256SUMS"
LARGE_FILES = "large_files.yml"

LARGE = 25 * 2**20
"""Bytes; MONAI's model zoo takes no larger file, but a link to one."""


def write_manifest(folder: Path) -> None:
    """Write the list of all files of a folder into it."""
    lines = [f"{digest(path)}  {name}\n" for name, path in files(folder) if name != MANIFEST]
    (folder / MANIFEST).write_text("".join(lines), encoding="utf-8", newline="\n")


def write_large_files(folder: Path, url: str = "", largest: int = LARGE) -> None:
    """Write ``large_files.yml`` if a file is larger than the zoo takes; each is looked for below `url`.

    ``python -m monai.bundle download_large_files`` reads it, and leaves alone what is there already.
    """
    large = [(name, path) for name, path in files(folder) if path.stat().st_size > largest]
    if large:
        entries = [
            f'- path: "{name}"\n  url: "{url and url.rstrip("/") + "/" + name}"\n'
            f'  hash_val: "{digest(path)}"\n  hash_type: "sha256"\n'
            for name, path in large
        ]
        (folder / LARGE_FILES).write_text("large_files:\n" + "".join(entries), encoding="utf-8")


def files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Give every file below a folder with its name in the bundle, in a fixed order."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield path.relative_to(folder).as_posix(), path


def digest(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
