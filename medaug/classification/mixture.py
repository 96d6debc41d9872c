"""Training examples from real and synthetic images (Eq. 2-3), in an exact share."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from medaug.arrays import BoolArray, FloatArray, IntArray
from medaug.classification.weights import oversampled_rows
from medaug.data.orders import Order, mixed
from medaug.data.sampling import Batch, Example, PermutedRows, SharedRows, StoreBatches
from medaug.data.store import ImageStore
from medaug.errors import DataError, SettingsError
from medaug.randomness import derive_seed
from medaug.transforms.augmentation import Augmentation


class MixedRows(SharedRows):
    """An endless order of real and synthetic rows.

    Parameters
    ----------
    real, synthetic : ImageStore
        Rows of the split ``train`` are drawn. `synthetic` may be None where `real_fraction` is 1.
    real_fraction : float
        Share of real examples, the paper's alpha in Eq. 2-3: 1 is the baseline, 0 purely synthetic.
    seed : int
        The run's seed.
    oversample : str, optional
        Attribute over whose groups the real examples are made even, by repeating those of smaller groups.
    within_class : bool
        Make groups even within each class, instead of over all images.
    order : callable, optional
        Which positions are real, see `medaug.data.orders`; mixed evenly without one.
    usable : array of bool, (len(synthetic),), optional
        Which synthetic images may be drawn; the others (copies of patients, say) are left out.

    Raises
    ------
    SettingsError
        `real_fraction` is outside [0, 1], or synthetic images are needed and there are none.
    DataError
        A store has no images in the split ``train``, or none of the synthetic ones is usable.

    Notes
    -----
    A row below ``len(real)`` belongs to the real store, another one to the synthetic store, shifted by
    ``len(real)``: the numbering of `MixedStoreBatches`.
    """

    def __init__(
        self,
        real: ImageStore,
        synthetic: ImageStore | None,
        real_fraction: float,
        seed: int,
        oversample: str | None = None,
        within_class: bool = False,
        order: Order | None = None,
        usable: BoolArray | None = None,
    ) -> None:
        before = mixed(real_fraction) if order is None else order
        if real_fraction < 1 and synthetic is None:
            raise SettingsError(f"real_fraction {real_fraction} needs synthetic images; generate them first")
        made = synthetic if real_fraction < 1 else None
        super().__init__(
            _real_stream(real, seed, oversample, within_class) if real_fraction > 0 else None,
            None if made is None else _synthetic_stream(made, len(real), seed, usable),
            before,
        )


class MixedPixels(Dataset[Example]):
    """Batches gathered from the memory maps of both stores.

    ``dataset[batch]`` is a dictionary: ``image`` uint8 (B, C, H, W), ``label`` float32 (B, classes) with NaN
    for unknown, ``position`` int64 (B,), and ``weight`` float32 (B,) for `prepare_weighted_batch`.

    Parameters
    ----------
    real, synthetic : ImageStore
        `synthetic` may be None. Both must have the same classes and channels.
    size : int
        Side in pixels.
    weights : array of float32, (len(real),), optional
        How much each real row counts in the loss, for example `importance_weights`; without it all count 1.
        Synthetic rows always do: those that w2 of Eq. 8 would leave out are not generated.
    placebo : callable, optional
        Puts something else in place of the synthetic examples: from their batches to other ones, see
        `medaug.classification.placebos`.
    """

    def __init__(
        self,
        real: ImageStore,
        synthetic: ImageStore | None,
        size: int,
        weights: FloatArray | None = None,
        placebo: Callable[[StoreBatches], Dataset[Example]] | None = None,
    ) -> None:
        stores = [real] if synthetic is None else [real, synthetic]
        _check_alike(stores)
        real_weights = np.ones(len(real), np.float32) if weights is None else weights
        every = [real_weights, *(np.ones(len(s), np.float32) for s in stores[1:])]
        batches = [
            StoreBatches(s, size, {"label": s.task.labels(s.table), "weight": w})
            for s, w in zip(stores, every, strict=True)
        ]
        self._lengths = [len(source) for source in batches]
        self._sources: list[Dataset[Example]] = [*batches]
        if synthetic is not None and placebo is not None:
            self._sources[1] = placebo(batches[1])

    def __len__(self) -> int:
        return sum(self._lengths)

    def __getitem__(self, batch: Batch) -> Example:
        parts, places, offset = [], [], 0
        for source, length in zip(self._sources, self._lengths, strict=True):
            own = np.flatnonzero((batch.rows >= offset) & (batch.rows < offset + length))
            if len(own):
                parts.append(source[Batch(batch.positions[own], batch.rows[own] - offset)])
                places.append(own)
            offset += length
        if len(parts) == 1:
            return parts[0]  # in order already: no need to copy all pixels
        order = torch.from_numpy(np.argsort(np.concatenate(places)))
        return {key: torch.cat([part[key] for part in parts])[order] for key in parts[0]}


class MixedStoreBatches(Dataset[Example]):
    """Batches of `MixedPixels` as a classifier takes them, augmented image by image.

    ``dataset[batch]`` is the same dictionary with ``image`` float32 (B, C, H, W) in [0, 1]; its keys are
    those of MONAI's ``default_prepare_batch``.

    Parameters
    ----------
    real, synthetic, size, weights, placebo
        As for `MixedPixels`.
    augmentation : Augmentation, optional
        Transform of one image (C, H, W); example p gets the random numbers of (seed, "augment", p), so the
        result does not depend on workers or processes. Without one no example is touched by itself.
    seed : int
        The run's seed.
    """

    def __init__(
        self,
        real: ImageStore,
        synthetic: ImageStore | None,
        size: int,
        augmentation: Augmentation | None = None,
        seed: int = 0,
        weights: FloatArray | None = None,
        placebo: Callable[[StoreBatches], Dataset[Example]] | None = None,
    ) -> None:
        self._pixels = MixedPixels(real, synthetic, size, weights, placebo)
        self._augmentation, self._seed = augmentation, seed

    def __len__(self) -> int:
        return len(self._pixels)

    def __getitem__(self, batch: Batch) -> Example:
        example = self._pixels[batch]
        image = _unit_range(example["image"])
        if self._augmentation is not None:
            image = self._augment(self._augmentation, image, batch.positions)
        return {**example, "image": image}

    def _augment(self, augmentation: Augmentation, images: Tensor, positions: IntArray) -> Tensor:
        augmented = torch.empty_like(images)
        for place, position in enumerate(positions.tolist()):
            augmentation.set_random_state(seed=derive_seed(self._seed, "augment", position))
            augmented[place] = augmentation(images[place])
        return augmented


def _unit_range(pixels: Tensor) -> Tensor:
    """Scale uint8 to float32 in [0, 1]: NumPy goes over the memory once, torch would twice."""
    return torch.from_numpy(np.divide(pixels.contiguous().numpy(), np.float32(255), dtype=np.float32))


def _real_stream(store: ImageStore, seed: int, oversample: str | None, within_class: bool) -> PermutedRows:
    if oversample is None:
        rows = _training_rows(store)
    else:
        rows = oversampled_rows(store, oversample, seed, within_class)
    return PermutedRows(rows, seed, "classifier", "real")


def _synthetic_stream(store: ImageStore, offset: int, seed: int, usable: BoolArray | None) -> PermutedRows:
    rows = _training_rows(store)
    kept = rows if usable is None else rows[usable[rows]]
    if len(kept) == 0:
        raise DataError(f"none of the synthetic images in {store.path} can be used; make better ones")
    return PermutedRows(kept + offset, seed, "classifier", "synthetic")


def _training_rows(store: ImageStore) -> IntArray:
    rows = store.rows("train")
    if len(rows) == 0:
        raise DataError(f"{store.path} has no images in the split 'train'")
    return rows


def _check_alike(stores: list[ImageStore]) -> None:
    first, last = stores[0], stores[-1]
    if (first.task.classes, first.channels) != (last.task.classes, last.channels):
        raise DataError(
            f"{first.path} (classes {', '.join(first.task.classes)}; {first.channels} channels) and "
            f"{last.path} (classes {', '.join(last.task.classes)}; {last.channels} channels) cannot be mixed"
        )
