import numpy as np
import pytest
import torch
from torch import nn

from medaug.engine.averaging import PowerAverage, power_of_width
from medaug.errors import SettingsError


@pytest.mark.parametrize("width", [0.02, 0.05, 0.1, 0.2])
def test_the_profile_of_the_average_has_the_width(width):
    """Weights of step i in proportion to i ** power, as a density on (0, 1]."""
    place = (np.arange(200_000) + 0.5) / 200_000
    profile = place ** power_of_width(width)
    profile /= profile.sum()
    mean = (profile * place).sum()
    assert np.sqrt((profile * (place - mean) ** 2).sum()) == pytest.approx(width, rel=1e-4)


@pytest.mark.parametrize("width", [0.0, -0.1, 0.29, 1.0])
def test_widths_that_no_average_has_are_refused(width):
    with pytest.raises(SettingsError, match="ema_width must be above 0"):
        power_of_width(width)


@pytest.mark.parametrize("iterations", [1, 7, 300])
def test_the_average_is_that_of_the_power_function_and_forgets_the_first_weights(iterations, run_iterations):
    network = nn.Linear(1, 1, bias=False)
    nn.init.constant_(network.weight, 1e6)
    average = PowerAverage(network, 0.1)

    def move(engine):
        network.weight.data.fill_(float(engine.state.iteration))

    run_iterations(iterations, move, average)
    power = power_of_width(0.1)
    share = np.ones(1)
    for step in range(2, iterations + 1):
        kept = (1 - 1 / step) ** (power + 1)
        share = np.append(share * kept, 1 - kept)
    expected = (share * np.arange(1, iterations + 1)).sum()
    assert average.network.weight.item() == pytest.approx(expected, rel=1e-5)
    assert not average.network.training


@pytest.fixture
def run_iterations():
    """Run an engine that does nothing but what handlers do."""
    from ignite.engine import Engine, Events

    def run(iterations, move, handler):
        engine = Engine(lambda engine, batch: None)
        engine.add_event_handler(Events.ITERATION_COMPLETED, move)
        handler.attach(engine)
        with torch.no_grad():
            engine.run([0] * iterations, max_epochs=1)

    return run


def test_the_average_is_bit_for_bit_that_of_ignite(run_iterations):
    from ignite.handlers import EMAHandler

    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(5, 7), nn.BatchNorm1d(7), nn.Linear(7, 3))
    average, peer = PowerAverage(network, 0.1), EMAHandler(network)
    power = power_of_width(0.1)

    def move(engine):
        for parameter in network.parameters():
            parameter.add_(torch.randn_like(parameter))
        network[1].running_mean.add_(1)
        engine.state.ema_momentum = 1 - (1 - 1 / engine.state.iteration) ** (power + 1)
        peer._update_ema_model(engine, "ema_momentum")

    run_iterations(20, move, average)
    expected = peer.ema_model.state_dict()
    for name, value in average.network.state_dict().items():
        assert torch.equal(value, expected[name]), name
