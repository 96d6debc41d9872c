"""The configs and the metadata of a bundle that is given away: those of the bundle, as the run used them.

Where the bundle says null, "as the preset says", what was used is written, so that the network that MONAI's
tools build is the one that the weights belong to, whichever preset the run had.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from medaug.sharing.source import Source
from medaug.stages.synthesis import SynthesisSettings

_OF_NETWORK = ("image_size", "network_name", "dropout")
_OF_IMAGES = ("channels", "fit")
_OF_PATCHES = ("patch_size", "centre", "mpp", "level", "tissue_fraction")
_OF_TASK = ("kind", "classes", "high_risk", "attributes")


def write_configs(source: Source, folder: Path) -> None:
    """Write all configs, ``metadata.json`` and ``logging.conf`` as real files."""
    folder.mkdir(parents=True)
    used = used_settings(source)
    for path in sorted(source.configs.glob("*.json")):
        content = metadata(source) if path.stem == "metadata" else source.config(path.stem)
        known = {name: value for name, value in used.get(path.stem, {}).items() if name in content}
        text = json.dumps({**content, **known}, indent=4, ensure_ascii=False)
        (folder / path.name).write_text(text + "\n", encoding="utf-8")
    logging = source.configs / "logging.conf"
    if logging.is_file():
        (folder / logging.name).write_bytes(logging.read_bytes())


def used_settings(source: Source) -> dict[str, dict[str, Any]]:
    """Return the settings that the models depend on, by config: what they see, are, and draw."""
    trained = source.settings(source.run / "models" / "model.pt")
    drawn = source.settings(source.generator / "synthetic")
    return {
        "prepare": _of_preparation(source),
        "train": {name: trained[name] for name in _OF_NETWORK if name in trained},
        "generate": {f.name: drawn[f.name] for f in fields(SynthesisSettings) if f.name in drawn},
    }


def _of_preparation(source: Source) -> dict[str, Any]:
    prepared, task = source.settings(source.data), source.info.task.to_dict()
    patches = prepared.get("patches") or {}
    size, *base = prepared.get("sizes", [source.info.image_size])
    return {
        **{name: task[name] for name in _OF_TASK},
        **{name: prepared[name] for name in _OF_IMAGES if name in prepared},
        **{name: patches[name] for name in _OF_PATCHES if name in patches},
        "image_size": size,
        **({"base_size": base[0]} if base else {}),
    }


def metadata(source: Source) -> dict[str, Any]:
    """Return the bundle's metadata with the shapes, classes, data and versions of the run."""
    content = source.config("metadata")
    names, task = source.versions, source.info.task
    content["monai_version"] = _release(names, "monai", content["monai_version"])
    content["pytorch_version"] = _release(names, "torch", content["pytorch_version"])
    content["numpy_version"] = _release(names, "numpy", content["numpy_version"])
    needed = content["required_packages_version"]
    content["required_packages_version"] = {k: _release(names, k, v) for k, v in needed.items()}
    content["data_source"] = ", ".join(source.store.origin.get("sources", [])) + (
        " (phantoms: drawn, not patients)" if source.info.phantom else ""
    )
    image = content["network_data_format"]["inputs"]["image"]
    image["num_channels"] = source.classifier[0].settings["channels"]
    image["spatial_shape"] = [source.info.image_size] * 2
    prediction = content["network_data_format"]["outputs"]["pred"]
    prediction["num_channels"] = len(task.classes)
    prediction["channel_def"] = {str(place): name for place, name in enumerate(task.classes)}
    return content


def _release(recorded: Mapping[str, str], package: str, usual: str) -> str:
    """Return a version without its build: the one trained with, else the one that is installed."""
    if package not in recorded:
        try:
            return version(package).partition("+")[0]
        except PackageNotFoundError:
            return usual
    return recorded[package].partition("+")[0]
