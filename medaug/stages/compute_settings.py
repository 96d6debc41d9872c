"""How a stage computes: settings that cost no accuracy, each on where the device can do it."""

from __future__ import annotations

from dataclasses import dataclass, fields

import torch

from medaug.engine.acceleration import Acceleration
from medaug.presets import PresetName
from medaug.stages.setting_values import free


@dataclass(frozen=True, kw_only=True)
class ComputeSettings:
    """How a network is computed.

    Parameters
    ----------
    amp : bool or None
        Mixed precision: bfloat16 where precision allows; None means on a GPU that has it.
    tf32 : bool or None
        TensorFloat-32 for what stays in float32; None means on a GPU.
    compile : bool or None
        ``torch.compile``: a first step of minutes, kept for later runs, and faster steps; None means on a GPU
        with Triton and a C compiler, but for the preset ``demo``, which is done in minutes.
    """

    amp: bool | None = free(None)
    tf32: bool | None = free(None)
    compile: bool | None = free(None)

    def acceleration(self, device: torch.device) -> Acceleration:
        """Return these settings, with what is usual on a device in place of None."""
        names = {f.name for f in fields(Acceleration)} & {f.name for f in fields(self)}
        return Acceleration.of(device, {name: getattr(self, name) for name in names})


def usual_compile(preset: PresetName) -> bool | None:
    """Return whether a preset's networks are compiled; None leaves that to the device."""
    return False if preset == "demo" else None


@dataclass(frozen=True, kw_only=True)
class TrainingComputeSettings(ComputeSettings):
    """How a network is trained.

    Parameters
    ----------
    channels_last : bool or None
        Memory layout in which convolutions are fastest on a GPU; None means on a GPU.
    fused_optimizer : bool or None
        The optimiser's step in one kernel; None means on a GPU.
    """

    channels_last: bool | None = free(None)
    fused_optimizer: bool | None = free(None)
