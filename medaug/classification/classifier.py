"""A trained classifier in one file: what it was built with, what it predicts, its weights."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from medaug.checkpoints import CheckpointFormat
from medaug.classification.networks import Classifier, build_classifier
from medaug.task import Task

FORMAT = CheckpointFormat("medaug-classifier-1", "classifier", "delete it and train again")


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
        "arguments": network.settings,
        "task": info.task.to_dict(),
        "image_size": info.image_size,
        "info": {"method": info.method, "seed": info.seed, "phantom": info.phantom},
        "network": network.state_dict() if weights is None else weights,
    }
    FORMAT.write(Path(path), content)


def load_classifier(
    path: Path | str, device: torch.device | str = "cpu"
) -> tuple[Classifier, ClassifierInfo]:
    """Build the network that `save_classifier` wrote, in evaluation mode.

    Raises
    ------
    CheckpointError
        There is no such file, it is damaged, or it is not a classifier of medaug.
    """
    content = FORMAT.read(Path(path))
    with FORMAT.unpacking(Path(path)):
        network = build_classifier(**content["arguments"])
        network.load_state_dict(content["network"])
        info = ClassifierInfo(Task.from_dict(content["task"]), content["image_size"], **content["info"])
    return network.to(device).eval(), info
