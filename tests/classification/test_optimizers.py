import pytest
import torch
from torch import nn

from medaug.classification.optimizers import optimizer
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


def test_unknown_names_list_what_there_is():
    with pytest.raises(SettingsError, match=r"'rmsprop'.*adam, sgd"):
        optimizer("rmsprop", [nn.Parameter(torch.zeros(1))], 0.1, 0.0)
