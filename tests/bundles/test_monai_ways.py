"""What MONAI's own tools ask of a bundle, before anything was prepared or trained."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import monai.bundle
import pytest
import torch
from bundle_files import BUNDLES, folder, told
from monai.bundle import ConfigWorkflow

from medaug.classification.networks import build_classifier

pytestmark = pytest.mark.filterwarnings("ignore:parsing config_file:UserWarning")

TINY: dict[str, Any] = {
    "prepare": {"phantom_images": [60, 40], "image_size": 16, "classes": ["edema"], "workers": 0},
    "image_size": 16,
    "iterations": 2,
    "iterations_per_epoch": 1,
    "batch_size": 8,
    "real_fraction": 1.0,
    "evaluate": {"replicates": 0, "permutations": 0, "metrics": ["auc"], "intersections": []},
}


def workflow(config: Path, kind: str = "train", **settings: Any) -> Any:
    made = ConfigWorkflow(str(config), workflow_type=kind, logging_file=False, **settings)
    made.initialize()
    return made


def run(where: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command as typed, with the installed package and nothing of the repository."""
    return subprocess.run(
        [sys.executable, "-m", "monai.bundle", "run", *arguments],
        cwd=where,
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """The bundle as it is given away: in a folder elsewhere, with real files in ``configs``."""
    target = tmp_path / "given away" / "mine"
    shutil.copytree(folder("chexpert"), target, ignore=shutil.ignore_patterns("output"))
    return target


# Properties


@pytest.mark.parametrize(
    ("stage", "kind"),
    [("train", "train"), ("train_diffusion", "train"), ("inference", "infer")],
)
@pytest.mark.parametrize("bundle", BUNDLES)
def test_all_properties_are_there_before_anything_is_made(
    bundle: str, stage: str, kind: str, tmp_path: Path
) -> None:
    made = workflow(folder(bundle) / f"{stage}.json", kind, output_dir=str(tmp_path / "run"))
    assert made.check_properties() == []
    assert not (tmp_path / "run").exists()


def test_a_trainer_that_was_asked_for_early_trains_on_the_data_made_later(tmp_path: Path) -> None:
    made = workflow(folder("chexpert") / "train.json", output_dir=str(tmp_path), **TINY)
    trainer = made.trainer
    assert not (tmp_path / "data").exists()
    made.run()
    assert trainer is made.trainer
    assert trainer.state.iteration == 2
    assert (tmp_path / "models" / "model.pt").is_file()


# Overrides


def settings_of(config: Any, **overrides: Any) -> Any:
    return workflow(config, output_dir="nowhere", **overrides).parser.get_parsed_content("stage").settings


def test_a_setting_by_its_name() -> None:
    assert settings_of(folder("chexpert") / "train.json", learning_rate=0.5).learning_rate == 0.5


def test_a_part_by_its_place_in_the_config() -> None:
    changed = {"train::trainer::max_epochs": 3, "train::trainer::amp": True, "network_def::dropout": 0.25}
    changed |= {"train::inferer": {"_target_": "monai.inferers.SlidingWindowInferer", "roi_size": [32, 32]}}
    changed |= {"optimizer": {"_target_": "torch.optim.SGD", "params": "$@network.parameters()", "lr": 0.5}}
    made = workflow(folder("chexpert") / "train.json", output_dir="nowhere", **changed)
    trainer = made.trainer
    assert (trainer.state.max_epochs, trainer.amp) == (3, True)
    assert len(trainer.data_loader.sampler) == 3 * 40
    assert trainer.network.dropout.p == 0.25
    assert type(trainer.inferer).__name__ == "SlidingWindowInferer"
    assert (type(trainer.optimizer).__name__, trainer.optimizer.defaults["lr"]) == ("SGD", 0.5)


def test_several_files_and_a_file_of_arguments(copied: Path) -> None:
    (copied / "mine.json").write_text(json.dumps({"learning_rate": 0.5, "train::trainer::max_epochs": 1}))
    overlaid = ConfigWorkflow([str(copied / "train.json"), str(copied / "mine.json")], logging_file=False)
    assert overlaid.parser.get_parsed_content("stage").settings.learning_rate == 0.5

    arguments = {"config_file": "train.json", "output_dir": "out", "preset": "huge"}
    (copied / "args.json").write_text(json.dumps(arguments))
    done = run(copied, "--args_file", "args.json")
    assert done.returncode != 0
    assert done.stderr.strip().splitlines()[-1].startswith("medaug: there is no preset 'huge'")


def test_what_monai_would_swallow_is_refused_before_any_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, wrong = folder("chexpert") / "train.json", "train::trainer::max_epoch"
    command = ["monai.bundle", "run", "--config_file", str(config), f"--{wrong}", "1"]
    monkeypatch.setattr(sys, "argv", command)
    with pytest.raises(RuntimeError) as raised:
        workflow(config, output_dir=str(tmp_path / "run"), **{wrong: 1})
    assert told(raised.value) == f"medaug: there is no setting {wrong!r}; did you mean '{wrong}s'?"
    assert not (tmp_path / "run").exists()


# Elsewhere


def test_monai_loads_the_network_of_a_copy(copied: Path) -> None:
    network = build_classifier("small_resnet", classes=5, channels=1, seed=3)
    (copied / "models").mkdir()
    torch.save(network.state_dict(), copied / "models" / "model.pt")

    loaded = monai.bundle.load(
        copied.name, bundle_dir=str(copied.parent), workflow_type="train", net_override={"dropout": 0.5}
    )
    assert loaded.dropout.p == 0.5
    for name, value in network.state_dict().items():
        assert torch.equal(value, loaded.state_dict()[name]), name


def test_a_copy_runs_from_elsewhere(
    copied: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    made = workflow(copied / "train.json", **TINY)
    made.run()
    made.finalize()
    assert (copied / "output" / "models" / "model.pt").is_file()
    assert "100% real" in capsys.readouterr().out


def test_a_copy_runs_from_inside_with_the_package_only(copied: Path) -> None:
    settings = [argument for name, value in TINY.items() for argument in (f"--{name}", str(value))]
    done = run(copied, "--config_file", "configs/train.json", *settings)
    assert done.returncode == 0, done.stderr
    assert (copied / "output" / "models" / "model.pt").is_file()
    assert "100% real" in done.stdout
