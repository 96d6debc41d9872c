from __future__ import annotations

import numpy as np
import pytest
import torch

from medaug.diffusion.guidance import autoguided, clipped, guided, predicting_noise, with_image, within
from medaug.diffusion.samplers import SAMPLERS
from medaug.diffusion.schedule import NoiseSchedule
from medaug.errors import SettingsError


class Recorder:
    """A network whose output is a known function of its input and condition."""

    def __init__(self):
        self.batches = []

    def __call__(self, x, *, timesteps, class_labels):
        self.batches.append(len(x))
        return x[:, :1] + timesteps[:, None, None, None] + class_labels.sum(1)[:, None, None, None]


X = torch.arange(8.0).reshape(2, 1, 2, 2)
T = 3
CONDITION = torch.tensor([[0.0, 1.0], [2.0, 2.0]])


def test_guidance_goes_from_the_unconditional_prediction_past_the_conditional():
    network = Recorder()
    found = guided(network, CONDITION, 1.5)(X, T)
    without = X + T
    torch.testing.assert_close(found, without + 1.5 * torch.tensor([1.0, 4.0])[:, None, None, None])
    assert network.batches == [4]


def test_autoguidance_goes_from_the_guide_past_the_prediction():
    found = autoguided(lambda x, t: x + 1, lambda x, t: x, 3.0)(X, T)
    torch.testing.assert_close(found, X + 3)
    torch.testing.assert_close(autoguided(lambda x, t: x + 1, None, 1.0)(X, T), X + 1)


def test_an_interval_is_of_the_ratio_of_noise_to_image():
    schedule = NoiseSchedule()
    share = np.cumprod(1 - np.linspace(1e-4, 0.02, 1000))
    sigma = np.sqrt((1 - share) / share)
    predict = within(lambda x, t: x + 1, lambda x, t: x, (0.5, 2.0), schedule)
    for t in range(0, 1000, 7):
        expected = X + (0.5 <= sigma[t] <= 2.0)
        torch.testing.assert_close(predict(X, t), expected)
    everywhere = within(lambda x, t: x + 1, lambda x, t: x, None, schedule)
    torch.testing.assert_close(everywhere(X, 0), X + 1)


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_a_step_within_an_interval_asks_no_device_for_a_number(sampler):
    """On the device "meta" there are no values: whoever looks at one gets an error."""

    def network(x, *, timesteps, class_labels):
        return x * timesteps[:, None, None, None]

    schedule, condition = NoiseSchedule(), torch.ones(2, 3, device="meta")
    noise = torch.ones(2, 1, 4, 4, device="meta")
    predict = predicting_noise(network, "v", schedule)
    inside = within(guided(predict, condition, 2.0), guided(predict, condition, 1.0), (0.2, 3.0), schedule)
    found = SAMPLERS[sampler](clipped(inside, schedule), noise, schedule, 4, lambda: noise)
    assert found.shape == noise.shape


@pytest.mark.parametrize("interval", [(1.0,), (2.0, 1.0), (-1.0, 1.0)])
def test_an_interval_is_two_rising_numbers(interval):
    with pytest.raises(SettingsError, match="two rising numbers"):
        within(lambda x, t: x, lambda x, t: x, interval, NoiseSchedule())


def test_scale_one_asks_once_for_each_image():
    network = Recorder()
    found = guided(network, CONDITION, 1.0)(X, T)
    torch.testing.assert_close(found, network(X, timesteps=torch.tensor([T, T]), class_labels=CONDITION))
    assert network.batches == [2, 2]


def test_the_low_resolution_image_goes_with_both_halves_of_a_guided_batch():
    seen = []

    def network(x, *, timesteps, class_labels):
        seen.append(x)
        return x[:, :1]

    low = torch.stack([torch.full((1, 2, 2), 10.0), torch.full((1, 2, 2), 20.0)])
    guided(with_image(network, low), CONDITION, 2.0)(X, T)
    torch.testing.assert_close(seen[0], torch.cat([torch.cat([X, X]), torch.cat([low, low])], dim=1))


def test_clipping_keeps_the_image_within_the_range_and_changes_nothing_inside():
    schedule = NoiseSchedule()
    generator = torch.Generator().manual_seed(0)
    image = torch.rand(3, 1, 4, 4, generator=generator, dtype=torch.float64) * 4 - 2
    noise = torch.randn(3, 1, 4, 4, generator=generator, dtype=torch.float64)
    t = torch.tensor([0, 400, 999])
    x = schedule.add_noise(image, noise, t)
    asked = clipped(lambda one, time: noise[t == time], schedule)
    found = torch.cat([asked(x[i : i + 1], time) for i, time in enumerate(t.tolist())])
    image_scale, noise_scale = schedule.scales(t, x)
    meant = (x - noise_scale * found) / image_scale
    torch.testing.assert_close(meant, image.clamp(-1, 1), rtol=1e-6, atol=1e-6)
