"""Table E1 of the paper in one place, with two smaller sizes of every row.

``paper`` holds the paper's numbers, ``single_gpu`` fits one GPU in days, ``demo`` two CPU cores in minutes.
What the paper does not give (iterations of the generative models, EMA, guidance) is chosen here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

PresetName = Literal["demo", "single_gpu", "paper"]
Modality = Literal["histopathology", "radiology", "dermatology"]


@dataclass(frozen=True)
class GeneratorPreset:
    """One row of Table E1 (b) or (c): a diffusion model at one resolution.

    ``image_size`` is the side in pixels, ``channels`` the base width times the multipliers, ``iterations``
    counts optimiser steps of ``batch_size`` images, ``ema_decay`` is per step. An epoch is a stretch of
    ``iterations_per_epoch`` steps, after which the state is saved and samples are shown.
    """

    image_size: int
    channels: tuple[int, ...]
    head_channels: int
    residual_blocks: int
    learning_rate: float
    batch_size: int
    iterations: int
    iterations_per_epoch: int
    ema_decay: float


@dataclass(frozen=True)
class SamplingPreset:
    """How synthetic images are drawn: number of images, samplers, their steps and the guidance scale.

    The upsampler may take fewer steps: its low-resolution image leaves little to decide.
    """

    images: int
    sampler: Literal["ddpm", "ddim", "dpm_solver"]
    steps: int
    upsampler_sampler: Literal["ddpm", "ddim", "dpm_solver"]
    upsampler_steps: int
    guidance: float
    batch_size: int


@dataclass(frozen=True)
class ClassifierPreset:
    """One row of Table E1 (a): the downstream classifier.

    ``network`` names a builder in `medaug.classification.networks`; ``real_fraction`` is the share of real
    examples in the mixture (Eq. 2-3), which the paper treats as a hyper-parameter.
    """

    network: str
    optimizer: Literal["adam", "sgd"]
    learning_rate: float
    schedule: Literal["constant", "cosine"]
    iterations: int
    iterations_per_epoch: int
    batch_size: int
    weight_decay: float
    dropout: float
    real_fraction: float


@dataclass(frozen=True)
class Preset:
    """The models of one modality at one size; ``upsampler`` is None where one resolution is enough."""

    diffusion: GeneratorPreset
    upsampler: GeneratorPreset | None
    sampling: SamplingPreset
    classifier: ClassifierPreset

    @property
    def image_size(self) -> int:
        """Side in pixels of the images that the classifier sees."""
        return (self.upsampler or self.diffusion).image_size


def _times(base: int, multipliers: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(base * multiplier for multiplier in multipliers)


def _single_gpu(paper: Preset, learning_rate: float) -> Preset:
    """Halve the width of a cascade and shorten its training; its classifier is the smallest BiT."""
    return Preset(
        diffusion=replace(
            paper.diffusion,
            channels=_times(96, (1, 2, 3, 4)),
            residual_blocks=2,
            learning_rate=1e-4,
            iterations=150_000,
        ),
        upsampler=replace(
            paper.upsampler,  # type: ignore[type-var]
            channels=_times(64, (1, 1, 2, 2, 4, 4)),
            iterations=100_000,
        ),
        sampling=SamplingPreset(50_000, "dpm_solver", 25, "ddpm", 50, 1.5, 128),
        classifier=replace(paper.classifier, network="bit_50x1", learning_rate=learning_rate),
    )


_DEMO_CASCADE = Preset(
    diffusion=GeneratorPreset(16, (32, 64), 32, 1, 1.5e-3, 32, 1000, 200, 0.99),
    upsampler=GeneratorPreset(64, (16, 32, 32), 32, 1, 1e-3, 8, 400, 200, 0.99),
    sampling=SamplingPreset(500, "ddpm", 25, "ddpm", 12, 2.0, 100),
    classifier=ClassifierPreset("small_resnet", "adam", 1e-3, "cosine", 320, 40, 32, 1e-5, 0.0, 0.5),
)

_HISTOPATHOLOGY_PAPER = Preset(
    diffusion=GeneratorPreset(96, _times(128, (1, 1, 2, 3, 4)), 64, 2, 1e-4, 64, 500_000, 5000, 0.9999),
    upsampler=None,
    sampling=SamplingPreset(300_000, "ddpm", 1000, "ddpm", 1000, 1.0, 256),
    classifier=ClassifierPreset("resnet152", "adam", 1e-4, "constant", 200_000, 2000, 32, 0.0, 0.0, 0.0),
)
"""Section G.1 trains its classifiers on synthetic images only, hence the real fraction of 0."""

_RADIOLOGY_PAPER = Preset(
    diffusion=GeneratorPreset(64, _times(192, (1, 2, 3, 4)), 64, 3, 1.5e-5, 128, 500_000, 5000, 0.9999),
    upsampler=GeneratorPreset(224, _times(128, (1, 1, 2, 2, 4, 4)), 64, 2, 1e-4, 32, 500_000, 5000, 0.9999),
    sampling=SamplingPreset(200_000, "ddpm", 1000, "ddpm", 1000, 1.0, 64),
    classifier=ClassifierPreset("bit_152x2", "adam", 1e-5, "cosine", 50_000, 1000, 64, 1e-5, 0.0, 0.5),
)

_DERMATOLOGY_PAPER = Preset(
    diffusion=GeneratorPreset(64, _times(192, (1, 2, 3, 4)), 64, 3, 1.5e-4, 128, 500_000, 5000, 0.9999),
    upsampler=GeneratorPreset(256, _times(128, (1, 1, 2, 2, 4, 4)), 64, 2, 1e-4, 32, 500_000, 5000, 0.9999),
    sampling=SamplingPreset(50_000, "ddpm", 1000, "ddpm", 1000, 1.0, 64),
    classifier=ClassifierPreset("bit_101x3", "sgd", 0.01, "cosine", 10_000, 500, 96, 1e-4, 0.0, 0.5),
)

_PRESETS: dict[tuple[str, str], Preset] = {
    ("histopathology", "paper"): _HISTOPATHOLOGY_PAPER,
    ("histopathology", "single_gpu"): Preset(
        diffusion=replace(
            _HISTOPATHOLOGY_PAPER.diffusion, channels=_times(64, (1, 1, 2, 3, 4)), iterations=150_000
        ),
        upsampler=None,
        sampling=SamplingPreset(100_000, "dpm_solver", 25, "dpm_solver", 25, 1.5, 256),
        classifier=replace(_HISTOPATHOLOGY_PAPER.classifier, network="resnet50", iterations=50_000),
    ),
    ("histopathology", "demo"): Preset(
        diffusion=GeneratorPreset(24, (32, 64, 64), 32, 1, 1.5e-3, 32, 800, 200, 0.99),
        upsampler=None,
        sampling=SamplingPreset(500, "ddpm", 25, "ddpm", 25, 2.0, 100),
        classifier=ClassifierPreset("small_resnet", "adam", 1e-3, "constant", 320, 40, 32, 0.0, 0.0, 0.5),
    ),
    ("radiology", "paper"): _RADIOLOGY_PAPER,
    ("radiology", "single_gpu"): _single_gpu(_RADIOLOGY_PAPER, learning_rate=1e-4),
    ("radiology", "demo"): _DEMO_CASCADE,
    ("dermatology", "paper"): _DERMATOLOGY_PAPER,
    ("dermatology", "single_gpu"): _single_gpu(_DERMATOLOGY_PAPER, learning_rate=0.01),
    ("dermatology", "demo"): _DEMO_CASCADE,
}


def preset(modality: Modality, name: PresetName) -> Preset:
    """Return the models of a modality at a size.

    Examples
    --------
    >>> preset("radiology", "paper").diffusion.channels
    (192, 384, 576, 768)
    """
    try:
        return _PRESETS[modality, name]
    except KeyError:
        known = ", ".join(f"{m} {n}" for m, n in _PRESETS)
        raise ValueError(f"there is no preset {name!r} for {modality!r}; there are: {known}") from None
