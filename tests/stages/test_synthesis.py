import pytest
import torch

from medaug.diffusion.condition import ConditionEncoder
from medaug.diffusion.diffusion_model import DiffusionModel, save_model
from medaug.diffusion.unet import build_unet
from medaug.errors import SettingsError
from medaug.stages import Run, Synthesis
from medaug.task import Task


@pytest.fixture
def run(tmp_path):
    encoder = ConditionEncoder(Task("multilabel", ("edema",)))
    network = build_unet(8, 1, 1, encoder.size, (4, 8), 1, 4)
    (tmp_path / "models").mkdir()
    save_model(tmp_path / "models" / "diffusion.pt", DiffusionModel(network, encoder))
    where = {"bundle_root": ".", "output_dir": str(tmp_path), "data_dir": str(tmp_path / "data")}
    return Run.of(modality="radiology", **where)


def test_autoguidance_without_its_snapshot_says_what_to_do(run):
    with pytest.raises(SettingsError, match=r"needs .*diffusion\.early\.pt, which is not there; train again"):
        Synthesis.of(run, autoguidance=2.0).make()


def test_guidance_is_off_unless_asked_for_but_in_the_small_networks_of_demos(run):
    for preset, guidance in {"demo": 2.0, "single_gpu": 1.0, "paper": 1.0}.items():
        settings = Synthesis.of(Run.of(**{**vars(run), "preset": preset, "pulled": None})).settings
        assert (settings.guidance, settings.upsampler_guidance) == (guidance, 1.0)
        assert (settings.autoguidance, settings.upsampler_autoguidance) == (1.0, 1.0)
        assert settings.guidance_interval is None


def test_a_large_gpu_samples_more_at_once_and_a_user_has_the_last_word(run, monkeypatch):
    class Card:
        total_memory = 80 * 2**30

    monkeypatch.setattr(Run, "device", torch.device("cuda"))
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: Card)
    large = Run.of(**{**vars(run), "preset": "single_gpu", "pulled": None})
    assert Synthesis.of(large).settings.batch_size == 128  # the upsampler of 224 pixels fills the memory
    assert Synthesis.of(run).settings.batch_size == 512
    assert Synthesis.of(run, batch_size=7).settings.batch_size == 7
    Card.total_memory = 2**20
    assert Synthesis.of(run).settings.batch_size == 100
