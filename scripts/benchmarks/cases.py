"""What is measured on a device: networks of the presets, and who takes part."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor, nn

from benchmarks import entrants
from benchmarks.gauge import Entrant, Work, flops_of_image
from benchmarks.networks import medaug_unet
from medaug.classification.networks import build_classifier
from medaug.engine.acceleration import PLAIN, Acceleration
from medaug.presets import GeneratorPreset, preset


@dataclass(frozen=True)
class Size:
    """How large all is."""

    smaller: bool
    sampled: int
    steps: int

    @classmethod
    def full(cls) -> Size:
        """Return what a GPU is measured with."""
        return cls(smaller=False, sampled=256, steps=20)

    @classmethod
    def tiny(cls) -> Size:
        """Return what a CPU can do."""
        return cls(smaller=True, sampled=4, steps=2)

    def row(self, row: GeneratorPreset) -> GeneratorPreset:
        """Return a preset, or a network of its kind that takes no time."""
        plain = replace(row, patch=1, dropout=0.0)
        if not self.smaller:
            return plain
        small = {"channels": (8, 16), "head_channels": 8, "residual_blocks": 1, "batch_size": 4}
        return replace(plain, image_size=16, **small)


@dataclass(frozen=True)
class Case:
    """The same work done by several.

    Parameters
    ----------
    title : str
        What is done.
    rank : int
        From 0, the most telling, on; the last are left out where there is no time for all.
    setup : float
        Seconds until all are ready on a GPU, an estimate: most of it is compiling.
    names : tuple of str
        Who takes part.
    entrants : callable
        Gives them for a device and a folder of their own.
    """

    title: str
    rank: int
    setup: float
    names: tuple[str, ...]
    entrants: Callable[[torch.device, Path], Iterator[Entrant]]


def training_cases(size: Size) -> list[Case]:
    """Return the trainings of diffusion models."""
    paper, single = preset("dermatology", "paper"), preset("dermatology", "single_gpu")
    small = replace(single.diffusion, channels=(64, 128, 192, 256))
    rows = {
        "paper 64": (paper.diffusion, 1, 0),
        "single_gpu upsampler": (single.upsampler, 2, 2),
        "single_gpu 64": (single.diffusion, 1, 4),
        "22 M 64": (small, 1, 6),
        "paper upsampler": (paper.upsampler, 2, 7),
    }
    return [_training(f"training, {name}", size.row(r), c, rank) for name, (r, c, rank) in rows.items() if r]


def sampling_cases(size: Size) -> list[Case]:
    """Return the samplings: plain, and guided at twice the cost."""
    row = size.row(replace(preset("dermatology", "single_gpu").diffusion, channels=(64, 128, 192, 256)))
    return [_sampling(row, size, 1.5, rank=1), _sampling(row, size, 1.0, rank=3)]


def classifier_cases(size: Size) -> list[Case]:
    """Return the training of the smallest BiT."""
    name, side, batch = ("small_resnet", 32, 4) if size.smaller else ("bit_50x1", 256, 64)
    names = ("medaug", "medaug with augmentation", "the same network in float32")
    title = f"training, {name} {side}, batch {batch}"
    return [Case(title, 5, 60, names, _classifiers(name, side, batch))]


SUBJECTS: Mapping[str, Callable[[Size], list[Case]]] = {
    "train_diffusion": training_cases,
    "generate": sampling_cases,
    "train": classifier_cases,
}
"""Cases by the names of the subjects of ``benchmark.py``."""


def _training(title: str, row: GeneratorPreset, in_channels: int, rank: int) -> Case:
    def taking_part(device: torch.device, folder: Path) -> Iterator[Entrant]:
        flops = _flops(row, in_channels, device, backward=True)
        begins = {
            "medaug, bare step": lambda: entrants.bare_step(row, in_channels, device),
            "medaug, its trainer": lambda: entrants.medaug_trainer(row, in_channels, device, folder),
            "MONAI, its network and trainer": lambda: entrants.monai_trainer(row, in_channels, device),
            "diffusers, UNet2DModel in a loop": lambda: entrants.diffusers_step(row, in_channels, device),
        }
        for name, begin in begins.items():
            yield Entrant(name, row.batch_size, flops, begin)

    names = ("medaug's bare step", "medaug's trainer", "MONAI", "diffusers")
    return Case(f"{title}, side {row.image_size}, batch {row.batch_size}", rank, 80, names, taking_part)


def _sampling(row: GeneratorPreset, size: Size, guidance: float, rank: int) -> Case:
    evaluations = size.steps * (1 if guidance == 1 else 2)

    def taking_part(device: torch.device, folder: Path) -> Iterator[Entrant]:
        flops = evaluations * _flops(row, 1, device, backward=False)

        def own(graphs: bool) -> Callable[[], Work]:
            return lambda: entrants.medaug_sampling(row, size.sampled, size.steps, guidance, device, graphs)

        can_replay = Acceleration.of(device, {}).compile
        begins = {
            "medaug": own(False),
            **({"medaug, CUDA graphs": own(True)} if can_replay else {}),
            "MONAI, DDIM": lambda: entrants.monai_sampling(row, size.sampled, evaluations, device),
            "diffusers, DPM-Solver++": lambda: entrants.diffusers_sampling(
                row, size.sampled, evaluations, device
            ),
        }
        for name, begin in begins.items():
            yield Entrant(name, size.sampled, flops, begin)

    title = f"sampling, 22 M {row.image_size}, {evaluations} evaluations, {size.sampled} at once"
    names = ("medaug", "medaug with CUDA graphs on a GPU", "MONAI", "diffusers")
    return Case(title, rank, 50, names, taking_part)


def _classifiers(name: str, side: int, batch: int) -> Callable[[torch.device, Path], Iterator[Entrant]]:
    def taking_part(device: torch.device, folder: Path) -> Iterator[Entrant]:
        def called(network: nn.Module, images: int) -> Tensor:
            found: Tensor = network(torch.rand(images, 3, side, side, device=device))
            return found

        network = build_classifier(name, 5, 3).to(device)
        flops = flops_of_image(network, called, backward=True)
        usual, shape = Acceleration.of(device, {}), (batch, 3, side, side)
        ways = {
            "medaug": (usual, "none"),
            "medaug, RandAugment and heuristic": (usual, "randaugment+heuristic"),
            "the same network in float32": (PLAIN, "none"),
        }
        for who, (how, augmentation) in ways.items():

            def begin(how: Acceleration = how, augmentation: str = augmentation) -> Work:
                return entrants.classifier_step(name, shape, device, how, augmentation)

            yield Entrant(who, batch, flops, begin)

    return taking_part


def _flops(row: GeneratorPreset, in_channels: int, device: torch.device, backward: bool) -> float:
    network = medaug_unet(row, in_channels, entrants.CONDITION, device)
    return flops_of_image(network, _called(row.image_size, in_channels), backward)


def _called(side: int, channels: int) -> Callable[[nn.Module, int], Tensor]:
    def called(network: nn.Module, images: int) -> Tensor:
        device = next(network.parameters()).device
        x, t = (
            torch.randn(images, channels, side, side, device=device),
            torch.zeros(images, device=device).long(),
        )
        found: Tensor = network(
            x, timesteps=t, class_labels=torch.zeros(images, entrants.CONDITION, device=device)
        )
        return found

    return called
