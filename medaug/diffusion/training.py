"""Training of the generative models (Sections 3.1 and E): what MONAI's trainer is composed with.

The noisy input is made with the batch, in the loader's workers, so the network is an ordinary one that maps
an input to a target: MONAI's own inferer, batch preparation and torch's ``MSELoss`` do the rest. Every random
number belongs to a position in the run, so a batch is the same for any number of processes and workers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Literal

import torch
from ignite.handlers import EMAHandler
from monai.engines.utils import PrepareBatchExtraInput
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler
from torch.utils.data import DataLoader

from medaug.data.sampling import BatchSampler, Example, PermutedRows, StoreBatches, batch_loader
from medaug.data.store import ImageStore
from medaug.diffusion.condition import ConditionEncoder
from medaug.diffusion.diffusion_model import DiffusionModel, save_model
from medaug.diffusion.preview import Preview
from medaug.diffusion.schedule import NoiseSchedule
from medaug.diffusion.unet import ConditionalUNet
from medaug.engine.distributed import unwrap
from medaug.engine.handlers import Handler, training_handlers
from medaug.engine.resume import Resume, Stateful
from medaug.engine.tensorboard import TensorBoard
from medaug.errors import SettingsError
from medaug.randomness import numpy_generator, torch_generator
from medaug.transforms.degradation import Degradation

CONDITION_DROPOUT = 0.1
"""Share of examples whose condition is hidden, for classifier-free guidance (Ho and Salimans 2022)."""


@dataclass(frozen=True)
class NoisyExamples:
    """Turns a batch of images into what a network learns noise prediction from.

    Takes ``image`` uint8 (B, C, H, W), ``position`` (B,) and ``condition`` (B, size); gives

    - ``image``: the input, float32 (B, C or 2C, H, W): the noisy image, and of an upsampler the degraded
      low-resolution image in [-1, 1] behind it;
    - ``label``: the noise in it, float32 (B, C, H, W), standard normal;
    - ``timesteps``: int64 (B,), uniform over the schedule;
    - ``condition``: float32 (B, size), with probability `dropout` all zeros.

    Parameters
    ----------
    seed : int
        Seed of the run; with the position it decides all that is drawn for an example.
    dropout : float
        Probability of hiding the condition.
    low_size : int or None
        Side in pixels of the images that an upsampler enlarges; None for a base model.
    schedule : NoiseSchedule
        The forward process.
    """

    seed: int
    dropout: float = CONDITION_DROPOUT
    low_size: int | None = None
    schedule: NoiseSchedule = field(default_factory=NoiseSchedule)

    def __call__(self, example: Example) -> Example:
        """Transform a batch."""
        pixels, positions = example["image"], example["position"].tolist()
        noise = torch.empty(pixels.shape)
        drawn = [self._draw(position, out) for position, out in zip(positions, noise, strict=True)]
        timesteps = torch.tensor([t for t, _ in drawn])
        kept = torch.tensor([kept for _, kept in drawn])
        noisy = self.schedule.add_noise(pixels.float() / 127.5 - 1, noise, timesteps)
        return {
            "image": noisy if self.low_size is None else torch.cat([noisy, self._low(pixels, positions)], 1),
            "label": noise,
            "timesteps": timesteps,
            "condition": example["condition"] * kept[:, None],
        }

    def _draw(self, position: int, noise: Tensor) -> tuple[int, bool]:
        """Fill the noise of one example; return its time and whether its condition is kept."""
        generator = torch_generator(self.seed, "noise", position)
        timestep = int(torch.randint(self.schedule.steps, (), generator=generator))
        kept = float(torch.rand((), generator=generator)) >= self.dropout
        noise.normal_(generator=generator)
        return timestep, kept

    def _low(self, pixels: Tensor, positions: Sequence[int]) -> Tensor:
        """Degrade each image in its own way (Section E.1)."""
        size = int(self.low_size or 0)
        ways = [Degradation.draw(numpy_generator(self.seed, "degradation", p)) for p in positions]
        return torch.stack([way.apply(image / 255, size) for way, image in zip(ways, pixels, strict=True)])


def prepare_batch() -> PrepareBatchExtraInput:
    """Return MONAI's batch preparation, for a call ``network(image, timesteps=..., class_labels=...)``."""
    return PrepareBatchExtraInput(extra_keys={"timesteps": "timesteps", "class_labels": "condition"})


