"""Augmentation of a classifier's batch where the batch is, as a function of the seed and the positions.

The same operations in the same distributions as `medaug.transforms.augmentation`, which draws image by image
on the CPU; the numbers are others, since they are counted (`medaug.engine.philox`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from torch import Tensor

from medaug.engine.philox import CounterRandom
from medaug.transforms.augmentation import check_names
from medaug.transforms.batch_randaugment import BatchRandAugment
from medaug.transforms.batches import BatchTransform
from medaug.transforms.colour import COLOURS
from medaug.transforms.photograph import PHOTOGRAPHS
from medaug.transforms.radiograph import RADIOGRAPHS

BATCH_HEURISTICS: Mapping[str, BatchTransform] = MappingProxyType(
    {"histopathology": COLOURS, "radiology": RADIOGRAPHS, "dermatology": PHOTOGRAPHS}
)
"""The paper's heuristic augmentation of each modality (Section E.1)."""

BATCH_AUGMENTATIONS: Mapping[str, Callable[[BatchTransform], tuple[BatchTransform, ...]]] = MappingProxyType(
    {
        "none": lambda heuristic: (),
        "heuristic": lambda heuristic: (heuristic,),
        "randaugment": lambda heuristic: (BatchRandAugment(),),
        "randaugment+heuristic": lambda heuristic: (BatchRandAugment(), heuristic),
    }
)
"""Augmentations by name, made from the modality's heuristic one; names are those of `augmentation`."""


@dataclass(frozen=True)
class CountedAugmentation:
    """Augments batches; what happens to an image depends on the seed and its position alone.

    Parameters
    ----------
    steps : tuple of BatchTransform
        One after the other.
    seed : int
        The run's seed.

    Examples
    --------
    >>> import torch
    >>> augment = CountedAugmentation((RADIOGRAPHS,), 0)
    >>> images = torch.rand(3, 1, 32, 32)
    >>> both, one = augment(images, torch.arange(3)), augment(images[1:2], torch.arange(1, 2))
    >>> torch.allclose(both[1:2], one, atol=1e-6)
    True
    """

    steps: tuple[BatchTransform, ...]
    seed: int

    def __call__(self, images: Tensor, positions: Tensor) -> Tensor:
        """Augment images (B, C, H, W) in [0, 1] on any device, at positions (B,) int64 on the CPU."""
        random = CounterRandom.of(self.seed, "augment")
        for draw, step in enumerate(self.steps):
            images = step(images, random.uniform(positions, draw, step.numbers))
        return images


def counted_augmentation(name: str, modality: str, seed: int) -> CountedAugmentation:
    """Return the augmentation of whole batches that `medaug.transforms.augmentation.augmentation` names.

    Raises
    ------
    SettingsError
        A name is not known.
    """
    check_names(name, modality)
    return CountedAugmentation(BATCH_AUGMENTATIONS[name](BATCH_HEURISTICS[modality]), seed)
