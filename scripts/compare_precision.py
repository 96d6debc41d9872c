"""Says how far bfloat16 and compilation move a training and its images from float32, on phantom radiographs.

    python scripts/compare_precision.py --device cuda
    python scripts/compare_precision.py --device cpu --iterations 60 --ways bfloat16

All trainings see the same images with the same noise, so their losses differ by rounding alone. Asked for are
loss curves (means of 20 iterations) within 2 %, 99 % of the pixels within one grey level on average, and in
each way of computing the same images in batches of any size.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from ignite.engine import Events
from monai.bundle import ConfigWorkflow

from medaug.data.store import ImageStore
from medaug.diffusion.diffusion_model import DiffusionModel, load_model
from medaug.diffusion.generation import Cascade, generate
from medaug.diffusion.plan import fair_plan
from medaug.engine.acceleration import PLAIN
from medaug.presets import Sampling

BUNDLE = Path(__file__).resolve().parents[1] / "bundles" / "chexpert"
WAYS: Mapping[str, Mapping[str, bool]] = {
    "bfloat16": {"amp": True, "channels_last": True, "fused_optimizer": True},
    "compiled": {"compile": True},
    "bfloat16, compiled": {"amp": True, "channels_last": True, "fused_optimizer": True, "compile": True},
}
EXACT = dict.fromkeys(("amp", "tf32", "channels_last", "fused_optimizer", "compile"), False)
SMOOTHED = 20
COLUMNS = (
    *("loss curve", "one iteration", "pixels within 1", "mean grey levels"),
    *("alike in batches", "most grey levels"),
)
NETWORK = {"channels": [16, 32], "head_channels": 16, "batch_size": 16}


def main() -> None:
    """Train and sample in each way, and print a table."""
    how = _parser().parse_args()
    with TemporaryDirectory() as name:
        folder = Path(name)
        _workflow("prepare", folder, **_phantoms(how)).run()
        exact = _losses(folder, "float32", how, EXACT)
        model = load_model(folder / "float32" / "models" / "diffusion.pt", how.device)
        expected, *others = _images(model, folder, "float32", how, EXACT)
        print(f"{'':<20}" + "".join(f"{name:>18}" for name in COLUMNS))
        print(_line("float32", exact, exact, expected, expected, others), flush=True)
        for way in how.ways:
            found = _losses(folder, way, how, EXACT | WAYS[way])
            images, *others = _images(model, folder, way, how, EXACT | WAYS[way])
            print(_line(way, exact, found, expected, images, others), flush=True)


def _line(
    way: str,
    exact: np.ndarray,
    found: np.ndarray,
    expected: np.ndarray,
    images: np.ndarray,
    others: Sequence[np.ndarray],
) -> str:
    curve = np.abs(_smooth(found) / _smooth(exact) - 1).max()
    each = np.abs(found / exact - 1).max()
    difference = np.abs(images - expected)
    within = (difference.mean(axis=0) <= 1).mean()
    moved = max((int(np.abs(other - images).max()) for other in others), default=0)
    same = min(((other == images).mean() for other in others), default=1.0)
    figures = f"{curve:.3%}", f"{each:.3%}", f"{within:.2%}", f"{difference.mean():.4f}"
    return f"{way:<20}" + "".join(f"{figure:>18}" for figure in (*figures, f"{same:.3%}", str(moved)))


def _smooth(losses: np.ndarray) -> np.ndarray:
    return np.convolve(losses, np.ones(SMOOTHED) / SMOOTHED, "valid")


def _losses(folder: Path, way: str, how: argparse.Namespace, choices: Mapping[str, bool]) -> np.ndarray:
    """Train, and return the loss of each iteration."""
    torch.compiler.reset()  # of what is compiled it keeps a few of one kind only
    length = {"iterations": how.iterations, "iterations_per_epoch": how.iterations}
    given: dict[str, Any] = {
        **NETWORK,
        **length,
        **choices,
        "noise_on_device": True,
        "workers": 0,
        "device_name": how.device,
    }
    given["prepare"] = _phantoms(how)
    workflow = _workflow("train_diffusion", folder, output_dir=str(folder / way), **given)
    losses: list[float] = []
    workflow.trainer.add_event_handler(
        Events.ITERATION_COMPLETED, lambda engine: losses.append(engine.state.output["loss"].item())
    )
    workflow.run()
    return np.array(losses)


def _images(
    model: DiffusionModel, folder: Path, way: str, how: argparse.Namespace, choices: Mapping[str, bool]
) -> list[np.ndarray]:
    """Sample one trained model in batches of each size."""
    plan = fair_plan(_store(folder), model.encoder, how.sampled, seed=0)
    acceleration = replace(PLAIN, noise_on_device=True, **choices)

    def made(batch_size: int) -> np.ndarray:
        sampling = Sampling(sampler="dpm_solver", steps=20, guidance=2.0, batch_size=batch_size)
        output = folder / way / f"images {batch_size}"
        where = {"seed": 0, "device": how.device, "origin": {}, "acceleration": acceleration}
        return np.asarray(generate(plan, Cascade(model, None, sampling), output, **where).images(), np.int64)

    return [made(batch_size) for batch_size in how.batches]


def _phantoms(how: argparse.Namespace) -> dict[str, Any]:
    """Return the settings of the preparation."""
    return {"phantom_images": [how.images, 20]}


def _store(folder: Path) -> ImageStore:
    return ImageStore.open(folder / "data")


def _workflow(stage: str, folder: Path, **given: Any) -> ConfigWorkflow:
    where = {"bundle_root": str(BUNDLE), "output_dir": str(folder), "data_dir": str(folder / "data")}
    workflow = ConfigWorkflow(str(BUNDLE / f"{stage}.json"), logging_file=False, **{**where, **given})
    workflow.initialize()
    return workflow


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--device", default="cpu", help="cuda or cpu")
    parser.add_argument("--iterations", type=int, default=300, help="length of each training")
    parser.add_argument("--images", type=int, default=120, help="phantoms to train on")
    parser.add_argument("--sampled", type=int, default=64, help="synthetic images")
    parser.add_argument(
        "--batches", type=int, nargs="+", default=[64, 7, 1], help="how many at once; the first is compared"
    )
    parser.add_argument("--ways", nargs="+", choices=list(WAYS), default=list(WAYS), help="what to compare")
    return parser


if __name__ == "__main__":
    main()
