import numpy as np
import pytest
import torch
from torch import nn

from medaug.classification.classifier import ClassifierInfo, load_classifier
from medaug.classification.losses import masked_bce
from medaug.classification.networks import build_classifier
from medaug.classification.validation import (
    KeepBest,
    Validation,
    ValidationResult,
    class_aucs,
    validation_rows,
)
from medaug.errors import DataError, TrainingError

NAN = float("nan")


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
        return ValidationResult((), next(self.scores), 0.5, {}, empty, empty)


def test_the_best_epoch_is_kept_and_an_equal_later_one_does_not_replace_it(store, tmp_path):
    network = build_classifier("small_resnet", 2, 1)
    info = ClassifierInfo(store.task, 16, "m", 0, phantom=False)
    best = KeepBest(network, Scripted([0.5, 0.8, 0.8, 0.6]))
    engine = type("Engine", (), {"state": type("State", (), {"metrics": {}, "epoch": 0})})
    for epoch in range(1, 5):
        nn.init.constant_(network.heads[0].bias, float(epoch))
        engine.state.epoch = epoch
        best._update(engine)
    assert (best.epoch, best.score) == (2, 0.8)
    best.save(tmp_path / "model.pt", info)
    assert load_classifier(tmp_path / "model.pt")[0].heads[0].bias.item() == 2.0
    again = KeepBest(network, Scripted([0.7]))
    again.load_state_dict(best.state_dict())
    again._update(engine)
    assert (again.epoch, again.score) == (2, 0.8)


def test_nothing_is_saved_before_the_first_epoch(store, tmp_path):
    info = ClassifierInfo(store.task, 16, "m", 0, phantom=False)
    best = KeepBest(build_classifier("small_resnet", 2, 1), Scripted([]))
    with pytest.raises(TrainingError, match=r"no epoch was completed"):
        best.save(tmp_path / "model.pt", info)


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


@pytest.mark.parametrize(("split", "other"), [("id_val", "ood_val"), ("ood_val", "id_val")])
def test_a_split_without_images_or_labels_is_named(make, tmp_path, split, other):
    store = make(tmp_path / "data", counts={"train": 4})
    message = rf"no labelled images in the split '{split}' .* --choose_epoch_on {other}"
    with pytest.raises(DataError, match=message):
        Validation(store, masked_bce, image_size=16, batch_size=4, device="cpu", split=split)
    store.table["split"] = split
    assert validation_rows(store, split).tolist() == [0, 1, 2, 3]
    store.table[store.task.label_columns[1]] = NAN
    assert validation_rows(store, split).tolist() == [0, 1, 2, 3]
    store.table[store.task.label_columns] = NAN
    with pytest.raises(DataError, match=message):
        validation_rows(store, split)


def test_auc_counts_pairs_leaves_unknowns_out_and_skips_one_class_columns():
    labels = np.array([[1, 0, 1], [0, 0, 0.6], [1, 0, NAN], [0, NAN, 0.4], [NAN, 0, 0]], np.float32)
    scores = np.array(
        [[0.9, 0.1, 0.2], [0.5, 0.2, 0.9], [0.5, 0.3, 0.1], [0.1, 0.9, 0.3], [1, 0, 0.2]], np.float32
    )
    # first: pairs (.9 .5) (.9 .1) (.5 .5) (.5 .1); third: positives .2 .9, negatives .3 .2
    assert class_aucs(("a", "b", "c"), labels, scores) == {"a": 3.5 / 4, "c": 2.5 / 4}
