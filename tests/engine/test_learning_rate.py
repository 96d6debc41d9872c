import math

import pytest
import torch
from torch import nn
from torch.optim import SGD

from medaug.engine.learning_rate import scheduler
from medaug.errors import SettingsError


@pytest.mark.parametrize("name", ["constant", "cosine"])
def test_schedules_follow_their_formula(name):
    chosen = SGD([nn.Parameter(torch.zeros(1))], lr=0.2)
    schedule = scheduler(name, chosen, iterations=10)
    for step in range(11):
        expected = 0.2 if name == "constant" else 0.1 * (1 + math.cos(math.pi * step / 10))
        assert chosen.param_groups[0]["lr"] == pytest.approx(expected, abs=1e-12)
        chosen.step()
        schedule.step()


@pytest.mark.parametrize("name", ["constant", "cosine"])
def test_a_warm_up_rises_in_a_straight_line_and_the_schedule_follows(name):
    chosen = SGD([nn.Parameter(torch.zeros(1))], lr=0.2)
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


def test_unknown_schedules_list_what_there_is():
    with pytest.raises(SettingsError, match=r"'step'.*constant, cosine"):
        scheduler("step", SGD([nn.Parameter(torch.zeros(1))], lr=0.1), 10)
