from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from medaug.grid.arms import REFERENCE, arms
from medaug.report.arm_names import ARM_NAMES
from medaug.stages.command_line import check_options

ROOT = Path(__file__).parents[2]
ARMS = arms("sex")

DIFFERS = {
    "pretrained": {"network_name": "efficientnet_lite0"},
    "randaugment": {"augmentation": "randaugment"},
    "heuristic": {"augmentation": "heuristic"},
    "randaugment_heuristic": {"augmentation": "randaugment+heuristic"},
    "focal": {"loss_name": "focal"},
    "oversampling": {"oversample": "sex"},
    "oversampling_within_class": {"oversample": "sex", "oversample_within_class": True},
    "importance_weights": {"weigh_by": "sex"},
    "label": {},
    "label_heuristic": {"augmentation": "heuristic"},
    "label_and_property": {},
    "label_and_property_heuristic": {"augmentation": "heuristic"},
    "label_and_property_randaugment": {"augmentation": "randaugment"},
    "synthetic_only": {"real_fraction": 0.0},
    "synthetic_first": {"order": "synthetic_first"},
    "filtered": {"only_agreed": True},
    "placebo_noise": {"placebo": "noise"},
    "placebo_shuffled": {"placebo": "shuffled"},
}
"""What each arm of a study does otherwise than the baseline, besides mixing in synthetic images."""


def test_every_arm_differs_from_the_reference_in_what_it_is_named_after():
    assert ARMS[REFERENCE].settings == {"real_fraction": 1.0}
    assert set(ARMS) == {REFERENCE, *DIFFERS}
    for name, expected in DIFFERS.items():
        found = {k: v for k, v in ARMS[name].settings.items() if v != ARMS[REFERENCE].settings.get(k)}
        assert found == expected, name


def test_every_arm_has_a_short_name_of_its_own():
    names = [arm.name for arm in ARMS.values()]
    assert set(ARM_NAMES) == set(ARMS)
    assert len(set(names)) == len(names)
    assert max(map(len, names)) <= 44
    assert not [name for name in names if "_" in name]


def test_arms_with_synthetic_images_have_a_generator_and_leave_their_share_to_the_study():
    for name, arm in ARMS.items():
        assert (arm.conditioning is None) == (arm.settings.get("real_fraction") == 1.0), name
    mixed = {name for name, arm in ARMS.items() if "real_fraction" not in arm.settings}
    assert mixed == {name for name, arm in ARMS.items() if arm.conditioning} - {"synthetic_only"}
    of_labels = {name for name, arm in ARMS.items() if arm.conditioning == "label"}
    assert of_labels == {"label", "label_heuristic"}


@pytest.mark.parametrize("bundle", ["chexpert", "camelyon17", "dermatology"])
def test_arms_are_settings_of_train_json(bundle):
    folder = ROOT / "bundles" / bundle
    config: dict[str, Any] = json.loads((folder / "train.json").read_text(encoding="utf-8"))
    for arm in ARMS.values():
        check_options(arm.settings, config, folder)


def test_all_arms_train_for_as_many_steps_with_as_large_batches():
    assert not [
        n for n, a in ARMS.items() if {"iterations", "iterations_per_epoch", "batch_size"} & set(a.settings)
    ]
