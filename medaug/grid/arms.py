"""The arms of a study: each a name and a few settings of ``train.json`` (Sections 3.2, 3.3, E.2 and G.3).

All arms train for as many steps with batches of as many images, so that none is better for having seen more.
An arm with synthetic images that sets no ``real_fraction`` has that of its study.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from medaug.report.arm_names import ARM_NAMES
from medaug.report.group_words import attribute_words

Conditioning = Literal["label", "label_and_property"]

REFERENCE = "baseline"
"""The arm that the others are compared with."""

BY_BOTH = ARM_NAMES["label_and_property"]
"""What most arms with synthetic images have in common: a property is a group, such as a sex or a hospital."""


@dataclass(frozen=True)
class Arm:
    """One way to train a classifier.

    Parameters
    ----------
    name : str
        What pages call it, of `medaug.report.arm_names`; its files and settings have the key of `arms`.
    meaning : str
        What it is, for readers of the study.
    settings : mapping
        Settings of ``train.json`` that make it this arm.
    conditioning : {"label", "label_and_property"} or None
        What the generator of its synthetic images is conditioned on; None where it uses none.
    """

    name: str
    meaning: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    conditioning: Conditioning | None = None


def arms(group: str) -> dict[str, Arm]:
    """Return all arms by the key that settings and files have.

    Parameters
    ----------
    group : str
        Attribute, or ``domain``, whose rare groups oversampling and weights are for.

    Examples
    --------
    >>> arms("sex")["oversampling"].settings
    {'real_fraction': 1.0, 'oversample': 'sex'}
    """
    return _of_real_images(group) | _of_synthetic_images() | _placebos()


def _of_real_images(group: str) -> dict[str, Arm]:
    own, rare = "the modality's own augmentations", f"images of rare groups of {attribute_words(group)}"
    return dict(
        [
            _real(REFERENCE, "real images as they are"),
            _real("pretrained", "a network pretrained on ImageNet", network_name="efficientnet_lite0"),
            _real("randaugment", "with RandAugment", augmentation="randaugment"),
            _real("heuristic", f"with {own}", augmentation="heuristic"),
            _real(
                "randaugment_heuristic",
                f"with RandAugment and {own}",
                augmentation="randaugment+heuristic",
            ),
            _real("focal", "with the focal loss", loss_name="focal"),
            _real("oversampling", f"{rare} come more often", oversample=group),
            _real(
                "oversampling_within_class",
                f"{rare} come more often, until groups are even within each class",
                oversample=group,
                oversample_within_class=True,
            ),
            _real(
                "importance_weights",
                f"{rare} count more (Eq. 9)",
                weigh_by=group,
            ),
        ]
    )


def _of_synthetic_images() -> dict[str, Arm]:
    label, both = "asked for by label", "asked for by label and property"
    return dict(
        [
            _mixed("label", f"with synthetic images, {label}", "label"),
            _mixed(
                "label_heuristic",
                "synthetic by label, with the modality's own augmentations",
                "label",
                augmentation="heuristic",
            ),
            _mixed("label_and_property", f"with synthetic images, {both}"),
            _mixed(
                "label_and_property_heuristic",
                f"{BY_BOTH}, with the modality's own augmentations",
                augmentation="heuristic",
            ),
            _mixed(
                "label_and_property_randaugment", f"{BY_BOTH}, with RandAugment", augmentation="randaugment"
            ),
            _mixed("synthetic_only", f"synthetic images only, {both}", real_fraction=0.0),
            _mixed(
                "synthetic_first",
                f"{BY_BOTH}, but the synthetic images first, then the real ones",
                order="synthetic_first",
            ),
            _mixed(
                "filtered",
                f"{BY_BOTH}, of the synthetic images only those in which a classifier of real images sees "
                "what was asked for",
                only_agreed=True,
            ),
        ]
    )


def _placebos() -> dict[str, Arm]:
    """Return arms that no method should lose to: what they add cannot teach anything."""
    return dict(
        [
            _mixed("placebo_noise", f"{BY_BOTH}, but the synthetic images are noise", placebo="noise"),
            _mixed(
                "placebo_shuffled",
                f"{BY_BOTH}, but the labels of the synthetic images are shuffled",
                placebo="shuffled",
            ),
        ]
    )


def _real(key: str, meaning: str, **settings: Any) -> tuple[str, Arm]:
    return key, Arm(ARM_NAMES[key], meaning, {"real_fraction": 1.0, **settings})


def _mixed(
    key: str, meaning: str, conditioning: Conditioning = "label_and_property", **settings: Any
) -> tuple[str, Arm]:
    return key, Arm(ARM_NAMES[key], meaning, settings, conditioning)
