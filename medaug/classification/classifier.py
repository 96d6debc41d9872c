"""A trained classifier: what it was built with, what it predicts, its weights.

All three are in one file. Where a classifier is given away, the file holds the weights alone, as MONAI's
tools expect it, and what they mean is written beside it as JSON: ``model.pt`` has ``model.json``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from medaug.checkpoints import CheckpointFormat
from medaug.classification.networks import Classifier, build_classifier
from medaug.errors import CheckpointError
from medaug.files import write_aside
from medaug.task import Task

FORMAT = CheckpointFormat(
    "medaug-classifier-1",
    "classifier",
    "name another one, or, if it was trained here, delete it and train again",
)


@dataclass(frozen=True)
class ClassifierInfo:
    """What a classifier predicts and where it comes from.

    ``image_size`` is the side in pixels that it was trained at, ``method`` its name in the predictions table,
    ``seed`` the run's seed, ``phantom`` whether it has seen drawn phantoms only.
    """

    task: Task
    image_size: int
    method: str
    seed: int
    phantom: bool


def save_classifier(
    path: Path | str, network: Classifier, info: ClassifierInfo, weights: dict[str, Tensor] | None = None
) -> None:
    """Write a classifier; the file is whole or not there.

    `weights` are saved in place of the network's own when given (those of its best epoch, say).
    """
    weights = network.state_dict() if weights is None else weights
    FORMAT.write(Path(path), {**_meaning(network, info), "network": weights})


def save_plain_weights(path: Path | str, network: Classifier, info: ClassifierInfo) -> None:
    """Write a classifier as a plain state dictionary, and what it means beside it (`meaning_path`)."""
    content = {"format": FORMAT.tag, **_meaning(network, info)}
    with write_aside(Path(path)) as aside, aside.open("wb") as file:
        torch.save(network.state_dict(), file)  # to a path it would write the path's name into the file
    with write_aside(meaning_path(path)) as aside:
        aside.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def meaning_path(path: Path | str) -> Path:
    """Return where the meaning of plain weights lies: ``model.json`` beside ``model.pt``."""
    return Path(path).with_suffix(".json")


def load_classifier(
    path: Path | str, device: torch.device | str = "cpu"
) -> tuple[Classifier, ClassifierInfo]:
    """Build the network that `save_classifier` or `save_plain_weights` wrote, in evaluation mode.

    Raises
    ------
    CheckpointError
        There is no such file, it is damaged, or it is not a classifier of medaug.
    """
    content = _read(Path(path))
    with FORMAT.unpacking(Path(path)):
        network = build_classifier(**content["arguments"])
        network.load_state_dict(content["network"])
        info = ClassifierInfo(Task.from_dict(content["task"]), content["image_size"], **content["info"])
    return network.to(device).eval(), info


def _meaning(network: Classifier, info: ClassifierInfo) -> dict[str, Any]:
    return {
        "arguments": network.settings,
        "task": info.task.to_dict(),
        "image_size": info.image_size,
        "info": {"method": info.method, "seed": info.seed, "phantom": info.phantom},
    }


def _read(path: Path) -> dict[str, Any]:
    content, beside = FORMAT.load(path), meaning_path(path)
    if isinstance(content, dict) and "format" not in content and beside.is_file():
        content = {**_read_meaning(beside), "network": content}
    return FORMAT.checked(path, content)


def _read_meaning(path: Path) -> dict[str, Any]:
    try:
        return {**json.loads(path.read_text(encoding="utf-8"))}
    except (OSError, ValueError, TypeError) as error:
        reason = type(error).__name__
        raise CheckpointError(f"{path} cannot be read ({reason}); it says what the weights mean") from None
