"""The arms of a study: each a name and a few settings of ``train.json`` (Sections 3.2, 3.3, E.2 and G.3).

All arms train for as many steps with batches of as many images, so that none is better for having seen more.
An arm with synthetic images that sets no ``real_fraction`` has that of its study.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Conditioning = Literal["label", "label_and_property"]

REFERENCE = "baseline"
"""The arm that the others are compared with."""

BY_BOTH = "synthetic by label and property"
"""What most arms with synthetic images have in common: a property is a group, such as a sex or a hospital."""


@dataclass(frozen=True)
class Arm:
    """One way to train a classifier.

    Parameters
    ----------
    name : str
        What the study's page calls it; its files and settings have the key of `arms`.
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
    own = "the modality's own augmentations"
    return {
        REFERENCE: _real(REFERENCE, "real images as they are"),
        "pretrained": _real(
            "pretrained", "a network pretrained on ImageNet", network_name="efficientnet_lite0"
        ),
        "randaugment": _real("RandAugment", "with RandAugment", augmentation="randaugment"),
        "heuristic": _real("heuristic augmentation", f"with {own}", augmentation="heuristic"),
        "randaugment_heuristic": _real(
            "RandAugment and heuristic", f"with RandAugment and {own}", augmentation="randaugment+heuristic"
        ),
        "focal": _real("focal loss", "with the focal loss", loss_name="focal"),
        "oversampling": _real(
            "oversampling", f"images of rare groups of {group} come more often", oversample=group
        ),
        "oversampling_within_class": _real(
            "oversampling within class",
            f"images of rare groups of {group} come more often, until groups are even within each class",
            oversample=group,
            oversample_within_class=True,
        ),
        "importance_weights": _real(
            "importance weights", f"images of rare groups of {group} count more (Eq. 9)", weigh_by=group
        ),
    }


def _of_synthetic_images() -> dict[str, Arm]:
    label, both = "asked for by label", "asked for by label and property"
    return {
        "label": _mixed("synthetic by label", f"with synthetic images, {label}", "label"),
        "label_heuristic": _mixed(
            "synthetic by label, heuristic",
            "synthetic by label, with the modality's own augmentations",
            "label",
            augmentation="heuristic",
        ),
        "label_and_property": _mixed(BY_BOTH, f"with synthetic images, {both}"),
        "label_and_property_heuristic": _mixed(
            f"{BY_BOTH}, heuristic",
            f"{BY_BOTH}, with the modality's own augmentations",
            augmentation="heuristic",
        ),
        "label_and_property_randaugment": _mixed(
            f"{BY_BOTH}, RandAugment", f"{BY_BOTH}, with RandAugment", augmentation="randaugment"
        ),
        "synthetic_only": _mixed("synthetic only", f"synthetic images only, {both}", real_fraction=0.0),
        "synthetic_first": _mixed(
            "synthetic first, then real",
            f"{BY_BOTH}, but the synthetic images first, then the real ones",
            order="synthetic_first",
        ),
        "filtered": _mixed(
            "synthetic, filtered",
            f"{BY_BOTH}, of the synthetic images only those in which a classifier of real images sees what "
            "was asked for",
            only_agreed=True,
        ),
    }


def _placebos() -> dict[str, Arm]:
    """Return arms that no method should lose to: what they add cannot teach anything."""
    return {
        "placebo_noise": _mixed(
            "placebo: noise", f"{BY_BOTH}, but the synthetic images are noise", placebo="noise"
        ),
        "placebo_shuffled": _mixed(
            "placebo: labels shuffled",
            f"{BY_BOTH}, but the labels of the synthetic images are shuffled",
            placebo="shuffled",
        ),
    }


def _real(name: str, meaning: str, **settings: Any) -> Arm:
    return Arm(name, meaning, {"real_fraction": 1.0, **settings})


def _mixed(
    name: str, meaning: str, conditioning: Conditioning = "label_and_property", **settings: Any
) -> Arm:
    return Arm(name, meaning, settings, conditioning)
