"""One iteration of training a diffusion model against MONAI's own parts and diffusers.

All have the same images, size of the network, batch size, AdamW, gradient clipping and moving average of the
weights. medaug's also knows the condition, watches the loss and writes to TensorBoard. Set-up and the end of
an epoch (checkpoint, sample images) are not counted.
"""

from __future__ import annotations

from argparse import Namespace, _ArgumentGroup
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from time import perf_counter

import torch
from ignite.engine import Events
from monai.data import CacheDataset
from monai.engines import SupervisedTrainer
from monai.inferers import SimpleInferer
from monai.transforms import ScaleIntensityRanged
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from benchmarks.contest import Contest, missing
from benchmarks.networks import diffusers_unet, medaug_unet, monai_unet, weights
from benchmarks.stock_trainer import EMA_DECAY, LARGEST_NORM, stock_trainer
from benchmarks.store import random_store
from medaug.data.store import ImageStore
from medaug.diffusion.condition import ConditionEncoder
from medaug.diffusion.geometry import Geometry
from medaug.diffusion.noisy_examples import WeightedSquaredError
from medaug.diffusion.unet import ConditionalUNet
from medaug.presets import GeneratorPreset, preset
from medaug.stages import GeneratorTraining, Run

TARGET = "not slower than the peers"
STORED_IMAGES = 1024
UNCOUNTED = 2  # iterations in which memory is allocated for the first time


@dataclass(frozen=True)
class Course:
    """What all train on."""

    store: ImageStore
    model: GeneratorPreset
    iterations: int

    @property
    def images(self) -> Tensor:
        """All images, float32 in [-1, 1]."""
        pixels = torch.tensor(self.store.images(self.model.image_size)).permute(0, 3, 1, 2)
        return pixels / 127.5 - 1


def add_options(parser: _ArgumentGroup) -> None:
    """Add the settings of this benchmark."""
    parser.add_argument("--iterations", type=int, default=20, help="training iterations a round")


def contests(settings: Namespace, folder: Path) -> Iterator[Contest]:
    """Yield the only contest."""
    model = _without_patches(preset("radiology", settings.preset).diffusion)
    store = random_store(folder / "store", max(STORED_IMAGES, model.batch_size), model.image_size)
    course = Course(store, model, settings.iterations + UNCOUNTED)
    outputs = (folder / f"run-{number}" for number in count())
    runs: dict[str, Callable[[], float]] = {
        f"medaug ({weights(_unet(course))})": lambda: train_medaug(course, next(outputs)),
        f"MONAI ({weights(monai_unet(_unet(course)))})": lambda: train_monai(course),
    }
    if not (remarks := missing("diffusers", "the loop around UNet2DModel")):
        name = f"diffusers ({weights(diffusers_unet(_unet(course)))})"
        runs[name] = lambda: train_diffusers(course)
    what = (
        f"{model.image_size} x {model.image_size}, batches of {model.batch_size}, channels {model.channels}"
    )
    yield Contest(what, "iterations/s", settings.iterations, runs, remarks)


def _without_patches(row: GeneratorPreset) -> GeneratorPreset:
    """Return the same network for an image with a pixel where it has a patch: the peers know no patches."""
    return replace(row, image_size=row.image_size // row.patch, patch=1, prediction="epsilon", dropout=0.0)


def train_medaug(course: Course, output: Path) -> float:
    """Train as ``train_diffusion.json`` composes it."""
    model, store = course.model, course.store
    network = _unet(course)
    optimizer = torch.optim.AdamW(network.parameters(), lr=model.learning_rate)
    where = {"bundle_root": ".", "output_dir": str(output), "data_dir": str(store.path)}
    run = Run.of(modality="radiology", properties="sex", **where)
    length = {"iterations": course.iterations, "iterations_per_epoch": course.iterations}
    how = {**vars(model), **length, "largest_gradient_norm": LARGEST_NORM}
    training = GeneratorTraining.of(run, "base", **how)
    trainer = SupervisedTrainer(
        device=torch.device("cpu"),
        max_epochs=1,
        epoch_length=course.iterations,
        train_data_loader=training.loader(training.dataset(), 1),
        network=network,
        optimizer=optimizer,
        loss_function=WeightedSquaredError(),
        inferer=SimpleInferer(),
        prepare_batch=training.prepare_batch,
        train_handlers=[training.handlers(network, optimizer)],
        decollate=False,
    )
    return _time_trainer(trainer)


def train_monai(course: Course) -> float:
    """Train with what MONAI has for diffusion models."""
    model, size = course.model, course.model.image_size
    scale = ScaleIntensityRanged("image", 0, 255, -1, 1)
    items = [{"image": pixels.transpose(2, 0, 1).copy()} for pixels in course.store.images(size)]
    dataset = CacheDataset(items, scale, progress=False)
    network = monai_unet(_unet(course))
    trainer = stock_trainer(
        dataset,
        network,
        nn.MSELoss(),
        iterations=course.iterations,
        batch_size=model.batch_size,
        learning_rate=model.learning_rate,
        device=torch.device("cpu"),
    )
    return _time_trainer(trainer)


def train_diffusers(course: Course) -> float:
    """Train as in the examples of diffusers, in a plain loop."""
    from diffusers import DDPMScheduler as DiffusersScheduler
    from diffusers.training_utils import EMAModel

    model, network = course.model, diffusers_unet(_unet(course)).train()
    schedule = DiffusersScheduler(num_train_timesteps=1000)
    optimizer = torch.optim.AdamW(network.parameters(), lr=model.learning_rate)
    average = EMAModel(network.parameters(), decay=EMA_DECAY)
    stamps = []
    for images in _forever(course.images, model.batch_size):
        noise = torch.randn_like(images)
        times = torch.randint(1000, (len(images),))
        found = network(schedule.add_noise(images, noise, times), times).sample
        loss = nn.functional.mse_loss(found, noise)
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), LARGEST_NORM)
        optimizer.step()
        optimizer.zero_grad()
        average.step(network.parameters())
        stamps.append(perf_counter())
        if len(stamps) == course.iterations:
            return stamps[-1] - stamps[UNCOUNTED - 1]
    raise RuntimeError("unreachable: the loop above does not end")


def _time_trainer(trainer: SupervisedTrainer) -> float:
    """Run it; return the seconds from the end of the last uncounted iteration to the end of the last one."""
    stamps: list[float] = []
    trainer.add_event_handler(Events.ITERATION_COMPLETED, lambda: stamps.append(perf_counter()))
    trainer.run()
    return stamps[-1] - stamps[UNCOUNTED - 1]


def _forever(images: Tensor, batch_size: int) -> Iterable[Tensor]:
    loader = DataLoader(TensorDataset(images), batch_size=batch_size, shuffle=True, drop_last=True)
    while True:
        for (batch,) in loader:
            yield batch


def _encoder(store: ImageStore) -> ConditionEncoder:
    return ConditionEncoder(store.task, ("sex",))


def _unet(course: Course) -> ConditionalUNet:
    model = course.model
    condition_size = _encoder(course.store).size + Geometry(model.mirrors, model.largest_shift).slots
    return medaug_unet(model, 1, condition_size)
