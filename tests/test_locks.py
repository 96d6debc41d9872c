"""Locks between real processes; what is waited for is a line that the other one prints, never a time."""

from __future__ import annotations

import errno
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from filelock import FileLock

from medaug import locks
from medaug.errors import SettingsError
from medaug.locks import alone, lock_path

PROGRAM = """
import logging, os, sys
from pathlib import Path
from medaug.locks import alone
logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
with alone(Path(sys.argv[1])):
    if sys.argv[2:] == ["with a worker"] and os.fork() == 0:
        sys.stdin.read()
        os._exit(0)
    print("at work", flush=True)
    sys.stdin.read()
"""

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start() -> Iterator[Start]:
    """Start a process that works alone on a thing until its standard input ends."""
    started: list[subprocess.Popen[str]] = []

    def start(thing: Path, *how: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", PROGRAM, str(thing), *how]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        started.append(subprocess.Popen(command, **pipes, text=True))  # type: ignore[call-overload]
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


def said(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_the_second_one_waits_and_says_for_whom(tmp_path: Path, start: Start) -> None:
    thing = tmp_path / "run" / "data"
    first = start(thing)
    assert said(first) == "at work"
    second = start(thing)
    waiting = said(second)
    assert waiting.startswith(f"Waiting for {thing}, which another run is making (process {first.pid} on ")
    assert f" on {socket.gethostname()}, since 20" in waiting

    first.communicate()  # ends its standard input, and so its work
    assert said(second) == "at work"
    assert lock_path(thing).read_text().startswith(f"process {second.pid} on ")
    second.communicate()
    assert [path.name for path in thing.parent.iterdir()] == [".data.lock"]
    assert lock_path(thing).read_text() == ""


@pytest.mark.parametrize("how", [(), ("with a worker",)])
def test_a_killed_process_leaves_no_lock(tmp_path: Path, start: Start, how: tuple[str, ...]) -> None:
    first = start(tmp_path / "data", *how)
    assert said(first) == "at work"
    second = start(tmp_path / "data")
    assert said(second).startswith("Waiting")
    first.kill()
    assert said(second) == "at work"


def test_different_things_in_a_folder_are_made_at_once(tmp_path: Path, start: Start) -> None:
    first, second = start(tmp_path / "data"), start(tmp_path / "synthetic")
    assert said(first) == said(second) == "at work"


def test_an_error_frees_the_thing(tmp_path: Path) -> None:
    for _ in range(2):
        with pytest.raises(ZeroDivisionError), alone(tmp_path / "data"):
            _ = 1 / 0


def test_nobody_waits_in_vain(tmp_path: Path) -> None:
    def in_vain() -> None:
        raise SettingsError("the other one makes something else")

    held = FileLock(lock_path(tmp_path / "data"))
    with held, pytest.raises(SettingsError, match="something else"), alone(tmp_path / "data", in_vain):
        raise AssertionError


def failing(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    def acquire(self: FileLock, **how: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(FileLock, "acquire", acquire)


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS])
def test_a_folder_that_cannot_be_written_to_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    failing(monkeypatch, number)
    sentence = f"you may not write to {tmp_path}, where data is to be made; name another folder"
    with pytest.raises(SettingsError, match=sentence), alone(tmp_path / "data"):
        raise AssertionError


@pytest.mark.parametrize("number", [errno.ENOSYS, errno.ENOLCK])
def test_a_file_system_without_locks_is_warned_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, number: int
) -> None:
    failing(monkeypatch, number)
    worked = []
    with alone(tmp_path / "data"):
        worked.append(True)
    assert worked
    assert caplog.messages == [
        f"{tmp_path} lies on a file system without locks: start no second run that makes data"
    ]


def test_other_errors_of_the_system_are_what_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing(monkeypatch, errno.EIO)
    with pytest.raises(OSError, match=os.strerror(errno.EIO)), alone(tmp_path / "data"):
        raise AssertionError


def test_the_holder_may_be_unknown(tmp_path: Path) -> None:
    assert locks._holder(tmp_path / "nowhere") == ""
