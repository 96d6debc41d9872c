"""A trained generative model as one file: network, what its condition means, and where it comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import torch

from medaug.diffusion.condition import ConditionEncoder
from medaug.diffusion.unet import ConditionalUNet, build_unet
from medaug.errors import CheckpointError, MedaugError
from medaug.files import disk_errors, write_aside

FORMAT = "medaug-diffusion-1"


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
        "format": FORMAT,
        "kind": model.kind,
        "unet": model.network.arguments,
        "encoder": model.encoder.to_dict(),
        "network": model.network.state_dict(),
        "info": dict(model.info),
    }
    with disk_errors(path), write_aside(path) as temporary:
        torch.save(content, temporary)


def load_model(path: Path, device: torch.device | str = "cpu") -> DiffusionModel:
    """Read a model that `save_model` wrote, ready for sampling (evaluation mode).

    Raises
    ------
    CheckpointError
        The file is missing, damaged, or holds something else.
    """
    content = _read(Path(path))
    try:
        network = build_unet(**content["unet"])
        network.load_state_dict(content["network"])
        encoder = ConditionEncoder.from_dict(content["encoder"])
        kind, info = content["kind"], content["info"]
    except (KeyError, TypeError, RuntimeError, MedaugError) as error:
        reason = " ".join(str(error).split())[:200]
        raise CheckpointError(f"{path} does not fit the network it names: {reason}; train it again") from None
    return DiffusionModel(network.to(device).eval(), encoder, kind, info)


def _read(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise CheckpointError(f"there is no model {path}; train it first")
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises a different type for each kind of damage
        raise CheckpointError(f"{path} is not a readable model file ({type(error).__name__})") from None
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise CheckpointError(f"{path} is not a diffusion model of medaug ({FORMAT})")
    return content
