"""Training examples from real and synthetic images (Eq. 2-3), in an exact share."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from medaug.arrays import FloatArray, IntArray
from medaug.classification.weights import oversampled_rows
from medaug.data.sampling import Batch, Example, PermutedRows, SharedRows, StoreBatches
from medaug.data.store import ImageStore
from medaug.errors import DataError, SettingsError
from medaug.randomness import derive_seed
from medaug.transforms.augmentation import Augmentation


def method_name(
    real_fraction: float, augmentation: str, weigh_by: str | None = None, oversample: str | None = None
) -> str:
    """Name a classifier by what it was trained on, for tables and figures.

    Examples
    --------
    >>> method_name(0.5, "none"), method_name(1.0, "heuristic", oversample="sex")
    ('50% real + 50% synthetic', '100% real, heuristic, oversampled by sex')
    """
    shares = {"real": real_fraction, "synthetic": 1 - real_fraction}
    parts = [" + ".join(f"{100 * share:.4g}% {kind}" for kind, share in shares.items() if share > 0)]
    parts += [augmentation] if augmentation != "none" else []
    parts += [f"weighted by {weigh_by}"] if weigh_by else []
    parts += [f"oversampled by {oversample}"] if oversample else []
    return ", ".join(parts)


class MixedRows(SharedRows):
    """An endless order of real and synthetic rows; of the first P ``floor(P · real_fraction)`` are real.

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
    ) -> None:
        if not 0 <= real_fraction <= 1:
            raise SettingsError(f"real_fraction must be between 0 and 1, not {real_fraction}")
        if real_fraction < 1 and synthetic is None:
            raise SettingsError(f"real_fraction {real_fraction} needs synthetic images; generate them first")
        made = synthetic if real_fraction < 1 else None
        super().__init__(
            _real_stream(real, seed, oversample) if real_fraction > 0 else None,
            None if made is None else _stream(made, len(real), seed, "synthetic"),
            real_fraction,
        )


class MixedStoreBatches(Dataset[Example]):
    """Batches for the classifier, gathered from the memory maps of both stores.

    ``dataset[batch]`` is a dictionary: ``image`` float32 (B, C, H, W) in [0, 1], ``label`` float32
    (B, classes) with NaN for unknown, ``position`` int64 (B,): the keys of MONAI's
    ``default_prepare_batch``; and ``weight`` float32 (B,) for `prepare_weighted_batch`.

    Parameters
    ----------
    real, synthetic : ImageStore
        `synthetic` may be None. Both must have the same classes and channels.
    size : int
        Side in pixels.
    augmentation : Augmentation, optional
        Transform of one image (C, H, W); example p gets the random numbers of (seed, "augment", p), so the
        result does not depend on workers or processes. Without one no example is touched by itself.
    seed : int
        The run's seed.
    weights : array of float32, (len(real),), optional
        How much each real row counts in the loss, for example `importance_weights`; without it all count 1.
        Synthetic rows always do: those that w2 of Eq. 8 would leave out are not generated.
    """

    def __init__(
        self,
        real: ImageStore,
        synthetic: ImageStore | None,
        size: int,
        augmentation: Augmentation | None = None,
        seed: int = 0,
        weights: FloatArray | None = None,
    ) -> None:
        stores = [real] if synthetic is None else [real, synthetic]
        _check_alike(stores)
        real_weights = np.ones(len(real), np.float32) if weights is None else weights
        every = [real_weights, *(np.ones(len(s), np.float32) for s in stores[1:])]
        self._sources = [
            StoreBatches(s, size, {"label": s.task.labels(s.table), "weight": w})
            for s, w in zip(stores, every, strict=True)
        ]
        self._augmentation, self._seed = augmentation, seed

    def __len__(self) -> int:
        return sum(len(source) for source in self._sources)

    def __getitem__(self, batch: Batch) -> Example:
        example = self._gather(batch)
        image = _unit_range(example["image"])
        if self._augmentation is not None:
            image = self._augment(self._augmentation, image, batch.positions)
        return {**example, "image": image}

    def _gather(self, batch: Batch) -> Example:
        parts, places, offset = [], [], 0
        for source in self._sources:
            own = np.flatnonzero((batch.rows >= offset) & (batch.rows < offset + len(source)))
            if len(own):
                parts.append(source[Batch(batch.positions[own], batch.rows[own] - offset)])
                places.append(own)
            offset += len(source)
        if len(parts) == 1:
            return parts[0]  # in order already: no need to copy all pixels
        order = torch.from_numpy(np.argsort(np.concatenate(places)))
        return {key: torch.cat([part[key] for part in parts])[order] for key in parts[0]}

    def _augment(self, augmentation: Augmentation, images: Tensor, positions: IntArray) -> Tensor:
        augmented = torch.empty_like(images)
        for place, position in enumerate(positions.tolist()):
            augmentation.set_random_state(seed=derive_seed(self._seed, "augment", position))
            augmented[place] = augmentation(images[place])
        return augmented


def _unit_range(pixels: Tensor) -> Tensor:
    """Scale uint8 to float32 in [0, 1]: NumPy goes over the memory once, torch would twice."""
    return torch.from_numpy(np.divide(pixels.contiguous().numpy(), np.float32(255), dtype=np.float32))


def _real_stream(store: ImageStore, seed: int, oversample: str | None) -> PermutedRows:
    if oversample is None:
        return _stream(store, 0, seed, "real")
    return PermutedRows(oversampled_rows(store, oversample, seed), seed, "classifier", "real")


def _stream(store: ImageStore, offset: int, seed: int, name: str) -> PermutedRows:
    rows = store.rows("train")
    if len(rows) == 0:
        raise DataError(f"{store.path} has no images in the split 'train'")
    return PermutedRows(rows + offset, seed, "classifier", name)


def _check_alike(stores: list[ImageStore]) -> None:
    first, last = stores[0], stores[-1]
    if (first.task.classes, first.channels) != (last.task.classes, last.channels):
        raise DataError(
            f"{first.path} (classes {', '.join(first.task.classes)}; {first.channels} channels) and "
            f"{last.path} (classes {', '.join(last.task.classes)}; {last.channels} channels) cannot be mixed"
        )
