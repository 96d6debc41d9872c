from __future__ import annotations

import pytest
import torch

from medaug.diffusion.diffusion_model import DiffusionModel, load_model, save_model
from medaug.diffusion.generation import predictor
from medaug.diffusion.unet import build_unet
from medaug.errors import CheckpointError


def test_prediction_and_slots_come_back(tmp_path, encoder):
    network = build_unet(8, 1, 1, encoder.size + 3, (8, 8), 1, 8, patch=2, attention_side=2, dropout=0.1)
    save_model(tmp_path / "m.pt", DiffusionModel(network, encoder, "base", {}, "v", 3))
    loaded = load_model(tmp_path / "m.pt")
    assert (loaded.prediction, loaded.geometry_slots) == ("v", 3)
    assert (loaded.network.patch, loaded.network.arguments) == (2, network.arguments)


def test_a_file_of_the_first_format_predicts_noise_and_samples_as_before(tmp_path, make_model):
    """What release 0.2.0 wrote: no prediction, no slots, and none of the newer arguments of the network."""
    model = make_model(phantom=True)
    newer = ("patch", "attention_side", "dropout")
    old = {
        "format": "medaug-diffusion-1",
        "kind": "base",
        "unet": {name: value for name, value in model.network.arguments.items() if name not in newer},
        "encoder": model.encoder.to_dict(),
        "network": model.network.state_dict(),
        "info": {"phantom": True},
    }
    assert set(old["unet"]) == {
        *("image_size", "image_channels", "in_channels", "condition_size"),
        *("channels", "residual_blocks", "head_channels"),
    }
    torch.save(old, tmp_path / "old.pt")
    loaded = load_model(tmp_path / "old.pt")
    assert (loaded.prediction, loaded.geometry_slots) == ("epsilon", 0)
    x, t = torch.randn(2, 1, 8, 8, generator=torch.Generator().manual_seed(0)), torch.tensor([900, 900])
    condition = torch.ones(2, model.encoder.size)
    with torch.no_grad():
        expected = model.network(x, timesteps=t, class_labels=condition)
        assert torch.equal(predictor(loaded, condition)(x, 900), expected)


@pytest.mark.parametrize("kind", ["base", "upsampler"])
def test_a_model_comes_back_as_it_was(tmp_path, make_model, kind):
    model = make_model(kind, phantom=True, iterations=3)
    save_model(tmp_path / "m.pt", model)
    loaded = load_model(tmp_path / "m.pt")
    assert (loaded.kind, loaded.encoder, loaded.info) == (model.kind, model.encoder, model.info)
    assert (loaded.image_size, loaded.channels, loaded.network.training) == (8, 1, False)
    x = torch.randn(1, model.network.in_channels, 8, 8, generator=torch.Generator().manual_seed(0))
    arguments = {"timesteps": torch.tensor([7]), "class_labels": torch.ones(1, model.encoder.size)}
    with torch.no_grad():
        torch.testing.assert_close(loaded.network(x, **arguments), model.network(x, **arguments))


def test_files_hold_plain_types_only(tmp_path, make_model):
    save_model(tmp_path / "m.pt", make_model(phantom=False))
    content = torch.load(tmp_path / "m.pt", weights_only=True)
    assert content["format"] == "medaug-diffusion-2"
    assert (content["prediction"], content["geometry_slots"]) == ("epsilon", 0)
    assert content["unet"]["channels"] == [8, 8]


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(CheckpointError, match=r"there is no diffusion model .*m\.pt"):
        load_model(tmp_path / "m.pt")


@pytest.mark.parametrize("content", [b"", b"not a model", b"PK\x03\x04 torn"])
def test_damaged_files_are_refused(tmp_path, content):
    (tmp_path / "m.pt").write_bytes(content)
    with pytest.raises(CheckpointError, match=r"m\.pt cannot be read as a diffusion model"):
        load_model(tmp_path / "m.pt")


@pytest.mark.parametrize("content", [{"network": {}}, [1], {"format": "another"}])
def test_other_checkpoints_are_refused(tmp_path, content):
    torch.save(content, tmp_path / "m.pt")
    with pytest.raises(CheckpointError, match="not a diffusion model of medaug"):
        load_model(tmp_path / "m.pt")


def spoil_network(content):
    content["network"].popitem()


def spoil_arguments(content):
    content["unet"]["channels"] = [8, 16]


def spoil_encoder(content):
    del content["encoder"]["task"]


def spoil_more(content):
    content["unet"]["colour"] = "blue"


def spoil_prediction(content):
    content["prediction"] = "tomorrow"


def spoil_slots(content):
    content["geometry_slots"] = 2


SPOILS = (spoil_network, spoil_arguments, spoil_encoder, spoil_more, spoil_prediction, spoil_slots)


@pytest.mark.parametrize("spoil", SPOILS)
def test_contents_that_do_not_fit_are_refused(tmp_path, make_model, spoil):
    save_model(tmp_path / "m.pt", make_model())
    content = torch.load(tmp_path / "m.pt", weights_only=True)
    spoil(content)
    torch.save(content, tmp_path / "m.pt")
    with pytest.raises(CheckpointError, match="does not hold a whole diffusion model"):
        load_model(tmp_path / "m.pt")
