"""Random transforms that keep what they drew, so that it can be replayed: the MONAI side of them, once."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Hashable, Mapping
from typing import Any, Generic, TypeVar

import numpy as np
from monai.config.type_definitions import KeysCollection
from monai.transforms.transform import MapTransform, Randomizable, Transform
from torch import Tensor

Parameters = TypeVar("Parameters")


class Recorded(Randomizable, Generic[Parameters]):
    """What a random transform draws and does with it; random numbers come from `set_random_state` only.

    ``apply(image, transform.parameters)`` replays the last call.
    """

    parameters: Parameters

    @staticmethod
    @abstractmethod
    def draw(generator: np.random.RandomState) -> Any:
        """Return new parameters."""

    @staticmethod
    @abstractmethod
    def apply(image: Tensor, parameters: Any) -> Tensor:
        """Return the image that the parameters make of one."""

    def randomize(self, data: Any = None) -> None:
        """Draw new `parameters`."""
        self.parameters = self.draw(self.R)


class RecordedTransform(Recorded[Parameters], Transform):
    """Array form: one image (C, H, W), float in [0, 1]."""

    def __call__(self, img: Tensor) -> Tensor:
        """Draw parameters and apply them."""
        self.randomize()
        return self.apply(img, self.parameters)


class RecordedTransformd(Recorded[Parameters], MapTransform):
    """Dictionary form: all keys get the same augmentation."""

    def __init__(self, keys: KeysCollection, allow_missing_keys: bool = False) -> None:
        super().__init__(keys, allow_missing_keys)

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Draw parameters once and apply them to every key."""
        self.randomize()
        augmented = dict(data)
        for key in self.key_iterator(augmented):
            augmented[key] = self.apply(augmented[key], self.parameters)
        return augmented
