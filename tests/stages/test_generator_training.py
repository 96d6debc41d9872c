from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from ignite.engine import Events
from monai.bundle import ConfigWorkflow
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch.utils.data import DataLoader

from medaug.data.sampling import Batch
from medaug.data.store import StoreWriter
from medaug.diffusion.condition import ConditionEncoder
from medaug.diffusion.diffusion_model import DiffusionModel, load_model
from medaug.diffusion.noisy_examples import LOG_SIGMA_DEVIATION, LOG_SIGMA_MEAN, NoisyExamples
from medaug.diffusion.preview import Preview, Sparing, example_rows, moments
from medaug.diffusion.unet import build_unet
from medaug.engine.averaging import power_of_width
from medaug.errors import CheckpointError, DataError, SettingsError
from medaug.stages import GeneratorTraining, Run
from medaug.stages.setting_values import record
from medaug.task import Attribute, Task

TASK = Task("multilabel", ("edema", "effusion"), attributes=(Attribute("sex", ("F", "M")),))
ENCODER = ConditionEncoder(TASK, ("sex",))
BUNDLE = Path(__file__).parents[2] / "bundles" / "chexpert"
PRESETS = {True: "demo", False: "single_gpu"}
"""Of a base model, and of an upsampler, which the demo does without."""

PLAIN = {"prediction": "epsilon", "times": "uniform", "loss_weight": "none", "patch": 1, "workers": 0}
PLAIN |= {"mirrors": [], "dropout": 0.0}
FILES = {"base": "diffusion.pt", "upsampler": "upsampler.pt"}

pytestmark = pytest.mark.filterwarnings("ignore:parsing config_file:UserWarning")


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """24 random images: 12 to train on, 6 unlabelled, 6 that must never be seen (all white)."""
    number = np.arange(24)
    labels = np.where(number < 12, number % 2, np.nan)
    split = np.select([number < 12, number < 18], ["train", "unlabelled"], "id_test")
    table = pd.DataFrame(
        {
            "image_id": [f"i{i}" for i in number],
            "file": "f.png",
            "patient_id": [f"p{i}" for i in number],
            "domain": "A",
            "split": split,
            "label:edema": labels,
            "label:effusion": 1 - labels,
            "attr:sex": ["F", "M", None] * 8,
        }
    )
    writer = StoreWriter(tmp_path_factory.mktemp("data") / "store", TASK, table, (16, 8), 1)
    random = np.random.default_rng(0)
    images = {size: random.integers(0, 250, (24, size, size, 1), dtype=np.uint8) for size in (16, 8)}
    for pixels in images.values():
        pixels[18:] = 255
    writer.write(writer.pending(), images)
    return writer.finish({"phantom": True})


def training(store, *, low_size=None, **changed):
    size = 8 if low_size is None else 16
    where = {"bundle_root": ".", "output_dir": "o", "data_dir": str(store.path)}
    run = Run.of(modality="radiology", preset=PRESETS[low_size is None], properties="sex", **where)
    how = {
        **PLAIN,
        "image_size": size,
        "batch_size": 4,
        "iterations": 6,
        "iterations_per_epoch": 3,
        **changed,
    }
    return GeneratorTraining.of(run, "base" if low_size is None else "upsampler", low_size=low_size, **how)


def trainer(store, folder, *, low_size=None, **changed):
    """Compose the trainer as the configs do, on a store that is there."""
    stage = "train_diffusion" if low_size is None else "train_upsampler"
    small = {"channels": [4, 8], "head_channels": 4, "residual_blocks": 1, "ema_width": 0.2, "batch_size": 4}
    small |= {"image_size": 8 if low_size is None else 16, "low_size": low_size, "learning_rate": 1e-3}
    where = {"bundle_root": str(BUNDLE), "output_dir": str(folder), "data_dir": str(store.path)}
    where["preset"] = PRESETS[low_size is None]
    settings = {"iterations": 6, "iterations_per_epoch": 3, **PLAIN, **where, **small, **changed}
    workflow = ConfigWorkflow(str(BUNDLE / f"{stage}.json"), logging_file=False, **settings)
    workflow.initialize()
    return workflow.trainer


