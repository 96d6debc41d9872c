"""What trained classifiers see in the images of a run: the features that closer looks are taken at."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from medaug.analysis.features import features_of_sets
from medaug.analysis.looks import Features
from medaug.classification.classifier import load_classifier
from medaug.data.real import open_synthetic
from medaug.stages.products import is_made
from medaug.stages.run import Run


def seen_by_models(run: Run, models: Iterable[Path]) -> Features:
    """Return features of classifiers, by method and seed.

    Parameters
    ----------
    run : Run
        Its images are looked at: real ones, as the classifiers were trained on them, and synthetic ones if it
        has any.
    models : iterable of Path
        Files of classifiers; one that is gone is left out.
    """
    folder = run.generator_path("synthetic")
    synthetic = open_synthetic(folder) if is_made(folder) else None
    seen = {}
    for model in filter(is_made, models):
        network, info = load_classifier(model, run.device)
        seen[info.method, info.seed] = features_of_sets(
            network, run.store, synthetic, image_size=info.image_size, device=run.device, seed=run.seed
        )
    return seen
