"""The stage that trains a generative model: the base model, or the upsampler that enlarges its images."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from monai.engines.trainer import Trainer
from monai.inferers.inferer import Inferer
from monai.networks.blocks.spatialattention import SpatialAttentionBlock
from monai.networks.nets.diffusion_model_unet import DiffusionUNetResnetBlock
from torch import nn
from torch.optim import Optimizer
from torch.utils.data import DataLoader, Dataset

from medaug.arrays import IntArray
from medaug.data.orders import mixed
from medaug.data.sampling import (
    BatchSampler,
    Example,
    PermutedRows,
    RowStream,
    SharedRows,
    StoreBatches,
    batch_loader,
)
from medaug.diffusion.condition import ConditionEncoder, encoder_for
from medaug.diffusion.device_examples import DeviceExamples
from medaug.diffusion.diffusion_model import DiffusionModel, save_model
from medaug.diffusion.noisy_examples import NoisyExamples, Prepared, prepare_batch
from medaug.diffusion.preview import Preview, Sparing, moments
from medaug.diffusion.unet import ConditionalUNet
from medaug.engine.acceleration import AcceleratedInferer, Acceleration
from medaug.engine.averaging import PowerAverage
from medaug.engine.distributed import is_first, unwrap
from medaug.engine.handlers import Handler, Snapshot, Together, training_handlers
from medaug.engine.later import later
from medaug.engine.learning_rate import scheduler
from medaug.engine.resume import Resume
from medaug.engine.tensorboard import Draw, TensorBoard
from medaug.errors import SettingsError
from medaug.stages.generator_settings import GeneratorSettings, Role
from medaug.stages.products import identity, is_made
from medaug.stages.run import Run
from medaug.stages.setting_values import defaults, record

logger = logging.getLogger(__name__)

FILES: Mapping[Role, str] = {"base": "diffusion", "upsampler": "upsampler"}
"""Name of the model file, and of the TensorBoard folder, of each role."""

NAMES: Mapping[Role, str] = {"base": "diffusion model", "upsampler": "upsampler"}
"""What people call them."""


@dataclass(frozen=True, kw_only=True)
class GeneratorTraining:
    """One training of a base model or of an upsampler; builds the parts that a config composes.

    Parameters
    ----------
    run : Run
        What all stages share.
    settings : GeneratorSettings
        How to train.
    role : {"base", "upsampler"}
        What to train.
    """

    run: Run
    settings: GeneratorSettings
    role: Role

    @classmethod
    def of(cls, run: Run, role: Role, **given: Any) -> GeneratorTraining:
        """Return a stage from the values of a config; None means the default of the setting."""
        return cls(run=run, role=role, settings=GeneratorSettings.of(run, role, **given))

    @property
    def product(self) -> Path:
        """The model file."""
        return self.run.generator_path("models", f"{FILES[self.role]}.pt")

    @property
    def record(self) -> dict[str, Any]:
        """What the model depends on."""
        run = self.run
        inputs = {"data": identity(run.data_dir), "skew": run.scarcity, "properties": run.properties}
        return {**inputs, "seed": run.seed, **record(self.settings)}

    @property
    def computed(self) -> dict[str, Any]:
        """How the model is computed, which it does not depend on."""
        return self.acceleration.facts(self.run.device)

    @property
    def epochs(self) -> int:
        """Length of the training in epochs."""
        return -(-self.settings.iterations // self.settings.iterations_per_epoch)

    @cached_property
    def encoder(self) -> ConditionEncoder:
        """Meaning of the condition vector: what the images say, or, before they are there, the settings."""
        run = self.run
        if is_made(run.data_dir):
            return encoder_for(run.store, run.properties)
        domains = tuple(sorted(run.train_domains or ())) if "domain" in run.properties else ()
        return ConditionEncoder(run.task, tuple(run.properties), domains)

    @property
    def length(self) -> int:
        """Length of the training in iterations."""
        return self.epochs * self.settings.iterations_per_epoch

    @property
    def condition_size(self) -> int:
        """Slots of the network's condition: what is asked for, and what was done to the image."""
        return self.encoder.size + self.settings.geometry.slots

    @property
    def in_channels(self) -> int:
        """Channels of the network's input: an upsampler also sees the small image."""
        return self.run.channels * (1 if self.role == "base" else 2)

    # Parts

    @cached_property
    def acceleration(self) -> Acceleration:
        """How the network is laid onto the device."""
        return self.settings.acceleration(self.run.device)

    def wrap(self, network: nn.Module) -> nn.Module:
        """Return the network on its device, its gradients shared by all processes."""
        blocks = DiffusionUNetResnetBlock, SpatialAttentionBlock
        return self.acceleration.trained(network, self.run.device, blocks)

    @property
    def inferer(self) -> Inferer:
        """What calls the network."""
        return AcceleratedInferer(self.acceleration)

    def dataset(self) -> Dataset[Example]:
        """Return the batches, as `NoisyExamples` describes them."""
        return later(self._dataset)

    def loader(self, dataset: Dataset[Example], epochs: int) -> DataLoader[Any]:
        """Return this process's share of all batches: labelled and unlabelled images together."""
        how = self.settings
        sampler = BatchSampler(later(self._rows), how.batch_size, epochs * how.iterations_per_epoch)
        return batch_loader(dataset, sampler, how.workers)

    @property
    def prepare_batch(self) -> Callable[..., Prepared]:
        """What turns a batch into a call of the network."""
        how = self.acceleration
        return DeviceExamples(self._examples, how.cipher) if how.noise_on_device else prepare_batch

    def handlers(self, network: nn.Module, optimizer: Optimizer) -> Handler:
        """Return the handlers of the trainer, together."""
        how, inner = self.settings, _unet(network)
        shown = {
            **record(how),
            "seed": self.run.seed,
            "optimizer": type(optimizer).__name__,
            "network": inner.arguments,
        }
        average = PowerAverage(inner, how.ema_width)
        warmup = int(how.warmup_share * self.length)
        schedule = scheduler(how.schedule, optimizer, self.length, warmup)
        model = later(lambda: self._model(_unet(average.network)))
        handlers = training_handlers(
            description=f"Training the {NAMES[self.role]}",
            product=self.product,
            save=lambda: save_model(self.product, model),
            resume=Resume(
                self.product.with_suffix(".resume.pt"),
                inner,
                optimizer,
                settings=shown,
                defaults=defaults(how),
                parts={"ema": average.network, "scheduler": schedule},
            ),
            tensorboard=TensorBoard(
                self.run.generator_path("logs", FILES[self.role]),
                how.batch_size,
                settings={**shown, **self.computed},
                draw=[later(lambda: self._preview(model))],
            ),
            seed=self.run.seed,
            largest_norm=how.largest_gradient_norm,
            scheduler=schedule,
            more=[average, self._snapshot(model)],
        )
        return Together(handlers)

    # Work

    def pull(self) -> None:
        """Have made what is needed, and make sure that the model file is one of these settings."""
        self.run.pull("prepare")
        with self._making():
            pass  # whoever has to wait for another run, or has other settings, builds no network

    def fit(self, trainer: Trainer) -> None:
        """Train, unless the model is there: a run that was stopped goes on where it was."""
        with self._making() as missing:
            if missing:
                trainer.run()
        if is_first():
            logger.info("The %s is %s", NAMES[self.role], self.product)

    def _making(self) -> AbstractContextManager[bool]:
        return self.run.making(self.product, self.record, defaults(self.settings), self.computed)

    def _dataset(self) -> StoreBatches:
        columns = {"condition": self.encoder.encode(self.run.store.table)}
        transform = None if self.acceleration.noise_on_device else self._examples
        return StoreBatches(self.run.store, self.settings.image_size, columns, transform)

    @property
    def _examples(self) -> NoisyExamples:
        how = self.settings
        return NoisyExamples(
            seed=self.run.seed,
            dropout=how.condition_dropout,
            low_size=how.low_size,
            prediction=how.prediction,
            times=how.times,
            loss_weight=how.loss_weight,
            geometry=how.geometry,
        )

    def _rows(self) -> RowStream:
        """Return all images as they come, or labelled and other ones in the share that is asked for."""
        store, share = self.run.store, self.settings.labelled_fraction
        rows = store.rows("train", "unlabelled")
        if share is None:
            return self._order(rows, "generator")
        labelled = ~np.isnan(store.task.labels(store.table.iloc[rows])).all(axis=1)
        if labelled.all() or not labelled.any():
            return self._order(rows, "generator")
        return SharedRows(
            self._order(rows[labelled], "labelled") if share > 0 else None,
            self._order(rows[~labelled], "unlabelled") if share < 1 else None,
            mixed(share),
        )

    def _order(self, rows: IntArray, name: str) -> PermutedRows:
        return PermutedRows(rows, self.run.seed, name)

    def _preview(self, model: DiffusionModel) -> Draw:
        """Return what draws a preview now and then."""
        how = self.settings
        preview = Preview(model, self.run.store, how.guidance, self.run.seed, self.acceleration)
        drawn = moments(preview.passes, how.batch_size, self.length, self.epochs)
        draw = preview if self.run.device.type == "cpu" else Sparing(preview, drawn[-1])
        return lambda writer, iteration: draw(writer, iteration) if iteration in drawn else None

    def _snapshot(self, model: DiffusionModel) -> Snapshot:
        """Return the handler that leaves the guide of autoguidance."""
        path = early_path(self.product)
        return Snapshot(int(self.settings.early_share * self.length), lambda: save_model(path, model))

    def _model(self, average: ConditionalUNet) -> DiffusionModel:
        """Return the network with the meaning of its condition and where it comes from."""
        run, how = self.run, self.settings
        info = {
            "phantom": run.store.phantom,
            "iterations": self.length,
            "seed": run.seed,
            "data": run.store.fingerprint,
            "low_size": how.low_size,
        }
        return DiffusionModel(average, self.encoder, self.role, info, how.prediction, how.geometry.slots)


def early_path(model: Path) -> Path:
    """Return where the earlier snapshot of a model lies: beside it."""
    return model.with_name(f"{model.stem}.early.pt")


def _unet(network: nn.Module) -> ConditionalUNet:
    inner = unwrap(network)
    if not isinstance(inner, ConditionalUNet):
        raise SettingsError(f"a generator is a network of build_unet, not a {type(inner).__name__}")
    return inner
