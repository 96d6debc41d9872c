from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from unwaited import unwaited

from medaug.data.store import ImageStore, StoreWriter
from medaug.diffusion import generation
from medaug.diffusion.condition import ConditionEncoder
from medaug.diffusion.diffusion_model import DiffusionModel, save_model
from medaug.diffusion.generation import Cascade, generate
from medaug.diffusion.image_noise import CounterNoise, GeneratorNoise
from medaug.diffusion.samplers import SAMPLERS, sample_dpm_solver
from medaug.diffusion.unet import build_unet
from medaug.engine.acceleration import PLAIN, Acceleration
from medaug.errors import CheckpointError, SettingsError
from medaug.presets import Sampling
from medaug.randomness import torch_generator

COUNTED = Acceleration(noise_on_device=True)
SAMPLING = {"sampler": "dpm_solver", "steps": 3, "guidance": 1.5, "batch_size": 3}


def make(plan, base, upsampler, output, seed=5, how=PLAIN, **changed):
    cascade = Cascade(base, upsampler, Sampling(**SAMPLING | changed))
    return generate(plan, cascade, output, seed=seed, device="cpu", origin={"note": "test"}, acceleration=how)


def same(found, expected):
    """Equal up to float rounding, which may move a value over the border of two grey levels."""
    difference = np.abs(np.asarray(found, int) - np.asarray(expected, int))
    return difference.max() <= 1 and (difference > 0).mean() < 0.01


def test_a_plan_becomes_a_store(tmp_path, make_model, plan):
    made = make(plan, make_model(), None, tmp_path / "synthetic")
    store = ImageStore.open(tmp_path / "synthetic")
    assert store.images().shape == (7, 8, 8, 1)
    assert store.table["image_id"].tolist() == plan["image_id"].tolist()
    np.testing.assert_array_equal(store.table["label:edema"], plan["label:edema"])
    assert store.table["attr:sex"].tolist() == plan["attr:sex"].tolist()
    assert store.table["synthetic"].all()
    assert made.origin["settings"] == {
        "sampler": "dpm_solver",
        "steps": 3,
        "guidance": 1.5,
        "guidance_interval": None,
        "autoguidance": 1.0,
        "upsampler_guidance": 1.0,
        "upsampler_autoguidance": 1.0,
        "upsampler_steps": None,
        "upsampler_sampler": "dpm_solver",
        "seed": 5,
    }
    assert made.origin["note"] == "test"
    assert len(np.unique(store.images().reshape(7, -1), axis=0)) == 7


def test_the_upsampler_has_its_own_sampler_and_steps(tmp_path, make_model, plan):
    base, upsampler = make_model(), make_model("upsampler", 16, 1, low_size=8)
    calls = {"base": 0, "upsampler": 0}
    for model in (base, upsampler):
        model.network.register_forward_hook(lambda *_, kind=model.kind: calls.update({kind: calls[kind] + 1}))
    own = {"upsampler_steps": 5, "upsampler_sampler": "ddpm", "guidance": 1.0, "batch_size": len(plan)}
    store = make(plan, base, upsampler, tmp_path / "synthetic", **own)
    assert calls == {"base": 3, "upsampler": 5}
    assert store.origin["settings"]["upsampler_sampler"] == "ddpm"


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize("cascade", [False, True])
def test_images_do_not_depend_on_the_batch(tmp_path, make_model, plan, sampler, cascade):
    upsampler = make_model("upsampler", 16, 1, low_size=8) if cascade else None
    stores = [
        make(plan, make_model(), upsampler, tmp_path / str(size), batch_size=size, sampler=sampler)
        for size in (1, 3)
    ]
    assert same(stores[0].images(), stores[1].images())
    assert stores[0].images().std() > 5


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_images_of_counted_noise_do_not_depend_on_the_batch(tmp_path, make_model, plan, sampler):
    many = pd.concat([plan] * 10, ignore_index=True).assign(image_id=[f"i{i}" for i in range(70)])
    stores = [
        make(many, make_model(), None, tmp_path / str(n), how=COUNTED, batch_size=n, sampler=sampler, steps=2)
        for n in (1, 7, 64)
    ]
    assert same(stores[0].images(), stores[1].images())
    assert same(stores[0].images(), stores[2].images())
    assert len(np.unique(stores[0].images().reshape(70, -1), axis=0)) == 70