def batches(training, workers=0):
    loader = training.loader(training.dataset(), training.epochs)
    return list(DataLoader(loader.dataset, batch_size=None, sampler=loader.sampler, num_workers=workers))


def joined(batches):
    return {key: torch.cat([b[key] for b in batches]) for key in batches[0]}


def test_input_is_the_forward_process_of_the_image(store):
    dataset = training(store, condition_dropout=0.0).dataset()
    rows = np.array([3, 14, 7, 0])
    example = dataset[Batch(np.arange(4), rows)]
    image = torch.from_numpy(store.images(8)[rows].astype(np.float64)).permute(0, 3, 1, 2) / 127.5 - 1
    share = np.cumprod(1 - np.linspace(1e-4, 0.02, 1000))[example["timesteps"].numpy()].reshape(4, 1, 1, 1)
    expected = np.sqrt(share) * image.numpy() + np.sqrt(1 - share) * example["label"].double().numpy()
    np.testing.assert_allclose(example["image"].numpy(), expected, atol=1e-5)
    np.testing.assert_array_equal(example["condition"], ENCODER.encode(store.table.iloc[rows]))


@pytest.mark.parametrize("prediction", ["epsilon", "v", "x"])
def test_the_target_is_what_is_to_be_predicted(prediction, store):
    how = {"condition_dropout": 0.0, "prediction": prediction, "loss_weight": "bounded"}
    example = training(store, **how).dataset()[Batch(np.arange(4), np.array([3, 14, 7, 0]))]
    image = (
        torch.from_numpy(store.images(8)[[3, 14, 7, 0]].astype(np.float64)).permute(0, 3, 1, 2) / 127.5 - 1
    )
    share = np.cumprod(1 - np.linspace(1e-4, 0.02, 1000))[example["timesteps"].numpy()].reshape(4, 1, 1, 1)
    a, s = np.sqrt(share), np.sqrt(1 - share)
    noise = (example["image"].double().numpy() - a * image.numpy()) / s
    expected = {"epsilon": noise, "x": image.numpy(), "v": a * noise - s * image.numpy()}[prediction]
    np.testing.assert_allclose(example["label"].numpy(), expected, atol=1e-4)
    of_image = np.minimum(share / (1 - share) + 1, 5)
    factor = {"epsilon": (1 - share) / share, "x": 1, "v": 1 - share}[prediction]
    np.testing.assert_allclose(example["weight"].numpy(), (of_image * factor).flatten(), rtol=1e-4)


def test_what_was_done_to_an_image_stands_behind_its_condition(store):
    how = {"mirrors": ["horizontal"], "largest_shift": 0.25, "condition_dropout": 0.5}
    stage = training(store, **how)
    assert stage.condition_size == ENCODER.size + 3
    rows = np.arange(12)
    example = stage.dataset()[Batch(np.arange(12), rows)]
    geometry = stage.settings.geometry
    pixels = torch.from_numpy(store.images(8)[rows]).permute(0, 3, 1, 2)
    changed, done = geometry(pixels, list(range(12)), 0)
    torch.testing.assert_close(example["condition"][:, -3:], done)
    known = torch.from_numpy(ENCODER.encode(store.table.iloc[rows]))
    hidden = (example["condition"][:, :-3] == 0).all(1)
    assert 0 < hidden.sum() < 12
    torch.testing.assert_close(example["condition"][~hidden, :-3], known[~hidden])
    a, s = stage.dataset().transform.schedule.scales(example["timesteps"], example["label"])
    torch.testing.assert_close(example["image"], a * (changed / 127.5 - 1) + s * example["label"])


def test_upsampler_input_ends_with_the_degraded_image(store):
    dataset = training(store, low_size=8).dataset()
    example = dataset[Batch(np.arange(4), np.array([20, 21, 22, 23]))]
    assert example["image"].shape == (4, 2, 16, 16)
    assert example["label"].shape == (4, 1, 16, 16)
    low = example["image"][:, 1]
    levels = (low + 1) * 127.5
    torch.testing.assert_close(levels, levels.round(), atol=1e-3, rtol=0)
    assert low.min() > 0.8  # these images are white; the noise of E.1 has a deviation of 4 of 255


