"""Looking through a bundle, before it leaves, for what would name a patient or the place where it was made.

What is found is named by file and kind, never by its content: the message may be read by others too.
"""

from __future__ import annotations

import getpass
import re
import socket
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import pandas as pd
import torch

from medaug.errors import DataError
from medaug.sharing.manifest import files

_PATTERNS = {
    "an absolute path": r"(?<![\w.:/@~<)\]-])/(?:[\w.+-]+/)+[\w.+-]*",
    "a path of Windows": r"(?<!\w)[A-Za-z]:\\+\w|\\\\+[\w.-]+\\+\w",
    "a home folder": r"(?<!\w)~/\w|\$HOME\b",
    "an e-mail address": r"\b[\w.+-]+@[\w-]+\.[A-Za-z][\w.]+\b",
    "a DICOM identifier": r"(?<![\w.])[0-2](?:\.\d+){5,}(?![\w.])",
}
_NAMES_OF_ANYBODY = frozenset({"root", "user", "admin", "administrator", "ubuntu", "localhost", "docker"})
_SHORTEST = 4
"""Letters of a name, or of an identifier that is not all digits, below which it may stand anywhere."""
_SHORTEST_NUMBER = 6
"""Digits of a number below which it may be any count."""

_MODEL_KEYS = frozenset(
    {"format", "kind", "unet", "encoder", "network", "info", "prediction", "geometry_slots"}
)
"""What a model file of medaug that is not plain weights holds."""


@dataclass(frozen=True)
class Disclosure:
    """What must not leave: the kind of it, and the file it is in."""

    file: str
    kind: str

    def __str__(self) -> str:
        return f"{self.file} holds {self.kind}"


def refuse_disclosures(folder: Path, names: Mapping[str, frozenset[str]]) -> None:
    """Raise a DataError that says what was found, by file and kind, unless nothing was.

    Parameters
    ----------
    folder : Path
        The bundle as it would leave.
    names : mapping
        What must not occur, by its kind, see `own_names` and `patient_names`.
    """
    found = list(dict.fromkeys(disclosures(folder, names)))
    if found:
        raise DataError(
            f"the bundle was not packed: {'; '.join(map(str, found))}. Take it out of the bundle's files, or "
            "make the product anew without it"
        )


def disclosures(folder: Path, names: Mapping[str, frozenset[str]]) -> Iterator[Disclosure]:
    """Give what a bundle tells that it must not."""
    for name, path in files(folder):
        if path.suffix == ".pt":
            yield from _of_model(name, path, names)
        else:
            yield from _of_text(name, path.read_text(encoding="utf-8", errors="replace"), names)


def _of_model(name: str, path: Path, names: Mapping[str, frozenset[str]]) -> Iterator[Disclosure]:
    content = torch.load(path, map_location="meta", weights_only=True)
    plain = all(isinstance(value, torch.Tensor) for value in content.values())
    if not plain and (set(content) - _MODEL_KEYS):
        yield Disclosure(name, "content that no model has")
    yield from _of_text(name, "\n".join(_strings(content)), names)


def _of_text(name: str, text: str, names: Mapping[str, frozenset[str]]) -> Iterator[Disclosure]:
    for kind, pattern in _PATTERNS.items():
        if re.search(pattern, text):
            yield Disclosure(name, kind)
    words = {*re.findall(r"[\w.-]+", text), *re.findall(r"[^\W_]+", text), *_words(text)}
    for kind, forbidden in names.items():
        longest = max((one.count(" ") for one in forbidden), default=0) + 1
        if not forbidden.isdisjoint(words | _phrases(text, longest)):
            yield Disclosure(name, kind)


def _words(text: str) -> list[str]:
    """Return the words of a text or a name, without the full stop that ends a sentence."""
    return [word.rstrip(".") for word in re.findall(r"[\w.-]+", text)]


def _phrases(text: str, longest: int) -> set[str]:
    """Return what stands in a text in two words or more, up to `longest`."""
    words = _words(text)
    starts = range(len(words))
    return {" ".join(words[i : i + length]) for length in range(2, longest + 1) for i in starts}


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _strings(key)
            yield from _strings(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _strings(inner)


def own_names() -> dict[str, frozenset[str]]:
    """Return the names of this machine and of whoever works at it."""
    host = socket.gethostname()
    return {
        "the name of this machine": _tellable({host, host.partition(".")[0]}),
        "the name of whoever packs": _tellable({_user()}),
    }


def patient_names(table: pd.DataFrame, keys: Sequence[pd.DataFrame] = ()) -> dict[str, frozenset[str]]:
    """Return the names of patients and images that a table of images has, and those that keys lead back to.

    Parameters
    ----------
    table : DataFrame
        ``patient_id``, ``image_id`` and ``file`` of a store.
    keys : sequence of DataFrame
        ``column``, ``pseudonym`` and ``name``, see `medaug.stages.keys`.

    Notes
    -----
    A short number, or a name that several files share (``view1_frontal.jpg``), says nothing and is not looked
    for. Names of several words in a store are pseudonyms (``patient 1``); in a key they are looked for.
    """
    of_patients = [key["column"] == "patient_id" for key in keys]
    known = [set(key["name"][rows]) for key, rows in zip(keys, of_patients, strict=True)]
    files = [_stems(key["name"][~rows]) for key, rows in zip(keys, of_patients, strict=True)]
    own = _one_word(set(table["patient_id"].dropna().astype(str)))
    images = _one_word({*table["image_id"].dropna().astype(str), *_stems(table["file"])})
    return {
        "the identifier of a patient": _tellable(own.union(*known)),
        "the name of an image": _tellable(images.union(*files)),
    }


def _stems(files: pd.Series[str]) -> set[str]:
    """Return names of files, without folder and ending, that one file alone has."""
    stems = files.dropna().astype(str).map(lambda name: PurePosixPath(name).stem)
    return set(stems[~stems.duplicated(keep=False)])


def _one_word(names: set[str]) -> set[str]:
    return {name for name in names if " " not in name}


def _tellable(names: set[str]) -> frozenset[str]:
    """Leave out what may stand in any text."""
    return frozenset(
        " ".join(_words(name)) if " " in name else name
        for name in names
        if len(name) >= (_SHORTEST_NUMBER if name.isdigit() else _SHORTEST)
        and name.lower() not in _NAMES_OF_ANYBODY
    )


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container may run as nobody in particular
        return ""
