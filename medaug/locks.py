"""One process at a time works on a thing; the others wait, and say for whom.

The lock is one of the operating system, so it ends with the process that holds it, however that ends, and no
file has to be deleted by hand. Its file stays, hidden and empty: on network file systems a lock file that is
deleted may be held twice.
"""

from __future__ import annotations

import errno
import logging
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from medaug.errors import SettingsError

logger = logging.getLogger(__name__)

SECONDS_BETWEEN_LOOKS = 1.0

_NO_LOCKS = (errno.ENOSYS, errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP)
_NO_WRITING = (errno.EACCES, errno.EPERM, errno.EROFS)


def lock_path(thing: Path) -> Path:
    """Return the lock file of a thing: of ``data`` it is ``.data.lock``, beside it."""
    return thing.with_name(f".{thing.name}.lock")


@contextmanager
def alone(thing: Path, before_waiting: Callable[[], object] = lambda: None) -> Iterator[None]:
    """Keep all other processes, also on other machines, from working on a thing; wait for one that does.

    Where a file system has no locks, a warning says so, and nobody waits.

    Parameters
    ----------
    thing : Path
        A file or folder, whether it is there or not; all who work on it name it so.
    before_waiting : callable
        Called where another process holds the lock; may raise what makes waiting useless.

    Raises
    ------
    SettingsError
        The folder of the thing cannot be written to.

    Examples
    --------
    >>> import tempfile
    >>> model = Path(tempfile.mkdtemp()) / "model.pt"
    >>> with alone(model):
    ...     _ = model.write_text("weights")
    """
    path = lock_path(thing)
    # A lock of one's own making (fallback_to_soft) would stay behind when its process is killed.
    lock = FileLock(
        path, poll_interval=SECONDS_BETWEEN_LOOKS, fallback_to_soft=False, on_acquired=_write_holder
    )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _acquire(lock, thing, before_waiting)
    except OSError as error:
        _explain(error, thing)
    try:
        yield
    finally:
        if lock.is_locked:
            with suppress(OSError):
                os.truncate(path, 0)  # names of machines do not stay in a folder that may be given away
            lock.release()


def _acquire(lock: FileLock, thing: Path, before_waiting: Callable[[], object]) -> None:
    try:
        lock.acquire(blocking=False)
    except Timeout:
        before_waiting()
        logger.info(
            "Waiting for %s, which another run is making%s; this one goes on then, Ctrl-C ends it alone",
            thing,
            _holder(lock_path(thing)),
        )
        lock.acquire()


def _write_holder(descriptor: int) -> None:
    """Write who holds a lock into its file, for those who wait."""
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    with suppress(OSError):  # the lock holds without
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"process {os.getpid()} on {socket.gethostname()}, since {now}".encode())


def _holder(path: Path) -> str:
    with suppress(OSError):
        if text := path.read_text(encoding="utf-8", errors="replace"):
            return f" ({text})"
    return ""


def _explain(error: OSError, thing: Path) -> None:
    if error.errno in _NO_WRITING:
        raise SettingsError(
            f"you may not write to {thing.parent}, where {thing.name} is to be made; name another folder, or "
            "mend its rights"
        ) from None
    if error.errno not in _NO_LOCKS:
        raise error
    logger.warning(
        "%s lies on a file system without locks: start no second run that makes %s", thing.parent, thing.name
    )
