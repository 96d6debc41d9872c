"""Progress of long work: a bar on a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

from tqdm import tqdm

T = TypeVar("T")

SECONDS_BETWEEN_LINES = 10.0
SECONDS_WORTH_A_LINE = 2.0
"""What was quicker goes without a line, so that a validation after each epoch does not fill the log."""

logger = logging.getLogger(__name__)


class Progress:
    """Counts units of work and shows the count; only the first process shows anything.

    Parameters
    ----------
    description : str
        What is being done, for example ``"Decoding images"``.
    total : int
        Units of work in all.
    done : int
        Units that an earlier, interrupted run has done.
    unit : str
        Name of a unit, in the singular or as the reader would say it.
    """

    def __init__(self, description: str, total: int, *, done: int = 0, unit: str = "image") -> None:
        from ignite import distributed as idist  # takes seconds, also in processes that show nothing

        self.description = description
        self.total = total
        self.unit = unit
        self._start = self._done = done
        self._started = self._shown = time.monotonic()
        self._first_process = idist.get_rank() == 0
        self._bar: tqdm[Any] | None = None
        if self._first_process and sys.stderr.isatty():
            self._bar = tqdm(desc=description, total=total, initial=done, unit=unit, dynamic_ncols=True)

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()
        elif self._first_process and time.monotonic() - self._started >= SECONDS_WORTH_A_LINE:
            self._line()

    def update(self, count: int = 1, note: str = "") -> None:
        """Count finished units; `note` (a loss, say) is shown beside the count."""
        self._done += count
        if self._bar is not None:
            self._bar.set_postfix_str(note, refresh=False)
            self._bar.update(count)
        elif self._first_process and time.monotonic() - self._shown >= SECONDS_BETWEEN_LINES:
            self._shown = time.monotonic()
            self._line(note)

    def expect(self, total: int) -> None:
        """Correct the total, where the work shows its size only as it is done."""
        self.total = total
        if self._bar is not None:
            self._bar.total = total

    def _line(self, note: str = "") -> None:
        seconds = max(time.monotonic() - self._started, 1e-9)
        rate = (self._done - self._start) / seconds
        units = plural(self.unit)
        line = f"{self.description}: {self._done:,} of {self.total:,} ({rate:,.1f} {units}/s)"
        logger.info("%s", f"{line} {note}".rstrip())


def plural(unit: str) -> str:
    """Return the plural of a regular English word.

    Examples
    --------
    >>> plural("image"), plural("patch")
    ('images', 'patches')
    """
    return f"{unit}es" if unit.endswith(("ch", "sh", "s", "x")) else f"{unit}s"


def progress(items: Iterable[T], description: str, total: int, *, unit: str = "image") -> Iterator[T]:
    """Iterate over `items` and show how far the work has come.

    Examples
    --------
    >>> sum(progress([1, 2, 3], "Adding", total=3, unit="number"))
    6
    """
    with Progress(description, total, unit=unit) as shown:
        for item in items:
            yield item
            shown.update()
