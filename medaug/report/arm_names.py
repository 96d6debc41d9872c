"""What readers are told instead of the keys of a study's arms; settings and CSV files keep the keys."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

_BY_BOTH = "synthetic by label and property"

ARM_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "baseline": "baseline",
        "pretrained": "pretrained",
        "randaugment": "RandAugment",
        "heuristic": "heuristic augmentation",
        "randaugment_heuristic": "RandAugment and heuristic",
        "focal": "focal loss",
        "oversampling": "oversampling",
        "oversampling_within_class": "oversampling within class",
        "importance_weights": "importance weights",
        "label": "synthetic by label",
        "label_heuristic": "synthetic by label, heuristic",
        "label_and_property": _BY_BOTH,
        "label_and_property_heuristic": f"{_BY_BOTH}, heuristic",
        "label_and_property_randaugment": f"{_BY_BOTH}, RandAugment",
        "synthetic_only": "synthetic only",
        "synthetic_first": "synthetic first, then real",
        "filtered": "synthetic, filtered",
        "placebo_noise": "placebo: noise",
        "placebo_shuffled": "placebo: labels shuffled",
    }
)
"""The name of each arm of `medaug.grid.arms`, by its key."""


def arm_name(key: str) -> str:
    """Return what an arm is called; a method that is no arm of medaug's is called what it is.

    Examples
    --------
    >>> arm_name("label_and_property"), arm_name("50% real + 50% synthetic")
    ('synthetic by label and property', '50% real + 50% synthetic')
    """
    return ARM_NAMES.get(key, key)
