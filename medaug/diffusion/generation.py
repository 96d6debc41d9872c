"""Sampling a whole plan into an image store, cascade included.

All noise of image i, in both stages, is a function of (seed, i) (`medaug.diffusion.image_noise`). So an image
depends neither on the batch it is made in nor on the number of processes, and a run that was killed goes on
where it was. Where a batch does not fit into the memory of a GPU, smaller ones are made.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from medaug.arrays import IntArray, UInt8Array
from medaug.data.store import ImageStore, StoreWriter
from medaug.diffusion.diffusion_model import DiffusionModel
from medaug.diffusion.guidance import autoguided, clipped, guided, predicting_noise, with_image, within
from medaug.diffusion.image_noise import CounterNoise, GeneratorNoise, ImageNoise
from medaug.diffusion.samplers import SAMPLERS, PredictNoise, Sampler
from medaug.diffusion.schedule import NoiseSchedule
from medaug.engine import distributed
from medaug.engine.acceleration import PLAIN, Acceleration
from medaug.engine.halving import Halving
from medaug.engine.philox import NAME
from medaug.errors import CheckpointError, SettingsError
from medaug.presets import Sampling
from medaug.progress import Progress
from medaug.transforms.degradation import enlarge

SCHEDULE = NoiseSchedule()
"""The schedule that the models are trained with."""

_DECISIVE = {field.name for field in fields(Sampling)} - {"batch_size"}
"""Settings that decide the pixels."""


@dataclass(frozen=True)
class Cascade:
    """A base model, an optional upsampler and the way to sample them.

    Parameters
    ----------
    base : DiffusionModel
        Makes the small images.
    upsampler : DiffusionModel or None
        Enlarges them.
    sampling : Sampling
        Samplers, steps and guidance of both.
    guides : mapping of DiffusionModel
        Earlier snapshots, of the ``base`` and of the ``upsampler``, where autoguidance is asked for.

    Raises
    ------
    SettingsError
        A sampler is unknown, or autoguidance lacks its snapshot.
    CheckpointError
        The models are not a base model and its upsampler, or a snapshot is of another model.
    """

    base: DiffusionModel
    upsampler: DiffusionModel | None
    sampling: Sampling
    guides: Mapping[str, DiffusionModel] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in (self.sampling.sampler, self.sampling.upsampler_sampler or self.sampling.sampler):
            if name not in SAMPLERS:
                raise SettingsError(f"there is no sampler {name!r}; there are: {', '.join(SAMPLERS)}")
        check_cascade(self.base, self.upsampler)
        for model in self.models:
            _check_guide(model, self.guides.get(model.kind), self._autoguidance(model))

    @property
    def models(self) -> tuple[DiffusionModel, ...]:
        """The models, in the order in which they are asked."""
        return (self.base,) if self.upsampler is None else (self.base, self.upsampler)

    @property
    def last(self) -> DiffusionModel:
        """The model that makes the images that come out."""
        return self.upsampler or self.base

    def sample(self, condition: Tensor, noise: ImageNoise) -> Tensor:
        """Make one batch of images.

        Parameters
        ----------
        condition : Tensor, (B, size)
            Condition vectors, on the device of the networks.
        noise : ImageNoise
            Gives the noise of these images, on any device.

        Returns
        -------
        Tensor of uint8, (B, C, H, W)
            The images, on the device of the networks.
        """
        how = self.sampling
        predict_noise = self._predict_noise(self.base, condition, how.guidance)
        way = SAMPLERS[how.sampler], how.steps
        images = _sampled(self.base, predict_noise, way, condition, noise)
        if self.upsampler is None:
            return images
        low = enlarge(images.to(condition.dtype) / 255, self.upsampler.image_size)
        predict_noise = self._predict_noise(self.upsampler, condition, how.upsampler_guidance, low)
        steps = how.steps if how.upsampler_steps is None else how.upsampler_steps
        way = SAMPLERS[how.upsampler_sampler or how.sampler], steps
        return _sampled(self.upsampler, predict_noise, way, condition, noise)

    def _predict_noise(
        self, model: DiffusionModel, condition: Tensor, guidance: float, low: Tensor | None = None
    ) -> PredictNoise:
        """Return the noise predictor of a model with the guidance that is asked for."""
        plain = predictor(model, condition, 1.0, low)
        predict_noise = predictor(model, condition, guidance, low)
        if (scale := self._autoguidance(model)) != 1:
            guide = predictor(self.guides[model.kind], condition, 1.0, low)
            predict_noise = autoguided(predict_noise, guide, scale)
        return clipped(within(predict_noise, plain, self.sampling.guidance_interval, SCHEDULE), SCHEDULE)

    def _autoguidance(self, model: DiffusionModel) -> float:
        how = self.sampling
        return how.autoguidance if model.kind == "base" else how.upsampler_autoguidance


def predictor(
    model: DiffusionModel, condition: Tensor, guidance: float = 1.0, low: Tensor | None = None
) -> PredictNoise:
    """Return the noise that a model predicts under a condition, whatever its network was trained to predict.

    Parameters
    ----------
    model : DiffusionModel
        The model; images are asked for as they are, neither mirrored nor shifted.
    condition : Tensor, (B, encoder.size)
        Condition vectors.
    guidance : float
        Scale of classifier-free guidance.
    low : Tensor, (B, C, H, W), optional
        The enlarged low-resolution images of an upsampler, in [-1, 1].
    """
    network = model.network if low is None else with_image(model.network, low)
    known = torch.nn.functional.pad(condition, (0, model.geometry_slots))
    return guided(predicting_noise(network, model.prediction, SCHEDULE), known, guidance)


def _sampled(
    model: DiffusionModel,
    predict_noise: PredictNoise,
    way: tuple[Sampler, int],
    like: Tensor,
    noise: ImageNoise,
) -> Tensor:
    sampler, steps = way
    shape = (model.channels, model.image_size, model.image_size)

    def draw() -> Tensor:
        return noise(shape).to(like, memory_format=torch.channels_last)

    return to_uint8(sampler(predict_noise, draw(), SCHEDULE, steps, draw))


def to_uint8(images: Tensor) -> Tensor:
    """Quantise images in [-1, 1] to uint8."""
    return ((images.clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)


def generate(
    plan: pd.DataFrame,
    cascade: Cascade,
    output: Path,
    *,
    seed: int,
    device: torch.device | str,
    origin: Mapping[str, Any],
    acceleration: Acceleration = PLAIN,
) -> ImageStore:
    """Make all images of a plan, shared among the processes, and put them into a store.

    Parameters
    ----------
    plan : DataFrame
        From `medaug.diffusion.plan.fair_plan`, or any table for a store with the encoder's columns.
    cascade : Cascade
        Trained models and the way to sample them.
    output : Path
        Folder of the store; what an interrupted call has left beside it is continued.
    seed : int
        The seed of the run.
    device : torch.device or str
        Where this process computes.
    origin : mapping
        Goes to ``origin.json``, with what this function knows; a model of phantoms makes phantoms.
    acceleration : Acceleration
        How the networks are computed, and where noise is drawn.

    Returns
    -------
    ImageStore
        Row i is image i of the plan.

    Raises
    ------
    SettingsError
        A count is not positive.
    """
    how, device = cascade.sampling, torch.device(device)
    if how.batch_size < 1:
        raise SettingsError(f"batch_size must be at least 1, not {how.batch_size}")
    settings = {name: value for name, value in asdict(how).items() if name in _DECISIVE}
    settings |= {"seed": seed, "upsampler_sampler": how.upsampler_sampler or how.sampler}
    settings |= {"noise": f"{NAME} on the device"} if acceleration.noise_on_device else {}
    task, size = cascade.base.encoder.task, cascade.last.image_size
    writer = StoreWriter(output, task, plan, (size,), cascade.last.channels, settings)
    _write_images(writer, _prepared(cascade, device, acceleration), plan, seed, device, acceleration)
    phantom = any(model.info.get("phantom", False) for model in cascade.models)
    return writer.finish({**origin, "source": "generated", "settings": settings, "phantom": phantom})


def check_cascade(base: DiffusionModel, upsampler: DiffusionModel | None) -> None:
    """Raise a CheckpointError unless the models are a base model and, if any, its upsampler."""
    if base.kind != "base":
        raise CheckpointError("the base model is an upsampler; give the file that train_diffusion wrote")
    if upsampler is None:
        return
    if upsampler.kind != "upsampler":
        raise CheckpointError("the upsampler is a base model; give the file that train_upsampler wrote")
    if upsampler.encoder != base.encoder or upsampler.channels != base.channels:
        raise CheckpointError(
            "base model and upsampler differ in condition or channels; train both on the same store"
        )
    expected = upsampler.info.get("low_size", base.image_size)
    if expected != base.image_size:
        raise CheckpointError(
            f"the upsampler enlarges images of side {expected}, the base model makes {base.image_size}; "
            "train the upsampler again"
        )


def _prepared(cascade: Cascade, device: torch.device, how: Acceleration) -> Cascade:
    """Return the cascade on the device, in the memory layout that convolutions are fastest in anywhere."""
    layout = replace(how, channels_last=True)

    def prepared(model: DiffusionModel) -> DiffusionModel:
        network: Any = how.compiled(layout.laid_out(model.network, device).eval())
        return replace(model, network=network)

    base, *rest = map(prepared, cascade.models)
    guides = {kind: prepared(model) for kind, model in cascade.guides.items()}
    return replace(cascade, base=base, upsampler=rest[0] if rest else None, guides=guides)


def _check_guide(model: DiffusionModel, guide: DiffusionModel | None, scale: float) -> None:
    if scale == 1:
        return
    if guide is None:
        raise SettingsError(f"autoguidance of the {model.kind} model needs an earlier snapshot of it")
    if (guide.kind, guide.encoder, guide.image_size) != (model.kind, model.encoder, model.image_size):
        raise CheckpointError(
            f"the earlier snapshot is not one of the {model.kind} model that it is to guide; train again"
        )


def _write_images(
    writer: StoreWriter,
    cascade: Cascade,
    plan: pd.DataFrame,
    seed: int,
    device: torch.device,
    how: Acceleration,
) -> None:
    """Make and write this process's batches that are not there yet."""
    conditions = torch.from_numpy(cascade.base.encoder.encode(plan)).to(device)
    size = cascade.last.image_size
    counted = partial(CounterNoise, seed, device=device, cipher=how.cipher)

    def made(rows: IntArray, batch_size: int) -> Tensor:
        # A compiled network is made for one size of batch: a smaller one is filled up.
        filled = np.pad(rows, (0, batch_size - len(rows) if how.compile else 0), mode="edge")
        noise = counted(filled) if how.noise_on_device else GeneratorNoise(seed, filled)
        with torch.inference_mode(), how.autocast(device):
            return cascade.sample(conditions[torch.from_numpy(filled).to(device)], noise)[: len(rows)]

    affordable = Halving(made, cascade.sampling.batch_size)
    own = distributed.own_share(np.arange(len(plan)))
    pending = np.intersect1d(own, writer.pending())
    with Progress("Sampling images", len(own), done=len(own) - len(pending)) as shown:
        for rows in _batches(own, pending, cascade.sampling.batch_size):
            writer.write(rows, {size: _channels_last(affordable(rows))})
            shown.update(len(rows))


def _batches(own: IntArray, pending: IntArray, batch_size: int) -> list[IntArray]:
    """Cut the rows as if none were done, so that a continued run computes the same batches, bit for bit."""
    cuts = np.split(own, range(batch_size, len(own), batch_size))
    left = [np.intersect1d(batch, pending) for batch in cuts]
    return [batch for batch in left if len(batch)]


def _channels_last(images: Tensor) -> UInt8Array:
    return np.ascontiguousarray(images.permute(0, 2, 3, 1).cpu().numpy())