def test_the_settings_name_the_noise_that_was_counted(tmp_path, make_model, plan):
    counted = make(plan, make_model(), None, tmp_path / "counted", how=COUNTED)
    drawn = make(plan, make_model(), None, tmp_path / "drawn")
    assert counted.origin["settings"]["noise"] == "Philox4x32-10 on the device"
    assert "noise" not in drawn.origin["settings"]
    assert counted.fingerprint != drawn.fingerprint
    assert not same(counted.images(), drawn.images())


def test_half_precision_makes_nearly_the_same_images(tmp_path, make_model, plan):
    """A network of random weights blows rounding up; scripts/compare_precision.py looks at a trained one."""
    model = replace(make_model(), prediction="v")
    exact = make(plan, model, None, tmp_path / "exact", steps=8)
    half = make(plan, model, None, tmp_path / "half", steps=8, how=Acceleration(amp=True))
    difference = np.abs(half.images().astype(int) - exact.images().astype(int))
    assert 0 < difference.mean() <= 1
    assert (difference <= 1).mean() >= 0.9


def test_a_last_batch_is_filled_up_for_a_network_that_is_compiled(tmp_path, make_model, plan, monkeypatch):
    monkeypatch.setattr(torch, "compile", lambda network, **how: network)
    model, sizes = make_model(), []
    model.network.register_forward_pre_hook(
        lambda _, given, named: sizes.append(len(given[0])), with_kwargs=True
    )
    plain = make(plan, model, None, tmp_path / "plain", guidance=1.0)
    assert set(sizes) == {3, 1}
    sizes.clear()
    filled = make(plan, model, None, tmp_path / "filled", guidance=1.0, how=Acceleration(compile=True))
    assert set(sizes) == {3}
    assert same(filled.images(), plain.images())


@pytest.mark.parametrize("compiled", [False, True])
def test_a_batch_that_does_not_fit_is_made_in_parts(
    tmp_path, make_model, plan, monkeypatch, caplog, compiled
):
    monkeypatch.setattr(torch, "compile", lambda network, **how: network)
    model, sizes = make_model(), []
    plain = make(plan, model, None, tmp_path / "plain", guidance=1.0)

    def short(network, given, named):
        sizes.append(len(given[0]))
        if len(given[0]) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory")

    model.network.register_forward_pre_hook(short, with_kwargs=True)
    how = Acceleration(compile=compiled)
    halved = make(plan, model, None, tmp_path / "halved", guidance=1.0, batch_size=4, how=how)
    assert set(sizes[1:]) == ({2} if compiled else {1, 2})
    assert same(halved.images(), plain.images())
    assert caplog.text.count("going on with 2") == 1


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_sampling_waits_for_no_device(make_model, sampler, meta):
    """With all that there is: guidance of both kinds, an interval, an upsampler, counted noise."""

    def on_meta(*args, **info):
        model = make_model(*args, **info)
        return replace(model, network=model.network.to(meta))

    base, upsampler = on_meta(), on_meta("upsampler", 16, low_size=8)
    how = {"guidance_interval": (0.2, 3.0), "autoguidance": 2.0, "upsampler_autoguidance": 1.5}
    sampling = Sampling(**SAMPLING | how | {"sampler": sampler, "upsampler_guidance": 1.5, "steps": 4})
    cascade = Cascade(base, upsampler, sampling, {"base": base, "upsampler": upsampler})
    condition, noise = torch.zeros(3, base.encoder.size, device=meta), CounterNoise(0, range(3), meta)
    with torch.inference_mode():
        cascade.sample(condition, noise)  # puts tables on the device that stay there
        with unwaited():
            images = cascade.sample(condition, noise)
    assert images.shape == (3, 1, 16, 16)


def test_each_network_is_compiled_once_for_its_own_size(tmp_path, make_model, plan, monkeypatch):
    """Compiling takes minutes on a GPU, and kernels for any size are slower than those for one."""
    sizes = []

    def backend(graph, inputs):
        sizes.append({size for given in inputs if torch.is_tensor(given) for size in given.shape})
        return graph.forward

    def compiling(what, **how):
        network = isinstance(what, torch.nn.Module)
        return torch_compile(what, backend=backend if network else "eager", **how)

    torch_compile = torch.compile
    monkeypatch.setattr(torch, "compile", compiling)
    models = make_model(size=8), make_model("upsampler", size=16, low_size=8)
    how = Acceleration(compile=True, noise_on_device=True)
    make(plan[:4], *models, tmp_path / "synthetic", how=how, upsampler_sampler="ddpm")
    torch.compiler.reset()
    assert len(sizes) == 2
    assert all(isinstance(size, int) for size in set().union(*sizes))


