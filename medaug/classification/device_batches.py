"""What a classifier is called with, made on the device: bytes are moved there, converted and augmented."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from medaug.classification.weights import prepare_weighted_batch
from medaug.data.sampling import Example
from medaug.engine.acceleration import untried_convolutions
from medaug.transforms.counted_augmentation import CountedAugmentation


@dataclass(frozen=True)
class AugmentedBatches:
    """Turns batches of `MixedPixels` into images and targets; for the ``prepare_batch`` of a trainer.

    A quarter of the memory is moved that `MixedStoreBatches` would take, and nothing is waited for.

    Parameters
    ----------
    augment : CountedAugmentation
        What is done to the images.
    """

    augment: CountedAugmentation

    def __call__(
        self,
        batch: Example,
        device: torch.device | str | None = None,
        non_blocking: bool = False,
        **kwargs: Any,
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Return the images, float32 in [0, 1], and labels and weights, as `prepare_weighted_batch` does."""
        pixels, target = prepare_weighted_batch(batch, device, non_blocking, **kwargs)
        with untried_convolutions():  # as many images at once as happen to be blurred alike
            return self.augment(pixels / 255, batch["position"]), target
