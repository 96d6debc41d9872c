"""Files that are written whole or not at all, and small questions about files that may be absent."""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from medaug.errors import DataError, SettingsError


def printable(name: str) -> str:
    r"""Return the name of a file as text that can be written anywhere.

    A name that is not valid UTF-8 reaches Python with stand-ins for its bytes, which no table can hold; they
    are written as escapes.

    Examples
    --------
    >>> printable("M\udcfcller.png")
    'M\\udcfcller.png'
    """
    return name if name.isascii() else name.encode("utf-8", "backslashreplace").decode("utf-8")


@contextmanager
def write_aside(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path`; on success flush it to disk and rename it into place.

    On any error the temporary file is removed and what was at `path` stays.

    Raises
    ------
    SettingsError
        A folder was to be made, and another process has made it meanwhile.

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
    # A process with the same number, in a container that started again, may have been killed here.
    _remove(temporary)
    try:
        yield temporary
        if temporary.is_file():
            flush_to_disk(temporary)
        _into_place(temporary, path)
    finally:
        _remove(temporary)


@contextmanager
def replaced(folder: Path) -> Iterator[Path]:
    """Give an empty folder that takes the place of `folder` when it is whole; only then the older one goes.

    Examples
    --------
    >>> import tempfile
    >>> target = Path(tempfile.mkdtemp())
    >>> with replaced(target) as temporary:
    ...     _ = (temporary / "note.txt").write_text("new")
    >>> (target / "note.txt").read_text()
    'new'
    """
    temporary, older = (
        folder.with_name(f".{folder.name}.{os.getpid()}.{end}") for end in ("partial", "older")
    )
    _remove(temporary)
    try:
        temporary.mkdir(parents=True)
        yield temporary
        if folder.exists():
            _remove(older)
            folder.rename(older)
        temporary.rename(folder)
        shutil.rmtree(older, ignore_errors=True)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _into_place(temporary: Path, path: Path) -> None:
    try:
        temporary.replace(path)
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise
        raise SettingsError(  # no DataError, for which a slide would be left out
            f"another run has made {path} meanwhile; when it has ended, run the same command again, or name "
            "another folder now"
        ) from error


def flush_to_disk(path: Path) -> None:
    """Wait until the disk has a file."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def bytes_of(path: Path | str) -> int | None:
    """Return the length of a file, None where there is none that can be looked at."""
    try:
        return os.stat(path).st_size
    except (OSError, ValueError):
        return None


def json_object(path: Path) -> dict[str, Any]:
    """Return the JSON object in a file, an empty one where there is no file that holds one."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


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
