"""How a classifier does on the validation images, and the epoch that did best (Section E.2)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from ignite.engine import Engine, Events
from sklearn.metrics import roc_auc_score
from torch import Tensor, nn

from medaug.arrays import Array, IntArray
from medaug.classification.classifier import ClassifierInfo, save_classifier
from medaug.classification.losses import Loss
from medaug.classification.networks import Classifier
from medaug.classification.predict import predict_logits, probabilities
from medaug.data.store import ImageStore
from medaug.engine.distributed import unwrap
from medaug.errors import DataError, TrainingError

VALIDATION_SPLITS = ("id_val", "ood_val")
"""What the best epoch may be chosen on: the hospitals trained on, or another one (Figure 3)."""


@dataclass(frozen=True)
class ValidationResult:
    """How a network did on the validation images.

    ``score`` is the number to be maximised: the mean AUC, or minus the loss where no AUC is defined. ``aucs``
    holds the AUC of each of the ``classes`` that has one; ``labels`` and ``probabilities`` are float32
    (N, classes).
    """

    classes: tuple[str, ...]
    score: float
    loss: float
    aucs: dict[str, float]
    labels: Array
    probabilities: Array

    @property
    def metrics(self) -> dict[str, float]:
        """Return the numbers by the names that TensorBoard shows."""
        mean = {"validation/auc": self.score} if self.aucs else {}
        classes = {f"validation/auc/{name}": auc for name, auc in self.aucs.items()}
        return {"validation/loss": self.loss, **mean, **classes}


class Validation:
    """Measures a network on a split, the same in every process.

    Parameters
    ----------
    store : ImageStore
        Images and labels.
    loss : Loss
        The training loss.
    image_size, batch_size : int
        Side in pixels; images of a batch in one process.
    device : device
        Where the network is.
    split : str
        One of `VALIDATION_SPLITS`.
    """

    def __init__(
        self,
        store: ImageStore,
        loss: Loss,
        *,
        image_size: int,
        batch_size: int,
        device: torch.device | str,
        split: str = "id_val",
    ) -> None:
        self.store, self.loss = store, loss
        self.rows = validation_rows(store, split)
        self._how: dict[str, Any] = {"image_size": image_size, "batch_size": batch_size, "device": device}

    def __call__(self, network: nn.Module) -> ValidationResult:
        """Predict the split and compare with its labels."""
        task = self.store.task
        logits = predict_logits(network, self.store, self.rows, **self._how)
        if not logits.isfinite().all():
            raise TrainingError(
                "the network's predictions on the validation images are not finite; lower the learning rate"
            )
        labels = task.labels(self.store.table.iloc[self.rows])
        scores = probabilities(logits, task).numpy()
        loss = float(self.loss(logits, torch.tensor(labels)))
        aucs = class_aucs(task.classes, labels, scores)
        score = float(np.mean(list(aucs.values()))) if aucs else -loss
        return ValidationResult(task.classes, score, loss, aucs, labels, scores)


def validation_rows(store: ImageStore, split: str) -> IntArray:
    """Return the rows of a split to validate on.

    Raises
    ------
    DataError
        The split has no label that is known.
    """
    rows = store.rows(split)
    if np.isnan(store.task.labels(store.table.iloc[rows])).all():
        (other,) = {*VALIDATION_SPLITS} - {split}
        raise DataError(
            f"{store.path} has no labelled images in the split {split!r} to choose the best epoch on: prepare"
            f" them, or choose it elsewhere, with --choose_epoch_on {other}"
        )
    return rows


def class_aucs(classes: Iterable[str], labels: Array, scores: Array) -> dict[str, float]:
    """Return the ROC-AUC of each class over its known labels (0.5 or more is positive).

    A class without positives or without negatives has none and is left out.
    """
    aucs = {}
    for name, label, score in zip(classes, labels.T, scores.T, strict=True):
        known = ~np.isnan(label)
        positive = label[known] >= 0.5
        if positive.any() and not positive.all():
            aucs[name] = float(roc_auc_score(positive, score[known]))
    return aucs


class KeepBest:
    """Handler that validates after each epoch and keeps the weights of the best one.

    It has a state, so that ``Resume(..., parts={"best": keep_best})`` loses nothing in a kill. The last
    result is in `result`, and the trainer's ``state.metrics`` get ``validation/loss`` and, where defined,
    ``validation/auc`` (the mean) and ``validation/auc/<class>``. An equal later epoch does not replace the
    best one.

    Parameters
    ----------
    network : Module
        The network that is trained.
    validate : callable
        Measures it, for example a `Validation`.
    """

    def __init__(self, network: nn.Module, validate: Callable[[nn.Module], ValidationResult]) -> None:
        self.network, self.validate = network, validate
        self.score, self.epoch = float("-inf"), 0
        self.weights: dict[str, Tensor] | None = None
        self.result: ValidationResult | None = None

    def attach(self, engine: Engine) -> None:
        """Attach to a trainer, before handlers that show metrics."""
        engine.add_event_handler(Events.EPOCH_COMPLETED, self._update)

    def state_dict(self) -> dict[str, Any]:
        """Return score, epoch and weights of the best network so far."""
        return {"score": self.score, "epoch": self.epoch, "weights": self.weights}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back what `state_dict` returned."""
        self.score, self.epoch, self.weights = state["score"], state["epoch"], state["weights"]

    def save(self, path: Path | str, info: ClassifierInfo) -> None:
        """Write the best network; TrainingError where no epoch was completed."""
        if self.weights is None:
            raise TrainingError("no epoch was completed, so there is no network to save; train longer")
        network = unwrap(self.network)
        if not isinstance(network, Classifier):
            raise TrainingError("only a network of build_classifier can be saved as a classifier")
        save_classifier(path, network, info, self.weights)

    def _update(self, engine: Engine) -> None:
        self.result = result = self.validate(self.network)
        engine.state.metrics |= result.metrics
        if result.score > self.score:
            state = unwrap(self.network).state_dict()
            self.weights = {name: value.detach().cpu().clone() for name, value in state.items()}
            self.score, self.epoch = result.score, engine.state.epoch
