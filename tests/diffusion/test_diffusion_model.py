from __future__ import annotations

import pytest
import torch

from medaug.diffusion.diffusion_model import load_model, save_model
from medaug.errors import CheckpointError


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
    assert content["format"] == "medaug-diffusion-1"
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


@pytest.mark.parametrize("spoil", [spoil_network, spoil_arguments, spoil_encoder, spoil_more])
def test_contents_that_do_not_fit_are_refused(tmp_path, make_model, spoil):
    save_model(tmp_path / "m.pt", make_model())
    content = torch.load(tmp_path / "m.pt", weights_only=True)
    spoil(content)
    torch.save(content, tmp_path / "m.pt")
    with pytest.raises(CheckpointError, match="does not hold a whole diffusion model"):
        load_model(tmp_path / "m.pt")
