"""What TensorBoard shows of a classifier's validation beside the numbers: ROC curves."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from sklearn.metrics import roc_curve
from torch.utils.tensorboard import SummaryWriter

from medaug.classification.validation import KeepBest, ValidationResult
from medaug.engine.tensorboard import Draw


def roc_drawing(best: KeepBest) -> Draw:
    """Return what draws the ROC curves of the last validation, for ``TensorBoard(draw=...)``."""

    def draw(writer: SummaryWriter, iteration: int) -> None:
        if best.result is not None:
            writer.add_figure("validation/roc", roc_figure(best.result), iteration)

    return draw


def roc_figure(result: ValidationResult) -> Figure:
    """Draw the ROC curve of each class that has an AUC."""
    figure = Figure(figsize=(5, 5), layout="constrained")
    axes = figure.add_subplot(
        title="ROC on the validation images", xlabel="1 − specificity", ylabel="Sensitivity", aspect="equal"
    )
    axes.plot([0, 1], [0, 1], color="0.7", linestyle=":")
    for name, label, score in zip(result.classes, result.labels.T, result.probabilities.T, strict=True):
        if name in result.aucs:
            known = ~np.isnan(label)
            false_positive, true_positive, _ = roc_curve(label[known] >= 0.5, score[known])
            axes.plot(false_positive, true_positive, label=f"{name} (AUC {result.aucs[name]:.3f})")
    if result.aucs:
        axes.legend(loc="lower right", frameon=False)
    return figure
