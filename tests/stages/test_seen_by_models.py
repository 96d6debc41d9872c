from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from medaug.classification.classifier import ClassifierInfo, save_classifier
from medaug.classification.networks import build_classifier
from medaug.data.store import StoreWriter
from medaug.stages.run import Run
from medaug.stages.seen_by_models import seen_by_models
from medaug.task import Task

ROOT = Path(__file__).parents[2]
TASK = Task("multilabel", ("edema",))


def make_store(path: Path, split: str) -> None:
    names = [f"{split}-{n}" for n in range(4)]
    columns = {"image_id": names, "patient_id": names, "file": "x.png", "domain": "home", "split": split}
    table = pd.DataFrame({**columns, "label:edema": np.float32(1), "synthetic": split == "train"})
    writer = StoreWriter(path, TASK, table, (16,), 1)
    writer.write(range(4), {16: np.random.default_rng(0).integers(0, 256, (4, 16, 16, 1), dtype=np.uint8)})
    writer.finish({})


@pytest.mark.parametrize("generator", [".", "of all runs"])
def test_every_model_that_is_there_looks_at_real_and_generated_images(tmp_path: Path, generator: str) -> None:
    make_store(tmp_path / "data", "id_test")
    make_store(tmp_path / generator / "synthetic", "train")
    network = build_classifier("small_resnet", classes=1, channels=1)
    save_classifier(tmp_path / "models" / "model.pt", network, ClassifierInfo(TASK, 16, "label", 3, True))
    where = {"output_dir": str(tmp_path), "data_dir": str(tmp_path / "data"), "device_name": "cpu"}
    where["generator_dir"] = str(tmp_path / generator)
    run = Run.of(bundle_root=str(ROOT / "bundles" / "chexpert"), modality="radiology", **where)

    found = seen_by_models(run, [tmp_path / "models" / "model.pt", tmp_path / "models" / "gone.pt"])

    assert list(found) == [("label", 3)]
    shapes = {name: features.shape for name, features in found["label", 3].items()}
    assert shapes == {"id_test": (4, 256), "synthetic": (4, 256)}
