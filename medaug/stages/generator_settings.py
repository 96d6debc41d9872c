"""How a generative model is trained: the settings of its stage."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from medaug.diffusion.geometry import Geometry
from medaug.diffusion.noisy_examples import CONDITION_DROPOUT
from medaug.errors import SettingsError
from medaug.presets import GeneratorPreset
from medaug.stages.compute_settings import TrainingComputeSettings, usual_compile
from medaug.stages.run import Run
from medaug.stages.setting_values import chosen, free

Role = Literal["base", "upsampler"]


@dataclass(frozen=True, kw_only=True)
class GeneratorSettings(TrainingComputeSettings, GeneratorPreset):
    """How a diffusion model is trained.

    Parameters
    ----------
    low_size : int or None
        Side in pixels of the images that an upsampler enlarges; none for a base model.
    condition_dropout : float
        Probability that an example is trained on without its condition (classifier-free guidance).
    largest_gradient_norm : float
        Gradients are scaled down to it.
    guidance : float
        Guidance scale of the sample grids in TensorBoard.
    early_share : float
        Share of the training after which a snapshot is left beside the model, for autoguidance; 0 leaves
        none.
    workers : int
        Processes that load batches; 0 loads in the main process.
    noise_on_device : bool or None
        Draw noise, times, mirrors, shifts and spoiled low-resolution images on the device, a batch at once,
        instead of in the processes that load; None means on a GPU.
    gradient_checkpointing : bool
        Compute blocks of the network again on the way back, for images that do not fit into the memory of the
        GPU otherwise; a third more compute.
    """

    low_size: int | None = None
    condition_dropout: float = CONDITION_DROPOUT
    largest_gradient_norm: float = 1.0
    guidance: float = free(1.0)
    early_share: float = free(0.1)
    workers: int = free(0)
    noise_on_device: bool | None = free(None)
    gradient_checkpointing: bool = free(False)

    @classmethod
    def of(cls, run: Run, role: Role, **given: Any) -> GeneratorSettings:
        """Return settings from the values of a config, where None means what the preset says."""
        models = run.presets
        row = models.diffusion if role == "base" else models.upsampler
        if row is None:
            raise SettingsError(
                f"the preset {run.preset} of {run.modality} makes its images with one network, so there is "
                "no upsampler to train; use train_diffusion.json, or another --preset"
            )
        usual = {
            "low_size": None if role == "base" else models.diffusion.image_size,
            "guidance": models.sampling.guidance,
            "workers": 0 if run.preset == "demo" else 4,
            "compile": usual_compile(run.preset),
        }
        return chosen(cls, usual | {name: v for name, v in given.items() if v is not None}, row)

    def __post_init__(self) -> None:
        if self.low_size is not None and self.low_size >= self.image_size:
            raise SettingsError(
                f"an upsampler from {self.low_size} to {self.image_size} pixels would not enlarge"
            )
        if self.labelled_fraction is not None and not 0 <= self.labelled_fraction <= 1:
            raise SettingsError(f"labelled_fraction must be between 0 and 1, not {self.labelled_fraction}")
        for name in ("early_share", "warmup_share"):
            if not 0 <= getattr(self, name) < 1:
                raise SettingsError(f"{name} must be at least 0 and below 1, not {getattr(self, name)}")

    @property
    def geometry(self) -> Geometry:
        """What is done to training images."""
        return Geometry(self.mirrors, self.largest_shift)
