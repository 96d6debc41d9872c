"""Batches from a store; which example comes when is a function of the seed and its position alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset, Sampler

from medaug.arrays import Array, BoolArray, IntArray
from medaug.data.orders import Order
from medaug.data.store import ImageStore
from medaug.engine import distributed
from medaug.errors import DataError, SettingsError
from medaug.randomness import numpy_generator

Example = dict[str, Any]


@dataclass(frozen=True)
class Batch:
    """The examples of one process in one iteration: positions in the stream and rows of the store, int64."""

    positions: IntArray
    rows: IntArray


class RowStream(Protocol):
    """An endless order of rows."""

    def rows(self, positions: IntArray) -> IntArray:
        """Return the row at each position, both int64 of the same length."""
        ...


class PermutedRows:
    """Rows in an endless order of permutations: all rows once, then all again in another order.

    Parameters
    ----------
    rows : array of int64
        Rows to draw from.
    seed : int
        Seed of the run.
    *key : str or int
        What the order is used for, so that two streams of one run differ.

    Examples
    --------
    >>> stream = PermutedRows(np.array([4, 5, 6]), 0, "example")
    >>> sorted(stream.rows(np.arange(3)).tolist())
    [4, 5, 6]
    """

    def __init__(self, rows: IntArray, seed: int, *key: str | int) -> None:
        if len(rows) == 0:
            raise DataError("there are no rows to draw batches from; check the splits of the store")
        self._rows = np.asarray(rows, np.int64)
        self._seed, self._key = seed, key
        self._known: dict[int, IntArray] = {}

    def rows(self, positions: IntArray) -> IntArray:
        """Return the row at each position: permutation number p // n, place p % n."""
        passes, places = np.divmod(np.asarray(positions, np.int64), len(self._rows))
        found = np.empty(len(passes), np.int64)
        for number in np.unique(passes):
            chosen = passes == number
            found[chosen] = self._permutation(int(number))[places[chosen]]
        return found

    def _permutation(self, number: int) -> IntArray:
        if number not in self._known:
            generator = numpy_generator(self._seed, *self._key, "permutation", number)
            self._known = {k: v for k, v in self._known.items() if k == number - 1}
            self._known[number] = generator.permutation(self._rows)
        return self._known[number]


class SharedRows:
    """Rows of two streams, in an order that says how many of the first come before each position.

    Parameters
    ----------
    first, second : RowStream or None
        None where none of it ever comes.
    order : Order
        See `medaug.data.orders`.

    Examples
    --------
    >>> from medaug.data.orders import mixed
    >>> first, second = PermutedRows(np.array([7]), 0, "a"), PermutedRows(np.array([1]), 0, "b")
    >>> SharedRows(first, second, mixed(0.25)).rows(np.arange(8)).tolist()
    [1, 1, 1, 7, 1, 1, 1, 7]
    """

    def __init__(self, first: RowStream | None, second: RowStream | None, order: Order) -> None:
        self._first, self._second, self._before = first, second, order

    def rows(self, positions: IntArray) -> IntArray:
        """Return the row at each position."""
        positions = np.asarray(positions, np.int64)
        before, of_first = self._before(positions), self.of_first(positions)
        found = np.empty(len(positions), np.int64)
        if self._first is not None:
            found[of_first] = self._first.rows(before[of_first])
        if self._second is not None:
            found[~of_first] = self._second.rows((positions - before)[~of_first])
        return found

    def of_first(self, positions: IntArray) -> BoolArray:
        """Return whether the row at each position is one of the first stream."""
        return self._before(positions + 1) > self._before(positions)


