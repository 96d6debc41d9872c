"""Decoding files in many processes at once, with a bounded number of pictures in memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

from medaug.data.pixels import Images, Recipe, decode
from medaug.data.processes import CRASHED, check_starts, start_pool

Decoded = Images | str
"""The image at every size, or the reason why there is none."""

FILES_A_TASK = 8
TASKS_A_WORKER = 3


def decode_files(
    rows: Sequence[int], paths: Sequence[Path], recipe: Recipe, workers: int
) -> Iterator[tuple[int, Decoded]]:
    """Give each row with its images, in the order of the rows.

    A file that ends the process that decodes it (decoders are C code) is found and gets a reason.

    Parameters
    ----------
    rows : sequence of int
        Which of the paths to read.
    paths : sequence of Path
        Files by row.
    recipe : Recipe
        How files become images.
    workers : int
        Decoding processes; 0, or so few files that no process is worth its start, means this one.
    """
    if workers < 1 or len(rows) <= FILES_A_TASK:
        for row in rows:
            yield row, decode([paths[row]], recipe)[0]
        return
    tasks = iter([list(rows[i : i + FILES_A_TASK]) for i in range(0, len(rows), FILES_A_TASK)])
    unfinished: list[int] = []
    while True:
        yield from _in_parallel(tasks, paths, recipe, workers, unfinished)
        if not unfinished:
            return
        yield from _one_by_one(deque(unfinished), paths, recipe)
        unfinished.clear()


def _in_parallel(
    tasks: Iterator[list[int]], paths: Sequence[Path], recipe: Recipe, workers: int, unfinished: list[int]
) -> Iterator[tuple[int, Decoded]]:
    """Decode until all is done or a process dies; then `unfinished` gets the rows that were under way."""
    under_way: deque[list[int]] = deque()
    results: deque[Future[list[Decoded]]] = deque()
    pool = start_pool(workers)
    try:
        for task in tasks:
            under_way.append(task)
            results.append(pool.submit(decode, [paths[row] for row in task], recipe))
            if len(results) == workers * TASKS_A_WORKER:
                yield from zip(under_way[0], results.popleft().result(), strict=True)
                under_way.popleft()
        while results:
            yield from zip(under_way[0], results.popleft().result(), strict=True)
            under_way.popleft()
    except BrokenProcessPool:
        unfinished.extend(row for task in under_way for row in task)
    finally:
        pool.shutdown(cancel_futures=True)


def _one_by_one(rows: deque[int], paths: Sequence[Path], recipe: Recipe) -> Iterator[tuple[int, Decoded]]:
    """Decode in one process, a new one after each file that ended it."""
    while rows:
        with start_pool(1) as pool:
            check_starts(pool)
            try:
                while rows:
                    result = pool.submit(decode, [paths[rows[0]]], recipe).result()[0]
                    yield rows.popleft(), result
            except BrokenProcessPool:
                yield rows.popleft(), CRASHED
