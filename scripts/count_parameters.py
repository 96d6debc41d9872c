"""Builds every network of a preset, without making a single weight, and prints how many parameters it has.

Examples
--------
python scripts/count_parameters.py
python scripts/count_parameters.py --preset single_gpu
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import torch
from monai.bundle import ConfigWorkflow
from torch import nn

from medaug.presets import preset as preset_of

ROOT = Path(__file__).parents[1] / "bundles"
BUNDLES = ("camelyon17", "chexpert", "dermatology")
GENERATORS = {"base model": "train_diffusion", "upsampler": "train_upsampler"}


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


def rows(bundle: str, preset: str) -> Iterator[Row]:
    """Build the networks of a bundle at a size, as its configs do."""
    for part, stage in GENERATORS.items():
        if _is_made(bundle, stage, preset):
            how, network = _built(bundle, stage, preset)
            size = f"{' '.join(map(str, how.channels))} channels"
            yield Row(bundle, part, size, how.image_size, count_parameters(network))
    how, network = _built(bundle, "train", preset)
    yield Row(bundle, "classifier", f"`{how.network_name}`", how.image_size, count_parameters(network))


def _is_made(bundle: str, stage: str, name: str) -> bool:
    """Tell whether a bundle makes its images with this network: one is enough at some sizes."""
    facts = json.loads((ROOT / bundle / "metadata.json").read_text(encoding="utf-8"))["medaug"]
    return stage == "train_diffusion" or preset_of(facts["modality"], name).upsampler is not None


def count_parameters(network: nn.Module) -> int:
    """Return the number of weights and biases that are learnt."""
    return sum(parameter.numel() for parameter in network.parameters() if parameter.requires_grad)


def _built(bundle: str, stage: str, preset: str) -> tuple[Any, nn.Module]:
    """Return the settings of a stage and its network, without weights and without images."""
    root, nowhere = ROOT / bundle, ROOT / bundle / "no such run"
    where = {"bundle_root": str(root), "output_dir": str(nowhere), "preset": preset}
    workflow = ConfigWorkflow(str(root / f"{stage}.json"), logging_file=False, **where)
    with torch.device("meta"):
        network: nn.Module = workflow.parser.get_parsed_content("network_def")
    return workflow.parser.get_parsed_content("stage").settings, network


if __name__ == "__main__":
    main()
