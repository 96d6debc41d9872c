from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from medaug.errors import DataError, SettingsError
from medaug.stages import GeneratorTraining, Run, Synthesis

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.filterwarnings("ignore:parsing config_file:UserWarning")


def run(folder: Path, **given: Any) -> Run:
    where = {"output_dir": str(folder), "data_dir": str(folder / "data")}
    bundle = {"bundle_root": str(ROOT / "bundles" / "chexpert"), "modality": "radiology"}
    return Run.of(**{**bundle, **where, **given})


class Workflow:
    """Stands for a config that is run."""

    ran: list[str]

    def __init__(self, name: str) -> None:
        self.name = name

    def initialize(self) -> None:
        self.ran.append(f"initialize {self.name}")

    def run(self) -> None:
        self.ran.append(f"run {self.name}")


def test_a_product_is_looked_at_once_by_all_stages_of_a_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Workflow.ran = []
    monkeypatch.setattr(Run, "_workflow", lambda self, part, **more: Workflow(part))
    first = run(tmp_path)
    first.pull("prepare")
    first.pull("prepare")
    first._for("generate").pull("prepare")
    first._for("generate")._for("diffusion").pull("prepare")
    assert Workflow.ran == ["initialize prepare", "run prepare"]
    run(tmp_path).pull("prepare")
    assert Workflow.ran.count("run prepare") == 2


def test_what_a_user_gives_a_part_comes_before_what_a_stage_hands_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    built: dict[str, Any] = {}
    monkeypatch.setattr(
        "medaug.stages.run.ConfigWorkflow", lambda **given: built.update(given) or Workflow("")
    )
    Workflow.ran = []
    run(tmp_path, baseline={"workers": 0, "seed": 1}).pull("baseline", workers=4, dropout=0.1)
    assert (built["workers"], built["dropout"], built["shared"].seed) == (0, 0.1, 1)


def test_another_wish_is_looked_at_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Workflow.ran = []
    monkeypatch.setattr(Run, "_workflow", lambda self, part, **more: Workflow(part))
    first = run(tmp_path, seed=1, generate={"seed": 0})
    first.pull("prepare")
    first._for("generate").pull("prepare")
    assert Workflow.ran.count("run prepare") == 2


def test_a_stage_gets_its_own_settings_and_those_that_are_shared(tmp_path: Path) -> None:
    shared = run(tmp_path, seed=3, preset="single_gpu", prepare={"seed": 0, "image_size": 48})
    how = shared.preparation
    assert (how.run.seed, how.run.preset, how.settings.image_size) == (0, "single_gpu", 48)
    assert how.settings.base_size == 64
    with pytest.raises(SettingsError, match="'image_sise'; did you mean 'image_size'"):
        _ = run(tmp_path, prepare={"image_sise": 48}).preparation


def test_before_there_are_images_the_task_is_the_one_to_come(tmp_path: Path) -> None:
    shared = run(tmp_path, prepare={"classes": ["edema"], "channels": 3})
    assert (shared.task.classes, shared.channels) == (("edema",), 3)
    store = shared.store  # stands for one that is opened when it is used
    with pytest.raises(DataError):
        len(store)


def test_scarcity_is_said_in_one_way(tmp_path: Path) -> None:
    assert run(tmp_path).scarcity is None
    budget = run(tmp_path, label_budget="10", budget_domains=["A", "B"]).scarcity
    assert budget == {"attribute": "domain", "caps": {"A": 10, "B": 10}, "surplus": "unlabelled"}
    with pytest.raises(SettingsError, match="either skew or label_budget"):
        run(tmp_path, label_budget=10, skew={"attribute": "sex", "caps": {"F": 1}})


def test_several_runs_may_share_a_generator(tmp_path: Path) -> None:
    alone, sharing = run(tmp_path / "one"), run(tmp_path / "two", generator_dir=str(tmp_path / "one"))
    for place in ("synthetic", "models"):
        assert alone.generator_path(place) == alone.path(place) == sharing.generator_path(place)
    assert sharing.path("models") == tmp_path / "two" / "models"


def test_the_stages_of_a_generator_work_in_its_folder(tmp_path: Path) -> None:
    sharing = run(tmp_path / "two", generator_dir=str(tmp_path / "one"), preset="single_gpu")
    generate = Synthesis.of(sharing)
    assert generate.product == tmp_path / "one" / "synthetic"
    assert (generate.base, generate.upsampler) == (
        tmp_path / "one" / "models" / "diffusion.pt",
        tmp_path / "one" / "models" / "upsampler.pt",
    )
    assert GeneratorTraining.of(sharing, role="base").product == generate.base
