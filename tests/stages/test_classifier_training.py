"""The training of a classifier as the configs of the bundles compose it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from ignite.engine import Events
from monai.bundle import ConfigWorkflow
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from medaug.classification.classifier import ClassifierInfo, load_classifier
from medaug.classification.predict import predict
from medaug.classification.validation import class_aucs
from medaug.data.sampling import Batch
from medaug.data.store import ImageStore, StoreWriter
from medaug.errors import CheckpointError, DataError, SettingsError
from medaug.presets import preset
from medaug.stages import ClassifierSettings, ClassifierTraining, Run, agreed_images
from medaug.stages.products import identity, settings_path
from medaug.stages.setting_values import record
from medaug.task import Attribute, Task

pytestmark = pytest.mark.filterwarnings("ignore:parsing config_file:UserWarning")

BUNDLE = Path(__file__).parents[2] / "bundles" / "chexpert"
TASK = Task("multilabel", ("edema", "effusion"), attributes=(Attribute("sex", ("F", "M")),))
EPOCHS, PER_EPOCH = 3, 6


def store_of(path: Path, counts: dict[str, int], seed: int) -> ImageStore:
    """Images whose brightness on the left (right) half shows the first (second) label."""
    random = np.random.default_rng(seed)
    splits = [split for split, count in counts.items() for _ in range(count)]
    labels = random.integers(0, 2, (len(splits), 2)).astype(np.float32)
    names = [f"{seed}-{i}" for i in range(len(splits))]
    table = pd.DataFrame({"image_id": names, "file": "f.png", "patient_id": names, "domain": "A"})
    table = table.assign(split=splits, **dict(zip(TASK.label_columns, labels.T, strict=True)))
    table["attr:sex"] = [("F", "M")[i % 2] for i in range(len(splits))]
    table["synthetic"] = path.name == "synthetic"
    images = random.integers(0, 100, (len(splits), 16, 16, 1), dtype=np.uint8)
    images[:, :, :8] += (labels[:, 0] * 100).astype(np.uint8)[:, None, None, None]
    images[:, :, 8:] += (labels[:, 1] * 100).astype(np.uint8)[:, None, None, None]
    writer = StoreWriter(path, TASK, table, (16,), 1)
    writer.write(np.arange(len(splits)), {16: images})
    settings_path(path).write_text(f'{{"settings": {{"seed": {seed}}}}}')
    return writer.finish({"phantom": True})


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> ImageStore:
    return store_of(tmp_path_factory.mktemp("real") / "data", {"train": 24, "id_val": 12}, seed=0)


def trainer(real: ImageStore, folder: Path, **settings: Any) -> Any:
    """Compose the trainer as ``train.json`` does, on stores that are there."""
    return workflow_of(real, folder, **settings).trainer


def workflow_of(real: ImageStore, folder: Path, **settings: Any) -> ConfigWorkflow:
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
    return workflow


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


@pytest.mark.parametrize("split", ["id_val", "ood_val"])
def test_the_epoch_is_chosen_on_the_split_that_is_asked_for(tmp_path: Path, split: str) -> None:
    """Labels of the other hospital say the contrary: a network is good for one of the two only."""
    store = store_of(tmp_path / "data", {"train": 24, "id_val": 12, "ood_val": 12}, seed=0)
    table = store.table.copy()
    other = table["split"] == "ood_val"
    table.loc[other, TASK.label_columns] = 1 - table.loc[other, TASK.label_columns]
    table.to_parquet(store.path / "table.parquet")
    workflow = workflow_of(store, tmp_path, real_fraction=1.0, choose_epoch_on=split)
    workflow.trainer.run()

    network, info = load_classifier(tmp_path / "models" / "model.pt")
    assert ("epoch chosen on ood_val" in info.method) == (split == "ood_val")
    assert workflow.parser.get_parsed_content("stage").record["choose_epoch_on"] == split
    how = {"image_size": 16, "batch_size": 8, "device": "cpu", "method": "m", "seed": 0}
    predictions = predict(network, ImageStore.open(store.path), [split], TASK, **how)
    scores = predictions.filter(like="score:").to_numpy()
    aucs = class_aucs(TASK.classes, TASK.labels(predictions), scores)
    events = EventAccumulator(str(tmp_path / "logs" / "model")).Reload()
    shown = [event.value for event in events.Scalars("validation/auc")]
    assert max(shown) == pytest.approx(np.mean(list(aucs.values())))
    assert (max(shown) > 0.5) == (split == "id_val")


def test_without_images_to_choose_the_epoch_on_nothing_is_trained(
    real: ImageStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = workflow_of(real, tmp_path, choose_epoch_on="ood_val").parser.get_parsed_content("stage")
    pulled: list[str] = []
    monkeypatch.setattr(Run, "pull", lambda run, part, **more: pulled.append(part))
    with pytest.raises(DataError, match=r"no labelled images in the split 'ood_val'"):
        stage.pull()
    assert pulled == ["prepare"]


class Brightness(torch.nn.Module):
    """Sees a condition where its half of the image is bright: it is always right."""

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        halves = torch.stack([half.mean(dim=(1, 2, 3)) for half in image.chunk(2, dim=3)], dim=1)
        return torch.where(halves > 100 / 255, 3.0, -3.0)


def test_images_that_the_baseline_does_not_agree_with_are_not_used(
    real: ImageStore, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    judge = Brightness(), ClassifierInfo(TASK, 16, "100% real", 0, True)
    monkeypatch.setattr(agreed_images, "load_classifier", lambda path, device: judge)
    synthetic = store_of(tmp_path / "synthetic", {"train": 30}, seed=1)
    wrong = np.arange(30) % 3 == 0
    table = synthetic.table.copy()
    table.loc[wrong, "label:edema"] = 1 - table.loc[wrong, "label:edema"]
    table.to_parquet(tmp_path / "synthetic" / "table.parquet")

    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "baseline.settings.json").write_text('{"settings": {}}')
    workflow = workflow_of(real, tmp_path, only_agreed=True)
    stage = workflow.parser.get_parsed_content("stage")
    with caplog.at_level("INFO"):
        stage.fit(workflow.trainer)

    assert stage.used.rows.tolist() == (~wrong).tolist()
    rejected = pd.read_csv(tmp_path / "models" / "model.rejected.csv").set_index(["by", "name"])
    assert rejected.loc[("all", "all"), ["images", "rejected"]].tolist() == [30, 10]
    women = (table["attr:sex"] == "F").to_numpy()
    assert rejected.loc[("sex", "F"), "share"] == pytest.approx(wrong[women].mean())
    assert "Rejected synthetic images: all all: 10 of 30; class edema: " in caplog.text
    events = EventAccumulator(str(tmp_path / "logs" / "model")).Reload()
    assert events.Scalars("rejected/all/all")[-1].value == pytest.approx(1 / 3)
    rows = stage.batches.rows(iterations=100).rows(np.arange(100))
    assert not wrong[rows[rows >= len(real)] - len(real)].any()


def test_a_set_that_the_baseline_agrees_with_nowhere_is_an_error(
    real: ImageStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synthetic = store_of(tmp_path / "synthetic", {"train": 10}, seed=1)
    synthetic.table[TASK.label_columns] = 1 - synthetic.table[TASK.label_columns]
    judge = Brightness(), ClassifierInfo(TASK, 16, "100% real", 0, True)
    monkeypatch.setattr(agreed_images, "load_classifier", lambda path, device: judge)
    with pytest.raises(DataError, match=r"agrees with none of the 10 images .* --only_agreed false"):
        agreed_images.agreed_images(tmp_path / "baseline.pt", real, synthetic, 8, torch.device("cpu"))


def test_a_filtered_training_has_the_baseline_made_and_depends_on_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pulled: list[str] = []
    monkeypatch.setattr(Run, "pull", lambda run, part, **more: pulled.append(part))
    store_of(tmp_path / "data", {"train": 1, "id_val": 1}, seed=0)
    for name in ("synthetic", "models/baseline2", "models/model"):
        path = tmp_path / f"{name}.settings.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f'{{"settings": {{"name": "{name}"}}}}')
    run = Run.of(
        bundle_root=".",
        modality="radiology",
        output_dir=str(tmp_path),
        data_dir=str(tmp_path / "data"),
        baseline={"name": "baseline2"},
    )
    plain, filtered = (
        ClassifierTraining.of(run, "model", compare_with_baseline=False, only_agreed=only)
        for only in (False, True)
    )
    plain.pull()
    assert pulled == ["prepare", "quality"]
    filtered.pull()
    assert pulled[2:] == ["prepare", "quality", "baseline"]
    assert filtered.record["agrees"] == identity(tmp_path / "models" / "baseline2.pt")
    assert "agrees" not in plain.record


def test_a_training_that_augments_on_the_device_sees_each_position_in_its_own_way(
    real: ImageStore, tmp_path: Path
) -> None:
    seen: list[dict[str, Any]] = []
    how = {"augmentation": "randaugment+heuristic", "augment_on_device": True}
    for batch_size in (8, 4):
        workflow = workflow_of(real, tmp_path / str(batch_size), batch_size=batch_size, **how)
        images: dict[str, Any] = {}
        workflow.trainer.add_event_handler(
            Events.ITERATION_COMPLETED,
            lambda engine, images=images: images.update(
                zip(engine.state.batch["position"].tolist(), engine.state.output["image"], strict=True)
            ),
        )
        stage = workflow.parser.get_parsed_content("stage")
        assert stage.computed["augment_on_device"]
        assert "augment_on_device" not in record(stage.settings)
        stage.fit(workflow.trainer)
        seen.append(images)
    assert set(seen[0]) == set(range(8 * EPOCHS * PER_EPOCH))
    for position, image in seen[1].items():
        torch.testing.assert_close(image, seen[0][position], atol=1e-5, rtol=0)


def test_synthetic_images_of_excluded_classes_are_not_used(real: ImageStore, tmp_path: Path) -> None:
    synthetic = store_of(tmp_path / "synthetic", {"train": 30}, seed=1)
    stage = workflow_of(real, tmp_path, exclude=["edema"]).parser.get_parsed_content("stage")

    ill = (synthetic.table["label:edema"] == 1).to_numpy()
    assert 0 < ill.sum() < 30
    assert stage.used.rows.tolist() == (~ill).tolist()
    rows = stage.batches.rows(iterations=100).rows(np.arange(100))
    assert not ill[rows[rows >= len(real)] - len(real)].any()


def test_a_placebo_takes_the_place_of_synthetic_images(real: ImageStore, tmp_path: Path) -> None:
    batch = Batch(np.arange(2), np.array([3, len(real) + 3]))
    images = [
        workflow_of(real, tmp_path, placebo=name).parser.get_parsed_content("train::dataset")[batch]["image"]
        for name in ("none", "noise")
    ]
    assert torch.equal(images[0][0], images[1][0])
    assert not torch.equal(images[0][1], images[1][1])


class Killed(Exception):
    pass


def killed(engine: Any, iteration: int) -> None:
    """Run until the process would die."""

    def die() -> None:
        raise Killed

    engine.add_event_handler(Events.ITERATION_COMPLETED(once=iteration), die)
    with pytest.raises(Killed):
        engine.run()


@pytest.mark.parametrize(("epoch", "order"), [(0, "mixed"), (1, "synthetic_first"), (2, "mixed")])
def test_a_killed_run_ends_in_the_same_file(real: ImageStore, tmp_path: Path, epoch: int, order: str) -> None:
    how = {"dropout": 0.2, "order": order}
    trainer(real, tmp_path / "whole", **how).run()
    killed(trainer(real, tmp_path / "killed", **how), epoch * PER_EPOCH + 2)
    assert not (tmp_path / "killed" / "models" / "model.pt").exists()
    trainer(real, tmp_path / "killed", **how).run()
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
    changed = {"order": "synthetic_first", "only_agreed": True, "placebo": "noise", "weigh_by": "sex"}
    changed |= {"oversample": "sex", "oversample_within_class": True, "real_fraction": 0.3}
    kept = {"augmentation": "heuristic", "learning_rate": 0.5, "network_name": "efficientnet_lite0"}
    kept |= {"choose_epoch_on": "ood_val"}
    how = ClassifierSettings.of(run, **changed, **kept)
    baseline = ClassifierSettings.of(run, **vars(how.baseline()))
    assert baseline == ClassifierSettings.of(run, real_fraction=1.0, **kept)
    expected = "100% real, heuristic, pretrained efficientnet_lite0, epoch chosen on ood_val"
    assert baseline.method == expected


@pytest.mark.parametrize("setting", ["order", "placebo", "choose_epoch_on"])
def test_an_unknown_choice_lists_what_there_is(setting: str) -> None:
    run = Run.of(bundle_root=".", modality="radiology", output_dir="o", data_dir="d")
    known = {
        "order": "mixed, synthetic_first",
        "placebo": "none, noise, shuffled",
        "choose_epoch_on": "id_val, ood_val",
    }
    with pytest.raises(
        SettingsError, match=rf"there is no {setting} 'sideways'; there are: {known[setting]}$"
    ):
        ClassifierSettings.of(run, **{setting: "sideways"})


def test_what_is_not_said_is_what_the_preset_says() -> None:
    run = Run.of(bundle_root=".", modality="dermatology", output_dir="o", data_dir="d", preset="paper")
    how, row = ClassifierSettings.of(run, batch_size=8), preset("dermatology", "paper").classifier
    assert (how.network_name, how.learning_rate) == (row.network_name, row.learning_rate)
    assert (how.batch_size, how.image_size, how.workers) == (8, 256, 4)


@pytest.mark.parametrize("told", [False, "false"])
def test_without_upsampler_a_classifier_sees_images_of_the_base_model(told: object) -> None:
    where: dict[str, Any] = {
        "bundle_root": ".",
        "modality": "dermatology",
        "output_dir": "o",
        "data_dir": "d",
    }
    run = Run.of(**where, preset="paper", generate={"upsample": told})
    assert ClassifierSettings.of(run).image_size == preset("dermatology", "paper").diffusion.image_size == 64
    assert ClassifierSettings.of(run, real_fraction=1.0).image_size == 64
    with pytest.raises(SettingsError, match=r"image_size 256 does not fit .* 64 pixels without upsampler"):
        ClassifierSettings.of(run, image_size=256)
    assert ClassifierSettings.of(run, image_size=256, real_fraction=1.0).image_size == 256
    for given, size in ((32, 32), ("32", 32), (None, 64)):
        other = Run.of(**where, preset="paper", generate={"upsample": told}, diffusion={"image_size": given})
        assert ClassifierSettings.of(other).image_size == size
    usual = Run.of(**where, preset="paper", generate={"upsample": None})
    assert ClassifierSettings.of(usual).image_size == 256


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"generate": {"upsample": "maybe"}}, "upsample must be true or false, not 'maybe'"),
        (
            {"generate": {"upsample": False}, "diffusion": {"image_size": "large"}},
            "image_size must be a whole number, not 'large'",
        ),
        (
            {"generate": {"upsample": False}, "diffusion": {"image_size": 0}},
            "image_size must be at least 1, not 0",
        ),
    ],
)
def test_settings_handed_to_other_configs_that_decide_the_size_are_named(
    parts: dict[str, Any], message: str
) -> None:
    run = Run.of(bundle_root=".", modality="dermatology", output_dir="o", data_dir="d", **parts)
    with pytest.raises(SettingsError, match=f"^{message}$"):
        ClassifierSettings.of(run)


@pytest.mark.parametrize(
    ("compare", "how"), [(True, {"real_fraction": 1.0}), (None, {}), (False, {"only_agreed": True})]
)
def test_a_training_has_another_name_than_the_baseline_that_it_needs(
    tmp_path: Path, compare: bool | None, how: dict[str, Any]
) -> None:
    where = {"output_dir": str(tmp_path), "data_dir": str(tmp_path / "data")}
    run = Run.of(bundle_root=".", modality="radiology", **where, baseline={"name": "plain"})
    with pytest.raises(SettingsError, match=r"'plain' is the name of the baseline .* another --name"):
        ClassifierTraining.of(run, "plain", compare, **how).pull()
    assert not list(tmp_path.iterdir())


def test_a_baseline_to_compare_with_is_a_switch() -> None:
    run = Run.of(bundle_root=".", modality="radiology", output_dir="o", data_dir="d")
    assert ClassifierTraining.of(run, "model", "false").compare_with_baseline is False  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match="compare_with_baseline must be true or false, not 'perhaps'"):
        ClassifierTraining.of(run, "model", "perhaps")  # type: ignore[arg-type]


def test_a_pretrained_network_is_trained_gently_unless_a_rate_is_given(tmp_path: Path) -> None:
    run = Run.of(bundle_root=".", modality="radiology", output_dir=str(tmp_path), data_dir="d")
    pretrained = {"network_name": "efficientnet_lite0"}

    assert ClassifierSettings.of(run).learning_rate == 1e-3
    assert ClassifierSettings.of(run, **pretrained).learning_rate == 1e-4
    assert ClassifierSettings.of(run, **pretrained, learning_rate=3e-3).learning_rate == 3e-3
