from __future__ import annotations

import numpy as np
import pytest
import torch

from medaug.diffusion.schedule import NoiseSchedule

SCALED = NoiseSchedule(1000, 0.0015, 0.0195, "scaled_linear")


@pytest.mark.parametrize(
    ("schedule", "name", "ends"),
    [(NoiseSchedule(), "linear_beta", (1e-4, 0.02)), (SCALED, "scaled_linear_beta", (0.0015, 0.0195))],
)
def test_variances_are_those_of_monai(schedule, name, ends):
    from monai.networks.schedulers import DDPMScheduler

    monai = DDPMScheduler(1000, schedule=name, beta_start=ends[0], beta_end=ends[1])
    torch.testing.assert_close(schedule.alphas_cumprod.float(), monai.alphas_cumprod, rtol=1e-4, atol=1e-9)


@pytest.mark.parametrize("schedule", [NoiseSchedule(), SCALED])
def test_forward_process_is_that_of_diffusers(schedule):
    diffusers = pytest.importorskip("diffusers")
    theirs = diffusers.DDPMScheduler(1000, schedule.beta_start, schedule.beta_end, schedule.kind)
    generator = torch.Generator().manual_seed(0)
    images, noise = torch.rand(6, 1, 4, 4, generator=generator), torch.randn(6, 1, 4, 4, generator=generator)
    t = torch.tensor([0, 1, 10, 500, 998, 999])
    expected = theirs.add_noise(images, noise, t)
    torch.testing.assert_close(schedule.add_noise(images, noise, t), expected, rtol=0, atol=1e-5)


def test_scales_follow_dtype_and_shape():
    image_scale, noise_scale = NoiseSchedule().scales(torch.tensor([0, 999]), torch.zeros(2, 3, 4, 4))
    assert image_scale.shape == noise_scale.shape == (2, 1, 1, 1)
    assert image_scale.dtype == torch.float32
    torch.testing.assert_close(image_scale**2 + noise_scale**2, torch.ones(2, 1, 1, 1))
    torch.testing.assert_close(noise_scale[0].item() ** 2, 1e-4, rtol=1e-4, atol=0)


def test_the_nearest_time_is_the_nearest_level_of_noise():
    schedule = NoiseSchedule()
    share = np.cumprod(1 - np.linspace(1e-4, 0.02, 1000))
    levels = np.log((1 - share) / share) / 2
    asked = np.linspace(-8, 8, 333)
    expected = np.abs(levels[None] - asked[:, None]).argmin(1)
    assert schedule.nearest_time(torch.from_numpy(asked)).tolist() == expected.tolist()