def test_what_is_drawn_follows_the_stated_distributions():
    count = 4000
    example = {
        "image": torch.zeros(count, 1, 2, 2, dtype=torch.uint8),
        "position": torch.arange(count),
        "condition": torch.ones(count, 3),
    }
    drawn = NoisyExamples(seed=1)(example)
    assert (drawn["weight"] == 1).all()
    hidden = (drawn["condition"] == 0).all(1)
    assert (hidden | (drawn["condition"] == 1).all(1)).all()
    assert hidden.float().mean() == pytest.approx(0.1, abs=0.02)
    assert drawn["timesteps"].min() >= 0
    assert drawn["timesteps"].max() <= 999
    assert drawn["timesteps"].float().mean() == pytest.approx(499.5, abs=20)
    assert drawn["label"].mean() == pytest.approx(0, abs=0.03)
    assert drawn["label"].std() == pytest.approx(1, abs=0.03)


def test_lognormal_times_are_lognormal_in_the_ratio_of_noise_to_image():
    count = 4000
    example = {
        "image": torch.zeros(count, 1, 1, 1, dtype=torch.uint8),
        "position": torch.arange(count),
        "condition": torch.ones(count, 3),
    }
    times = NoisyExamples(seed=1, times="lognormal")(example)["timesteps"].numpy()
    share = np.cumprod(1 - np.linspace(1e-4, 0.02, 1000))
    log_sigma = np.log((1 - share) / share)[times] / 2
    assert times.min() >= 0
    assert times.max() <= 999
    assert np.median(log_sigma) == pytest.approx(LOG_SIGMA_MEAN, abs=0.06)
    low, high = np.quantile(log_sigma, [0.1587, 0.8413])  # one deviation below and above the median
    assert (high - low) / 2 == pytest.approx(LOG_SIGMA_DEVIATION, abs=0.06)


@pytest.mark.parametrize("wrong", [{"prediction": "y"}, {"times": "often"}, {"loss_weight": "heavy"}])
def test_names_that_there_are_not_are_refused(wrong):
    with pytest.raises(SettingsError, match=next(iter(wrong.values()))):
        NoisyExamples(seed=0, **wrong)


@pytest.mark.parametrize("low_size", [None, 8])
def test_batch_is_the_same_however_it_is_shared(low_size, store):
    how = {"times": "lognormal", "mirrors": ["horizontal"], "largest_shift": 0.2}
    dataset = training(store, low_size=low_size, **how).dataset()
    positions, rows = np.arange(8, 16), np.arange(8)
    whole = dataset[Batch(positions, rows)]
    for rank in (0, 1):
        part = dataset[Batch(positions[rank::2], rows[rank::2])]
        for key, value in part.items():
            assert torch.equal(value, whole[key][rank::2]), key


def test_workers_make_the_same_batches(store):
    one, other = joined(batches(training(store))), joined(batches(training(store), workers=1))
    for key in one:
        assert torch.equal(one[key], other[key]), key


def test_labelled_and_unlabelled_images_are_seen_and_no_other(store):
    stage = training(store, iterations=9)
    seen = np.concatenate([b.rows for b in stage.loader(stage.dataset(), stage.epochs).sampler])
    assert sorted(np.unique(seen)) == list(range(18))


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_the_share_of_labelled_images_is_exact(share, store):
    stage = training(store, iterations=9, labelled_fraction=share)
    batches = [b.rows for b in stage.loader(stage.dataset(), stage.epochs).sampler]
    for rows in batches:  # 12 of 18 images are labelled
        assert (rows < 12).sum() == 4 * share
    assert np.concatenate(batches).max() < 18