def test_images_depend_on_seed_and_condition(tmp_path, make_model, plan):
    first = make(plan, make_model(), None, tmp_path / "a").images()
    other_seed = make(plan, make_model(), None, tmp_path / "b", seed=6).images()
    flipped = plan.assign(**{"attr:sex": plan["attr:sex"].map({"F": "M", "M": "F"})})
    other_condition = make(flipped, make_model(), None, tmp_path / "c").images()
    for image in range(len(plan)):
        assert not same(first[image], other_seed[image])
        assert (first[image] != other_condition[image]).any()


def test_the_upsampler_sees_the_quantised_base_image_enlarged(make_model, encoder, monkeypatch):
    """The cascade recomputed by hand: sample, quantise, bilinear, sample with the same generator."""
    base, upsampler = make_model(), make_model("upsampler", 16, 1)
    condition = torch.zeros(1, encoder.size)
    condition[0, 1] = 1
    with torch.inference_mode():
        found = Cascade(base, upsampler, Sampling(**SAMPLING | {"guidance": 1.0})).sample(
            condition, GeneratorNoise(0, [0])
        )
        random = torch_generator(0, "image", 0)
        small = by_hand(base.network, condition, torch.randn(1, 8, 8, generator=random)[None])
        low = torch.nn.functional.interpolate(small.float() / 255, size=(16, 16), mode="bilinear")
        low = (low * 255).round() / 127.5 - 1

        def network(x, **arguments):
            return upsampler.network(torch.cat([x, low], dim=1), **arguments)

        expected = by_hand(network, condition, torch.randn(1, 16, 16, generator=random)[None])
    assert same(found, expected)
    assert found.shape == (1, 1, 16, 16)


def by_hand(network, condition, noise):
    def predict_noise(x, t):
        share = generation.SCHEDULE.alphas_cumprod.float()[t]
        found = network(x, timesteps=torch.tensor([t]), class_labels=condition)
        image = ((x - (1 - share).sqrt() * found) / share.sqrt()).clamp(-1, 1)
        return (x - share.sqrt() * image) / (1 - share).sqrt()

    images = sample_dpm_solver(predict_noise, noise, generation.SCHEDULE, 3, lambda: noise)
    return ((images.clamp(-1, 1) + 1) / 2 * 255).round().to(torch.uint8)


def test_a_model_that_predicts_the_image_is_asked_without_mirrors_and_shifts(encoder):
    network = build_unet(8, 1, 1, encoder.size + 3, (8, 8), 1, 8, patch=2).eval()
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.1, generator=torch.Generator().manual_seed(0))
    condition = torch.ones(1, encoder.size)
    model = DiffusionModel(network, encoder, "base", {}, "x", 3)
    x, t = torch.randn(1, 1, 8, 8, generator=torch.Generator().manual_seed(1)), torch.tensor([500])
    share = generation.SCHEDULE.alphas_cumprod[500].float()
    with torch.no_grad():
        asked = torch.cat([condition, torch.zeros(1, 3)], dim=1)
        image = network(x, timesteps=t, class_labels=asked)
        expected = (x - share.sqrt() * image) / (1 - share).sqrt()
        torch.testing.assert_close(generation.predictor(model, condition)(x, 500), expected)


def test_autoguidance_moves_away_from_the_snapshot_within_the_interval(make_model, encoder):
    """Recomputed by hand, with one step at the noisiest time."""
    base, guide, low = make_model(), make_model(seed=1), make_model(seed=2)
    condition, t = torch.ones(1, encoder.size), torch.tensor([999])
    share = generation.SCHEDULE.alphas_cumprod[999].float()
    noise = torch.randn(1, 8, 8, generator=torch_generator(0, "image", 0))[None]

    def predicted(model):
        return model.network(noise, timesteps=t, class_labels=condition)

    def sampled(**how):
        asked = Sampling(**SAMPLING | {"guidance": 1.0, "steps": 1} | how)
        return Cascade(base, None, asked, {"base": guide}).sample(condition, GeneratorNoise(0, [0]))

    def image(found):
        clean = ((noise - (1 - share).sqrt() * found) / share.sqrt()).clamp(-1, 1)
        return ((clean + 1) * 127.5).round().to(torch.uint8)

    with torch.inference_mode():
        away = predicted(guide) + 2 * (predicted(base) - predicted(guide))
        assert same(sampled(autoguidance=2.0), image(away))
        assert same(sampled(autoguidance=2.0, guidance_interval=(0.1, 3.0)), image(predicted(base)))
        assert not same(image(away), image(predicted(base)))
    with pytest.raises(SettingsError, match="needs an earlier snapshot"):
        Cascade(base, None, Sampling(**SAMPLING | {"autoguidance": 2.0}))
    other = DiffusionModel(low.network, ConditionEncoder(encoder.task, ("age",)))
    with pytest.raises(CheckpointError, match="not one of the base model"):
        Cascade(base, None, Sampling(**SAMPLING | {"autoguidance": 2.0}), {"base": other})


