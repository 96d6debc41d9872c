"""The files of a bundle, in a zip or in a folder, read without writing anything to the disk."""

from __future__ import annotations

import io
import stat
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO

from medaug.errors import DataError
from medaug.sharing.findings import Finding

Open = Callable[[], IO[bytes]]

_BOMB_RATIO, _BOMB_SIZE = 100, 100 * 2**20
"""A file that unpacks to so many times its size, and to so many bytes, is there to fill a disk."""


@dataclass(frozen=True)
class Contents:
    """The files of a bundle.

    Parameters
    ----------
    files : mapping of str to callable
        What opens a file for reading, by its name in the bundle, the bundle's own folder left out.
    findings : tuple of Finding
        What speaks against the paths.
    """

    files: Mapping[str, Open]
    findings: tuple[Finding, ...]

    @contextmanager
    def open(self, name: str) -> Iterator[IO[bytes]]:
        """Open a file for reading."""
        with self.files[name]() as file:
            yield file

    def read(self, name: str) -> bytes:
        """Return the bytes of a file."""
        with self.open(name) as file:
            return file.read()


@contextmanager
def contents(path: Path) -> Iterator[Contents]:
    """Give what is in a bundle, a zip or a folder.

    Raises
    ------
    DataError
        There is neither, or the zip is damaged.
    """
    if path.is_dir():
        yield _of_folder(path)
        return
    try:
        with zipfile.ZipFile(path) as archive:
            yield _of_zip(archive)
    except (OSError, zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:
        raise DataError(f"{path} cannot be read as the zip of a bundle ({type(error).__name__})") from None


def _of_folder(path: Path) -> Contents:
    files = {p.relative_to(path).as_posix(): p for p in sorted(path.rglob("*")) if not p.is_dir()}
    outside = [name for name, p in files.items() if not p.resolve().is_relative_to(path.resolve())]
    found = tuple(Finding("path", name, "a link to a place outside the folder") for name in outside)
    inside = {name: partial(p.open, "rb") for name, p in files.items() if name not in outside}
    return Contents(inside, found)


def _of_zip(archive: zipfile.ZipFile) -> Contents:
    entries = [entry for entry in archive.infolist() if not entry.is_dir()]
    found = [Finding("path", entry.filename, what) for entry in entries for what in _against(entry)]
    found += [Finding("path", entry.filename, what) for entry in entries for what in _unreadable(entry)]
    folders = {PurePosixPath(entry.filename).parts[0] for entry in entries if "/" in entry.filename}
    loose = [entry.filename for entry in entries if "/" not in entry.filename]
    prefix = f"{min(folders)}/" if len(folders) == 1 and not loose else ""
    if not prefix:
        found.append(Finding("path", ".", "the files do not lie in one folder of the zip"))
    counts = Counter(entry.filename.removeprefix(prefix).lower() for entry in entries)
    found += [Finding("path", name, "is there more than once") for name, n in counts.items() if n > 1]
    readable = [entry for entry in entries if not list(_unreadable(entry))]
    opened = {e.filename.removeprefix(prefix): partial(archive.open, e) for e in readable}
    return Contents(opened, tuple(found))


def _against(entry: zipfile.ZipInfo) -> Iterator[str]:
    """Give what speaks against an entry of a zip."""
    name = entry.orig_filename
    posix, windows = PurePosixPath(name), PureWindowsPath(name)
    if posix.is_absolute() or windows.drive or windows.root or ".." in (*posix.parts, *windows.parts):
        yield "would be written outside the folder"
    if stat.S_ISLNK(entry.external_attr >> 16):
        yield "a link"


def _unreadable(entry: zipfile.ZipInfo) -> Iterator[str]:
    """Give why an entry of a zip is not read at all."""
    if entry.flag_bits & 1:
        yield "is encrypted"
    if entry.file_size > max(_BOMB_SIZE, _BOMB_RATIO * entry.compress_size):
        yield f"unpacks to {entry.file_size:,} bytes"


def seekable(file: IO[bytes]) -> IO[bytes]:
    """Return a file in which one can go back."""
    return file if file.seekable() else io.BytesIO(file.read())
