"""The stages between the trainings: prepare, generate, predict, evaluate, each a thin call of its room.

Every function makes one product and returns at once when it is there: `claim` has made sure before that
its settings are the ones asked for.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from monai.engines.trainer import Trainer

from medaug.bundle.products import is_made
from medaug.classification.model import load_classifier
from medaug.classification.predict import predict as predict_store
from medaug.data.phantoms import PHANTOM_FILE, write_radiograph_phantoms
from medaug.data.prepare import PrepareSettings
from medaug.data.prepare import prepare as prepare_store
from medaug.data.readers import read_source
from medaug.data.split import SplitSettings, assign_splits
from medaug.data.store import ImageStore
from medaug.diffusion.generation import generate as generate_images
from medaug.diffusion.model import load_model
from medaug.diffusion.plan import fair_plan
from medaug.engine.distributed import barrier, is_first
from medaug.errors import DataError, SettingsError
from medaug.evaluation.compare import compare, write_comparison
from medaug.evaluation.evaluate import evaluate as evaluate_predictions
from medaug.evaluation.evaluate import read_metrics, write_metrics
from medaug.evaluation.predictions import read_predictions, write_predictions
from medaug.evaluation.settings import EvaluationSettings
from medaug.evaluation.summary import summary_table
from medaug.files import write_aside
from medaug.report.board import write_board
from medaug.report.html import write_report
from medaug.task import Task

logger = logging.getLogger(__name__)

EVALUATED_SPLITS = ("id_val", "id_test", "ood_val", "ood_test")
PHANTOM_NOTICE = "phantom data: drawn images, for trying medaug out, not for conclusions"


def sources(
    dataset_dir: str | None,
    reader: str,
    reader_options: Mapping[str, Any],
    external_dir: str | None = None,
    external_reader: str | None = None,
    external_options: Mapping[str, Any] | None = None,
) -> list[dict[str, Any]]:
    """List the data sets to read: the one to train on, then an external one; none means phantoms."""
    if dataset_dir is None and external_dir is not None:
        raise SettingsError(
            "external_dir is for a second data set; name the one to train on with --dataset_dir"
        )
    found: list[dict[str, Any]] = []
    if dataset_dir is not None:
        found.append({"reader": reader, "folder": str(dataset_dir), "options": dict(reader_options)})
    if external_dir is not None:
        options = dict(external_options or {})
        found.append({"reader": external_reader, "folder": str(external_dir), "options": options})
    return found


def prepare(product: Path | str, task: Task, settings: Mapping[str, Any], workers: int | None = None) -> None:
    """Make the image store from public files, or from phantoms where no folder is given.

    Parameters
    ----------
    product : Path
        Folder of the store.
    task : Task
        Classes and attributes.
    settings : mapping
        ``sources``, ``phantom_images``, ``split``, ``sizes``, ``channels``, ``fit``, ``max_rejected``.
    workers : int, optional
        Decoding processes; all cores when None.
    """
    product = Path(product)
    if is_made(product):
        return
    data_sets = settings["sources"] or _phantoms(product.parent, settings)
    tables = [read_source(s["reader"], Path(s["folder"]), task, **s["options"]) for s in data_sets]
    table = pd.concat(tables, ignore_index=True)
    split = _split_settings(settings["split"], tables[0])
    table, left_out = assign_splits(table, split)
    how = PrepareSettings(
        tuple(settings["sizes"]), settings["channels"], settings["fit"], settings["max_rejected"]
    )
    phantom = any(is_phantom(Path(s["folder"])) for s in data_sets)
    origin = {
        "phantom": phantom,
        "sources": [s["reader"] for s in data_sets],
        "split": dict(settings["split"]),
    }
    store = prepare_store(table, left_out, product, task, how, origin, workers)
    _log_counts(store)


def _phantoms(run_folder: Path, settings: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Draw the built-in radiographs in the public sets' own formats, so that the real readers read them."""
    inside, outside = settings["phantom_images"]
    seed = settings["split"]["seed"]
    folder = run_folder / f"phantoms-{inside}-{outside}-seed-{seed}"
    if is_first():
        write_radiograph_phantoms(folder, seed, inside, outside)
    barrier()
    return [
        {"reader": "chexpert", "folder": str(folder / "CheXpert-v1.0-small"), "options": {}},
        {"reader": "chestxray14", "folder": str(folder / "ChestX-ray14"), "options": {}},
    ]


def is_phantom(folder: Path) -> bool:
    """Drawn images say so in their folder, whoever names it."""
    return any((place / PHANTOM_FILE).exists() for place in (folder, folder.parent))


def _split_settings(settings: Mapping[str, Any], first: pd.DataFrame) -> SplitSettings:
    """Without a list of training domains, all of the first data set is in distribution."""
    column = settings["domain_column"]
    if column not in first:
        raise DataError(
            f"there is no column {column!r} to be the domain; there are: {', '.join(map(str, first))}"
        )
    domains = settings["train_domains"] or sorted(first[column].dropna().astype(str).unique())
    return SplitSettings(**{**settings, "train_domains": tuple(domains)})


def _log_counts(store: ImageStore) -> None:
    if is_first():
        counts = store.table.groupby(["split", "domain"], observed=True).size()
        cells = counts.reset_index(name="images").itertuples(index=False, name=None)
        shown = ", ".join(f"{split} {domain} {images:,}" for split, domain, images in cells)
        logger.info("Prepared %s images: %s", f"{len(store):,}", shown)
        _log_phantom(store.phantom)


