"""Builds every network of a preset, without making a single weight, and prints how many parameters it has.

Examples
--------
python scripts/count_parameters.py
python scripts/count_parameters.py --preset single_gpu
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import torch
from monai.bundle import ConfigParser
from torch import nn

from medaug.classification.networks import build_classifier
from medaug.diffusion.condition import ConditionEncoder
from medaug.diffusion.unet import build_unet
from medaug.presets import GeneratorPreset, Modality, PresetName, preset
from medaug.task import Task

BUNDLES: dict[str, Modality] = {
    "camelyon17": "histopathology",
    "chexpert": "radiology",
    "dermatology": "dermatology",
}
ROOT = Path(__file__).parents[1] / "bundles"


class Row(NamedTuple):
    """A network of a bundle: its part, its size in words, the side of its images, its parameters."""

    bundle: str
    part: str
    size: str
    side: int
    parameters: int

    def __str__(self) -> str:
        """Return the row of a Markdown table."""
        return f"| {self.part} | {self.size} | {self.side} | {self.parameters:,} |"


def main() -> None:
    """Print a table for each bundle."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--preset", default="paper", choices=("demo", "single_gpu", "paper"))
    name = parser.parse_args().preset
    for bundle in BUNDLES:
        print(f"\n{bundle}\n\n| network | size | pixels | parameters |\n|---|---|---|---|")
        print(*rows(bundle, name), sep="\n")


def rows(bundle: str, name: PresetName) -> Iterator[Row]:
    """Build the networks of a bundle at a size, with the bundle's own classes, properties and channels."""
    sizes, prepare = preset(BUNDLES[bundle], name), _config(bundle, "prepare")
    task, channels = prepare.get_parsed_content("task"), prepare["channels"]
    condition = _condition_size(bundle, task, prepare["train_domains"] or ())
    for part, generator in (("base model", sizes.diffusion), ("upsampler", sizes.upsampler)):
        if generator is not None:
            size = f"{' '.join(map(str, generator.channels))} channels"
            count = count_unet(generator, channels, condition, upsampler=part == "upsampler")
            yield Row(bundle, part, size, generator.image_size, count)
    network = sizes.classifier.network
    with torch.device("meta"):
        classifier = build_classifier(network, len(task.classes), channels)
    yield Row(bundle, "classifier", f"`{network}`", sizes.image_size, count_parameters(classifier))


def count_unet(generator: GeneratorPreset, channels: int, condition: int, *, upsampler: bool) -> int:
    """Count the parameters of a base model, or of an upsampler, which also sees the small image."""
    with torch.device("meta"):
        unet = build_unet(
            generator.image_size,
            channels,
            2 * channels if upsampler else channels,
            condition,
            generator.channels,
            generator.residual_blocks,
            generator.head_channels,
        )
    return count_parameters(unet)


def count_parameters(network: nn.Module) -> int:
    """Return the number of weights and biases that are learnt."""
    return sum(parameter.numel() for parameter in network.parameters() if parameter.requires_grad)


def _condition_size(bundle: str, task: Task, domains: list[str]) -> int:
    properties = _config(bundle, "train_diffusion")["properties"]
    return ConditionEncoder(task, tuple(properties), tuple(domains) if "domain" in properties else ()).size


def _config(bundle: str, stage: str) -> Any:
    parser = ConfigParser()
    parser.read_config(str(ROOT / bundle / f"{stage}.json"))
    return parser


if __name__ == "__main__":
    main()
