"""Augmentations of the classifier's training images by name (baselines of Section E.2)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Protocol, cast

from monai.transforms.compose import Compose
from torch import Tensor

from medaug.errors import SettingsError
from medaug.transforms.colour import RandColour
from medaug.transforms.photograph import RandPhotograph
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


Heuristic = Callable[[], Augmentation]

HEURISTICS: Mapping[str, Heuristic] = MappingProxyType(
    {"histopathology": RandColour, "radiology": RandRadiograph, "dermatology": RandPhotograph}
)
"""The paper's heuristic augmentation of each modality (Section E.1)."""


def _randaugment_then(heuristic: Heuristic) -> Augmentation:
    return cast(Augmentation, Compose([RandRandAugment(), heuristic()]))


AUGMENTATIONS: Mapping[str, Callable[[Heuristic], Augmentation | None]] = MappingProxyType(
    {
        "none": lambda heuristic: None,
        "heuristic": lambda heuristic: heuristic(),
        "randaugment": lambda heuristic: RandRandAugment(),
        "randaugment+heuristic": _randaugment_then,
    }
)
"""Augmentations by name, made from the modality's heuristic one."""


def augmentation(name: str, modality: str) -> Augmentation | None:
    """Return an augmentation for the images of a modality.

    Parameters
    ----------
    name : {"none", "heuristic", "randaugment", "randaugment+heuristic"}
        A name in `AUGMENTATIONS`; the paper's "Color augm" is ``heuristic`` of histopathology.
    modality : {"histopathology", "radiology", "dermatology"}
        A name in `HEURISTICS`.

    Returns
    -------
    Augmentation or None
        None for ``"none"``.

    Raises
    ------
    SettingsError
        A name is not known.

    Examples
    --------
    >>> type(augmentation("heuristic", "dermatology")).__name__
    'RandPhotograph'
    """
    check_names(name, modality)
    return AUGMENTATIONS[name](HEURISTICS[modality])


def check_names(name: str, modality: str) -> None:
    """Raise a SettingsError unless there is such an augmentation, and such a modality."""
    if name not in AUGMENTATIONS:
        raise SettingsError(f"there is no augmentation {name!r}; there are: {', '.join(AUGMENTATIONS)}")
    if modality not in HEURISTICS:
        raise SettingsError(f"there is no modality {modality!r}; there are: {', '.join(HEURISTICS)}")
