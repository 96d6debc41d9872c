"""The stages between the trainings: fit, generate, predict, each a thin call of its room.

Every function makes one product and returns at once when it is there: `claim` has made sure before that
its settings are the ones asked for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from monai.engines.trainer import Trainer

from medaug.arrays import FloatArray
from medaug.bundle.data import log_phantom, open_store
from medaug.bundle.products import is_made
from medaug.classification.classifier import load_classifier
from medaug.classification.predict import predict as predict_store
from medaug.classification.weights import importance_weights
from medaug.data.store import ImageStore
from medaug.diffusion.diffusion_model import load_model
from medaug.diffusion.generation import generate as generate_images
from medaug.diffusion.plan import fair_plan
from medaug.engine.distributed import barrier, is_first
from medaug.evaluation.predictions import write_predictions

EVALUATED_SPLITS = ("id_val", "id_test", "ood_val", "ood_test")


def row_weights(store: ImageStore, attribute: str | None, equality_level: float) -> FloatArray | None:
    """Return how much each real row counts in the loss (w1, Eq. 9); None where all count the same."""
    return None if attribute is None else importance_weights(store, attribute, equality_level)


def fit(product: Path | str, trainer: Trainer) -> None:
    """Train, unless the model is there: a run that was stopped goes on where it was."""
    if not is_made(product):
        trainer.run()


def generate(
    product: Path | str,
    data: Path | str,
    base: Path | str,
    *,
    images: int,
    sampler: str,
    steps: int,
    guidance: float,
    batch_size: int,
    seed: int,
    device: torch.device,
    upsampler: Path | str | None = None,
    upsampler_sampler: str | None = None,
    upsampler_steps: int | None = None,
    exclude: Sequence[str] = (),
    skew: Mapping[str, Any] | None = None,
) -> None:
    """Sample the generator by a fair plan into an image store (Section 3.1, step 2)."""
    product = Path(product)
    if is_made(product):
        return
    store = open_store(data, skew)
    model = load_model(Path(base), device)
    plan = fair_plan(store, model.encoder, images, seed, exclude)
    generate_images(
        plan,
        model,
        None if upsampler is None else load_model(Path(upsampler), device),
        product,
        sampler=sampler,
        steps=steps,
        guidance=guidance,
        upsampler_sampler=upsampler_sampler,
        upsampler_steps=upsampler_steps,
        batch_size=batch_size,
        seed=seed,
        device=device,
        origin={"plan": "label distribution kept, attributes uniform", "data": store.fingerprint},
    )
    log_phantom(store.phantom)


def method_name(
    real_fraction: float, augmentation: str, weigh_by: str | None = None, oversample: str | None = None
) -> str:
    """Name a classifier by what it was trained on, for tables and figures.

    Examples
    --------
    >>> method_name(0.5, "none"), method_name(1.0, "heuristic", oversample="sex")
    ('50% real + 50% synthetic', '100% real, heuristic, oversampled by sex')
    """
    shares = {"real": real_fraction, "synthetic": 1 - real_fraction}
    parts = [" + ".join(f"{100 * share:.4g}% {kind}" for kind, share in shares.items() if share > 0)]
    parts += [augmentation] if augmentation != "none" else []
    parts += [f"weighted by {weigh_by}"] if weigh_by else []
    parts += [f"oversampled by {oversample}"] if oversample else []
    return ", ".join(parts)


def predict(
    product: Path | str, model: Path | str, data: Path | str, *, batch_size: int, device: torch.device
) -> None:
    """Predict every labelled image that the classifier was not trained on, with its method and seed."""
    product = Path(product)
    if is_made(product):
        return
    network, info = load_classifier(model, device)
    store = ImageStore.open(data)
    predictions = predict_store(
        network,
        store,
        EVALUATED_SPLITS,
        info.task,
        image_size=info.image_size,
        batch_size=batch_size,
        device=device,
        method=info.method,
        seed=info.seed,
    )
    if is_first():
        write_predictions(predictions.assign(phantom=store.phantom), product)
    barrier()
