"""Reading the files of the bundles, for the tests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

BUNDLES = ("chexpert", "camelyon17", "dermatology")
PARTS = {
    "prepare": "prepare",
    "diffusion": "train_diffusion",
    "upsampler": "train_upsampler",
    "generate": "generate",
}
"""Which config gets the settings that `train.json` hands over under a name."""

SHARED_STAGES = ("train_diffusion", "train", "evaluate")
"""Configs that build the same in every bundle; the others differ where the modalities do."""

_ORDER = ("prepare", "train_diffusion", "train_upsampler", "generate", "train", "evaluate", "inference")


def folder(bundle: str) -> Path:
    return Path(__file__).parents[2] / "bundles" / bundle


def stages(bundle: str) -> list[str]:
    return [stage for stage in _ORDER if (folder(bundle) / f"{stage}.json").is_file()]


def config(bundle: str, stage: str) -> dict[str, Any]:
    return json.loads((folder(bundle) / f"{stage}.json").read_text())


def settings(bundle: str, stage: str) -> dict[str, Any]:
    """What a user may set: in every config it comes first, and then what is built from it."""
    content = list(config(bundle, stage).items())
    names = [name for name, _ in content]
    end = min(names.index(name) for name in ("device", "task", "evaluation") if name in names)
    hidden = ("imports", "common", "p", "sampling")
    return {name: value for name, value in content[:end] if name not in hidden}
