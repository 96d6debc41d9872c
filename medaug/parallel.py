"""The same work on many things in many processes; a thing that ends its process takes no other with it."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Final, TypeVar

from medaug.errors import DataError

Thing = TypeVar("Thing")
Result = TypeVar("Result")

CRASHED: Final = "decoding it ends the process (a damaged file, or too large for the memory)"

THINGS_A_WORKER = 16
"""Things under way, or done and not yet taken: enough that no process waits, few enough for the memory."""


def usable_cores() -> int:
    """Return the cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def in_order(
    function: Callable[[Thing], Result], things: Sequence[Thing], workers: int
) -> Iterator[Result | str]:
    """Give what a function returns for each thing, in their order, with few results in memory at once.

    Parameters
    ----------
    function : callable
        A function of a module (or a `functools.partial` of one) with one argument.
    things : sequence
        Arguments; begun in this order.
    workers : int
        Processes; 0 means this one.

    Yields
    ------
    object or str
        `CRASHED` for a thing that ends the process that works on it.

    Raises
    ------
    DataError
        Processes cannot start.

    Examples
    --------
    >>> list(in_order(abs, [-2, 1], workers=0))
    [2, 1]
    """
    for _, result in _work(function, things, workers, workers * THINGS_A_WORKER, lambda futures: futures[0]):
        yield result


def as_done(
    function: Callable[[Thing], Result], things: Sequence[Thing], workers: int
) -> Iterator[tuple[int, Result | str]]:
    """Give the number of each thing with what a function returns, as they are done; else as `in_order`.

    Examples
    --------
    >>> dict(as_done(abs, [-2, 1], workers=0))
    {0: 2, 1: 1}
    """
    yield from _work(function, things, workers, workers, lambda futures: next(as_completed(futures)))


def _work(
    function: Callable[[Thing], Result],
    things: Sequence[Thing],
    workers: int,
    ahead: int,
    choose: Callable[[list[Future[Result]]], Future[Result]],
) -> Iterator[tuple[int, Result | str]]:
    """Keep `ahead` things under way and give the one that `choose` takes; after a death, find its thing."""
    if workers < 1:
        yield from enumerate(map(function, things))
        return
    waiting = deque(range(len(things)))
    while waiting:
        under_way: dict[Future[Result], int] = {}
        try:
            with _pool(min(workers, len(waiting))) as pool:
                while waiting or under_way:
                    while waiting and len(under_way) < ahead:
                        under_way[pool.submit(function, things[waiting[0]])] = waiting[0]
                        waiting.popleft()
                    future = choose(list(under_way))
                    result = future.result()
                    yield under_way.pop(future), result
        except BrokenProcessPool:
            suspects = list(under_way.values())
            yield from zip(suspects, _one_by_one(function, [things[n] for n in suspects]), strict=True)


def _one_by_one(function: Callable[[Thing], Result], things: Sequence[Thing]) -> Iterator[Result | str]:
    """Work in one process, a new one after each thing that ended it."""
    waiting = deque(things)
    while waiting:
        with _pool(1) as pool:
            _check_starts(pool)
            try:
                while waiting:
                    yield pool.submit(function, waiting[0]).result()
                    waiting.popleft()
            except BrokenProcessPool:
                waiting.popleft()
                yield CRASHED


@contextmanager
def _pool(workers: int) -> Iterator[ProcessPoolExecutor]:
    """Give a pool of fresh processes that leave Ctrl-C to this one and end with it."""
    # "spawn": a fork would copy whatever threads torch holds, and could hang.
    pool = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), initializer=_start_worker)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def _check_starts(pool: ProcessPoolExecutor) -> None:
    try:
        pool.submit(os.getpid).result()
    except BrokenProcessPool:
        raise DataError(
            "processes cannot start; put what your script does under `if __name__ == '__main__':`, "
            "or let one process do the work with workers=0"
        ) from None


def _start_worker() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """End at once even when the parent is killed; a slide would take minutes more."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
