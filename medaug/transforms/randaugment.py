"""RandAugment (Cubuk et al., 2020; baseline of Section E.2) as MONAI transforms, on kornia's operations."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import torch
from kornia.augmentation.auto import RandAugment
from kornia.augmentation.auto.base import SUBPOLICY_CONFIG
from kornia.augmentation.auto.rand_augment.rand_augment import default_policy
from monai.config.type_definitions import KeysCollection
from monai.transforms.transform import MapTransform, Randomizable, Transform
from torch import Tensor

from medaug.errors import SettingsError

OPERATIONS = 2
"""Operations an image, the value of Cubuk et al. for ImageNet; the paper gives none."""
MAGNITUDE = 9
"""Strength on kornia's scale of 30, from the same source."""
COLOUR_ONLY = "color"
"""The operation that grey images do not have."""


class RandAugmentation:
    """The operations, drawn and applied as a function of an image and one seed.

    A grey image has no saturation, so that operation is not among those that it can draw.
    """

    def __init__(self, n: int = OPERATIONS, m: int = MAGNITUDE) -> None:
        grey = check_strength(n, m)
        self._colour = RandAugment(n, m)
        self._grey = RandAugment(n, m, policy=grey)

    def __call__(self, image: Tensor, seed: int) -> Tensor:
        """Augment an image (1 or 3, H, W) in [0, 1]; the global random state is left as it was."""
        operations = self._grey if image.shape[0] == 1 else self._colour
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(seed)
            augmented: Tensor = operations(image[None])[0]
        return augmented.clamp(0.0, 1.0)


class RandRandAugment(Randomizable, Transform):
    """Apply `n` random operations of strength `m` to an image (C, H, W), float in [0, 1].

    Random numbers come from `set_random_state` only. What was drawn is one seed, kept in `parameters`;
    ``transform.operations(image, transform.parameters)`` replays it.
    """

    parameters: int

    def __init__(self, n: int = OPERATIONS, m: int = MAGNITUDE) -> None:
        self.operations = RandAugmentation(n, m)

    def randomize(self, data: Any = None) -> None:
        """Draw a new seed."""
        self.parameters = _draw_seed(self.R)

    def __call__(self, img: Tensor) -> Tensor:
        """Draw a seed and apply the operations that follow from it."""
        self.randomize()
        return self.operations(img, self.parameters)


class RandRandAugmentd(Randomizable, MapTransform):
    """Dictionary form of `RandRandAugment`: all keys get the same operations."""

    parameters: int

    def __init__(
        self,
        keys: KeysCollection,
        n: int = OPERATIONS,
        m: int = MAGNITUDE,
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.operations = RandAugmentation(n, m)

    def randomize(self, data: Any = None) -> None:
        """Draw a new seed."""
        self.parameters = _draw_seed(self.R)

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Draw a seed once and augment every key by it."""
        self.randomize()
        augmented = dict(data)
        for key in self.key_iterator(augmented):
            augmented[key] = self.operations(augmented[key], self.parameters)
        return augmented


def check_strength(n: int, m: int) -> list[SUBPOLICY_CONFIG]:
    """Return the operations of grey images; a SettingsError where these are not `n`, or `m` is off."""
    grey = [policy for policy in default_policy if policy[0][0] != COLOUR_ONLY]
    if not (1 <= n <= len(grey) and 0 < m < 30):
        raise SettingsError(f"RandAugment needs 1 <= n <= {len(grey)} and 0 < m < 30, not n={n}, m={m}")
    return grey


def _draw_seed(generator: np.random.RandomState) -> int:
    return int(generator.randint(2**31 - 1))
