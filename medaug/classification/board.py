"""What TensorBoard shows of a classifier's training: AUC of each class, ROC curves."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from ignite import distributed as idist
from ignite.engine import Engine, Events
from matplotlib.figure import Figure
from sklearn.metrics import roc_curve
from torch.utils.tensorboard import SummaryWriter

from medaug.classification.training import KeepBest, ValidationResult


class ValidationBoard:
    """Handler that shows validation results: scalars after each epoch, ROC curves at the end.

    Parameters
    ----------
    log_dir : str
        TensorBoard folder; other writers may share it.
    best : KeepBest
        Validates; attach it before this handler.
    """

    def __init__(self, log_dir: str, best: KeepBest) -> None:
        self.log_dir, self.best = log_dir, best

    def attach(self, engine: Engine) -> None:
        """Attach to a trainer; only the first process writes."""
        if idist.get_rank() == 0:
            engine.add_event_handler(Events.EPOCH_COMPLETED, self._write)

    def _write(self, engine: Engine) -> None:
        result = self.best.result
        if result is None:
            return
        classes, step = self.best.validate.store.task.classes, engine.state.iteration
        with SummaryWriter(str(self.log_dir)) as writer:
            writer.add_scalar("validation/loss", result.loss, step)
            if result.mean_auc is not None:
                writer.add_scalar("validation/auc", result.mean_auc, step)
            for name, auc in result.aucs.items():
                writer.add_scalar(f"validation/auc/{name}", auc, step)
            if engine.state.epoch == engine.state.max_epochs:
                writer.add_figure("validation/roc", roc_figure(classes, result), step)


def roc_figure(classes: Sequence[str], result: ValidationResult) -> Figure:
    """Draw the ROC curve of each class that has an AUC."""
    figure = Figure(figsize=(5, 5), layout="constrained")
    axes = figure.add_subplot(
        title="ROC on the validation images", xlabel="1 − specificity", ylabel="Sensitivity", aspect="equal"
    )
    axes.plot([0, 1], [0, 1], color="0.7", linestyle=":")
    for name, label, score in zip(classes, result.labels.T, result.probabilities.T, strict=True):
        if name in result.aucs:
            known = ~np.isnan(label)
            false_positive, true_positive, _ = roc_curve(label[known] >= 0.5, score[known])
            axes.plot(false_positive, true_positive, label=f"{name} (AUC {result.aucs[name]:.3f})")
    if result.aucs:
        axes.legend(loc="lower right", frameon=False)
    return figure