def test_an_interrupted_run_goes_on_to_the_same_bytes(tmp_path, make_model, plan, monkeypatch):
    whole = make(plan, make_model(), None, tmp_path / "whole")
    write, written = StoreWriter.write, []

    def killed(writer, rows, images):
        if written:
            raise KeyboardInterrupt
        written.extend(rows)
        write(writer, rows, images)

    monkeypatch.setattr(StoreWriter, "write", killed)
    with pytest.raises(KeyboardInterrupt):
        make(plan, make_model(), None, tmp_path / "cut")
    assert not (tmp_path / "cut").exists()

    def continued(writer, rows, images):
        assert not set(rows) & set(written)
        write(writer, rows, images)

    monkeypatch.setattr(StoreWriter, "write", continued)
    cut = make(plan, make_model(), None, tmp_path / "cut")
    np.testing.assert_array_equal(cut.images(), whole.images())


TWO = Path(__file__).parents[1] / "engine" / "two_processes.py"
ONE_OF_TWO = """
import json
from pathlib import Path
import pandas as pd
from medaug.diffusion.generation import Cascade, generate
from medaug.diffusion.diffusion_model import load_model
from medaug.engine import distributed
from medaug.presets import Sampling

def main(output):
    distributed.start("cpu")
    assert distributed.processes() == 2
    folder = Path(output)
    plan = pd.read_parquet(folder / "plan.parquet")
    settings = json.loads((folder / "settings.json").read_text())
    cascade = Cascade(load_model(folder / "base.pt"), None, Sampling(**settings))
    generate(plan, cascade, folder / "shared", seed=5, device="cpu", origin={})
    distributed.end()
"""


def test_two_processes_make_the_same_images(tmp_path, make_model, plan):
    save_model(tmp_path / "base.pt", make_model())
    plan.to_parquet(tmp_path / "plan.parquet")
    (tmp_path / "settings.json").write_text(json.dumps(SAMPLING))
    (tmp_path / "script.py").write_text(ONE_OF_TWO)
    command = [sys.executable, str(TWO), str(tmp_path / "script.py"), str(tmp_path)]
    subprocess.run(command, check=True, timeout=240)
    alone = make(plan, make_model(), None, tmp_path / "alone")
    assert same(ImageStore.open(tmp_path / "shared").images(), alone.images())


@pytest.mark.parametrize("cascade", [False, True])
def test_models_of_phantoms_make_phantoms(tmp_path, make_model, plan, cascade):
    upsampler = make_model("upsampler", 16, 1, phantom=True) if cascade else None
    base = make_model(phantom=not cascade)
    assert make(plan, base, upsampler, tmp_path / "store").phantom
    assert not make(plan, make_model(), None, tmp_path / "other").phantom


def test_settings_that_make_no_sense_are_refused(tmp_path, make_model, plan):
    with pytest.raises(SettingsError, match="no sampler 'euler'"):
        make(plan, make_model(), None, tmp_path / "s", sampler="euler")
    with pytest.raises(SettingsError, match="batch_size must be at least 1"):
        make(plan, make_model(), None, tmp_path / "s", batch_size=0)
    with pytest.raises(SettingsError, match="1 to 1000 steps"):
        make(plan, make_model(), None, tmp_path / "s", steps=0)
    assert not (tmp_path / "s").exists()


def test_models_that_do_not_belong_together_are_refused(tmp_path, make_model, plan, task):
    base, upsampler = make_model(), make_model("upsampler", 16, 1, low_size=4)
    stranger = DiffusionModel(upsampler.network, ConditionEncoder(task, ("age",)), "upsampler")
    for models, match in [
        ((upsampler, None), "base model is an upsampler"),
        ((base, base), "upsampler is a base model"),
        ((base, stranger), "differ in condition"),
        ((base, upsampler), "images of side 4, the base model makes 8"),
    ]:
        with pytest.raises(CheckpointError, match=match):
            make(plan, *models, tmp_path / "s")
