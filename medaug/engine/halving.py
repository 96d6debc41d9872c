"""Work in batches that fit into the memory of a GPU."""

from __future__ import annotations

import gc
import logging
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from medaug.arrays import IntArray
from medaug.errors import SettingsError

logger = logging.getLogger(__name__)


class Halving:
    """Works on things in batches, and on half as many at once from the first time that memory is short.

    Parameters
    ----------
    work : callable
        From numbers of things (n,) and the size of a batch, at least n, to tensors (n, ...).
    batch_size : int
        To begin with.

    Raises
    ------
    SettingsError
        Not even one fits.

    Examples
    --------
    >>> Halving(lambda things, batch_size: torch.tensor(things), 2)(np.arange(5)).tolist()
    [0, 1, 2, 3, 4]
    """

    def __init__(self, work: Callable[[IntArray, int], Tensor], batch_size: int) -> None:
        self._work, self.batch_size = work, batch_size

    def __call__(self, things: IntArray) -> Tensor:
        """Return what the work makes of things (n,), in order."""
        while True:
            cuts = range(self.batch_size, len(things), self.batch_size)
            try:
                return torch.cat([self._work(part, self.batch_size) for part in np.split(things, cuts)])
            except RuntimeError as error:
                if not _is_of_memory(error):
                    raise
                if self.batch_size == 1:
                    raise SettingsError(
                        "the memory of the GPU is too small for one image; use a smaller --preset, a GPU "
                        "that is not shared, or --device_name cpu"
                    ) from error
            # Here, not above: an exception that is handled holds all that was being computed.
            self._halve()

    def _halve(self) -> None:
        self.batch_size //= 2
        logger.warning(
            "The memory of the GPU is too small for %d images at once; going on with %d (batch_size)",
            2 * self.batch_size,
            self.batch_size,
        )
        torch.compiler.reset()  # what was compiled for the larger size, and its CUDA graphs
        gc.collect()  # graphs and the frames of an error hold one another
        if torch.cuda.is_available():
            torch.cuda.empty_cache()


def _is_of_memory(error: RuntimeError) -> bool:
    """Say whether memory was short: the libraries of a GPU say it in errors of their own."""
    return isinstance(error, torch.OutOfMemoryError) or "_STATUS_ALLOC_FAILED" in str(error)
