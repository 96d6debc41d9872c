"""The stage that makes the image store: from public files, slides or phantoms."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from medaug.bundle.products import is_made
from medaug.bundle.slides import prepare_slides
from medaug.data.prepare import PrepareSettings
from medaug.data.prepare import prepare as prepare_store
from medaug.data.readers import SLIDE_READERS, read_source
from medaug.data.skew import Skew, skewed
from medaug.data.split import assign_splits, split_settings
from medaug.data.store import ImageStore
from medaug.engine.distributed import is_first
from medaug.errors import SettingsError
from medaug.phantoms.drawing import draw_phantoms
from medaug.phantoms.mark import is_phantom
from medaug.task import Task

logger = logging.getLogger(__name__)

PHANTOM_NOTICE = "phantom data: drawn images, for trying medaug out, not for conclusions"


def sources(
    dataset_dir: str | None,
    reader: str,
    reader_options: Mapping[str, Any],
    external_dir: str | Sequence[str] | None = None,
    external_reader: str | Sequence[str] | None = None,
    external_options: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None,
) -> list[dict[str, Any]]:
    """List the data sets to read: the one to train on, then external ones; none means phantoms.

    Several external data sets are lists of the same length; a single reader or options are those of all.

    Examples
    --------
    >>> [s["reader"] for s in sources("scin", "scin", {}, ["ddi", "pad"], ["ddi", "pad_ufes_20"])]
    ['scin', 'ddi', 'pad_ufes_20']
    """
    if dataset_dir is None and external_dir is not None:
        raise SettingsError(
            "external_dir is for a second data set; name the one to train on with --dataset_dir"
        )
    if dataset_dir is None:
        return []
    folders = [] if external_dir is None else _list(external_dir)
    readers = _for_each("external_reader", external_reader, len(folders))
    options = _for_each("external_options", external_options or {}, len(folders))
    return [
        {"reader": name, "folder": str(folder), "options": dict(of_reader)}
        for name, folder, of_reader in zip(
            [reader, *readers], [dataset_dir, *folders], [reader_options, *options], strict=True
        )
    ]


def _list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


def _for_each(name: str, value: Any, count: int) -> list[Any]:
    """Return a value for each external data set: its own, or the only one for all."""
    values = _list(value)
    if not isinstance(value, list | tuple):
        return values * count
    if len(values) != count:
        raise SettingsError(f"{name} has {len(values)} entries, but external_dir names {count} folders")
    return values


def label_budget(labels: int | None, domains: list[str]) -> dict[str, Any] | None:
    """Return the skew that leaves some hospitals only so many labelled training images each (Section G.1).

    The other images of these hospitals train the generator without their labels: labels are what costs.

    Examples
    --------
    >>> label_budget(None, ["center_3"]) is None, label_budget(10, ["center_3"])["caps"]
    (True, {'center_3': 10})
    """
    if labels is None:
        return None
    return {"attribute": "domain", "caps": dict.fromkeys(domains, labels), "surplus": "unlabelled"}


def open_store(path: Path | str, skew: Mapping[str, Any] | None = None) -> ImageStore:
    """Open an image store as an experiment sees it: whole, or with few labels of some groups."""
    return skewed(ImageStore.open(path), None if skew is None else Skew(**skew))


def prepare(product: Path | str, task: Task, settings: Mapping[str, Any], workers: int | None = None) -> None:
    """Make the image store from public files, or from phantoms where no folder is given.

    Parameters
    ----------
    product : Path
        Folder of the store.
    task : Task
        Classes and attributes.
    settings : mapping
        ``sources``, ``phantoms`` (modality and amounts), ``split``, ``sizes``, ``channels``, ``fit``,
        ``max_rejected``, and for slides ``patches`` (see `medaug.data.slides.patches.PatchSettings`).
    workers : int, optional
        Decoding processes; all cores when None.
    """
    product = Path(product)
    if is_made(product):
        return
    data_sets = settings["sources"] or draw_phantoms(product.parent, **settings["phantoms"])
    of_slides = {data_set["reader"] in SLIDE_READERS for data_set in data_sets}
    if len(of_slides) > 1:
        raise SettingsError("slides and images cannot be prepared together: use readers of one kind")
    make = prepare_slides if of_slides.pop() else _from_images
    origin = {
        "phantom": any(is_phantom(Path(s["folder"])) for s in data_sets),
        "sources": [s["reader"] for s in data_sets],
        "split": dict(settings["split"]),
    }
    _log_counts(make(product, task, settings, data_sets, origin, workers))


def _from_images(
    product: Path,
    task: Task,
    settings: Mapping[str, Any],
    data_sets: list[dict[str, Any]],
    origin: Mapping[str, Any],
    workers: int | None,
) -> ImageStore:
    tables = [read_source(s["reader"], Path(s["folder"]), task, **s["options"]) for s in data_sets]
    split = split_settings(settings["split"], tables[0])
    table, left_out = assign_splits(pd.concat(tables, ignore_index=True), split)
    how = PrepareSettings(
        tuple(settings["sizes"]), settings["channels"], settings["fit"], settings["max_rejected"], split.unit
    )
    return prepare_store(table, left_out, product, task, how, origin, workers)


def _log_counts(store: ImageStore) -> None:
    if is_first():
        counts = store.table.groupby(["split", "domain"], observed=True).size()
        cells = counts.reset_index(name="images").itertuples(index=False, name=None)
        shown = ", ".join(f"{split} {domain} {images:,}" for split, domain, images in cells)
        logger.info("Prepared %s images: %s", f"{len(store):,}", shown)
        log_phantom(store.phantom)


def log_phantom(phantom: bool) -> None:
    """Say of drawn images that they are."""
    if phantom:
        logger.info("Note: %s", PHANTOM_NOTICE)
