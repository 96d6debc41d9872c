"""Who is timed against whom, and how: taking turns, so that a busy moment of the machine hits all alike."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, redirect_stderr
from dataclasses import dataclass
from importlib.util import find_spec
from statistics import median
from time import perf_counter

Timed = Callable[[], float]
"""Does the work once and returns the seconds that it took."""


@dataclass(frozen=True)
class Contest:
    """The same work done by several.

    Parameters
    ----------
    title : str
        What is done, with its size.
    unit : str
        Unit of the speed, for example ``"images/s"``.
    amount : float
        Units of work in one run.
    runs : mapping of str to callable
        Name and work of each; the first is medaug, the others are its peers.
    remarks : tuple of str
        Printed below: what was left out, or what to know.
    """

    title: str
    unit: str
    amount: float
    runs: Mapping[str, Timed]
    remarks: tuple[str, ...] = ()


def quiet() -> AbstractContextManager[object]:
    """Keep what is written to the standard error out of the table."""
    return redirect_stderr(io.StringIO())


def clocked(work: Callable[[], object]) -> Timed:
    """Return the work as something that says how long it took."""

    def timed() -> float:
        start = perf_counter()
        work()
        return perf_counter() - start

    return timed


def missing(package: str, what: str) -> tuple[str, ...]:
    """Return a remark if a peer is not installed."""
    if find_spec(package):
        return ()
    return (f"skipped: {what} ({package} is not installed; pip install 'medaug[bench]')",)


def hold(contest: Contest, repeats: int) -> str:
    """Time all runs in turns (A B C, A B C, ...) after one round that does not count; return table lines."""
    rounds = [_round(contest) for _ in range(repeats + 1)][1:]
    lines = [contest.title]
    first = next(iter(contest.runs))
    for name in contest.runs:
        speeds = [contest.amount / seconds[name] for seconds in rounds]
        ratio = "" if name == first else f"{median(s[name] / s[first] for s in rounds):.2f} x"
        spread = f"[{_number(min(speeds))} - {_number(max(speeds))}]"
        lines.append(_line("  " + name, f"{_number(median(speeds))} {contest.unit}", spread, ratio))
    return "\n".join([*lines, *(f"  {remark}" for remark in contest.remarks)])


def heading() -> str:
    """Return the first line of a table."""
    return _line("", "median", "[range]", "medaug is")


def _round(contest: Contest) -> dict[str, float]:
    with quiet():  # progress bars show themselves on terminals only
        return {name: run() for name, run in contest.runs.items()}


def _line(name: str, speed: str, spread: str, ratio: str) -> str:
    return f"{name:<48}{speed:>22}{spread:>22}{ratio:>11}".rstrip()


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
