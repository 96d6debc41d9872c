import math

import pytest
import torch
from torch import nn

from medaug.classification.optimizers import optimizer, scheduler
from medaug.errors import SettingsError


@pytest.mark.parametrize(("name", "step"), [("adam", 1.0), ("sgd", 2.0)])
def test_first_steps_of_the_optimizers(name, step):
    weight = nn.Parameter(torch.tensor([2.0]))
    chosen = optimizer(name, [weight], lr=0.1, weight_decay=0.0)
    weight.grad = torch.tensor([2.0])
    chosen.step()
    assert weight.item() == pytest.approx(2.0 - 0.1 * step)


def test_sgd_has_momentum_and_weight_decay_is_passed_on():
    weight = nn.Parameter(torch.tensor([1.0]))
    chosen = optimizer("sgd", [weight], lr=0.1, weight_decay=0.5)
    velocity, expected = 0.0, 1.0
    for _ in range(3):
        weight.grad = torch.tensor([1.0])
        chosen.step()
        velocity = 0.9 * velocity + (1.0 + 0.5 * expected)
        expected -= 0.1 * velocity
    assert weight.item() == pytest.approx(expected)


@pytest.mark.parametrize("name", ["constant", "cosine"])
def test_schedules_follow_their_formula(name):
    chosen = optimizer("sgd", [nn.Parameter(torch.zeros(1))], lr=0.2, weight_decay=0.0)
    schedule = scheduler(name, chosen, iterations=10)
    for step in range(11):
        expected = 0.2 if name == "constant" else 0.1 * (1 + math.cos(math.pi * step / 10))
        assert chosen.param_groups[0]["lr"] == pytest.approx(expected, abs=1e-12)
        chosen.step()
        schedule.step()


@pytest.mark.parametrize("name", ["constant", "cosine"])
def test_a_warm_up_rises_in_a_straight_line_and_the_schedule_follows(name):
    chosen = optimizer("sgd", [nn.Parameter(torch.zeros(1))], lr=0.2, weight_decay=0.0)
    schedule = scheduler(name, chosen, iterations=10, warmup=4)
    rates = []
    for _ in range(11):
        rates.append(chosen.param_groups[0]["lr"])
        chosen.step()
        schedule.step()
    assert rates[:4] == pytest.approx([0.05, 0.1, 0.15, 0.2])
    after = [0.2 if name == "constant" else 0.1 * (1 + math.cos(math.pi * i / 6)) for i in range(7)]
    assert rates[4:] == pytest.approx(after, abs=1e-12)
    with pytest.raises(SettingsError, match="at least 0 and below 10, not 10"):
        scheduler(name, chosen, iterations=10, warmup=10)


def test_unknown_names_list_what_there_is():
    weights = [nn.Parameter(torch.zeros(1))]
    with pytest.raises(SettingsError, match=r"'rmsprop'.*adam, sgd"):
        optimizer("rmsprop", weights, 0.1, 0.0)
    with pytest.raises(SettingsError, match=r"'step'.*constant, cosine"):
        scheduler("step", optimizer("adam", weights, 0.1, 0.0), 10)
