"""Placebos of synthetic images: what is wrong with them on purpose, so that a gain must beat their gain.

Noise regularises, and any further images change what a batch holds; only what an image shows of its condition
is what a generator adds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import torch
from torch.utils.data import Dataset

from medaug.arrays import IntArray
from medaug.data.sampling import Batch, Example, StoreBatches
from medaug.randomness import numpy_generator

Placebo = Callable[[StoreBatches, IntArray, int], Dataset[Example]]
"""Of a source of batches, the rows of it that are used, and the run's seed."""


class NoiseImages(Dataset[Example]):
    """Uniform noise in place of each image, the same whenever the image comes; labels stay.

    Parameters
    ----------
    source : StoreBatches
        The synthetic images.
    rows : array of int64
        Of no effect: each image has noise of its own.
    seed : int
        The run's seed.
    """

    def __init__(self, source: StoreBatches, rows: IntArray, seed: int) -> None:
        self.source, self.seed = source, seed

    def __getitem__(self, batch: Batch) -> Example:
        example = self.source[batch]
        shape = tuple(example["image"].shape[1:])
        noise = np.stack([self._noise(row, shape) for row in batch.rows.tolist()])
        return {**example, "image": torch.from_numpy(noise)}

    def _noise(self, row: int, shape: tuple[int, ...]) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
        return numpy_generator(self.seed, "noise", row).integers(0, 256, shape, np.uint8)


class ShuffledLabels(Dataset[Example]):
    """The images with the labels of others of them, all conditions of an image together.

    Parameters
    ----------
    source : StoreBatches
        The synthetic images, with a column ``label``.
    rows : array of int64
        Rows among which labels are exchanged, so that their distribution stays.
    seed : int
        The run's seed.
    """

    def __init__(self, source: StoreBatches, rows: IntArray, seed: int) -> None:
        self.source = source
        self._other = np.arange(len(source))
        self._other[rows] = numpy_generator(seed, "shuffled labels").permutation(rows)

    def __getitem__(self, batch: Batch) -> Example:
        labels = self.source.columns["label"][self._other[batch.rows]]
        return {**self.source[batch], "label": torch.from_numpy(labels)}


PLACEBOS: Mapping[str, Placebo] = {
    "none": lambda source, rows, seed: source,
    "noise": NoiseImages,
    "shuffled": ShuffledLabels,
}
"""Placebos by name; adding one is adding a data set around the synthetic images."""
