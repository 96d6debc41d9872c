"""Augmentations of the classifier's training images by name (baselines of Section E.2)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol, cast

from monai.transforms.compose import Compose
from torch import Tensor

from medaug.errors import SettingsError
from medaug.transforms.radiograph import RandRadiograph
from medaug.transforms.randaugment import RandRandAugment


class Augmentation(Protocol):
    """A MONAI randomizable transform of one image (C, H, W), float in [0, 1]."""

    def set_random_state(self, seed: int | None = None) -> Any:
        """Seed the transform; its random numbers come from nowhere else."""
        ...

    def __call__(self, img: Tensor) -> Tensor:
        """Return an image of the same shape and range."""
        ...


def _randaugment_then_heuristic() -> Augmentation:
    return cast(Augmentation, Compose([RandRandAugment(), RandRadiograph()]))


AUGMENTATIONS: Mapping[str, Callable[[], Augmentation | None]] = {
    "none": lambda: None,
    "heuristic": RandRadiograph,
    "randaugment": RandRandAugment,
    "randaugment+heuristic": _randaugment_then_heuristic,
}


def augmentation(name: str) -> Augmentation | None:
    """Return the augmentation of this name; None for ``"none"``."""
    if name not in AUGMENTATIONS:
        raise SettingsError(f"there is no augmentation {name!r}; there are: {', '.join(AUGMENTATIONS)}")
    return AUGMENTATIONS[name]()
