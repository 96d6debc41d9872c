"""Samplers against data whose noise can be predicted exactly: pixels from N(0.3, 0.2^2)."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from medaug.diffusion.samplers import (
    CLEAN,
    SAMPLERS,
    Level,
    ancestral_step,
    levels,
    sample_ddim,
    sample_ddpm,
    sample_dpm_solver,
    time_grid,
)
from medaug.diffusion.schedule import NoiseSchedule
from medaug.errors import SettingsError

LINEAR = NoiseSchedule()
SCALED = NoiseSchedule(1000, 0.0015, 0.0195, "scaled_linear")
MEAN, DEVIATION = 0.3, 0.2

both_schedules = pytest.mark.parametrize("schedule", [LINEAR, SCALED], ids=["linear", "scaled_linear"])


def gaussian(schedule):
    """The expected noise in x_t when images are N(MEAN, DEVIATION^2), in closed form."""

    def predict_noise(x, t):
        share = schedule.alphas_cumprod[t]
        return (1 - share).sqrt() * (x - share.sqrt() * MEAN) / (share * DEVIATION**2 + 1 - share)

    return predict_noise


def sample_gaussian(sampler, schedule, steps, count=40_000):
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(2, count // 2, generator=generator, dtype=torch.float64)
    noise = (noise - noise.mean()) / noise.std()

    def draw():
        return torch.randn(noise.shape, generator=generator, dtype=noise.dtype)

    return sampler(gaussian(schedule), noise, schedule, steps, draw)


@both_schedules
def test_dpm_solver_finds_the_distribution_in_25_steps(schedule):
    found = sample_gaussian(sample_dpm_solver, schedule, 25)
    assert found.mean().item() == pytest.approx(MEAN, rel=0.03)
    assert found.std().item() == pytest.approx(DEVIATION, rel=0.03)


@both_schedules
def test_dpm_solver_finds_the_distribution_with_20_and_50_steps(schedule):
    for steps in (20, 50):
        assert sample_gaussian(sample_dpm_solver, schedule, steps).std().item() == pytest.approx(
            0.2, rel=0.03
        )


@both_schedules
def test_ancestral_sampling_finds_the_distribution_in_all_steps(schedule):
    found = sample_gaussian(sample_ddpm, schedule, 1000)
    assert found.mean().item() == pytest.approx(MEAN, rel=0.06)
    assert found.std().item() == pytest.approx(DEVIATION, rel=0.06)


@both_schedules
def test_fewer_steps_lose_spread_but_no_noise_is_left_over(schedule):
    """MONAI's DDPMScheduler returns a deviation of 0.841 and a mean of 0.067 here."""
    for sampler in (sample_ddpm, sample_ddim):
        coarse, fine = (sample_gaussian(sampler, schedule, steps) for steps in (50, 200))
        assert coarse.mean().item() == pytest.approx(MEAN, rel=0.02)
        assert 0.17 < coarse.std().item() < fine.std().item() < 0.2


@pytest.mark.parametrize("name", SAMPLERS)
def test_one_step_gives_the_expected_image(name):
    noise = torch.tensor([[0.5, -2.0]], dtype=torch.float64)
    found = SAMPLERS[name](gaussian(LINEAR), noise, LINEAR, 1, lambda: noise)
    share = LINEAR.alphas_cumprod[999]
    gain = share.sqrt() * DEVIATION**2 / (share * DEVIATION**2 + 1 - share)
    torch.testing.assert_close(found, MEAN + gain * (noise - share.sqrt() * MEAN))


@pytest.mark.parametrize("name", SAMPLERS)
def test_one_evaluation_a_step_and_the_callback_sees_each(name):
    asked, shown = [], []

    def predict_noise(x, t):
        asked.append(t)
        return torch.zeros_like(x)

    noise = torch.ones(2, 1, 2, 2)
    result = SAMPLERS[name](
        predict_noise, noise, LINEAR, 6, lambda: noise, lambda done, x: shown.append((done, x))
    )
    assert asked == list(time_grid(LINEAR, 6))
    assert [done for done, _ in shown] == [1, 2, 3, 4, 5, 6]
    assert shown[-1][1] is result


@pytest.mark.parametrize(("name", "draws"), [("ddpm", 5), ("ddim", 0), ("dpm_solver", 0)])
def test_only_the_ancestral_sampler_draws_noise_and_none_at_the_end(name, draws):
    drawn = []

    def draw():
        drawn.append(1)
        return torch.zeros(1, 1)

    SAMPLERS[name](lambda x, t: torch.zeros_like(x), torch.ones(1, 1), LINEAR, 6, draw)
    assert len(drawn) == draws


@settings(deadline=None)
@given(st.integers(1, 1000), st.sampled_from([LINEAR, SCALED, NoiseSchedule(1000, 1e-4, 0.002)]))
def test_grid_is_distinct_falling_and_has_the_asked_length(steps, schedule):
    grid = time_grid(schedule, steps)
    assert len(grid) == steps
    assert all(now > then for now, then in pairwise(grid))
    assert grid[0] == 999
    assert grid[-1] == (0 if steps > 1 else 999)


def test_all_steps_are_all_times():
    assert time_grid(LINEAR, 1000) == list(range(999, -1, -1))


@pytest.mark.parametrize("steps", [0, -1, 1001])
def test_impossible_numbers_of_steps_are_refused(steps):
    with pytest.raises(SettingsError, match="1 to 1000 steps"):
        time_grid(LINEAR, steps)


def test_levels_end_clean():
    found = levels(LINEAR, 10)
    assert found[-1] is CLEAN
    assert all(level.image_scale**2 + level.noise_scale**2 == pytest.approx(1) for level in found)
    assert found[-1].log_snr == float("inf")


@both_schedules
@pytest.mark.parametrize("stride", [1, 40])
def test_ancestral_step_is_that_of_diffusers(schedule, stride):
    diffusers = pytest.importorskip("diffusers")
    theirs = diffusers.DDPMScheduler(
        1000, schedule.beta_start, schedule.beta_end, schedule.kind, clip_sample=False
    )
    theirs.set_timesteps(1000 // stride)
    generator = torch.Generator().manual_seed(1)
    x, found = torch.randn(2, 1, 8, 8, generator=generator), torch.randn(2, 1, 8, 8, generator=generator)
    for time in (40, 520, 960 - 960 % stride):
        now, then = level(schedule, time), level(schedule, time - stride)
        mean, deviation = ancestral_step(x, now.image(x, found), now, then)
        expected = theirs.step(found, time, x, generator=torch.Generator().manual_seed(2)).prev_sample
        drawn = torch.randn(x.shape, generator=torch.Generator().manual_seed(2))
        torch.testing.assert_close(mean + deviation * drawn, expected, rtol=0, atol=1e-5)


def level(schedule, time):
    share = schedule.alphas_cumprod[time]
    return Level(time, float(share.sqrt()), float((1 - share).sqrt()))
