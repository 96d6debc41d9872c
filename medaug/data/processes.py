"""Processes that do the same work on many things, and survive what ends one of them."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

from medaug.errors import DataError

Thing = TypeVar("Thing")
Result = TypeVar("Result")

CRASHED = "decoding it ends the process (a damaged file, or too large for the memory)"


def usable_cores() -> int:
    """Return the cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def start_pool(workers: int) -> ProcessPoolExecutor:
    """Return a pool of fresh processes that leave Ctrl-C to this one and end with it."""
    # "spawn": a fork would copy whatever threads torch holds, and could hang.
    return ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), initializer=_start_worker)


def check_starts(pool: ProcessPoolExecutor) -> None:
    """Raise a DataError that says why, if the processes of a pool cannot start at all."""
    try:
        pool.submit(os.getpid).result()
    except BrokenProcessPool:
        raise DataError(
            "decoding processes cannot start; put what your script does under `if __name__ == '__main__':`, "
            "or decode with workers=0"
        ) from None


def for_each(
    function: Callable[[Thing], Result], things: Sequence[Thing], workers: int
) -> Iterator[tuple[int, Result | str]]:
    """Give the number of each thing with what the function returns, as they are done.

    Parameters
    ----------
    function : callable
        A function of a module, with one argument.
    things : sequence
        Arguments; begun in this order.
    workers : int
        Processes; 0 means this one.

    Yields
    ------
    number : int
        Position in `things`.
    result : object or str
        `CRASHED` for a thing that ends the process that works on it.
    """
    if workers < 1:
        yield from ((number, function(thing)) for number, thing in enumerate(things))
        return
    waiting, suspects = deque(range(len(things))), deque[int]()
    while waiting:
        yield from _in_parallel(function, things, waiting, workers, suspects)
        while suspects:
            yield suspects[0], _alone(function, things[suspects[0]])
            suspects.popleft()


def _in_parallel(
    function: Callable[[Thing], Result],
    things: Sequence[Thing],
    waiting: deque[int],
    workers: int,
    suspects: deque[int],
) -> Iterator[tuple[int, Result]]:
    """Work until all is done or a process dies; then `suspects` gets what was under way."""
    under_way: dict[Future[Result], int] = {}
    pool = start_pool(min(workers, len(waiting)))
    try:
        while waiting or under_way:
            while waiting and len(under_way) < workers:
                under_way[pool.submit(function, things[waiting[0]])] = waiting[0]
                waiting.popleft()
            for future in wait(under_way, return_when=FIRST_COMPLETED).done:
                result = future.result()
                yield under_way.pop(future), result
    except BrokenProcessPool:
        suspects.extend(sorted(under_way.values()))
    finally:
        pool.shutdown(cancel_futures=True)


def _alone(function: Callable[[Thing], Result], thing: Thing) -> Result | str:
    with start_pool(1) as pool:
        check_starts(pool)
        try:
            return pool.submit(function, thing).result()
        except BrokenProcessPool:
            return CRASHED


def _start_worker() -> None:
    """Leave Ctrl-C to the parent, and end with it even when it is killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: multiprocessing.process.BaseProcess) -> None:
    parent.join()
    os._exit(1)
