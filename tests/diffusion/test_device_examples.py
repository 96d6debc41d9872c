import numpy as np
import pytest
import torch
from scipy import stats

from medaug.diffusion.device_examples import DeviceExamples, degraded, moved
from medaug.diffusion.geometry import Geometry
from medaug.diffusion.noisy_examples import LOG_SIGMA_DEVIATION, LOG_SIGMA_MEAN, NoisyExamples
from medaug.engine.philox import CounterRandom
from medaug.transforms.degradation import degrade

SEED = 3


def batch(count, side=8, first=0):
    pixels = np.random.default_rng(0).integers(0, 256, (count, 1, side, side), dtype=np.uint8)
    positions = torch.arange(first, first + count)
    return {"image": torch.from_numpy(pixels), "position": positions, "condition": torch.ones(count, 3)}


def part(example, places):
    return {key: value[places] for key, value in example.items()}


def examples(**changed):
    how = {"prediction": "v", "times": "lognormal", "loss_weight": "bounded"}
    return DeviceExamples(NoisyExamples(seed=SEED, **{**how, **changed}))


@pytest.mark.parametrize("low_size", [None, 4])
def test_an_example_depends_on_its_position_alone(low_size):
    draw = examples(low_size=low_size, geometry=Geometry(("horizontal", "vertical"), 0.2))
    whole = batch(9, first=100)
    together = draw.drawn(whole)
    for places in ([0], [8, 2], [3, 4, 5]):
        for key, value in draw.drawn(part(whole, places)).items():
            torch.testing.assert_close(value, together[key][places], atol=1e-6, rtol=0)
    other = DeviceExamples(NoisyExamples(seed=SEED + 1)).drawn(whole)
    assert not torch.equal(other["timesteps"], together["timesteps"])


def test_the_input_is_the_forward_process_of_the_image():
    whole = batch(6)
    found = examples(prediction="epsilon", times="uniform").drawn(whole)
    share = np.cumprod(1 - np.linspace(1e-4, 0.02, 1000))[found["timesteps"].numpy()].reshape(-1, 1, 1, 1)
    image = whole["image"].double().numpy() / 127.5 - 1
    expected = np.sqrt(share) * image + np.sqrt(1 - share) * found["label"].double().numpy()
    np.testing.assert_allclose(found["image"].numpy(), expected, atol=1e-5)


def test_noise_times_and_hidden_conditions_have_their_distributions():
    many = batch(4000, side=2)
    drawn = examples(prediction="epsilon", dropout=0.25).drawn(many)
    assert stats.kstest(drawn["label"].numpy().ravel(), "norm").pvalue > 1e-3
    hidden = (drawn["condition"] == 0).all(1)
    assert hidden.float().mean().item() == pytest.approx(0.25, abs=0.03)
    share = np.cumprod(1 - np.linspace(1e-4, 0.02, 1000))
    sigma = (np.log((1 - share) / share) / 2)[drawn["timesteps"].numpy()]
    middle = np.abs(sigma - LOG_SIGMA_MEAN) < LOG_SIGMA_DEVIATION
    assert middle.mean() == pytest.approx(0.6827, abs=0.03)
    even = examples(times="uniform").drawn(many)["timesteps"].numpy()
    assert stats.kstest((even + 0.5) / 1000, "uniform").pvalue > 1e-3
    assert even.min() >= 0
    assert even.max() <= 999


def test_mirrors_and_shifts_are_what_the_slots_say():
    whole = batch(40, side=10)
    geometry = Geometry(("horizontal", "vertical"), 0.3)
    images, done = moved(whole["image"], whole["position"], geometry, CounterRandom.of(SEED, "geometry"))
    for image, found, says in zip(
        whole["image"].numpy()[:, 0], images.numpy()[:, 0], done.numpy(), strict=True
    ):
        expected = image[:, ::-1] if says[0] else image
        expected = expected[::-1] if says[1] else expected
        down, right = np.rint(says[2:] * 3).astype(int)
        padded = np.pad(expected, 3, mode="reflect")
        np.testing.assert_array_equal(found, padded[3 - down : 13 - down, 3 - right : 13 - right])
    assert set(np.rint(done[:, 2].numpy() * 3).astype(int).tolist()) == {-3, -2, -1, 0, 1, 2, 3}
    assert 0.25 < done[:, 0].mean() < 0.75
    plain, none = moved(whole["image"], whole["position"], Geometry(), CounterRandom.of(SEED, "geometry"))
    assert torch.equal(plain, whole["image"])
    assert none.shape == (40, 0)


def test_each_image_is_degraded_as_the_single_way_does():
    whole = batch(30, side=12)
    images = whole["image"] / 255
    random = CounterRandom.of(SEED, "degradation")
    found = degraded(images, whole["position"], 4, random)
    antialias, noisy = random.uniform(whole["position"], 0, 2).unbind(1)
    noise, sigma = random.normal(whole["position"], 1, (1, 12, 12)), random.normal(whole["position"], 2).abs()
    for place, image in enumerate(images):
        added = noise[place] if noisy[place] < 0.2 else None
        expected = degrade(
            image,
            4,
            antialias=bool(antialias[place] < 0.5),
            noise=added,
            blur_sigma=0.2 * float(sigma[place]),
        )
        levels = ((found[place] - expected) * 127.5).abs()
        assert levels.max() <= 1.01
        assert (levels > 0.5).float().mean() < 0.02
    assert 0.2 < (antialias < 0.5).float().mean() < 0.8


def test_it_gives_what_a_trainer_calls_the_network_with():
    image, (label, weight), args, named = examples(low_size=4)(batch(5), "cpu", non_blocking=True)
    assert (image.shape, label.shape, weight.shape, args) == ((5, 2, 8, 8), (5, 1, 8, 8), (5,), ())
    assert named["class_labels"].shape == (5, 3)
    assert named["timesteps"].dtype == torch.int64
