"""Writing that leaves either the whole file or the one that was there before."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from medaug.errors import DataError


@contextmanager
def write_aside(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path`; on success flush it to disk and rename it into place.

    On any error the temporary file is removed and what was at `path` stays.

    Examples
    --------
    >>> import tempfile
    >>> target = Path(tempfile.mkdtemp()) / "note.txt"
    >>> with write_aside(target) as temporary:
    ...     _ = temporary.write_text("whole")
    >>> target.read_text()
    'whole'
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        yield temporary
        _flush_to_disk(temporary)
        temporary.replace(path)
    finally:
        if temporary.is_dir():
            shutil.rmtree(temporary)
        else:
            temporary.unlink(missing_ok=True)


def _flush_to_disk(path: Path) -> None:
    if path.is_file():
        with path.open("rb") as file:
            os.fsync(file.fileno())


def printable(name: str) -> str:
    r"""Return a file's name as text that any file can hold.

    Names of files are bytes. One that is not UTF-8 (made on an old system) is text with placeholders, which
    opens the file but can be written nowhere.

    Examples
    --------
    >>> printable("M\udcfcller.png")
    'M\\udcfcller.png'
    """
    return name.encode("utf-8", "backslashreplace").decode("utf-8")


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Turn a full disk into one clear sentence about `path`; other errors pass."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise DataError(
            f"the disk that holds {path} is full; free some space and run the same command again, "
            "it goes on where it stopped"
        ) from error
