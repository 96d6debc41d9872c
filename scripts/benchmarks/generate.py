"""Sampling images against MONAI's inferer and the schedulers of diffusers.

All ask the same network equally often and make images of uint8 in memory; medaug draws the noise of each from
a generator of its own. A last line shows what it costs to write the finished image store as well.
"""

from __future__ import annotations

from argparse import Namespace, _ArgumentGroup
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import replace
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from monai.inferers import DiffusionInferer
from monai.networks.schedulers import DDIMScheduler
from torch import Tensor

from benchmarks.contest import Contest, Timed, clocked, missing
from benchmarks.store import random_store
from medaug.diffusion.condition import ConditionEncoder
from medaug.diffusion.diffusion_model import DiffusionModel
from medaug.diffusion.generation import Cascade, generate, to_uint8
from medaug.diffusion.image_noise import GeneratorNoise
from medaug.diffusion.plan import fair_plan
from medaug.diffusion.unet import build_unet
from medaug.presets import Sampling, preset

TARGET = "not slower than the peers"
BETAS = {"num_train_timesteps": 1000, "beta_start": 1e-4, "beta_end": 0.02}

Predict = Callable[..., Tensor]
"""The network under fixed conditions: ``predict(x, timesteps=t)``."""


def add_options(parser: _ArgumentGroup) -> None:
    """Add the settings of this benchmark."""
    parser.add_argument("--generated_images", type=int, default=100, help="images of one batch")
    parser.add_argument("--steps", type=int, default=20, help="evaluations of the network an image")


def contests(settings: Namespace, folder: Path) -> Iterator[Contest]:
    """Yield the only contest."""
    images, steps = settings.generated_images, settings.steps
    store = random_store(folder / "store", 64, 8)
    encoder = ConditionEncoder(store.task, ("sex",))
    plan = fair_plan(store, encoder, images, seed=0)
    model, condition = _base_model(encoder, settings.preset), torch.from_numpy(encoder.encode(plan))
    predict = _under_condition(model.network, condition)
    shape = (images, 1, model.image_size, model.image_size)
    outputs = (folder / f"images-{number}" for number in count())
    runs = {
        "medaug, DPM-Solver++(2M)": clocked(partial(_medaug, _laid_out(model), condition, steps)),
        "MONAI DiffusionInferer, DDIM": clocked(partial(_monai, predict, shape, steps)),
    }
    remarks = missing("diffusers", "DDIMScheduler, DPMSolverMultistepScheduler")
    if not remarks:
        runs |= _diffusers_runs(predict, shape, steps)
    whole = clocked(lambda: _medaug_whole(plan, _laid_out(model), next(outputs), steps))
    runs["(medaug, into a finished image store)"] = whole
    side = model.image_size
    title = f"{side} x {side}, {images} images in one batch, {steps} evaluations of the network each"
    yield Contest(title, "images/s", images, runs, remarks)


def _base_model(encoder: ConditionEncoder, preset_name: Any) -> DiffusionModel:
    row = preset("radiology", preset_name).diffusion
    shape = (row.channels, row.residual_blocks, row.head_channels)
    cut = {"patch": row.patch, "attention_side": row.attention_side}
    network = build_unet(row.image_size, 1, 1, encoder.size, *shape, **cut)
    return DiffusionModel(network.eval(), encoder, "base", {})


def _under_condition(network: torch.nn.Module, condition: Tensor) -> Predict:
    def predict(x: Tensor, timesteps: Tensor, context: None = None) -> Tensor:
        found: Tensor = network(x, timesteps=timesteps, class_labels=condition)
        return found

    return predict


def _laid_out(model: DiffusionModel) -> DiffusionModel:
    """Copy a model, in the memory layout that medaug generates with."""
    network = deepcopy(model.network).to(memory_format=torch.channels_last)
    return replace(model, network=network)


def _medaug(model: DiffusionModel, condition: Tensor, steps: int) -> Tensor:
    cascade = Cascade(model, None, _sampling(steps, len(condition)))
    with torch.inference_mode():
        return cascade.sample(condition, GeneratorNoise(0, range(len(condition))))


def _medaug_whole(plan: pd.DataFrame, model: DiffusionModel, output: Path, steps: int) -> None:
    cascade = Cascade(model, None, _sampling(steps, len(plan)))
    generate(plan, cascade, output, seed=0, device="cpu", origin={})


def _sampling(steps: int, batch_size: int) -> Sampling:
    return Sampling(sampler="dpm_solver", steps=steps, batch_size=batch_size)


def _monai(predict: Predict, shape: tuple[int, ...], steps: int) -> Tensor:
    schedule = DDIMScheduler(schedule="linear_beta", **BETAS)
    schedule.set_timesteps(steps)
    inferer = DiffusionInferer(schedule)
    return to_uint8(inferer.sample(torch.randn(shape), predict, verbose=False))


def _diffusers_runs(predict: Predict, shape: tuple[int, ...], steps: int) -> dict[str, Timed]:
    from diffusers import DDIMScheduler as DiffusersDDIM
    from diffusers import DPMSolverMultistepScheduler

    return {
        f"diffusers, {kind.__name__}": clocked(partial(_diffusers, kind, predict, shape, steps))
        for kind in (DiffusersDDIM, DPMSolverMultistepScheduler)
    }


def _diffusers(kind: Any, predict: Predict, shape: tuple[int, ...], steps: int) -> Tensor:
    """Sample as the pipelines of diffusers do."""
    schedule = kind(beta_schedule="linear", **BETAS)
    schedule.set_timesteps(steps)
    x = torch.randn(shape)
    with torch.no_grad():
        for t in schedule.timesteps:
            x = schedule.step(predict(x, timesteps=t.expand(len(x))), t, x).prev_sample
    return to_uint8(x)