@pytest.mark.parametrize(("low_size", "kind"), [(None, "base"), (8, "upsampler")])
def test_trained_model_is_the_moving_average(low_size, kind, store, tmp_path):
    how = {"prediction": "x", "mirrors": ["horizontal"], "early_share": 0.5}
    run = trainer(store, tmp_path, low_size=low_size, **how)
    average = {name: value.clone().double() for name, value in run.network.state_dict().items()}

    power, early = power_of_width(0.2), {}

    def follow(engine):
        kept = (1 - 1 / engine.state.iteration) ** (power + 1)
        for name, value in engine.network.state_dict().items():
            average[name] = kept * average[name] + (1 - kept) * value.double()
        if engine.state.iteration == 3:
            early.update(average)

    run.add_event_handler(Events.ITERATION_COMPLETED, follow)
    run.run()
    model = load_model(tmp_path / "models" / FILES[kind])
    snapshot = load_model(tmp_path / "models" / FILES[kind].replace(".pt", ".early.pt"))
    for found, expected in ((model, average), (snapshot, early)):
        for name, value in found.network.state_dict().items():
            torch.testing.assert_close(value.double(), expected[name], atol=1e-6, rtol=1e-5)
        assert (found.prediction, found.geometry_slots) == ("x", 1)
    assert (model.kind, model.encoder) == (kind, ENCODER)
    assert model.info["phantom"] is True
    assert model.info["low_size"] == low_size
    assert not list(tmp_path.rglob("*.resume.pt"))


def run_and_stop(run):
    def stop():
        raise InterruptedError

    run.add_event_handler(Events.ITERATION_COMPLETED(once=5), stop)
    with pytest.raises(InterruptedError):
        run.run()


FAST = {"amp": True, "channels_last": True, "fused_optimizer": True, "noise_on_device": True}


@pytest.mark.parametrize("fast", [{}, FAST, {"gradient_checkpointing": True}])
def test_interrupted_training_ends_bit_equal(fast, store, tmp_path):
    how = {"schedule": "cosine", "warmup_share": 0.4, "dropout": 0.3, "times": "lognormal", **fast}
    trainer(store, tmp_path / "whole", **how).run()
    run_and_stop(trainer(store, tmp_path / "stopped", **how))
    trainer(store, tmp_path / "stopped", **how).run()
    files = (tmp_path / name / "models" / FILES["base"] for name in ("whole", "stopped"))
    one, other = (load_model(file).network.state_dict() for file in files)
    for name in one:
        assert torch.equal(one[name], other[name]), name


def test_checkpointing_changes_no_bit(store, tmp_path):
    for name, on in (("kept", False), ("again", True)):
        trainer(store, tmp_path / name, dropout=0.3, gradient_checkpointing=on).run()
    files = (tmp_path / name / "models" / FILES["base"] for name in ("kept", "again"))
    one, other = (load_model(file).network.state_dict() for file in files)
    assert list(one) == list(other)
    assert all(torch.equal(one[name], other[name]) for name in one)


def losses(store, folder, iterations=30, **how):
    """Train on the same noise; return the loss of each iteration."""
    run, found = trainer(store, folder, iterations=iterations, iterations_per_epoch=iterations, **how), []
    run.add_event_handler(
        Events.ITERATION_COMPLETED, lambda engine: found.append(engine.state.output["loss"].item())
    )
    run.run()
    return np.array(found)


def test_half_precision_learns_alike(store, tmp_path):
    how = {"prediction": "v", "noise_on_device": True}
    exact = losses(store, tmp_path / "exact", **how)
    half = losses(store, tmp_path / "half", **how | FAST)
    assert (exact != half).any()
    np.testing.assert_allclose(half, exact, rtol=0.02)


def test_noise_on_the_device_is_drawn_from_bytes(store):
    stage = training(store, noise_on_device=True, mirrors=["horizontal"])
    example = stage.dataset()[Batch(np.arange(4), np.arange(4))]
    assert example["image"].dtype == torch.uint8
    image, (label, weight), _, named = stage.prepare_batch(example, "cpu", True)
    assert image.shape == label.shape == (4, 1, 8, 8)
    assert named["class_labels"].shape == (4, ENCODER.size + 1)
    assert len(weight) == 4


def test_how_it_is_computed_binds_no_product(store):
    stage = training(store, amp=True)
    assert stage.computed["device"] == "cpu"
    assert (stage.computed["amp"], stage.computed["compile"]) == (True, False)
    assert not {"amp", "compile", "noise_on_device"} & set(record(stage.settings))


