"""The training of a classifier as the configs of the bundles compose it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from ignite.engine import Events
from monai.bundle import ConfigWorkflow
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from medaug.classification.classifier import load_classifier
from medaug.classification.predict import predict
from medaug.classification.validation import class_aucs
from medaug.data.store import ImageStore, StoreWriter
from medaug.errors import CheckpointError
from medaug.presets import preset
from medaug.stages import ClassifierSettings, Run
from medaug.task import Attribute, Task

pytestmark = pytest.mark.filterwarnings("ignore:parsing config_file:UserWarning")

BUNDLE = Path(__file__).parents[2] / "bundles" / "chexpert"
TASK = Task("multilabel", ("edema", "effusion"), attributes=(Attribute("sex", ("F", "M")),))
EPOCHS, PER_EPOCH = 3, 6


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def store_of(path: Path, counts: dict[str, int], seed: int) -> ImageStore:
    """Images whose brightness on the left (right) half shows the first (second) label."""
    random = np.random.default_rng(seed)
    splits = [split for split, count in counts.items() for _ in range(count)]
    labels = random.integers(0, 2, (len(splits), 2)).astype(np.float32)
    names = [f"{seed}-{i}" for i in range(len(splits))]
    table = pd.DataFrame({"image_id": names, "file": "f.png", "patient_id": names, "domain": "A"})
    table = table.assign(split=splits, **dict(zip(TASK.label_columns, labels.T, strict=True)))
    table["attr:sex"] = [("F", "M")[i % 2] for i in range(len(splits))]
    images = random.integers(0, 100, (len(splits), 16, 16, 1), dtype=np.uint8)
    images[:, :, :8] += (labels[:, 0] * 100).astype(np.uint8)[:, None, None, None]
    images[:, :, 8:] += (labels[:, 1] * 100).astype(np.uint8)[:, None, None, None]
    writer = StoreWriter(path, TASK, table, (16,), 1)
    writer.write(np.arange(len(splits)), {16: images})
    return writer.finish({"phantom": True})


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> ImageStore:
    return store_of(tmp_path_factory.mktemp("real") / "data", {"train": 24, "id_val": 12}, seed=0)


def trainer(real: ImageStore, folder: Path, **settings: Any) -> Any:
    """Compose the trainer as ``train.json`` does, on stores that are there."""
    if not (folder / "synthetic").exists():
        store_of(folder / "synthetic", {"train": 10}, seed=1)
    workflow = ConfigWorkflow(
        str(BUNDLE / "train.json"),
        logging_file=False,
        bundle_root=str(BUNDLE),
        output_dir=str(folder),
        data_dir=str(real.path),
        image_size=16,
        iterations=EPOCHS * PER_EPOCH,
        iterations_per_epoch=PER_EPOCH,
        **{"batch_size": 8, **settings},
    )
    workflow.initialize()
    return workflow.trainer


def test_it_learns_saves_its_best_epoch_and_predicts(real: ImageStore, tmp_path: Path) -> None:
    engine = trainer(real, tmp_path)
    engine.run()

    network, info = load_classifier(tmp_path / "models" / "model.pt")
    assert (info.task, info.image_size, info.method, info.seed) == (TASK, 16, "50% real + 50% synthetic", 0)
    assert info.phantom
    how = {"image_size": 16, "batch_size": 8, "device": "cpu", "method": "m", "seed": 0}
    table = predict(network, real, ["id_val"], info.task, **how)
    aucs = class_aucs(TASK.classes, TASK.labels(table), table.filter(like="score:").to_numpy())
    events = EventAccumulator(str(tmp_path / "logs" / "model")).Reload()
    shown = [event.value for event in events.Scalars("validation/auc")]
    assert max(shown) == pytest.approx(np.mean(list(aucs.values())))
    assert max(shown) > 0.8
    assert [e.step for e in events.Scalars("validation/auc/edema")] == [6, 12, 18]
    assert len(events.Images("validation/roc")) == EPOCHS


class Killed(Exception):
    pass


def killed(engine: Any, iteration: int) -> None:
    """Run until the process would die."""

    def die() -> None:
        raise Killed

    engine.add_event_handler(Events.ITERATION_COMPLETED(once=iteration), die)
    with pytest.raises(Killed):
        engine.run()


@pytest.mark.parametrize("epoch", [0, 1, 2])
def test_a_killed_run_ends_in_the_same_file(real: ImageStore, tmp_path: Path, epoch: int) -> None:
    trainer(real, tmp_path / "whole", dropout=0.2).run()
    killed(trainer(real, tmp_path / "killed", dropout=0.2), epoch * PER_EPOCH + 2)
    assert not (tmp_path / "killed" / "models" / "model.pt").exists()
    trainer(real, tmp_path / "killed", dropout=0.2).run()
    files = (tmp_path / name / "models" / "model.pt" for name in ("whole", "killed"))
    whole, continued = (load_classifier(file)[0].state_dict() for file in files)
    for name, value in whole.items():
        assert torch.equal(value, continued[name]), name


def test_an_unfinished_run_of_other_settings_is_refused(real: ImageStore, tmp_path: Path) -> None:
    killed(trainer(real, tmp_path), PER_EPOCH + 2)
    with pytest.raises(CheckpointError, match=r"other settings: weight_decay was 1e-05 and is 0\.5"):
        trainer(real, tmp_path, weight_decay=0.5).run()


def test_the_baseline_is_the_same_training_without_what_is_compared() -> None:
    run = Run.of(bundle_root=".", modality="radiology", output_dir="o", data_dir="d")
    changed = {"weigh_by": "sex", "oversample": "sex", "augmentation": "heuristic", "learning_rate": 0.5}
    how = ClassifierSettings.of(run, **changed)
    assert how.method == "50% real + 50% synthetic, heuristic, weighted by sex, oversampled by sex"
    plain = how.baseline()
    assert plain.method == "100% real, heuristic"
    assert (plain.real_fraction, plain.weigh_by, plain.oversample) == (1.0, None, None)
    assert (plain.learning_rate, plain.augmentation) == (0.5, "heuristic")


def test_what_is_not_said_is_what_the_preset_says() -> None:
    run = Run.of(bundle_root=".", modality="dermatology", output_dir="o", data_dir="d", preset="paper")
    how, row = ClassifierSettings.of(run, batch_size=8), preset("dermatology", "paper").classifier
    assert (how.network_name, how.learning_rate) == (row.network_name, row.learning_rate)
    assert (how.batch_size, how.image_size, how.workers) == (8, 256, 4)
