"""Those who train and sample on a device; each function builds one of them and returns one step of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import torch
from ignite.engine import Events
from monai.data import CacheDataset
from monai.engines import SupervisedTrainer
from monai.inferers import DiffusionInferer
from monai.networks.nets.diffusion_model_unet import DiffusionUNetResnetBlock
from monai.networks.schedulers import DDIMScheduler
from torch import Tensor, nn

from benchmarks.gauge import Work
from benchmarks.networks import diffusers_unet, medaug_unet, monai_unet
from benchmarks.stock_trainer import EMA_DECAY, LARGEST_NORM, stock_trainer
from benchmarks.store import random_store
from medaug.classification.device_batches import AugmentedBatches
from medaug.classification.losses import loss_function
from medaug.classification.networks import build_classifier
from medaug.diffusion.condition import ConditionEncoder
from medaug.diffusion.device_examples import DeviceExamples
from medaug.diffusion.diffusion_model import DiffusionModel
from medaug.diffusion.generation import Cascade, to_uint8
from medaug.diffusion.geometry import Geometry
from medaug.diffusion.image_noise import CounterNoise
from medaug.diffusion.noisy_examples import NoisyExamples, WeightedSquaredError
from medaug.diffusion.unet import ConditionalUNet
from medaug.engine.acceleration import AcceleratedInferer, Acceleration
from medaug.engine.averaging import PowerAverage
from medaug.engine.distributed import unwrap
from medaug.presets import GeneratorPreset, Sampling
from medaug.stages import GeneratorTraining, Run
from medaug.task import CHEST_RADIOGRAPHS
from medaug.transforms.counted_augmentation import counted_augmentation

ENCODER = ConditionEncoder(CHEST_RADIOGRAPHS, ("sex",))
CONDITION = ENCODER.size
STORED_IMAGES = 512
ENDLESS = 10**6
BETAS = {"num_train_timesteps": 1000, "beta_start": 1e-4, "beta_end": 0.02}


def bare_step(row: GeneratorPreset, in_channels: int, device: torch.device) -> Work:
    """Train medaug's network without a trainer: noise, network, gradients, optimiser and average."""
    how, geometry = Acceleration.of(device, {}), Geometry(row.mirrors, row.largest_shift)
    bare = medaug_unet(row, in_channels, CONDITION + geometry.slots, device)
    network = how.trained(bare, device, (DiffusionUNetResnetBlock,)).train()
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-4, fused=how.fused_optimizer or None)
    average, call = PowerAverage(unwrap(network), 0.05), AcceleratedInferer(how)
    low = None if in_channels == 1 else row.image_size // 4
    named = {"prediction": row.prediction, "times": row.times, "loss_weight": row.loss_weight}
    prepare = DeviceExamples(NoisyExamples(seed=0, low_size=low, geometry=geometry, **named), how.cipher)
    loss_of, batch = WeightedSquaredError(), _bytes(row, device)

    iterations = count(1)

    def step() -> None:
        image, target, _, named = prepare(batch, device)
        optimizer.zero_grad()
        loss_of(call(image, network, **named), target).backward()
        nn.utils.clip_grad_norm_(network.parameters(), LARGEST_NORM)
        optimizer.step()
        average.update(next(iterations))

    return step


def medaug_trainer(row: GeneratorPreset, in_channels: int, device: torch.device, folder: Path) -> Work:
    """Train as ``train_diffusion.json`` and ``train_upsampler.json`` compose it, from a store on the disk."""
    store = random_store(folder / "store", max(STORED_IMAGES, row.batch_size), row.image_size)
    where = {"bundle_root": ".", "output_dir": str(folder / "run"), "data_dir": str(store.path)}
    run = Run.of(
        modality="radiology", properties="sex", preset="single_gpu", device_name=device.type, **where
    )
    role = "base" if in_channels == 1 else "upsampler"
    low = None if in_channels == 1 else row.image_size // 4
    given = {**vars(row), "iterations": ENDLESS, "iterations_per_epoch": ENDLESS, "low_size": low}
    stage = GeneratorTraining.of(run, role, **given)
    network = stage.wrap(medaug_unet(row, in_channels, stage.condition_size, device))
    fused = stage.acceleration.fused_optimizer or None
    optimizer = torch.optim.AdamW(network.parameters(), lr=row.learning_rate, fused=fused)
    trainer = SupervisedTrainer(
        device=device,
        max_epochs=1,
        epoch_length=ENDLESS,
        train_data_loader=stage.loader(stage.dataset(), 1),
        network=network,
        optimizer=optimizer,
        loss_function=WeightedSquaredError(),
        inferer=stage.inferer,
        prepare_batch=stage.prepare_batch,
        non_blocking=True,
        optim_set_to_none=True,
        train_handlers=[stage.handlers(network, optimizer)],
        decollate=False,
    )
    return _one_by_one(trainer)


def monai_trainer(row: GeneratorPreset, in_channels: int, device: torch.device) -> Work:
    """Train with what MONAI has for diffusion models, as it comes; its images are in memory."""
    network = monai_unet(_like(row, in_channels), device)
    images = (
        torch.rand(max(STORED_IMAGES, row.batch_size), in_channels, row.image_size, row.image_size) * 2 - 1
    )
    dataset = CacheDataset([{"image": image} for image in images], [], progress=False)
    trainer = stock_trainer(
        dataset,
        network,
        _of_first_channel,
        iterations=ENDLESS,
        batch_size=row.batch_size,
        learning_rate=1e-4,
        device=device,
    )
    return _one_by_one(trainer)