def test_a_figure_is_drawn_while_it_takes_little_of_the_time():
    clock, drawn = [0.0], []

    def draw(writer, iteration):
        drawn.append(iteration)
        clock[0] += 1.0

    sparing = Sparing(draw, last=400, clock=lambda: clock[0])
    for iteration in range(1, 401):
        clock[0] += 0.5
        sparing(None, iteration)
    # With another, two drawings are 2 % of 100 s, three of 150 s, four of 200 s.
    assert drawn == [1, 198, 296, 394, 400]


def test_state_of_other_settings_is_refused(store, tmp_path):
    run_and_stop(trainer(store, tmp_path))
    for name, value in {"optimizer::_target_": "torch.optim.Adam", "learning_rate": 0.5}.items():
        differing = rf"diffusion\.resume\.pt was saved with other settings: {name.split('::')[0]} was"
        other = trainer(store, tmp_path, **{name: value})
        with pytest.raises(CheckpointError, match=differing):
            other.run()


def test_tensorboard_shows_synthetic_images_at_the_end_of_a_short_training(store, tmp_path):
    trainer(store, tmp_path).run()
    events = EventAccumulator(str(tmp_path / "logs" / "diffusion")).Reload()
    assert [image.step for image in events.Images("synthetic images")] == [6]


@pytest.mark.parametrize("guidance", [1.0, 2.0])
def test_previews_cost_little_and_the_last_images_are_shown(guidance, store):
    model = DiffusionModel(build_unet(8, 1, 1, ENCODER.size, (4, 8), 1, 4), ENCODER)
    passes = Preview(model, store, guidance, seed=0).passes
    assert passes == 2 * 2 * 12 * guidance  # two images of each of two classes, 12 steps
    for batch_size, iterations, epochs in ((32, 500, 5), (128, 150_000, 30), (8, 400, 2), (32, 20, 4)):
        drawn = moments(passes, batch_size, iterations, epochs)
        assert drawn[-1] == iterations
        assert drawn == sorted(set(drawn))
        assert all(iteration % (iterations // epochs) == 0 for iteration in drawn)
        assert len(drawn) == 1 or len(drawn) * passes <= 0.01 * 3 * batch_size * iterations


@pytest.mark.parametrize(("low_size", "width"), [(None, 8), (8, 32)])
def test_preview_is_repeatable_and_in_range(low_size, width, store):
    torch.manual_seed(0)
    size = 8 if low_size is None else 16
    network = build_unet(size, 1, 1 if low_size is None else 2, ENCODER.size + 2, (4, 8), 1, 4).eval()
    kind = "base" if low_size is None else "upsampler"
    model = DiffusionModel(network, ENCODER, kind, {"low_size": low_size}, "v", geometry_slots=2)
    preview = Preview(model, store, 1.5, seed=3)
    images = preview.sample([0, 1])
    assert images.shape == (2, 1, size, width)
    assert images.min() >= 0
    assert images.max() <= 1
    assert torch.equal(images, preview.sample([0, 1]))


def test_preview_rows_show_their_class(store):
    assert example_rows(store) == {"edema": [1, 3], "effusion": [0, 2]}


def test_wrong_sizes_are_said(store, tmp_path):
    with pytest.raises(DataError, match="no images of size 32"):
        trainer(store, tmp_path, image_size=32).run()
    with pytest.raises(SettingsError, match="demo of radiology makes its images with one network"):
        GeneratorTraining.of(training(store).run, "upsampler")
    with pytest.raises(SettingsError, match="would not enlarge"):
        training(store, low_size=8, image_size=8)
    with pytest.raises(SettingsError, match="labelled_fraction must be between 0 and 1"):
        training(store, labelled_fraction=2)
    with pytest.raises(SettingsError, match="early_share must be at least 0"):
        training(store, early_share=1)


def test_only_a_generator_network_is_trained(store):
    linear = torch.nn.Linear(1, 1)
    adam = torch.optim.Adam(linear.parameters())
    with pytest.raises(SettingsError, match="build_unet, not a Linear"):
        training(store).handlers(linear, adam)
