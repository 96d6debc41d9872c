"""A finished run of a few small images, made without any training, as a source of bundles to give away."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd

from medaug.classification.classifier import ClassifierInfo, save_classifier
from medaug.classification.networks import build_classifier
from medaug.data.store import StoreWriter
from medaug.diffusion.condition import ConditionEncoder
from medaug.diffusion.diffusion_model import DiffusionModel, save_model
from medaug.diffusion.unet import build_unet
from medaug.evaluation.results import evaluate
from medaug.stages.products import settings_path
from medaug.task import Attribute, Task

BUNDLES = Path(__file__).parents[2] / "bundles"
TASK = Task("multilabel", ("edema", "effusion"), attributes=(Attribute("sex", ("F", "M")),))
SIDE = 16
VERSIONS = {"medaug": "0.2.0", "torch": "2.13.0+cpu", "monai": "1.6.1", "numpy": "2.4.6"}
METHOD = "50% real + 50% synthetic"
SPLITS = {"train": 8, "id_test": 60, "ood_test": 40}


def finished_run(folder: Path) -> Path:
    """Make the products of a run that packing needs, at random."""
    table = table_of_images()
    writer = StoreWriter(folder / "data", TASK, table, (SIDE,), 1)
    pixels = np.random.default_rng(0).integers(0, 255, (len(table), SIDE, SIDE, 1), dtype=np.uint8)
    writer.write(np.arange(len(table)), {SIDE: pixels})
    writer.finish({"phantom": True, "sources": ["chexpert"]})
    record(folder / "data", {"sizes": [SIDE], "channels": 1, "fit": "crop", "sources": []})
    _classifier(folder)
    _generator(folder)
    _evaluation(folder, table)
    return folder


def table_of_images() -> pd.DataFrame:
    random = np.random.default_rng(1)
    splits = [split for split, count in SPLITS.items() for _ in range(count)]
    names = [f"film{place:03}x" for place in range(len(splits))]
    labels = random.integers(0, 2, (len(splits), 2)).astype(np.float32)
    table = pd.DataFrame({"image_id": names, "file": [f"{name}.png" for name in names], "split": splits})
    table["patient_id"] = [f"Person-{place:03}" for place in range(len(splits))]
    table["domain"] = np.where(table["split"] == "ood_test", "North", "South")
    table["attr:sex"] = np.where(np.arange(len(splits)) % 2 == 0, "F", "M")
    return table.assign(**dict(zip(TASK.label_columns, labels.T, strict=True)))


def record(product: Path, settings: dict[str, object]) -> None:
    """Write how a product was made, as a stage does."""
    content = {"settings": settings, "versions": VERSIONS, "git_commit": "0" * 40, "made": "2026-01-01"}
    settings_path(product).write_text(json.dumps(content))


def _classifier(folder: Path) -> None:
    network = build_classifier("small_resnet", classes=2, channels=1, dropout=0.25, seed=3)
    save_classifier(folder / "models" / "model.pt", network, ClassifierInfo(TASK, SIDE, METHOD, 3, True))
    trained = {
        "network_name": "small_resnet",
        "image_size": SIDE,
        "dropout": 0.25,
        "iterations": 1,
        "seed": 3,
    }
    record(folder / "models" / "model.pt", {**trained, "pretrained_weights": "/data/weights/bit.npz"})


def _generator(folder: Path) -> None:
    encoder = ConditionEncoder(TASK, ("sex",))
    network = build_unet(SIDE, 1, 1, encoder.size, (4, 8), 1, 4)
    save_model(folder / "models" / "diffusion.pt", DiffusionModel(network, encoder, info={"phantom": True}))
    record(folder / "models" / "diffusion.pt", {"seed": 3})
    record(folder / "synthetic", {"images": 4, "steps": 2, "sampler": "ddim", "guidance": 1.5})


def _evaluation(folder: Path, table: pd.DataFrame) -> None:
    random = np.random.default_rng(2)
    tested = table[table["split"] != "train"].drop(columns="file")
    scores = {f"score:{name}": random.random(len(tested)) for name in TASK.classes}
    predictions = tested.assign(**scores, method=METHOD, seed=3, phantom=True)
    (folder / "evaluation").mkdir()
    evaluate(predictions, replicates=20, permutations=20).write(folder / "evaluation")
