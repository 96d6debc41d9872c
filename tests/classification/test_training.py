import math

import numpy as np
import pytest
import torch
from ignite.engine import Events
from monai.engines import SupervisedTrainer
from monai.handlers import LrScheduleHandler
from monai.inferers import SimpleInferer
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch import nn

from medaug.classification.classifier import ClassifierInfo, load_classifier
from medaug.classification.losses import masked_bce
from medaug.classification.mixture import MixedRows, MixedStoreBatches
from medaug.classification.networks import build_classifier
from medaug.classification.predict import predict
from medaug.classification.roc import roc_drawing
from medaug.classification.training import (
    KeepBest,
    Validation,
    ValidationResult,
    class_aucs,
    optimizer,
    scheduler,
)
from medaug.data.sampling import BatchSampler, batch_loader
from medaug.engine.handlers import Finish, IterationSeed, LossMonitor
from medaug.engine.resume import Resume
from medaug.engine.tensorboard import TensorBoard
from medaug.errors import DataError, SettingsError, TrainingError

EPOCHS, PER_EPOCH, BATCH = 3, 6, 8
NAN = float("nan")


def run(folder, store, synthetic, *, stop_after=None, dropout=0.2, log_dir=None):
    """Train the way that a bundle does; `stop_after` epochs the process dies."""
    iterations = EPOCHS * PER_EPOCH
    network = build_classifier("small_resnet", 2, 1, dropout=dropout, seed=0)
    adam = optimizer("adam", network.parameters(), lr=1e-3, weight_decay=1e-5)
    cosine = scheduler("cosine", adam, iterations)
    sampler = BatchSampler(MixedRows(store, synthetic, 0.5, seed=0), BATCH, iterations)
    dataset = MixedStoreBatches(store, synthetic, 16, seed=0)
    info = ClassifierInfo(store.task, 16, "synthetic", 0, phantom=True)
    validation = Validation(store, masked_bce, image_size=16, batch_size=8, device="cpu")
    best = KeepBest(network, validation, folder / "model.pt", info)
    resume = Resume(
        folder / "resume.pt", network, adam, settings={}, parts={"scheduler": cosine, "best": best}
    )
    handlers = [
        Finish(folder / "model.pt", best.save, resume),
        resume,
        IterationSeed(0),
        LossMonitor(every=3),
        LrScheduleHandler(cosine, print_lr=False, epoch_level=False),
        best,
    ]
    if log_dir is not None:
        handlers.append(TensorBoard(log_dir, BATCH, settings={}, draw=[roc_drawing(best)], every=3))
    trainer = SupervisedTrainer(
        device=torch.device("cpu"),
        max_epochs=EPOCHS,
        epoch_length=PER_EPOCH,
        train_data_loader=batch_loader(dataset, sampler, 0),
        network=network,
        optimizer=adam,
        loss_function=masked_bce,
        inferer=SimpleInferer(),
        train_handlers=handlers,
        decollate=False,
    )
    if stop_after is not None:
        at = stop_after * PER_EPOCH + 2
        trainer.add_event_handler(Events.ITERATION_COMPLETED(once=at), _die)
    trainer.run()
    return best, trainer


class Killed(Exception):
    pass


def _die(engine):
    raise Killed


def test_it_learns_saves_its_best_epoch_and_predicts(store, synthetic, tmp_path):
    best, trainer = run(tmp_path, store, synthetic, dropout=0.0, log_dir=tmp_path / "logs")
    network, info = load_classifier(tmp_path / "model.pt")
    for name, value in network.state_dict().items():
        assert torch.equal(value, best.weights[name])
    assert info == best.info
    assert trainer.state.metrics["validation/auc"] == best.result.score
    table = predict(
        network, store, ["id_val"], info.task, image_size=16, batch_size=8, device="cpu", method="m", seed=0
    )
    aucs = class_aucs(info.task.classes, info.task.labels(table), table.filter(like="score:").to_numpy())
    assert np.mean(list(aucs.values())) == pytest.approx(best.score)
    assert best.score > 0.8
    events = EventAccumulator(str(tmp_path / "logs")).Reload()
    assert [e.step for e in events.Scalars("validation/auc/edema")] == [6, 12, 18]
    assert events.Scalars("validation/auc")[best.epoch - 1].value == pytest.approx(best.score)
    assert len(events.Images("validation/roc")) == EPOCHS


@pytest.mark.parametrize("epoch", [0, 1, 2])
def test_a_killed_run_ends_in_the_same_file(store, synthetic, tmp_path, epoch):
    run(tmp_path / "whole", store, synthetic)
    with pytest.raises(Killed):
        run(tmp_path / "killed", store, synthetic, stop_after=epoch)
    assert not (tmp_path / "killed" / "model.pt").exists()
    run(tmp_path / "killed", store, synthetic)
    whole, killed = (load_classifier(tmp_path / name / "model.pt")[0] for name in ("whole", "killed"))
    for name, value in whole.state_dict().items():
        assert torch.equal(value, killed.state_dict()[name]), name


