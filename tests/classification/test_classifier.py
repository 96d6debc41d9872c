import json

import pytest
import torch

from medaug.classification.classifier import (
    ClassifierInfo,
    load_classifier,
    save_classifier,
    save_plain_weights,
)
from medaug.classification.networks import build_classifier
from medaug.errors import CheckpointError
from medaug.task import CHEST_RADIOGRAPHS


@pytest.fixture
def saved(tmp_path):
    network = build_classifier("small_resnet", 5, 1, dropout=0.25, seed=7)
    info = ClassifierInfo(CHEST_RADIOGRAPHS, image_size=32, method="baseline", seed=7, phantom=True)
    path = tmp_path / "models" / "model.pt"
    save_classifier(path, network, info)
    return path, network, info


def test_what_was_saved_comes_back(saved):
    path, network, info = saved
    loaded, found = load_classifier(path)
    assert found == info
    assert loaded.settings == network.settings
    assert not loaded.training
    image = torch.rand(2, 1, 32, 32)
    assert torch.equal(loaded(image), network.eval()(image))


def test_other_weights_can_be_saved_in_their_place(saved):
    path, network, info = saved
    weights = {name: torch.zeros_like(value) for name, value in network.state_dict().items()}
    save_classifier(path, network, info, weights)
    assert not any(p.any() for p in load_classifier(path)[0].parameters())
    assert any(p.any() for p in network.parameters())


def test_the_file_holds_tensors_and_plain_values_only(saved):
    content = torch.load(saved[0], weights_only=True)
    assert content["format"] == "medaug-classifier-1"
    assert content["info"] == {"method": "baseline", "seed": 7, "phantom": True}


def change(path, edit):
    content = torch.load(path, weights_only=True)
    edit(content)
    torch.save(content, path)


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda content: content.update(format="medaug-diffusion-1"), "not a classifier of medaug"),
        (lambda content: content.pop("task"), "whole classifier.*'task'"),
        (lambda content: content["network"].pop("heads.0.weight"), r"heads\.0\.weight"),
        (lambda content: content["arguments"].update(classes=4), r"heads\.4\.weight"),
        (lambda content: content["arguments"].update(name="other"), "'other'"),
        (lambda content: content["info"].update(colour=1), "colour"),
    ],
)
def test_a_file_of_another_network_is_named(saved, edit, message):
    change(saved[0], edit)
    with pytest.raises(CheckpointError, match=rf"(?s)model\.pt.*{message}"):
        load_classifier(saved[0])


@pytest.mark.parametrize("keep", [0, 10, 5000])
def test_a_damaged_file_is_named(saved, keep):
    path = saved[0]
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(CheckpointError, match=r"model\.pt cannot be read"):
        load_classifier(path)


def test_an_absent_file_is_named(tmp_path):
    with pytest.raises(CheckpointError, match=r"there is no classifier .*absent\.pt"):
        load_classifier(tmp_path / "absent.pt")


# Plain weights, as they are given away


@pytest.fixture
def plain(saved, tmp_path):
    _, network, info = saved
    path = tmp_path / "given" / "model.pt"
    save_plain_weights(path, network, info)
    return path, network, info


def test_plain_weights_are_a_state_dictionary_with_their_meaning_beside_them(plain):
    path, network, info = plain
    weights = torch.load(path, weights_only=True)
    assert list(weights) == list(network.state_dict())
    assert json.loads(path.with_name("model.json").read_text())["image_size"] == 32
    loaded, found = load_classifier(path)
    assert found == info
    image = torch.rand(2, 1, 32, 32)
    assert torch.equal(loaded(image), network.eval()(image))


def test_a_file_of_its_own_format_does_not_heed_a_file_beside_it(saved):
    path, _, info = saved
    path.with_name("model.json").write_text("{}")
    assert load_classifier(path)[1] == info


@pytest.mark.parametrize(("meaning", "message"), [("{", "JSONDecodeError"), ("[]", "TypeError")])
def test_a_damaged_meaning_is_named(plain, meaning, message):
    plain[0].with_name("model.json").write_text(meaning)
    with pytest.raises(CheckpointError, match=rf"model\.json cannot be read \({message}\)"):
        load_classifier(plain[0])


def test_weights_without_their_meaning_are_no_classifier(plain):
    plain[0].with_name("model.json").unlink()
    with pytest.raises(CheckpointError, match="not a classifier of medaug"):
        load_classifier(plain[0])
