"""What a data set holds, in short, so that a change under the same name is noticed.

Tables are told by their bytes. The files that a table names are not looked at: there may be very many. Where
there is no table of the images, their names and sizes tell, and the bytes of the annotations beside them.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from medaug.data.readers import (
    camelyon17,
    chestxray14,
    chexpert,
    ddi,
    fitzpatrick17k,
    folder,
    ham10000,
    isic,
    pad_ufes_20,
    scin,
    slides,
    wilds,
)
from medaug.data.readers.tables import as_list, files_below
from medaug.files import bytes_of

TABLES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "chexpert": (*chexpert.TABLES, *(f"*/{name}" for name in chexpert.TABLES)),
        "chestxray14": tuple(
            f"{place}{name}" for place in ("", "*/") for name in ("Data_Entry*.csv", *chestxray14.LISTS)
        ),
        "wilds": ("metadata.csv", *(f"{tree}/metadata.csv" for tree in (wilds.LABELLED, wilds.UNLABELLED))),
        "scin": tuple(f"{place}{name}" for place in ("", "dataset/") for name in (scin.CASES, scin.LABELS)),
        "ham10000": ham10000.TABLES,
        "fitzpatrick17k": (fitzpatrick17k.TABLE,),
        "pad_ufes_20": (pad_ufes_20.TABLE,),
        "ddi": (ddi.TABLE,),
        "isic": ("ISIC_2019_*.csv", *isic.TABLES_2020),
        "csv": ("table.csv",),
    }
)
"""Where the tables of a data set may lie, as patterns of paths in its folder."""

_NAMED = ("table", "conditions")
_BY_BYTES = (".xml", ".csv")


def contents(reader: str, place: Path, options: Mapping[str, Any]) -> list[str] | None:
    """Return each table of a data set with a digest, or the number of its files with one of all.

    Parameters
    ----------
    reader : str
        A name in `medaug.data.readers.READERS` or `medaug.data.readers.SLIDE_READERS`.
    place : Path
        Folder of the data set.
    options : mapping
        Options of the reader; ``table``, ``conditions`` and ``endings`` say where to look.

    Returns
    -------
    list of str or None
        None where the data set is not at hand, as on another machine, or where nothing of it is there, as on
        a share that is not mounted. A table that the user names is called by the option, since its name may
        name a person.

    Raises
    ------
    DataError
        A folder cannot be searched.

    Examples
    --------
    >>> import tempfile
    >>> place = Path(tempfile.mkdtemp())
    >>> _ = (place / "cases.csv").write_text("path,label")
    >>> contents("csv", place, {"table": "cases.csv"}), contents("folder", place, {})
    (['table c936f565'], None)
    """
    if not place.is_dir():
        return None
    named = {name: place / str(options[name]) for name in _NAMED if options.get(name) is not None}
    held = [f"{name} {_digest(path)}" for name, path in named.items() if path.is_file()]
    if "table" in named:
        return held if named["table"].is_file() else None
    if reader in FILES:
        return _of_files(place, FILES[reader](place, options))
    found = {path for pattern in TABLES.get(reader, ()) for path in place.glob(pattern)}
    tables = [f"{path.name} {_digest(path)}" for path in sorted(found) if path.is_file()]
    return [*tables, *held] if tables else None


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()[:8]
    except OSError:  # whoever reads it says why not
        return "unreadable"


def _of_files(place: Path, paths: Iterable[Path]) -> list[str] | None:
    told = ((path, _digest(path) if path.suffix.lower() in _BY_BYTES else bytes_of(path)) for path in paths)
    lines = sorted(f"{os.path.relpath(path, place)}\t{what}" for path, what in told)
    digest = hashlib.sha256(os.fsencode("\n".join(lines)))
    return [f"files: {len(lines)} ({digest.hexdigest()[:8]})"] if lines else None


def _images(place: Path, options: Mapping[str, Any]) -> Iterator[Path]:
    return _below(place, as_list(options.get("endings", folder.ENDINGS)))


def _slides(place: Path, options: Mapping[str, Any]) -> Iterator[Path]:
    return _below(place, [*as_list(options.get("endings", slides.ENDINGS)), slides.ANNOTATION])


def _challenge(place: Path, options: Mapping[str, Any]) -> Iterable[Path]:
    return camelyon17.challenge_files(place)


def _below(place: Path, endings: Iterable[str]) -> Iterator[Path]:
    return map(Path, files_below(place, [ending.lower() for ending in endings]))


FILES: Mapping[str, Callable[[Path, Mapping[str, Any]], Iterable[Path]]] = MappingProxyType(
    {"folder": _images, "slides": _slides, "camelyon17": _challenge}
)
"""What lists the files of a data set that has no table of them: images and the annotations beside them."""
