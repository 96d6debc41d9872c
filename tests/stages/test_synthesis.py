import shlex
from pathlib import Path

import pytest
import torch

from medaug.data.store import ImageStore
from medaug.diffusion.condition import ConditionEncoder
from medaug.diffusion.diffusion_model import DiffusionModel, save_model
from medaug.diffusion.unet import build_unet
from medaug.errors import SettingsError
from medaug.export.__main__ import main as export
from medaug.stages import Run, Synthesis, preparation
from medaug.stages.preparation import log_phantom
from medaug.task import Task


@pytest.fixture
def run(tmp_path):
    encoder = ConditionEncoder(Task("multilabel", ("edema",)))
    network = build_unet(8, 1, 1, encoder.size, (4, 8), 1, 4)
    (tmp_path / "models").mkdir()
    save_model(tmp_path / "models" / "diffusion.pt", DiffusionModel(network, encoder))
    where = {"bundle_root": ".", "output_dir": str(tmp_path), "data_dir": str(tmp_path / "data")}
    return Run.of(modality="radiology", **where)


def test_autoguidance_without_its_snapshot_says_what_to_do(run, tmp_path):
    (tmp_path / "models" / "diffusion.settings.json").write_text('{"settings": {"seed": 0}}')
    with pytest.raises(SettingsError, match=r"needs .*diffusion\.early\.pt, which is not there; train again"):
        Synthesis.of(run, autoguidance=2.0).make()


def test_guidance_is_off_unless_asked_for_but_in_the_small_networks_of_demos(run):
    for preset, guidance in {"demo": 2.0, "single_gpu": 1.0, "paper": 1.0}.items():
        settings = Synthesis.of(Run.of(**{**vars(run), "preset": preset, "pulled": None})).settings
        assert (settings.guidance, settings.upsampler_guidance) == (guidance, 1.0)
        assert (settings.autoguidance, settings.upsampler_autoguidance) == (1.0, 1.0)
        assert settings.guidance_interval is None


@pytest.fixture
def given_away(run, tmp_path):
    """A bundle that came with a generator, and a run in it that has none of its own."""
    bundle = tmp_path / "bundle"
    (bundle / "models").mkdir(parents=True)
    (tmp_path / "models" / "diffusion.pt").rename(bundle / "models" / "diffusion.pt")
    (bundle / "models" / "diffusion.settings.json").write_text('{"settings": {"seed": 0}}')
    return Run.of(**{**vars(run), "bundle_root": str(bundle), "pulled": None})


def test_a_generator_that_came_with_the_bundle_needs_neither_training_nor_images(
    given_away, tmp_path, caplog
):
    stage = Synthesis.of(given_away, images=4, steps=2, sampler="ddim")
    stage.pull()
    with caplog.at_level("INFO"):
        stage.make()
    store = ImageStore.open(tmp_path / "synthetic")
    assert store.images(8).shape == (4, 8, 8, 1)
    assert store.table["synthetic"].all()
    assert sorted(store.table["label:edema"]) == [0, 0, 1, 1]
    assert sorted(path.name for path in tmp_path.iterdir() if path.name[0] != ".") == [
        *("bundle", "models", "synthetic", "synthetic.settings.json")
    ]
    said = caplog.messages[-2:]
    assert said[0] == f"The 4 synthetic images are the store {tmp_path / 'synthetic'}"
    command = shlex.split(said[1].partition("python -m medaug.export ")[2])
    export(command)
    assert len(list((tmp_path / "pictures").glob("*.png"))) == 4


def test_a_generator_of_the_run_comes_before_that_of_the_bundle(given_away, tmp_path):
    assert Synthesis.of(given_away).came_with_bundle
    (tmp_path / "models" / "diffusion.settings.json").write_text("{}")  # training has begun
    assert not Synthesis.of(given_away).came_with_bundle


def test_of_several_processes_one_says_that_images_are_of_phantoms(monkeypatch, caplog):
    with caplog.at_level("INFO"):
        log_phantom(True)
        log_phantom(False)
        monkeypatch.setattr(preparation, "is_first", lambda: False)
        log_phantom(True)
    assert caplog.messages == [f"Note: {preparation.PHANTOM_NOTICE}"]


def test_the_upsampler_is_left_out_where_nobody_wants_it(run):
    (Path(run.output_dir) / "models" / "diffusion.settings.json").write_text('{"settings": {"seed": 0}}')
    large = Run.of(**{**vars(run), "preset": "single_gpu", "pulled": None})
    upsampler = Path(run.output_dir) / "models" / "upsampler.pt"
    assert (Synthesis.of(large).upsampler, Synthesis.of(run).upsampler) == (upsampler, None)
    without = Synthesis.of(large, upsample="false", images=4, steps=2, sampler="ddim")
    assert without.upsampler is None
    assert (without.record["upsampler"], without.record["upsample"]) == (None, False)


def test_a_large_gpu_samples_more_at_once_and_a_user_has_the_last_word(run, monkeypatch):
    class Card:
        total_memory = 80 * 2**30

    monkeypatch.setattr(Run, "device", torch.device("cuda"))
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: Card)
    large = Run.of(**{**vars(run), "preset": "single_gpu", "pulled": None})
    assert Synthesis.of(large).settings.batch_size == 128  # the upsampler of 224 pixels fills the memory
    assert Synthesis.of(large, upsample=False).settings.batch_size == 512
    assert Synthesis.of(run).settings.batch_size == 512
    assert Synthesis.of(run, batch_size=7).settings.batch_size == 7
    Card.total_memory = 2**20
    assert Synthesis.of(run).settings.batch_size == 100
