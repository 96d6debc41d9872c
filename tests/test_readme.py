"""The README does what it says: modules are where it sees them, and adding to medaug works as told."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

import medaug
from medaug.classification.networks import build_classifier
from medaug.data.readers import read_source
from medaug.diffusion.condition import ConditionEncoder
from medaug.diffusion.diffusion_model import DiffusionModel, save_model
from medaug.diffusion.unet import build_unet
from medaug.evaluation.metrics import Estimator, Metric
from medaug.task import Task

ROOT = Path(__file__).parents[1]
TASK = Task("multilabel", ("edema",))


def section(title: str) -> str:
    return (ROOT / "README.md").read_text(encoding="utf-8").split(f"## {title}\n")[1].split("\n## ")[0]


def entries(what: str) -> dict[str, Any]:
    """Return the mapping that the README says an entry of some kind is added to."""
    row = next(line for line in section("Adding to it").splitlines() if line.startswith(f"| {what}"))
    name, path = re.findall(r"`([A-Z]+)`.*`(medaug/[\w/]+)(?:\.py)`", row.split("|")[3])[0]
    return getattr(import_module(path.removesuffix("/__init__").replace("/", ".")), name)


def test_the_walk_of_the_data_names_modules_that_are_there() -> None:
    walk = section("The way of the data")
    modules = re.findall(r"`((?:\w+/)+\w+\.py)`", walk)
    assert len(modules) > 20
    assert [module for module in modules if not (ROOT / "medaug" / module).is_file()] == []
    assert len(walk.split("step by step")[1].strip().splitlines()) <= 25


def test_the_layout_names_every_room() -> None:
    named = set(re.findall(r"^  (\w+)/", section("Layout"), re.MULTILINE))
    assert named == {path.parent.name for path in (ROOT / "medaug").glob("*/__init__.py")}


def test_a_reader_is_a_function_and_an_entry(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def read_mine(folder: Path, task: Task, *, domain: str = "mine") -> pd.DataFrame:
        return pd.DataFrame({"path": [folder / "a.png"], "domain": domain})

    monkeypatch.setitem(entries("reader"), "mine", read_mine)
    assert read_source("mine", tmp_path, TASK, domain="ward")["domain"].tolist() == ["ward"]


def test_a_sampler_is_a_function_and_an_entry(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def sample_grey(
        predict_noise: Any, noise: Any, schedule: Any, steps: int, draw: Any, callback: Any = None
    ) -> torch.Tensor:
        return torch.zeros_like(noise)

    monkeypatch.setitem(entries("sampler"), "grey", sample_grey)
    encoder = ConditionEncoder(TASK)
    network = build_unet(8, 1, 1, encoder.size, (8, 8), 1, 8)
    save_model(tmp_path / "model.pt", DiffusionModel(network, encoder))
    asked = pd.DataFrame({"label:edema": [1.0]})
    images = medaug.generate(tmp_path / "model.pt", asked, sampler="grey")  # type: ignore[arg-type]
    assert (images == 128).all()


def test_a_metric_is_a_function_and_an_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    def share_above_half(y_true: Any, y_score: Any, *, weights: Any = None) -> Any:
        called = np.asarray(y_score) > 0.5
        return called.mean() if weights is None else (called @ weights) / weights.sum(0)

    entry = Metric(
        "called", "Share that is called", Estimator(share_above_half, "score"), higher_is_better=False
    )
    monkeypatch.setitem(entries("metric"), "called", entry)
    table = pd.DataFrame({"score:edema": [0.1, 0.6, 0.7, 0.8], "label:edema": [0, 0, 1, 1]})
    metrics = medaug.evaluate(table, replicates=0).metrics
    assert metrics.query("metric == 'called' and label == 'edema'")["value"].tolist() == [0.75]


def test_a_network_is_a_function_and_an_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    def mean_of_channels(channels: int) -> tuple[nn.Module, int]:
        return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()), channels

    monkeypatch.setitem(entries("network"), "mean", mean_of_channels)
    assert build_classifier("mean", classes=2, channels=3)(torch.rand(4, 3, 8, 8)).shape == (4, 2)
