"""The stage that trains a generative model: the base model, or the upsampler that enlarges its images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from ignite.handlers import EMAHandler
from monai.engines.trainer import Trainer
from monai.engines.utils import PrepareBatch
from torch import nn
from torch.optim import Optimizer
from torch.utils.data import DataLoader, Dataset

from medaug.data.sampling import BatchSampler, Example, PermutedRows, StoreBatches, batch_loader
from medaug.diffusion.condition import ConditionEncoder, encoder_for
from medaug.diffusion.diffusion_model import DiffusionModel, save_model
from medaug.diffusion.noisy_examples import CONDITION_DROPOUT, NoisyExamples, prepare_batch
from medaug.diffusion.preview import Preview
from medaug.diffusion.unet import ConditionalUNet
from medaug.engine.distributed import unwrap, wrap
from medaug.engine.handlers import Handler, Together, training_handlers
from medaug.engine.later import later
from medaug.engine.resume import Resume
from medaug.engine.tensorboard import TensorBoard
from medaug.errors import SettingsError
from medaug.presets import GeneratorPreset
from medaug.stages.products import identity, is_made
from medaug.stages.run import Run
from medaug.stages.setting_values import chosen, defaults, free, record

Role = Literal["base", "upsampler"]

FILES: Mapping[Role, str] = {"base": "diffusion", "upsampler": "upsampler"}
"""Name of the model file, and of the TensorBoard folder, of each role."""


@dataclass(frozen=True, kw_only=True)
class GeneratorSettings(GeneratorPreset):
    """How a diffusion model is trained.

    Parameters
    ----------
    low_size : int or None
        Side in pixels of the images that an upsampler enlarges; none for a base model.
    condition_dropout : float
        Probability that an example is trained on without its condition (classifier-free guidance).
    largest_gradient_norm : float
        Gradients are scaled down to it.
    amp : bool
        Mixed precision.
    guidance : float
        Guidance scale of the sample grids in TensorBoard.
    workers : int
        Processes that load batches; 0 loads in the main process.
    compile : bool
        ``torch.compile``.
    """

    low_size: int | None = None
    condition_dropout: float = CONDITION_DROPOUT
    largest_gradient_norm: float = 1.0
    amp: bool = False
    guidance: float = free(1.0)
    workers: int = free(0)
    compile: bool = free(False)

    @classmethod
    def of(cls, run: Run, role: Role, **given: Any) -> GeneratorSettings:
        """Return settings from the values of a config, where None means what the preset says."""
        models = run.presets
        row = models.diffusion if role == "base" else models.upsampler
        if row is None:
            raise SettingsError(f"{run.modality} has one resolution, and so no upsampler to train")
        usual = {
            "low_size": None if role == "base" else models.diffusion.image_size,
            "guidance": models.sampling.guidance,
            "workers": 0 if run.preset == "demo" else 4,
        }
        return chosen(cls, usual | {name: v for name, v in given.items() if v is not None}, row)

    def __post_init__(self) -> None:
        if self.low_size is not None and self.low_size >= self.image_size:
            raise SettingsError(
                f"an upsampler from {self.low_size} to {self.image_size} pixels would not enlarge"
            )


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
    def in_channels(self) -> int:
        """Channels of the network's input: an upsampler also sees the small image."""
        return self.run.channels * (1 if self.role == "base" else 2)

    # Parts

    def wrap(self, network: nn.Module) -> nn.Module:
        """Return the network on its device, its gradients shared by all processes."""
        return wrap(network, self.run.device)

    def dataset(self) -> Dataset[Example]:
        """Return the batches, as `NoisyExamples` describes them."""
        return later(self._dataset)

    def loader(self, dataset: Dataset[Example], epochs: int) -> DataLoader[Any]:
        """Return this process's share of all batches: labelled and unlabelled images together."""
        how, run = self.settings, self.run
        rows = later(lambda: PermutedRows(run.store.rows("train", "unlabelled"), run.seed, "generator"))
        sampler = BatchSampler(rows, how.batch_size, epochs * how.iterations_per_epoch)
        return batch_loader(dataset, sampler, how.workers)

    @property
    def prepare_batch(self) -> PrepareBatch:
        """What turns a batch into a call of the network."""
        return prepare_batch()

    def handlers(self, network: nn.Module, optimizer: Optimizer) -> Handler:
        """Return the handlers of the trainer, together."""
        how, inner = self.settings, _unet(network)
        shown = {
            **record(how),
            "seed": self.run.seed,
            "optimizer": type(optimizer).__name__,
            "network": inner.arguments,
        }
        ema = EMAHandler(inner, momentum=1 - how.ema_decay)
        average = _unet(ema.ema_model)
        handlers = training_handlers(
            description="Training the diffusion model" if self.role == "base" else "Training the upsampler",
            product=self.product,
            save=lambda: self._save(average),
            resume=Resume(
                self.product.with_suffix(".resume.pt"),
                inner,
                optimizer,
                settings=shown,
                parts={"ema": average},
            ),
            tensorboard=TensorBoard(
                self.run.generator_path("logs", FILES[self.role]),
                how.batch_size,
                settings=shown,
                draw=[later(lambda: self._preview(average))],
            ),
            seed=self.run.seed,
            largest_norm=how.largest_gradient_norm,
            more=[ema],
        )
        return Together(handlers)

    # Work

    def pull(self) -> None:
        """Have made what is needed, and make sure that the model file is one of these settings."""
        self.run.pull("prepare")
        self.run.claim(self.product, self.record, defaults(self.settings))

    def fit(self, trainer: Trainer) -> None:
        """Train, unless the model is there: a run that was stopped goes on where it was."""
        if not is_made(self.product):
            trainer.run()

    def _dataset(self) -> StoreBatches:
        run, how = self.run, self.settings
        examples = NoisyExamples(run.seed, how.condition_dropout, how.low_size)
        columns = {"condition": self.encoder.encode(run.store.table)}
        return StoreBatches(run.store, how.image_size, columns, examples)

    def _preview(self, average: ConditionalUNet) -> Preview:
        run, how = self.run, self.settings
        return Preview(average, run.store, self.encoder, how.low_size, how.guidance, run.seed)

    def _save(self, average: ConditionalUNet) -> None:
        """Write the trained network with the meaning of its condition and where it comes from."""
        run = self.run
        info = {
            "phantom": run.store.phantom,
            "iterations": self.epochs * self.settings.iterations_per_epoch,
            "seed": run.seed,
            "data": run.store.fingerprint,
            "low_size": self.settings.low_size,
        }
        save_model(self.product, DiffusionModel(average, self.encoder, self.role, info))


def _unet(network: nn.Module) -> ConditionalUNet:
    inner = unwrap(network)
    if not isinstance(inner, ConditionalUNet):
        raise SettingsError(f"a generator is a network of build_unet, not a {type(inner).__name__}")
    return inner