@dataclass(frozen=True)
class GeneratorTraining:
    """One training of a base model or of an upsampler; builds the parts that a config composes.

    Parameters
    ----------
    store : ImageStore
        Its splits ``train`` and ``unlabelled`` are learnt from, together.
    encoder : ConditionEncoder
        Meaning of the condition vector.
    image_size : int
        Side in pixels of the images to make; a size of the store.
    batch_size : int
        Images of one iteration, in all processes together.
    iterations : int
        Optimiser steps.
    seed : int
        Seed of the run.
    low_size : int or None
        Side in pixels of the images that an upsampler enlarges; None for a base model.
    dropout : float
        Probability of hiding the condition of an example.

    Raises
    ------
    DataError
        The store has no images of this size.
    SettingsError
        An upsampler would not enlarge.
    """

    store: ImageStore
    encoder: ConditionEncoder
    image_size: int
    batch_size: int
    iterations: int
    seed: int
    low_size: int | None = None
    dropout: float = CONDITION_DROPOUT

    def __post_init__(self) -> None:
        self.store.images(self.image_size)
        if self.low_size is not None and self.low_size >= self.image_size:
            raise SettingsError(
                f"an upsampler from {self.low_size} to {self.image_size} pixels would not enlarge"
            )

    @property
    def in_channels(self) -> int:
        """Channels of the network's input."""
        return self.store.channels * (1 if self.low_size is None else 2)

    @cached_property
    def examples(self) -> NoisyExamples:
        """What turns images into training examples."""
        return NoisyExamples(self.seed, self.dropout, self.low_size)

    def dataset(self) -> StoreBatches:
        """Return the batches, as `NoisyExamples` describes them."""
        columns = {"condition": self.encoder.encode(self.store.table)}
        return StoreBatches(self.store, self.image_size, columns, self.examples)

    def loader(self, dataset: StoreBatches, workers: int) -> DataLoader[Any]:
        """Return this process's share of all batches: labelled and unlabelled images together."""
        rows = PermutedRows(self.store.rows("train", "unlabelled"), self.seed, "generator")
        return batch_loader(dataset, BatchSampler(rows, self.batch_size, self.iterations), workers)

    def handlers(
        self,
        product: Path | str,
        logs: Path | str,
        network: nn.Module,
        optimizer: Optimizer,
        *,
        ema_decay: float,
        guidance: float = 1.0,
        largest_norm: float = 1.0,
        scheduler: LRScheduler | None = None,
    ) -> list[Handler]:
        """Return the handlers of the trainer, in order.

        Parameters
        ----------
        product : Path
            The model file that is written at the end, for example ``models/diffusion.pt``; the state of an
            unfinished run lies beside it as ``diffusion.resume.pt``.
        logs : Path
            TensorBoard folder of this training.
        network : Module
            The network as the trainer has it (see `medaug.engine.distributed.wrap`).
        optimizer : Optimizer
            The trainer's optimiser.
        ema_decay : float
            The saved weights are a moving average that keeps this share in each step.
        guidance : float
            Guidance scale of the sample images in TensorBoard.
        largest_norm : float
            Gradients are clipped to this norm.
        scheduler : LRScheduler, optional
            Stepped after each iteration.
        """
        product, inner = Path(product), _unet(network)
        ema = EMAHandler(inner, momentum=1 - ema_decay)
        settings = self._settings(inner, optimizer, ema_decay=ema_decay, largest_norm=largest_norm)
        average = _unet(ema.ema_model)
        parts: dict[str, Stateful] = {"ema": average}
        if scheduler is not None:
            parts["scheduler"] = scheduler
        preview = Preview(average, self.store, self.encoder, self.low_size, guidance, self.seed)
        return training_handlers(
            description="Training the diffusion model" if self.low_size is None else "Training the upsampler",
            product=product,
            save=partial(self.save, product, average),
            resume=Resume(
                product.with_name(f"{product.stem}.resume.pt"),
                inner,
                optimizer,
                settings=settings,
                parts=parts,
            ),
            tensorboard=TensorBoard(logs, self.batch_size, settings=settings, draw=[preview]),
            seed=self.seed,
            largest_norm=largest_norm,
            scheduler=scheduler,
            more=[ema],
        )

    def save(self, path: Path, network: nn.Module) -> None:
        """Write a trained network with the meaning of its condition and where it comes from."""
        info = {
            "phantom": self.store.phantom,
            "iterations": self.iterations,
            "seed": self.seed,
            "data": self.store.fingerprint,
            "low_size": self.low_size,
        }
        kind: Literal["base", "upsampler"] = "base" if self.low_size is None else "upsampler"
        save_model(path, DiffusionModel(_unet(network), self.encoder, kind, info))

    def _settings(self, network: ConditionalUNet, optimizer: Optimizer, **more: Any) -> dict[str, Any]:
        """Return what a run is made of: shown in TensorBoard, compared when it is resumed."""
        group = optimizer.param_groups[0]
        names = ("image_size", "low_size", "batch_size", "iterations", "seed", "dropout")
        return {
            **{name: getattr(self, name) for name in names},
            "optimizer": type(optimizer).__name__,
            "learning_rate": group.get("initial_lr", group["lr"]),
            "network": network.arguments,
            "condition": list(self.encoder.slots),
            "data": self.store.fingerprint,
            "images": "phantom data" if self.store.phantom else "given data",
            **more,
        }


def _unet(network: nn.Module) -> ConditionalUNet:
    inner = unwrap(network)
    if not isinstance(inner, ConditionalUNet):
        raise SettingsError(f"a generator is a network of build_unet, not a {type(inner).__name__}")
    return inner