class Constant(nn.Module):
    def __init__(self, value):
        super().__init__()
        self.value = nn.Parameter(torch.tensor(value))

    def forward(self, image):
        return torch.stack([self.value + image.mean((1, 2, 3)), self.value - image.mean((1, 2, 3))], dim=1)


class Scripted:
    """Stands for a Validation whose scores are written down."""

    def __init__(self, scores):
        self.scores = iter(scores)

    def __call__(self, network):
        empty = np.zeros((0, 2), np.float32)
        return ValidationResult(next(self.scores), 0.5, {}, empty, empty)


def test_the_best_epoch_is_kept_and_an_equal_later_one_does_not_replace_it(store, tmp_path):
    network = build_classifier("small_resnet", 2, 1)
    info = ClassifierInfo(store.task, 16, "m", 0, phantom=False)
    best = KeepBest(network, Scripted([0.5, 0.8, 0.8, 0.6]), tmp_path / "model.pt", info)
    engine = type("Engine", (), {"state": type("State", (), {"metrics": {}, "epoch": 0})})
    for epoch in range(1, 5):
        nn.init.constant_(network.heads[0].bias, float(epoch))
        engine.state.epoch = epoch
        best._update(engine)
    assert (best.epoch, best.score) == (2, 0.8)
    best.save()
    assert load_classifier(tmp_path / "model.pt")[0].heads[0].bias.item() == 2.0
    again = KeepBest(network, Scripted([0.7]), tmp_path / "model.pt", info)
    again.load_state_dict(best.state_dict())
    again._update(engine)
    assert (again.epoch, again.score) == (2, 0.8)


def test_nothing_is_saved_before_the_first_epoch(store, tmp_path):
    info = ClassifierInfo(store.task, 16, "m", 0, phantom=False)
    best = KeepBest(build_classifier("small_resnet", 2, 1), Scripted([]), tmp_path / "model.pt", info)
    with pytest.raises(TrainingError, match=r"no epoch was completed"):
        best.save()


def test_the_loss_decides_where_no_auc_is_defined(make, tmp_path):
    store = make(tmp_path / "data", counts={"train": 4, "id_val": 1})
    result = Validation(store, masked_bce, image_size=16, batch_size=4, device="cpu")(Constant(0.0))
    row = store.rows("id_val")[0]
    mean = store.images(16)[row].mean() / 255
    label = store.task.labels(store.table)[row]
    p = 1 / (1 + np.exp(-np.array([mean, -mean])))
    expected = -(label * np.log(p) + (1 - label) * np.log(1 - p)).mean()
    assert result.aucs == {}
    assert "validation/auc" not in result.metrics
    assert result.loss == pytest.approx(expected, rel=1e-5)
    assert result.score == -result.loss


def test_predictions_that_are_not_numbers_stop_the_training(store):
    validation = Validation(store, masked_bce, image_size=16, batch_size=4, device="cpu")
    with pytest.raises(TrainingError, match=r"not finite; lower the learning rate"):
        validation(Constant(NAN))


def test_an_empty_validation_split_is_named(make, tmp_path):
    store = make(tmp_path / "data", counts={"train": 4})
    with pytest.raises(DataError, match=r"no images in the split 'id_val'"):
        Validation(store, masked_bce, image_size=16, batch_size=4, device="cpu")


def test_auc_counts_pairs_leaves_unknowns_out_and_skips_one_class_columns():
    labels = np.array([[1, 0, 1], [0, 0, 0.6], [1, 0, NAN], [0, NAN, 0.4], [NAN, 0, 0]], np.float32)
    scores = np.array(
        [[0.9, 0.1, 0.2], [0.5, 0.2, 0.9], [0.5, 0.3, 0.1], [0.1, 0.9, 0.3], [1, 0, 0.2]], np.float32
    )
    # first: pairs (.9 .5) (.9 .1) (.5 .5) (.5 .1); third: positives .2 .9, negatives .3 .2
    assert class_aucs(("a", "b", "c"), labels, scores) == {"a": 3.5 / 4, "c": 2.5 / 4}


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


def test_unknown_names_list_what_there_is():
    weights = [nn.Parameter(torch.zeros(1))]
    with pytest.raises(SettingsError, match=r"'rmsprop'.*adam, sgd"):
        optimizer("rmsprop", weights, 0.1, 0.0)
    with pytest.raises(SettingsError, match=r"'step'.*constant, cosine"):
        scheduler("step", optimizer("adam", weights, 0.1, 0.0), 10)
