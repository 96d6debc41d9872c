from types import SimpleNamespace

import pytest
import tiny_run
import torch
from ignite.engine import Engine, Events
from monai.engines.utils import IterationEvents

from medaug.engine.handlers import ClipGradients, IterationSeed, LossMonitor, Snapshot
from medaug.errors import TrainingError


class NanAt:
    """A loss that is not a number in one iteration."""

    def __init__(self, iteration):
        self.iteration, self.calls = iteration, 0

    def __call__(self, prediction, target):
        self.calls += 1
        loss = torch.nn.functional.mse_loss(prediction, target)
        return loss * float("nan") if self.calls == self.iteration else loss


@pytest.mark.parametrize("iteration", [1, 7, 10, 15])
def test_nan_loss_stops_the_run_and_names_its_iteration(iteration, tmp_path):
    trainer = tiny_run.build(tmp_path, loss=NanAt(iteration))
    with pytest.raises(TrainingError, match=rf"at iteration {iteration}; lower the learning rate .*--fresh"):
        trainer.run()
    epochs = (iteration - 1) // tiny_run.EPOCH_LENGTH
    assert (tmp_path / "resume.pt").exists() == (epochs > 0)
    if epochs:
        assert torch.load(tmp_path / "resume.pt", weights_only=True)["epoch"] == epochs
    assert not (tmp_path / "product.pt").exists()


def test_monitored_loss_is_the_mean_since_the_last_look(tmp_path):
    trainer = tiny_run.build(tmp_path)
    losses, means = [], {}
    trainer.add_event_handler(
        Events.ITERATION_COMPLETED, lambda e: losses.append(e.state.output["loss"].item())
    )
    trainer.add_event_handler(
        Events.EPOCH_COMPLETED, lambda e: means.update({e.state.epoch: e.state.metrics["loss"]})
    )
    trainer.run()
    assert means[1] == pytest.approx(sum(losses[:5]) / 5)
    assert means[3] == pytest.approx(sum(losses[10:]) / 5)


def test_gradients_are_clipped_to_the_norm(tmp_path):
    trainer = tiny_run.build(tmp_path)
    norms = []
    parameters = list(trainer.network.parameters())
    before = []
    ClipGradients(0.01).attach(trainer)
    trainer.add_event_handler(
        IterationEvents.LOSS_COMPLETED,
        lambda e: before.append(
            [g.clone() for g in torch.autograd.grad(e.state.output["loss"], parameters, retain_graph=True)]
        ),
    )
    trainer.add_event_handler(
        IterationEvents.BACKWARD_COMPLETED,
        lambda e: norms.append(torch.cat([p.grad.flatten() for p in parameters]).norm().item()),
    )
    trainer.run()
    unclipped = torch.cat([g.flatten() for g in before[0]])
    assert unclipped.norm() > 0.01
    assert norms[0] == pytest.approx(0.01, rel=1e-3)


def test_gradients_are_unscaled_before_clipping():
    parameter = torch.nn.Parameter(torch.zeros(2))
    parameter.grad = torch.tensor([3.0, 4.0]) * 1024
    unscaled = []

    def unscale(optimizer):
        unscaled.append(optimizer)
        parameter.grad /= 1024

    optimizer = torch.optim.SGD([parameter], lr=1.0)
    network = torch.nn.ParameterList([parameter])
    engine = SimpleNamespace(scaler=SimpleNamespace(unscale_=unscale), optimizer=optimizer, network=network)
    ClipGradients(10.0)._clip(engine)
    assert unscaled == [optimizer]
    assert parameter.grad.tolist() == [3.0, 4.0]


def test_iteration_seed_does_not_depend_on_the_past():
    def draw(iteration, seed=0):
        IterationSeed(seed)._reseed(SimpleNamespace(state=SimpleNamespace(iteration=iteration)))
        return torch.rand(3).tolist()

    first = draw(5)
    assert draw(6) != first
    assert draw(5) == first
    assert draw(5, seed=1) != first


def test_learning_rate_follows_the_schedule_by_iteration(tmp_path):
    trainer = tiny_run.build(tmp_path)
    rates = []
    trainer.add_event_handler(
        Events.ITERATION_STARTED, lambda e: rates.append(e.optimizer.param_groups[0]["lr"])
    )
    trainer.run()
    total = tiny_run.EPOCHS * tiny_run.EPOCH_LENGTH
    turns = torch.arange(total, dtype=torch.float64) * torch.pi / total
    expected = 0.01 * (1 + torch.cos(turns)) / 2
    assert rates == pytest.approx(expected.tolist())


def test_monitor_forgets_what_it_has_looked_at():
    monitor = LossMonitor(every=2)
    state = SimpleNamespace(iteration=0, metrics={}, output=None)
    engine = SimpleNamespace(state=state)
    for loss in (1.0, 3.0, 10.0, 20.0):
        state.iteration += 1
        state.output = {"loss": torch.tensor(loss)}
        monitor._collect(engine)
    assert state.metrics["loss"] == 15.0


def test_a_snapshot_is_saved_once_after_its_iteration():
    saved = []
    engine = Engine(lambda engine, batch: None)
    Snapshot(3, lambda: saved.append(engine.state.iteration)).attach(engine)
    engine.run([0] * 5, max_epochs=2)
    assert saved == [3]
