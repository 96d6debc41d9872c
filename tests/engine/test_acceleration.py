import json
import logging
import os
import shutil

import pytest
import torch
from torch import nn

from medaug.engine import acceleration
from medaug.engine.acceleration import PLAIN, AcceleratedInferer, Acceleration, untried_convolutions
from medaug.engine.distributed import unwrap
from medaug.errors import SettingsError

CPU, CUDA = torch.device("cpu"), torch.device("cuda")
CHOICES = {
    "amp",
    "tf32",
    "channels_last",
    "compile",
    "fused_optimizer",
    "noise_on_device",
    "augment_on_device",
}


def small_network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.GroupNorm(2, 4), nn.SiLU(), nn.Conv2d(4, 1, 1))


@pytest.fixture
def card(monkeypatch, tmp_path):
    """A machine whose GPU can do everything."""
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation=True: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "H100")
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (9, 0))
    monkeypatch.setattr(acceleration, "find_spec", lambda name: object())
    monkeypatch.setattr(acceleration.shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(acceleration.sysconfig, "get_path", lambda *_: str(tmp_path))
    (tmp_path / "Python.h").touch()


def test_nothing_is_on_where_results_must_repeat():
    assert Acceleration.of(CPU, {"amp": None, "compile": None}) == Acceleration() == PLAIN
    assert not any(value for name, value in PLAIN.facts(CPU).items() if name != "device")


def test_all_is_on_that_a_card_can_do_and_each_can_be_turned_off(card):
    usual = Acceleration.of(CUDA, {})
    on = {name for name, value in usual.facts(CUDA).items() if value is True}
    assert on == CHOICES
    assert usual.facts(CUDA)["device"] == "H100"
    json.dumps(usual.facts(CUDA))
    for name in CHOICES:
        without = Acceleration.of(CUDA, {name: False})
        assert {n for n, value in without.facts(CUDA).items() if value is True} == CHOICES - {name}


def test_an_old_card_without_bfloat16_or_triton(card, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation=True: including_emulation)
    monkeypatch.setattr(acceleration, "find_spec", lambda name: None)
    found = Acceleration.of(CUDA, {})
    assert (found.amp, found.compile, found.channels_last) == (False, False, True)


@pytest.mark.parametrize(
    ("what", "where", "value"),
    [
        ("Triton", "find_spec", None),
        ("C compiler", "shutil.which", None),
        ("Python.h", "sysconfig.get_path", "/nowhere"),
        ("GPU of compute capability 7", "torch.cuda.get_device_capability", (6, 1)),
    ],
)
def test_without_what_compiling_needs_a_network_is_not_compiled_and_that_is_told(
    card, monkeypatch, caplog, what, where, value
):
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setattr(f"medaug.engine.acceleration.{where}", lambda *_: value)
    assert not Acceleration.of(CUDA, {}).compile
    assert f"there is no {what}" in caplog.text
    caplog.clear()
    assert Acceleration.of(CUDA, {"compile": True}).compile
    assert not Acceleration.of(CUDA, {"compile": False}).compile
    assert not caplog.text


def test_what_is_compiled_is_kept_where_there_is_a_home(tmp_path, monkeypatch):
    def kept(home):
        monkeypatch.delenv("TORCHINDUCTOR_CACHE_DIR", raising=False)
        monkeypatch.setenv("XDG_CACHE_HOME", str(home))
        monkeypatch.setattr(torch, "compile", lambda network, **how: network)
        Acceleration(compile=True).compiled(small_network())
        return os.environ.pop("TORCHINDUCTOR_CACHE_DIR", None)

    (tmp_path / "file").touch()
    assert kept(tmp_path) == str(tmp_path / "medaug" / "compiled")
    assert kept(tmp_path / "file") is None  # torch's own folder


def test_convolutions_are_not_tried_for_rare_shapes(monkeypatch):
    monkeypatch.setattr(torch.backends.cudnn, "benchmark", True)
    with untried_convolutions():
        assert not torch.backends.cudnn.benchmark
    assert torch.backends.cudnn.benchmark


def test_mixed_precision_is_bfloat16_inside_the_network_only():
    network, image = small_network(), torch.rand(2, 1, 4, 4)
    half = AcceleratedInferer(Acceleration(amp=True))(image, network)
    assert half.dtype == torch.bfloat16
    assert not torch.is_autocast_enabled("cpu")
    exact = AcceleratedInferer(PLAIN)(image, network)
    assert torch.equal(exact, network(image))
    torch.testing.assert_close(half.float(), exact, atol=0.02, rtol=0)


def test_the_layout_is_that_of_weights_and_images():
    seen = []
    how = Acceleration(channels_last=True)
    network = how.trained(nn.Conv2d(3, 4, 3), CPU)
    network.register_forward_pre_hook(lambda _, given: seen.append(given[0].stride()))
    AcceleratedInferer(how)(torch.rand(2, 3, 4, 4), network)
    assert network.weight.stride() == (27, 1, 9, 3)
    assert seen == [(48, 1, 12, 3)]


@pytest.mark.parametrize("channels", [1, 3])
def test_images_that_lie_alike_in_memory_have_the_same_strides(channels):
    """Otherwise a compiled network is compiled again, in the middle of a training."""
    seen = []
    network = nn.Conv2d(channels, 1, 1)
    network.register_forward_pre_hook(lambda _, given: seen.append(given[0].stride()))
    images = torch.rand(2, channels, 4, 4)
    for layout in (torch.contiguous_format, torch.channels_last):
        AcceleratedInferer(Acceleration(channels_last=True))(images.to(memory_format=layout), network)
    assert seen == [(16 * channels, 1 if channels > 1 else 16, 4 * channels, channels)] * 2


def test_checkpointed_blocks_keep_names_gradients_and_dropout():
    def gradients(how):
        network = nn.Sequential(small_network(), nn.Sequential(nn.Conv2d(1, 3, 3), nn.Dropout(0.5)))
        trained = how.trained(network, CPU, (nn.Sequential,))
        torch.manual_seed(1)
        trained(torch.ones(2, 1, 6, 6)).square().sum().backward()
        return [p.grad for p in trained.parameters()], list(trained.state_dict())

    (plain, names), (again, same_names) = (
        gradients(PLAIN),
        gradients(Acceleration(gradient_checkpointing=True)),
    )
    assert names == same_names
    assert all(torch.equal(*both) for both in zip(plain, again, strict=True))


def test_a_network_is_compiled_for_one_shape_and_replayed_where_asked(monkeypatch):
    asked = []
    monkeypatch.setattr(torch, "compile", lambda network, **how: asked.append(how) or network)
    Acceleration(compile=True).compiled(small_network())
    Acceleration(compile=True, cuda_graphs=True).compiled(small_network())
    graphs = {"triton.cudagraphs": True}
    assert asked == [{"dynamic": False, "options": None}, {"dynamic": False, "options": graphs}]
    with pytest.raises(SettingsError, match="set compile to true too"):
        Acceleration.of(CPU, {"cuda_graphs": True, "compile": None})


@pytest.mark.skipif(shutil.which("g++") is None, reason="torch.compile needs a C++ compiler")
def test_a_compiled_network_is_told_and_kept_and_computes_the_same(tmp_path, monkeypatch, caplog):
    monkeypatch.delenv("TORCHINDUCTOR_CACHE_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    plain, image = small_network(), torch.rand(2, 1, 4, 4)
    with caplog.at_level(logging.INFO):
        compiled = Acceleration(compile=True).trained(small_network(), CPU)
    assert "Compiling the network on its first step" in caplog.text
    assert str(tmp_path / "medaug" / "compiled") in caplog.text
    assert type(unwrap(compiled)) is nn.Sequential
    torch.testing.assert_close(compiled(image), plain(image), atol=1e-5, rtol=0)
    assert any(files for _, _, files in os.walk(tmp_path / "medaug" / "compiled"))
    monkeypatch.delenv("TORCHINDUCTOR_CACHE_DIR")
