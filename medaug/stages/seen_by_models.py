"""What the trained classifiers of a run see in its images: the features that closer looks are taken at."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from medaug.analysis.features import features_of_sets
from medaug.arrays import Array
from medaug.classification.classifier import load_classifier
from medaug.data.real import open_synthetic
from medaug.stages.products import is_made
from medaug.stages.run import Run


def seen_by_models(run: Run, predictions: Sequence[str]) -> dict[tuple[str, int], dict[str, Array]]:
    """Return features of the classifiers that left these predictions, by method and seed.

    Parameters
    ----------
    run : Run
        Its images are looked at, as the classifiers were trained on them.
    predictions : sequence of str
        Files of the run's predictions; a model has the name of its predictions, and may be gone.
    """
    folder = run.generator_path("synthetic")
    synthetic = open_synthetic(folder) if is_made(folder) else None
    seen = {}
    for file in predictions:
        model = run.path("models", f"{Path(file).stem}.pt")
        if is_made(model):
            network, info = load_classifier(model, run.device)
            seen[info.method, info.seed] = features_of_sets(
                network, run.store, synthetic, image_size=info.image_size, device=run.device, seed=run.seed
            )
    return seen