def _log_phantom(phantom: bool) -> None:
    if phantom:
        logger.info("Note: %s", PHANTOM_NOTICE)


def fit(product: Path | str, trainer: Trainer) -> None:
    """Train, unless the model is there: a run that was stopped goes on where it was."""
    if not is_made(product):
        trainer.run()


def generate(
    product: Path | str,
    data: Path | str,
    base: Path | str,
    upsampler: Path | str | None,
    *,
    images: int,
    sampler: str,
    steps: int,
    upsampler_sampler: str,
    upsampler_steps: int,
    guidance: float,
    batch_size: int,
    seed: int,
    device: torch.device,
    exclude: Sequence[str] = (),
) -> None:
    """Sample the generator by a fair plan into an image store (Section 3.1, step 2)."""
    product = Path(product)
    if is_made(product):
        return
    store = ImageStore.open(data)
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
    _log_phantom(store.phantom)


def method_name(real_fraction: float, augmentation: str) -> str:
    """Name a classifier by what it was trained on, for tables and figures.

    Examples
    --------
    >>> method_name(0.5, "none"), method_name(1.0, "heuristic")
    ('50% real + 50% synthetic', '100% real, heuristic')
    """
    shares = {"real": real_fraction, "synthetic": 1 - real_fraction}
    mixture = " + ".join(f"{100 * share:.4g}% {kind}" for kind, share in shares.items() if share > 0)
    return mixture if augmentation == "none" else f"{mixture}, {augmentation}"


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


def predictions_files(folder: Path | str, given: str | Sequence[str] | None) -> list[str]:
    """Return the predictions to evaluate: the user's, or all that the trainings of this run have left.

    Raises
    ------
    DataError
        Nothing was given and nothing is there.
    """
    if given is not None:
        return [given] if isinstance(given, str) else list(given)
    if found := sorted(str(path) for path in Path(folder).glob("*.parquet")):
        return found
    raise DataError(
        f"there are no predictions in {folder}: run train.json first, or name a file with --predictions"
    )


def file_digests(files: Sequence[str]) -> list[str]:
    """Return name (without folder) and SHA-256 of each file; several runs have files of the same name."""
    missing = [file for file in files if not Path(file).is_file()]
    if missing:
        raise DataError(f"there is no file of predictions at {missing[0]}")
    return [f"{Path(file).name} {hashlib.sha256(Path(file).read_bytes()).hexdigest()}" for file in files]


def baseline_method(file: Path | str) -> str | None:
    """Return the method in a file of predictions, for the others to be compared with; None without a file."""
    return str(read_predictions(file)["method"].iloc[0]) if is_made(file) else None


def evaluate(
    folder: Path | str,
    predictions: Sequence[Path | str],
    settings: EvaluationSettings,
    *,
    title: str,
    baseline: str | None = None,
    data: Path | str | None = None,
    synthetic: Path | str | None = None,
) -> None:
    """Write predictions, metrics, comparison and report into one folder, and print the short table.

    Parameters
    ----------
    folder : Path
        The evaluation folder.
    predictions : sequence of Path
        Tables in the form of `medaug.evaluation.predictions`; several methods are compared.
    settings : EvaluationSettings
        Metrics, groups, threshold, bootstrap.
    title : str
        Heading of the report.
    baseline : str, optional
        Method that the others are compared with (``comparison.csv``).
    data, synthetic : Path, optional
        Image stores to show in the report; one that does not exist is left out.
    """
    folder = Path(folder)
    if is_first():
        if not is_made(folder):
            table = pd.concat([read_predictions(Path(file)) for file in predictions], ignore_index=True)
            stores = [ImageStore.open(p) if p is not None and is_made(p) else None for p in (data, synthetic)]
            with write_aside(folder) as aside:
                _write_evaluation(aside, table, settings, title, baseline, *stores)
                board = folder.parent / "logs" / "evaluation"
                write_board(board, read_metrics(aside / "metrics.csv"), table)
        print(_summary(read_metrics(folder / "metrics.csv")))
        logger.info("The report is %s", folder / "report.html")
    barrier()


def _summary(metrics: pd.DataFrame) -> str:
    """Return the short table, with the gap of the first attribute that there is."""
    attributes = [name for name in metrics["attribute"].unique() if name]
    return summary_table(metrics, attribute=attributes[0]) if attributes else summary_table(metrics)


def _write_evaluation(
    folder: Path,
    predictions: pd.DataFrame,
    settings: EvaluationSettings,
    title: str,
    baseline: str | None,
    store: ImageStore | None,
    synthetic: ImageStore | None,
) -> None:
    folder.mkdir()
    write_predictions(predictions, folder / "predictions.parquet")
    metrics = evaluate_predictions(predictions, settings)
    write_metrics(metrics, folder / "metrics.csv")
    comparison = None
    if baseline is not None:
        comparison = compare(predictions, baseline, settings)
        write_comparison(comparison, folder / "comparison.csv")
    write_report(
        folder / "report.html",
        metrics,
        predictions,
        title=title,
        store=store,
        synthetic=synthetic,
        comparison=comparison,
    )
