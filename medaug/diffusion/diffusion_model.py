"""A trained generative model as one file: network, what its condition means, and where it comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import torch

from medaug.checkpoints import CheckpointFormat
from medaug.diffusion.condition import ConditionEncoder
from medaug.diffusion.unet import ConditionalUNet, build_unet

FORMAT = CheckpointFormat("medaug-diffusion-1", "diffusion model", "delete it and train again")


@dataclass(frozen=True)
class DiffusionModel:
    """A network that predicts noise, and all that is needed to sample from it.

    Parameters
    ----------
    network : ConditionalUNet
        The weights to sample with (the moving average of training).
    encoder : ConditionEncoder
        Meaning of the condition vector.
    kind : {"base", "upsampler"}
        ``base`` makes images from noise; ``upsampler`` from noise and a low-resolution image.
    info : mapping
        Plain values on the training: ``phantom`` (bool), iterations, seed, fingerprint of the store;
        of an upsampler also ``low_size``, the side of the images that it enlarges.
    """

    network: ConditionalUNet
    encoder: ConditionEncoder
    kind: Literal["base", "upsampler"] = "base"
    info: Mapping[str, Any] = field(default_factory=dict)

    @property
    def image_size(self) -> int:
        """Side in pixels of the images that it makes."""
        return int(self.network.arguments["image_size"])

    @property
    def channels(self) -> int:
        """Channels of the images that it makes, 1 or 3."""
        return int(self.network.arguments["image_channels"])


def save_model(path: Path, model: DiffusionModel) -> None:
    """Write a model to `path`, whole or not at all; tensors and plain Python types only."""
    content = {
        "kind": model.kind,
        "unet": model.network.arguments,
        "encoder": model.encoder.to_dict(),
        "network": model.network.state_dict(),
        "info": dict(model.info),
    }
    FORMAT.write(path, content)


def load_model(path: Path, device: torch.device | str = "cpu") -> DiffusionModel:
    """Read a model that `save_model` wrote, ready for sampling (evaluation mode).

    Raises
    ------
    CheckpointError
        The file is missing, damaged, or holds something else.
    """
    content = FORMAT.read(Path(path))
    with FORMAT.unpacking(Path(path)):
        network = build_unet(**content["unet"])
        network.load_state_dict(content["network"])
        encoder = ConditionEncoder.from_dict(content["encoder"])
        kind, info = content["kind"], content["info"]
    return DiffusionModel(network.to(device).eval(), encoder, kind, info)