def diffusers_step(row: GeneratorPreset, in_channels: int, device: torch.device) -> Work:
    """Train as in the examples of diffusers, in a plain loop on images that are on the device."""
    from diffusers import DDPMScheduler as DiffusersScheduler
    from diffusers.training_utils import EMAModel

    network = diffusers_unet(_like(row, in_channels), device).train()
    schedule, average = (
        DiffusersScheduler(num_train_timesteps=1000),
        EMAModel(network.parameters(), decay=EMA_DECAY),
    )
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-4)
    images = torch.rand(row.batch_size, in_channels, row.image_size, row.image_size, device=device) * 2 - 1

    def step() -> None:
        noise, times = torch.randn_like(images), torch.randint(1000, (len(images),), device=device)
        found = network(schedule.add_noise(images, noise, times), times).sample
        _of_first_channel(found, noise).backward()
        nn.utils.clip_grad_norm_(network.parameters(), LARGEST_NORM)
        optimizer.step()
        optimizer.zero_grad()
        average.step(network.parameters())

    return step


def medaug_sampling(
    row: GeneratorPreset, images: int, steps: int, guidance: float, device: torch.device, graphs: bool
) -> Work:
    """Sample a batch as ``generate.json`` does, without writing it."""
    how = Acceleration.of(device, {"cuda_graphs": graphs})
    network = replace(how, channels_last=True).laid_out(medaug_unet(row, 1, CONDITION, device).eval(), device)
    model = DiffusionModel(how.compiled(network), ENCODER, prediction=row.prediction)
    sampling = Sampling(sampler="dpm_solver", steps=steps, guidance=guidance, batch_size=images)
    cascade, condition = Cascade(model, None, sampling), torch.zeros(images, CONDITION, device=device)

    def batch() -> Tensor:
        with torch.inference_mode(), how.autocast(device):
            return cascade.sample(condition, CounterNoise(0, range(images), device, how.cipher)).cpu()

    return batch


def monai_sampling(row: GeneratorPreset, images: int, evaluations: int, device: torch.device) -> Work:
    """Sample a batch with MONAI's inferer."""
    network = monai_unet(_like(row, 1), device).eval()
    schedule = DDIMScheduler(schedule="linear_beta", **BETAS)
    schedule.set_timesteps(evaluations)
    inferer, shape = DiffusionInferer(schedule), (images, 1, row.image_size, row.image_size)

    def batch() -> Tensor:
        with torch.inference_mode():
            noise = torch.randn(shape, device=device)
            return to_uint8(inferer.sample(noise, network, verbose=False)).cpu()

    return batch


def diffusers_sampling(row: GeneratorPreset, images: int, evaluations: int, device: torch.device) -> Work:
    """Sample a batch as the pipelines of diffusers do."""
    from diffusers import DPMSolverMultistepScheduler

    network = diffusers_unet(_like(row, 1), device).eval()
    shape = (images, 1, row.image_size, row.image_size)

    def batch() -> Tensor:
        schedule = DPMSolverMultistepScheduler(beta_schedule="linear", **BETAS)
        schedule.set_timesteps(evaluations)
        x = torch.randn(shape, device=device)
        with torch.no_grad():
            for t in schedule.timesteps:
                x = schedule.step(network(x, t.to(device)).sample, t, x).prev_sample
        return to_uint8(x).cpu()

    return batch


def classifier_step(
    name: str, shape: tuple[int, ...], device: torch.device, how: Acceleration, augmentation: str
) -> Work:
    """Train a classifier on a batch of bytes (B, 3, H, W) that is on the device."""
    network = how.trained(build_classifier(name, 5, 3), device).train()
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-4, fused=how.fused_optimizer or None)
    batch = {
        "image": torch.randint(256, shape, dtype=torch.uint8, device=device),
        "label": torch.ones(shape[0], 5, device=device),
        "weight": torch.ones(shape[0], device=device),
        "position": torch.arange(shape[0]),
    }
    prepare = AugmentedBatches(counted_augmentation(augmentation, "dermatology", 0))
    call, loss_of = AcceleratedInferer(how), loss_function("bce")

    def step() -> None:
        images, (labels, _) = prepare(batch, device)
        optimizer.zero_grad()
        loss_of(call(images, network), labels).mean().backward()
        nn.utils.clip_grad_norm_(network.parameters(), LARGEST_NORM)
        optimizer.step()

    return step


def _like(row: GeneratorPreset, in_channels: int) -> ConditionalUNet:
    """Return what a network is to resemble: its arguments alone."""
    return medaug_unet(row, in_channels, CONDITION, "meta")


def _one_by_one(trainer: SupervisedTrainer) -> Callable[[], None]:
    """Return one iteration of a trainer: it is interrupted after each and goes on from there."""
    trainer.add_event_handler(Events.ITERATION_COMPLETED, lambda engine: engine.interrupt())
    trainer.logger.setLevel("CRITICAL")  # in the end it complains of never having been finished
    return trainer.run


def _of_first_channel(predicted: Tensor, noise: Tensor) -> Tensor:
    """Compare with the noise of the image; an upsampler's second channel is the low-resolution image."""
    return nn.functional.mse_loss(predicted, noise[:, :1])


def _bytes(row: GeneratorPreset, device: torch.device) -> dict[str, Any]:
    """Return a batch as a store gives it: what is compiled for the one is right for the other."""
    shape = (row.batch_size, row.image_size, row.image_size, 1)
    return {
        "image": torch.randint(256, shape, dtype=torch.uint8, device=device).permute(0, 3, 1, 2),
        "position": torch.arange(row.batch_size, device=device),
        "condition": torch.zeros(row.batch_size, CONDITION, device=device),
    }
