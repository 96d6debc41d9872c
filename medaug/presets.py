"""Table E1 of the paper in one place, with two smaller sizes of every row.

``paper`` holds the paper's numbers, ``single_gpu`` fits one GPU in days, ``demo`` two CPU cores in minutes.
What the paper does not give (iterations of the generative models, EMA, guidance) is chosen here.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass, replace
from typing import Any, Literal

from medaug.errors import SettingsError

PresetName = Literal["demo", "single_gpu", "paper"]
SamplerName = Literal["ddpm", "ddim", "dpm_solver"]
PredictionName = Literal["epsilon", "v", "x"]
LossWeightName = Literal["none", "min_snr", "bounded"]
ScheduleName = Literal["constant", "cosine"]
Modality = Literal["histopathology", "radiology", "dermatology"]


@dataclass(frozen=True)
class GeneratorPreset:
    """One row of Table E1 (b) or (c): a diffusion model at one resolution.

    Parameters
    ----------
    image_size : int
        Side in pixels of the images that it makes.
    channels : tuple of int
        Channels at each level of the UNet: the base width times the multipliers.
    head_channels : int
        Channels of one attention head.
    residual_blocks : int
        Residual blocks at each level.
    learning_rate : float
        Of AdamW.
    batch_size : int
        Images of one step, in all processes together.
    iterations : int
        Length of the training in steps, rounded up to whole epochs.
    iterations_per_epoch : int
        Steps between two savings and sample grids.
    ema_width : float
        Width of the moving average of the weights, which is what is saved: standard deviation of its profile,
        as a share of the training so far.
    patch : int
        Side of the squares of pixels that the network works on: 1, 2 or 4; more is cheaper.
    attention_side : int
        Largest side of the levels with attention, in patches.
    dropout : float
        Probability that a value inside a residual block is dropped in training.
    prediction : {"epsilon", "v", "x"}
        What the network predicts: the noise, the velocity between noise and image, or the image.
    times : {"uniform", "lognormal"}
        How noise levels are drawn: evenly over the schedule, or log-normally around those where shapes and
        details are decided.
    loss_weight : {"none", "min_snr", "bounded"}
        Weight of the squared error: 1, or such that the error of the image has the weight min(SNR, 5), or
        min(SNR + 1, 5), where SNR is the signal-to-noise ratio.
    schedule : {"constant", "cosine"}
        Of the learning rate; `cosine` falls to zero at the end.
    warmup_share : float
        Share of the training in which the learning rate rises to its largest.
    mirrors : tuple of {"horizontal", "vertical"}
        By which half of the training images are mirrored; the network is told, so that no drawn image is.
    largest_shift : float
        Share of the side by which training images are shifted at most; the network is told.
    labelled_fraction : float or None
        Share of labelled images in what is trained on, where there are others; none takes all images as they
        come. Few labels among many unlabelled images need more than their share.
    """

    image_size: int
    channels: tuple[int, ...]
    head_channels: int
    residual_blocks: int
    learning_rate: float
    batch_size: int
    iterations: int
    iterations_per_epoch: int
    ema_width: float
    patch: int = 1
    attention_side: int = 32
    dropout: float = 0.0
    prediction: PredictionName = "epsilon"
    times: Literal["uniform", "lognormal"] = "uniform"
    loss_weight: LossWeightName = "none"
    schedule: ScheduleName = "constant"
    warmup_share: float = 0.0
    mirrors: tuple[str, ...] = ()
    largest_shift: float = 0.0
    labelled_fraction: float | None = None


@dataclass(frozen=True, kw_only=True)
class Sampling:
    """How images are drawn from a generator.

    Parameters
    ----------
    sampler : {"ddpm", "ddim", "dpm_solver"}
        Of the base model: ancestral, DDIM, DPM-Solver++(2M).
    steps : int
        Steps of that sampler, at most 1000.
    guidance : float
        Scale of classifier-free guidance of the base model: 1 is none, at half the cost; more is more typical
        images.
    guidance_interval : tuple of float or None
        Lowest and highest noise, as a ratio to the image, at which guidance of any kind is used; none is
        everywhere.
    autoguidance : float
        Scale of the guidance of the base model by its own earlier snapshot, beside the model file: 1 is none,
        at half the cost.
    upsampler_sampler : {"ddpm", "ddim", "dpm_solver"} or None
        Of the upsampler; None is that of the base model. The fresh noise of the ancestral one heals the
        errors of a network that was trained briefly, and its lack of spread hardly shows in an upsampler.
    upsampler_steps : int or None
        Steps of that sampler; None is as many. Fewer may do: a low-resolution image leaves little to decide.
    upsampler_guidance : float
        Scale of guidance of the upsampler, whose low-resolution image says most about the condition already.
    upsampler_autoguidance : float
        Scale of the guidance of the upsampler by its earlier snapshot.
    batch_size : int
        Images sampled at once by a process; changes speed and memory only.
    """

    sampler: SamplerName
    steps: int
    guidance: float = 1.0
    guidance_interval: tuple[float, ...] | None = None
    autoguidance: float = 1.0
    upsampler_sampler: SamplerName | None = None
    upsampler_steps: int | None = None
    upsampler_guidance: float = 1.0
    upsampler_autoguidance: float = 1.0
    batch_size: int


@dataclass(frozen=True, kw_only=True)
class SynthesisPreset(Sampling):
    """A synthetic set, and how its images are drawn.

    Parameters
    ----------
    images : int
        Synthetic images to make.
    """

    images: int


@dataclass(frozen=True)
class ClassifierPreset:
    """One row of Table E1 (a): the downstream classifier.

    Parameters
    ----------
    network_name : str
        Backbone, a name in `medaug.classification.networks.BACKBONES`.
    optimizer_name : {"adam", "sgd"}
        SGD has momentum 0.9.
    learning_rate : float
        The largest of the schedule.
    schedule : {"constant", "cosine"}
        Of the learning rate.
    iterations : int
        Length of the training in steps, rounded up to whole epochs.
    iterations_per_epoch : int
        Steps between two savings and validations.
    batch_size : int
        Images of one step, in all processes together.
    weight_decay : float
        Of the optimiser.
    dropout : float
        Probability that a feature is dropped before the heads.
    real_fraction : float
        Share of real images in the mixture (Eq. 2-3), which the paper treats as a hyper-parameter: 1 is the
        baseline, 0 only synthetic images.
    """

    network_name: str
    optimizer_name: Literal["adam", "sgd"]
    learning_rate: float
    schedule: ScheduleName
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
    sampling: SynthesisPreset
    classifier: ClassifierPreset

    @property
    def image_size(self) -> int:
        """Side in pixels of the images that the classifier sees."""
        return (self.upsampler or self.diffusion).image_size


def _times(base: int, multipliers: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(base * multiplier for multiplier in multipliers)


def _sampled(
    images: int,
    sampler: SamplerName,
    steps: int,
    upsampler_sampler: SamplerName | None = None,
    upsampler_steps: int | None = None,
    *,
    guidance: float,
    batch_size: int,
) -> SynthesisPreset:
    return SynthesisPreset(
        images=images,
        sampler=sampler,
        steps=steps,
        guidance=guidance,
        upsampler_sampler=upsampler_sampler,
        upsampler_steps=upsampler_steps,
        batch_size=batch_size,
    )


def _quick(paper: GeneratorPreset, **changed: Any) -> GeneratorPreset:
    """Train a network of the paper's kind by what was found since to need fewer steps.

    That is v-prediction, log-normal times, bounded weights, a rate that falls, and non-leaky mirrors.
    """
    return replace(
        paper,
        prediction="v",
        times="lognormal",
        loss_weight="bounded",
        schedule="cosine",
        warmup_share=0.01,
        dropout=0.1,
        mirrors=("horizontal",),
        **changed,
    )


def _single_gpu(paper: Preset, learning_rate: float) -> Preset:
    """Halve the width of a cascade and shorten its training; its classifier is the smallest BiT."""
    return Preset(
        diffusion=_quick(
            paper.diffusion,
            channels=_times(96, (1, 2, 3, 4)),
            residual_blocks=2,
            learning_rate=1e-4,
            iterations=150_000,
        ),
        upsampler=_quick(
            paper.upsampler,  # type: ignore[arg-type]
            channels=_times(64, (1, 1, 2, 2, 4, 4)),
            iterations=100_000,
        ),
        sampling=_sampled(50_000, "dpm_solver", 25, "ddpm", 50, guidance=1.0, batch_size=128),
        classifier=replace(paper.classifier, network_name="bit_50x1", learning_rate=learning_rate),
    )


_DEMO_GENERATOR = GeneratorPreset(
    64,
    (32, 64),
    32,
    1,
    3e-3,
    16,
    2800,
    700,
    0.1,
    patch=4,
    attention_side=8,
    prediction="x",
    times="lognormal",
    loss_weight="bounded",
    schedule="cosine",
    warmup_share=0.03,
    labelled_fraction=0.5,
)
"""Chosen by measurement, see the guide of the bundle chexpert: what a patch of pixels shows is the image, not
the noise, when a small network has a thousand steps to learn it."""

_DEMO = Preset(
    diffusion=_DEMO_GENERATOR,
    upsampler=None,
    sampling=_sampled(500, "dpm_solver", 20, guidance=2.0, batch_size=100),
    classifier=ClassifierPreset("small_resnet", "adam", 1e-3, "cosine", 320, 40, 32, 1e-5, 0.0, 0.5),
)

_HISTOPATHOLOGY_PAPER = Preset(
    diffusion=GeneratorPreset(96, _times(128, (1, 1, 2, 3, 4)), 64, 2, 1e-4, 64, 500_000, 5000, 0.05),
    upsampler=None,
    sampling=_sampled(300_000, "ddpm", 1000, guidance=1.0, batch_size=256),
    classifier=ClassifierPreset("resnet152", "adam", 1e-4, "constant", 200_000, 2000, 32, 0.0, 0.0, 0.0),
)
"""Section G.1 trains its classifiers on synthetic images only, hence the real fraction of 0."""

_RADIOLOGY_PAPER = Preset(
    diffusion=GeneratorPreset(64, _times(192, (1, 2, 3, 4)), 64, 3, 1.5e-5, 128, 500_000, 5000, 0.05),
    upsampler=GeneratorPreset(224, _times(128, (1, 1, 2, 2, 4, 4)), 64, 2, 1e-4, 32, 500_000, 5000, 0.05),
    sampling=_sampled(200_000, "ddpm", 1000, "ddpm", 1000, guidance=1.0, batch_size=64),
    classifier=ClassifierPreset("bit_152x2", "adam", 1e-5, "cosine", 50_000, 1000, 64, 1e-5, 0.0, 0.5),
)

_DERMATOLOGY_PAPER = Preset(
    diffusion=GeneratorPreset(64, _times(192, (1, 2, 3, 4)), 64, 3, 1.5e-4, 128, 500_000, 5000, 0.05),
    upsampler=GeneratorPreset(256, _times(128, (1, 1, 2, 2, 4, 4)), 64, 2, 1e-4, 32, 500_000, 5000, 0.05),
    sampling=_sampled(50_000, "ddpm", 1000, "ddpm", 1000, guidance=1.0, batch_size=64),
    classifier=ClassifierPreset("bit_101x3", "sgd", 0.01, "cosine", 10_000, 500, 96, 1e-4, 0.0, 0.5),
)

_PRESETS: dict[tuple[str, str], Preset] = {
    ("histopathology", "paper"): _HISTOPATHOLOGY_PAPER,
    ("histopathology", "single_gpu"): Preset(
        diffusion=_quick(
            _HISTOPATHOLOGY_PAPER.diffusion, channels=_times(64, (1, 1, 2, 3, 4)), iterations=150_000
        ),
        upsampler=None,
        sampling=_sampled(100_000, "dpm_solver", 25, guidance=1.0, batch_size=256),
        classifier=replace(_HISTOPATHOLOGY_PAPER.classifier, network_name="resnet50", iterations=50_000),
    ),
    ("histopathology", "demo"): Preset(
        diffusion=replace(
            _DEMO_GENERATOR,
            image_size=24,
            channels=(48, 96),
            patch=2,
            iterations=1600,
            iterations_per_epoch=400,
        ),
        upsampler=None,
        sampling=_sampled(500, "dpm_solver", 20, guidance=2.0, batch_size=100),
        classifier=ClassifierPreset("small_resnet", "adam", 1e-3, "constant", 320, 40, 32, 0.0, 0.0, 0.5),
    ),
    ("radiology", "paper"): _RADIOLOGY_PAPER,
    ("radiology", "single_gpu"): _single_gpu(_RADIOLOGY_PAPER, learning_rate=1e-4),
    ("radiology", "demo"): _DEMO,
    ("dermatology", "paper"): _DERMATOLOGY_PAPER,
    ("dermatology", "single_gpu"): _single_gpu(_DERMATOLOGY_PAPER, learning_rate=0.01),
    ("dermatology", "demo"): _DEMO,
}


def preset(modality: Modality, name: PresetName) -> Preset:
    """Return the models of a modality at a size.

    Raises
    ------
    SettingsError
        There is none of this name.

    Examples
    --------
    >>> preset("radiology", "paper").diffusion.channels
    (192, 384, 576, 768)
    """
    try:
        return _PRESETS[modality, name]
    except KeyError:
        known = ", ".join(f"{m} {n}" for m, n in _PRESETS)
        names = [n for m, n in _PRESETS if m == modality]
        near = difflib.get_close_matches(name, names, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are: {known}"
        raise SettingsError(f"there is no preset {name!r} for {modality!r}; {hint}") from None
