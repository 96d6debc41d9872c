"""A trained generative model as one file: network, what its condition means, and where it comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import torch

from medaug.checkpoints import CheckpointFormat
from medaug.diffusion.condition import ConditionEncoder
from medaug.diffusion.prediction import Prediction, check_prediction
from medaug.diffusion.unet import ConditionalUNet, build_unet

FORMAT = CheckpointFormat(
    "medaug-diffusion-2", "diffusion model", "delete it and train again", older=("medaug-diffusion-1",)
)


@dataclass(frozen=True)
class DiffusionModel:
    """A network that takes noise away, and all that is needed to sample from it.

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
    prediction : {"epsilon", "v", "x"}
        What the network predicts, see `medaug.diffusion.prediction`.
    geometry_slots : int
        Slots behind the encoder's that say how a training image was mirrored and shifted
        (`medaug.diffusion.geometry`); zeros where images are drawn.

    Raises
    ------
    SettingsError
        There is no such prediction.
    """

    network: ConditionalUNet
    encoder: ConditionEncoder
    kind: Literal["base", "upsampler"] = "base"
    info: Mapping[str, Any] = field(default_factory=dict)
    prediction: Prediction = "epsilon"
    geometry_slots: int = 0

    def __post_init__(self) -> None:
        check_prediction(self.prediction)

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
        "prediction": model.prediction,
        "geometry_slots": model.geometry_slots,
    }
    FORMAT.write(path, content)


def load_model(path: Path, device: torch.device | str = "cpu") -> DiffusionModel:
    """Read a model that `save_model` wrote, ready for sampling (evaluation mode).

    A file of the first format has neither prediction nor slots: it predicts the noise.

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
        prediction, slots = content.get("prediction", "epsilon"), content.get("geometry_slots", 0)
        model = DiffusionModel(network.to(device).eval(), encoder, kind, info, prediction, slots)
        if network.condition_size != encoder.size + slots:
            raise ValueError(f"{network.condition_size} slots of the network, {encoder.size} + {slots} of it")
    return model