class BatchSampler(Sampler[Batch]):
    """Gives each of n processes its share of a batch: every n-th of the positions k B ... (k + 1) B - 1.

    The batch of an iteration is the same for any number of processes.

    Parameters
    ----------
    stream : RowStream
        Order of the rows.
    batch_size : int
        Examples of one iteration in all processes together.
    iterations : int
        Where to stop.

    Attributes
    ----------
    start : int
        Iteration to begin with; set it to resume.
    """

    def __init__(self, stream: RowStream, batch_size: int, iterations: int) -> None:
        processes = distributed.processes()
        if batch_size < 1 or batch_size % processes:
            raise SettingsError(
                f"batch_size {batch_size} cannot be shared by {processes} processes; choose a multiple"
            )
        self.stream, self.batch_size, self.iterations = stream, batch_size, iterations
        self.start = 0

    def __len__(self) -> int:
        return max(self.iterations - self.start, 0)

    def __iter__(self) -> Iterator[Batch]:
        own = distributed.own_share(np.arange(self.batch_size, dtype=np.int64))
        for iteration in range(self.start, self.iterations):
            positions = iteration * self.batch_size + own
            yield Batch(positions, self.stream.rows(positions))


class InOrder(Sampler[Batch]):
    """Gives each of n processes every n-th of some rows once, `batch_size` at a time.

    A position is a place in `rows`. A process without a row of its own gets one whose position lies behind
    them all: MONAI's engines need something to run on.

    Parameters
    ----------
    rows : array of int64, (N,)
        Rows of the store, at least one.
    batch_size : int
        Examples of a batch in one process.

    Examples
    --------
    >>> [batch.rows.tolist() for batch in InOrder(np.array([4, 5, 6]), batch_size=2)]
    [[4, 5], [6]]
    """

    def __init__(self, rows: IntArray, batch_size: int) -> None:
        self.rows, self.batch_size = rows, batch_size
        count = max(len(rows), distributed.processes())
        self._positions = distributed.own_share(np.arange(count, dtype=np.int64))

    def __len__(self) -> int:
        return -(-len(self._positions) // self.batch_size)

    def __iter__(self) -> Iterator[Batch]:
        for first in range(0, len(self._positions), self.batch_size):
            positions = self._positions[first : first + self.batch_size]
            yield Batch(positions, self.rows[positions % len(self.rows)])


class StoreBatches(Dataset[Example]):
    """Whole batches gathered from the memory map of a store.

    Parameters
    ----------
    store : ImageStore
        Where the pixels are.
    size : int or None
        Side in pixels; None for the largest.
    columns : mapping of str to array
        Further values by row of the store, first axis N: floats become float32, the rest int64.
    transform : callable, optional
        Applied to the finished dictionary.

    Notes
    -----
    ``dataset[batch]`` is a dictionary: ``image`` uint8 (B, C, H, W), ``position`` int64 (B,), and one tensor
    for each column.
    """

    def __init__(
        self,
        store: ImageStore,
        size: int | None,
        columns: Mapping[str, Array],
        transform: Callable[[Example], Example] | None = None,
    ) -> None:
        for name, values in columns.items():
            if len(values) != len(store):
                raise DataError(f"column {name!r} has {len(values)} values for {len(store)} images")
        self.store, self.size, self.transform = store, size, transform
        self.columns = {name: _number_column(values) for name, values in columns.items()}
        self._images: np.memmap[Any, np.dtype[np.uint8]] | None = None

    def __getstate__(self) -> dict[str, Any]:
        # A pickled memory map would carry all pixels to a worker; the worker opens its own.
        return {**self.__dict__, "_images": None}

    def __len__(self) -> int:
        return len(self.store)

    def __getitem__(self, batch: Batch) -> Example:
        if self._images is None:
            self._images = self.store.images(self.size)
        pixels = torch.from_numpy(self._images[batch.rows]).permute(0, 3, 1, 2)
        example: Example = {"image": pixels, "position": torch.from_numpy(batch.positions)}
        example |= {name: torch.from_numpy(values[batch.rows]) for name, values in self.columns.items()}
        return example if self.transform is None else self.transform(example)


def batch_loader(dataset: Dataset[Any], sampler: Sampler[Batch], workers: int) -> DataLoader[Any]:
    """Return a loader that passes each batch of the sampler to the dataset, with `workers` processes."""
    return DataLoader(
        dataset,
        batch_size=None,
        sampler=sampler,
        num_workers=workers,
        generator=torch.Generator(),  # torch's own stays as it was
        pin_memory=torch.cuda.is_available(),
    )


def _number_column(values: Array) -> Array:
    return np.asarray(values, np.float32 if np.asarray(values).dtype.kind == "f" else np.int64)
