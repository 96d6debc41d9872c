"""The batches that a classifier is trained on: real and synthetic images in their shares, augmented."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch.utils.data import DataLoader, Dataset

from medaug.arrays import FloatArray
from medaug.classification.device_batches import AugmentedBatches
from medaug.classification.mixture import MixedPixels, MixedRows, MixedStoreBatches
from medaug.classification.placebos import PLACEBOS
from medaug.classification.weights import importance_weights, prepare_weighted_batch
from medaug.data.orders import ORDERS
from medaug.data.sampling import BatchSampler, Example, StoreBatches, batch_loader
from medaug.engine.later import later
from medaug.stages.classifier_settings import ClassifierSettings
from medaug.stages.run import Run
from medaug.stages.used_images import UsedImages
from medaug.transforms.augmentation import augmentation
from medaug.transforms.counted_augmentation import counted_augmentation


@dataclass(frozen=True, kw_only=True)
class TrainingBatches:
    """The batches of one training.

    Parameters
    ----------
    run : Run
        What all stages share.
    settings : ClassifierSettings
        How to train.
    used : UsedImages
        The synthetic images.
    augment_on_device : bool
        Whether images are augmented on the device, or as they are loaded.
    """

    run: Run
    settings: ClassifierSettings
    used: UsedImages
    augment_on_device: bool

    def dataset(self) -> MixedStoreBatches | MixedPixels:
        """Return the batches: finished, or the bytes that `prepare_batch` augments."""
        how, run = self.settings, self.run
        mixture = run.store, self.used.store, how.image_size
        if self.augment_on_device:
            return MixedPixels(*mixture, self._weights, self._placebo)
        way = augmentation(how.augmentation, run.modality)
        return MixedStoreBatches(*mixture, way, run.seed, self._weights, self._placebo)

    def loader(self, dataset: Dataset[Example], iterations: int) -> DataLoader[Any]:
        """Return this process's share of all batches."""
        how = self.settings
        sampler = BatchSampler(later(lambda: self.rows(iterations)), how.batch_size, iterations)
        return batch_loader(dataset, sampler, how.workers)

    @property
    def prepare_batch(self) -> Callable[..., Any]:
        """What turns a batch into images and targets, and these into labels and weights."""
        if not self.augment_on_device:
            return prepare_weighted_batch
        how, run = self.settings, self.run
        return AugmentedBatches(counted_augmentation(how.augmentation, run.modality, run.seed))

    def rows(self, iterations: int) -> MixedRows:
        """Return which image comes when in a training of so many steps."""
        how, run = self.settings, self.run
        return MixedRows(
            run.store,
            self.used.store,
            how.real_fraction,
            run.seed,
            oversample=how.oversample,
            within_class=how.oversample_within_class,
            order=ORDERS[how.order](how.real_fraction, iterations, how.batch_size),
            usable=self.used.rows,
        )

    @property
    def _weights(self) -> FloatArray | None:
        how = self.settings
        if how.weigh_by is None:
            return None
        return importance_weights(self.run.store, how.weigh_by, how.equality_level)

    def _placebo(self, synthetic: StoreBatches) -> Dataset[Example]:
        rows, used = synthetic.store.rows("train"), self.used.rows
        usable = rows if used is None else rows[used[rows]]
        return PLACEBOS[self.settings.placebo](synthetic, usable, self.run.seed)
