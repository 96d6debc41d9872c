"""The memory of a process and of those that it starts, as Linux counts it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread

SECONDS_BETWEEN_LOOKS = 0.05


def peak_mib(work: Callable[[], object]) -> float:
    """Do the work and return the most memory of all processes together, in MiB.

    It is looked at 20 times a second. Pages that processes share count for each, so less may have been used.
    """
    peaks, finished = [0.0], Event()

    def watch() -> None:
        while not finished.wait(SECONDS_BETWEEN_LOOKS):
            peaks[0] = max(peaks[0], resident_mib("self") + sum(map(resident_mib, _children())))

    watching = Thread(target=watch)
    watching.start()
    try:
        work()
    finally:
        finished.set()
        watching.join()
    return peaks[0]


def resident_mib(process: str) -> float:
    """Return the memory of a process in MiB; none where it has ended."""
    try:
        lines = Path(f"/proc/{process}/status").read_text(encoding="utf-8").splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))


def _children() -> set[str]:
    files = Path("/proc/self/task").glob("*/children")
    return {process for file in files for process in file.read_text(encoding="utf-8").split()}
