"""The stage that makes the image store: from public files, slides or phantoms."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from medaug.data.pixels import Fit
from medaug.data.prepare import PrepareSettings, prepare
from medaug.data.readers import SLIDE_READERS, read_slide_source, read_source
from medaug.data.readers.contents import contents
from medaug.data.real import need_real
from medaug.data.slides.patch_store import PatchStore
from medaug.data.slides.patches import PatchSettings
from medaug.data.sources import sources
from medaug.data.split import assign_splits, split_settings
from medaug.data.store import ImageStore
from medaug.engine.distributed import is_first
from medaug.errors import SettingsError
from medaug.phantoms.drawing import draw_phantoms
from medaug.phantoms.mark import is_phantom
from medaug.stages.keys import told_apart, write_key
from medaug.stages.products import CONTENTS
from medaug.stages.run import Run
from medaug.stages.setting_values import chosen, defaults, free, record
from medaug.task import Task

logger = logging.getLogger(__name__)

PHANTOM_NOTICE = "phantom data: drawn images, for trying medaug out, not for conclusions"


@dataclass(frozen=True, kw_only=True)
class PreparationSettings:
    """How a store is made from files.

    Parameters
    ----------
    task : Task
        What is predicted, for whom.
    split : mapping
        How patients are divided, see `medaug.data.split.SplitSettings`.
    image_size : int
        Side in pixels of the images that the classifier sees.
    base_size : int or None
        Side in pixels of the images that the base diffusion model learns; none where one size is enough.
    channels : {1, 3}
        Grey or colour.
    fit : {"pad", "crop", "stretch"}
        How an oblong image becomes square.
    max_rejected : float
        Share of the files that may be unusable, ``rejected.csv`` lists them; more are an error.
    patches : PatchSettings or None
        How patches of slides are laid out and chosen.
    reader_options : mapping
        Options of the reader, see Readers.
    external_reader : str or sequence of str
        How the files of `external_dir` are read: one reader for all, or one for each.
    external_options : mapping or sequence of mapping
        Options of these readers.
    phantom_images : tuple of int or None
        Images to draw where there is no `dataset_dir`, of each hospital or place.
    phantom_slides : tuple of int or None
        Slides to draw where there is no `dataset_dir`: of each of the five hospitals, and their side in
        pixels.
    workers : int or None
        Processes that decode files; none means one for each core.
    """

    task: Task
    split: Mapping[str, Any]
    image_size: int
    base_size: int | None = None
    channels: Literal[1, 3] = 1
    fit: Fit = "pad"
    max_rejected: float = free(0.05)  # so that a higher one goes on with what is decoded
    patches: PatchSettings | None = None
    reader_options: Mapping[str, Any] = free(None)
    external_reader: str | Sequence[str] | None = free(None)
    external_options: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = free(None)
    phantom_images: tuple[int, ...] | None = free(None)
    phantom_slides: tuple[int, ...] | None = free(None)
    workers: int | None = free(None)

    @classmethod
    def of(cls, run: Run, **given: Any) -> PreparationSettings:
        """Return settings from the values of a config, where None means what the preset says."""
        models = run.presets
        base = {} if models.upsampler is None else {"base_size": models.diffusion.image_size}
        return chosen(cls, {"image_size": models.image_size} | base | _without_none(given))

    @property
    def sizes(self) -> list[int]:
        """Sides in pixels of the images that the store keeps."""
        return [self.image_size] if self.base_size is None else [self.image_size, self.base_size]


@dataclass(frozen=True, kw_only=True)
class Preparation:
    """Makes the image store of a run.

    Parameters
    ----------
    run : Run
        What all stages share.
    settings : PreparationSettings
        How.
    """

    run: Run
    settings: PreparationSettings

    @classmethod
    def of(cls, run: Run, **given: Any) -> Preparation:
        """Return a stage from the values of a config; None means the default of the setting."""
        return cls(run=run, settings=PreparationSettings.of(run, **given))

    @property
    def product(self) -> Path:
        """Folder of the store."""
        return Path(self.run.data_dir)

    @cached_property
    def sources(self) -> list[dict[str, Any]]:
        """The data sets to read; none means phantoms."""
        run, how = self.run, self.settings
        external = run.external_dir, how.external_reader, how.external_options
        return sources(run.dataset_dir, run.reader, how.reader_options or {}, *external)

    @property
    def phantoms(self) -> dict[str, Any] | None:
        """What to draw where there are no data."""
        if self.sources:
            return None
        amounts = self.settings.phantom_images or self.settings.phantom_slides or ()
        return {"modality": self.run.modality, "amounts": list(amounts), "seed": self.run.seed}

    @cached_property
    def contents(self) -> list[str] | None:
        """What the data sets hold now; None where not all of them are at hand."""
        held = [contents(s["reader"], Path(s["folder"]), s["options"]) for s in self.sources]
        return None if None in held else [line for lines in held for line in lines or ()]

    @property
    def record(self) -> dict[str, Any]:
        """What the store depends on."""
        bound = record(self.settings)
        sides = {"sizes": [bound.pop("image_size")]}
        if (base := bound.pop("base_size")) is not None:
            sides["sizes"].append(base)
        held = {} if self.contents is None else {CONTENTS: self.contents}
        return {"sources": self.sources, **held, "phantoms": self.phantoms, **sides, **bound}

    def make(self) -> None:
        """Make the store, unless it is there; say where it is."""
        known = {**defaults(self.settings), CONTENTS: self.contents}
        with self.run.making(self.product, self.record, known) as missing:
            if missing:
                self._make()
        if is_first():
            logger.info("The image store is %s", self.product)

    def _make(self) -> None:
        data_sets = self.sources or draw_phantoms(self.product.parent, **(self.phantoms or {}))
        of_slides = {data_set["reader"] in SLIDE_READERS for data_set in data_sets}
        if len(of_slides) > 1:
            raise SettingsError("slides and images cannot be prepared together: use readers of one kind")
        origin = {
            "phantom": any(is_phantom(Path(s["folder"])) for s in data_sets),
            "sources": [s["reader"] for s in data_sets],
            "split": dict(self.settings.split),
        }
        make = self._from_slides if of_slides.pop() else self._from_images
        _log_counts(make(data_sets, origin))

    def _from_images(self, data_sets: list[dict[str, Any]], origin: Mapping[str, Any]) -> ImageStore:
        how, tables = self.settings, self._tables(read_source, data_sets)
        for table, data_set in zip(tables, data_sets, strict=True):
            need_real(table, data_set["folder"])
        split = split_settings(how.split, tables)
        write_key(self.product, tables, data_sets)
        table, left_out = assign_splits(pd.concat(tables, ignore_index=True), split)
        files = PrepareSettings(tuple(how.sizes), how.channels, how.fit, how.max_rejected, split.unit)
        return prepare(table, left_out, self.product, how.task, files, origin, how.workers)

    def _from_slides(self, data_sets: list[dict[str, Any]], origin: Mapping[str, Any]) -> ImageStore:
        how = self.settings
        if how.channels != 3:
            raise SettingsError(f"slides are kept in colour, with 3 channels, not {how.channels}")
        if how.patches is None:
            raise SettingsError("slides are cut into patches: this bundle does not say how (patches)")
        tables = self._tables(read_slide_source, data_sets)
        write_key(self.product, tables, data_sets)
        split = split_settings(how.split, tables)
        store = PatchStore(self.product, how.task, how.patches, how.sizes, how.max_rejected, how.workers)
        return store.of_training(pd.concat(tables, ignore_index=True), split, origin)

    def _tables(
        self, read: Callable[..., pd.DataFrame], data_sets: list[dict[str, Any]]
    ) -> list[pd.DataFrame]:
        task = self.settings.task
        tables = [read(s["reader"], Path(s["folder"]), task, **s["options"]) for s in data_sets]
        return told_apart(tables, [s["reader"] for s in data_sets])


def log_phantom(phantom: bool) -> None:
    """Say of drawn images that they are, once."""
    if phantom and is_first():
        logger.info("Note: %s", PHANTOM_NOTICE)


def _log_counts(store: ImageStore) -> None:
    if is_first():
        counts = store.table.groupby(["split", "domain"], observed=True).size()
        cells = counts.reset_index(name="images").itertuples(index=False, name=None)
        shown = ", ".join(f"{split} {domain} {images:,}" for split, domain, images in cells)
        logger.info("Prepared %s images: %s", f"{len(store):,}", shown)
        log_phantom(store.phantom)


def _without_none(given: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in given.items() if value is not None}
