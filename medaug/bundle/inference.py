"""The stage that applies a trained classifier to new images."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from monai.engines.evaluator import Evaluator

from medaug.bundle.products import is_made
from medaug.bundle.slides import cut_slides
from medaug.classification.classifier import ClassifierInfo
from medaug.classification.predict import GatherLogits, predictions_table, probabilities
from medaug.data.prepare import PrepareSettings
from medaug.data.prepare import prepare as prepare_store
from medaug.data.readers import SLIDE_READERS, read_slide_source, read_source
from medaug.data.slides.patches import every_patch
from medaug.data.store import ImageStore
from medaug.engine.distributed import barrier, is_first
from medaug.errors import CheckpointError, SettingsError
from medaug.evaluation.predictions import write_predictions
from medaug.phantoms.mark import is_phantom
from medaug.task import Task

logger = logging.getLogger(__name__)

NEW_IMAGES = "ood_test"
"""Split of images that come from nowhere in training; the other splits say something that is not known."""


def prepare_new(product: Path | str, task: Task, settings: Mapping[str, Any], workers: int | None) -> None:
    """Make the image store of the images to predict.

    Parameters
    ----------
    product : Path
        Folder of the store.
    task : Task
        What the classifier predicts.
    settings : mapping
        ``folder``, ``reader``, ``reader_options``, ``sizes``, ``channels``, ``fit``, ``max_rejected``, and
        for slides ``patches``: all patches on tissue are predicted.
    workers : int, optional
        Decoding processes; all cores when None.

    Raises
    ------
    SettingsError
        No folder was named.
    """
    if settings["folder"] is None:
        raise SettingsError("name the folder that holds the images to predict with --dataset_dir")
    if is_made(product):
        return
    folder = Path(settings["folder"])
    origin = {"phantom": is_phantom(folder), "sources": [settings["reader"]]}
    make = _slides if settings["reader"] in SLIDE_READERS else _images
    make(Path(product), task, settings, folder, origin, workers)


def _images(
    product: Path,
    task: Task,
    settings: Mapping[str, Any],
    folder: Path,
    origin: Mapping[str, Any],
    workers: int | None,
) -> None:
    table = read_source(settings["reader"], folder, task, **settings["reader_options"])
    how = PrepareSettings(
        tuple(settings["sizes"]), settings["channels"], settings["fit"], settings["max_rejected"]
    )
    nothing = pd.DataFrame({"reason": []})
    prepare_store(table.assign(split=NEW_IMAGES), nothing, product, task, how, origin, workers)


def _slides(
    product: Path,
    task: Task,
    settings: Mapping[str, Any],
    folder: Path,
    origin: Mapping[str, Any],
    workers: int | None,
) -> None:
    slides = read_slide_source(settings["reader"], folder, task, **settings["reader_options"])
    cut_slides(slides.assign(split=NEW_IMAGES), every_patch, product, task, settings, origin, workers)


def file_digest(path: Path | str) -> str:
    """Return the SHA-256 of a model file."""
    try:
        with Path(path).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read ({error.strerror}); train a model first") from None


def infer(
    product: Path | str, evaluator: Evaluator, gather: GatherLogits, store: ImageStore, info: ClassifierInfo
) -> None:
    """Predict and write the table of predictions, unless it is there."""
    if not is_made(product):
        evaluator.run()
        if is_first():
            scores = probabilities(gather.logits, info.task)
            table = predictions_table(
                store, store.rows(), scores, info.task, method=info.method, seed=info.seed
            )
            write_predictions(table.assign(phantom=store.phantom or info.phantom), Path(product))
        barrier()
    if is_first():
        logger.info("The predictions are %s", product)
