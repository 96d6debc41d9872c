"""The mark of drawn images: a file in their folder, whoever names the folder."""

from __future__ import annotations

from pathlib import Path

PHANTOM_FILE = "PHANTOM.txt"
"""Its presence in a folder says that the images in it are drawn."""


def is_phantom(folder: Path) -> bool:
    """Say whether the images of a folder are drawn: it or one of the two folders above it is marked.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> (folder / PHANTOM_FILE).touch()
    >>> is_phantom(folder / "CheXpert-v1.0-small")
    True
    """
    return any((place / PHANTOM_FILE).exists() for place in (folder, *folder.parents[:2]))
