"""A trained classifier in one file: what it was built with, what it predicts, its weights."""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from medaug.classification.networks import Classifier, build_classifier
from medaug.errors import CheckpointError
from medaug.files import write_aside
from medaug.task import Task

FORMAT = "medaug-classifier-1"


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
    content = {
        "format": FORMAT,
        "arguments": network.settings,
        "task": info.task.to_dict(),
        "image_size": info.image_size,
        "info": {"method": info.method, "seed": info.seed, "phantom": info.phantom},
        "network": network.state_dict() if weights is None else weights,
    }
    with write_aside(Path(path)) as temporary:
        torch.save(content, temporary)


def load_classifier(
    path: Path | str, device: torch.device | str = "cpu"
) -> tuple[Classifier, ClassifierInfo]:
    """Build the network that `save_classifier` wrote, in evaluation mode.

    Raises
    ------
    CheckpointError
        There is no such file, it is damaged, or it is not a classifier of medaug.
    """
    content = _read(Path(path))
    try:
        network = build_classifier(**content["arguments"])
        network.load_state_dict(content["network"])
        info = ClassifierInfo(Task.from_dict(content["task"]), content["image_size"], **content["info"])
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise CheckpointError(f"{path} does not hold a whole classifier: {error}; train it again") from error
    return network.to(device).eval(), info


def _read(path: Path) -> dict[str, Any]:
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise CheckpointError(f"there is no classifier {path}; train one first") from None
    except (OSError, EOFError, RuntimeError, ValueError, pickle.UnpicklingError) as error:
        raise CheckpointError(f"{path} cannot be read as a model file; delete it and train again") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise CheckpointError(f"{path} is not a classifier of medaug (format {FORMAT})")
    return content
