"""The stage that applies a trained classifier to new images."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
from monai.engines.evaluator import SupervisedEvaluator
from torch.utils.data import DataLoader, Dataset

from medaug.classification.classifier import ClassifierInfo, load_classifier
from medaug.classification.networks import Classifier
from medaug.classification.predict import GatherLogits, predictions_table, prepare_image, probabilities
from medaug.data.pixels import Fit
from medaug.data.prepare import PrepareSettings, prepare
from medaug.data.readers import SLIDE_READERS, read_slide_source, read_source
from medaug.data.readers.contents import contents
from medaug.data.sampling import Example, InOrder, StoreBatches, batch_loader
from medaug.data.slides.patch_store import PatchStore
from medaug.data.slides.patches import PatchSettings, every_patch
from medaug.data.store import ImageStore
from medaug.data.table import is_synthetic
from medaug.engine.distributed import barrier, is_first
from medaug.engine.later import later
from medaug.errors import CheckpointError, SettingsError
from medaug.evaluation.predictions import write_predictions
from medaug.phantoms.mark import is_phantom
from medaug.stages.heat_maps import draw_heat_maps
from medaug.stages.keys import write_key
from medaug.stages.products import CONTENTS, identity, is_made
from medaug.stages.run import Run
from medaug.stages.setting_values import chosen, defaults

logger = logging.getLogger(__name__)

NEW_IMAGES = "ood_test"
"""Split of images that come from nowhere in training; the other splits say something that is not known."""


@dataclass(frozen=True, kw_only=True)
class InferenceSettings:
    """How new images are prepared and predicted.

    Parameters
    ----------
    folder : str
        Name of the folder in `output_dir` for this set of images.
    reader_options : mapping
        Options of the reader, see Readers.
    fit : {"pad", "crop", "stretch"}
        How an oblong image becomes square; by default as for the training images.
    max_rejected : float
        Share of the files that may be unusable, ``rejected.csv`` lists them; more are an error.
    patch_size : int
        Side of a patch of a slide in its own pixels; by default as for the training images, like the rest of
        the grid. All patches on tissue are predicted.
    mpp : float or None
        Microns per pixel of the grid of patches; this or `level`.
    level : int or None
        Level of the slide's pyramid that patches are read from.
    level0_mpp : float or None
        Microns per pixel of level 0, for slides that do not say it, or not credibly.
    tissue_fraction : float
        Least share of a patch that is tissue, in [0, 1].
    max_lost : float
        Share of the patches of a slide that may be unreadable; a slide with more is rejected.
    batch_size : int
        Images predicted at once by a process.
    workers : int or None
        Processes that decode files; none means one for each core.
    amp : bool
        Mixed precision.
    """

    fit: Fit
    patch_size: int
    tissue_fraction: float
    mpp: float | None = None
    level: int | None = None
    level0_mpp: float | None = None
    max_lost: float = 0.05
    folder: str = "inference"
    reader_options: Mapping[str, Any] | None = None
    max_rejected: float = 0.05
    batch_size: int = 64
    workers: int | None = None
    amp: bool = False

    @classmethod
    def of(cls, run: Run, **given: Any) -> InferenceSettings:
        """Return settings from the values of a config, where None means as for the training images."""
        how = run.preparation.settings
        trained = how.patches or PatchSettings()
        given = {name: value for name, value in given.items() if value is not None}
        grid = {"mpp": None, "level": None} if {"mpp", "level"} & set(given) else {}
        usual = {"fit": how.fit, "patch_size": trained.patch_size, "tissue_fraction": trained.tissue_fraction}
        return chosen(cls, usual | {"mpp": trained.mpp, "level": trained.level} | grid | given)

    @property
    def patches(self) -> PatchSettings:
        """The grid of patches; no part of a patch decides about a label here."""
        return PatchSettings(
            patch_size=self.patch_size,
            centre=self.patch_size,
            mpp=self.mpp,
            level=self.level,
            tissue_fraction=self.tissue_fraction,
            level0_mpp=self.level0_mpp,
            max_lost=self.max_lost,
        )


@dataclass(frozen=True, kw_only=True)
class Inference:
    """Predicts new images; builds the parts that a config composes.

    Parameters
    ----------
    run : Run
        What all stages share; ``dataset_dir`` and ``reader`` say where the images are.
    settings : InferenceSettings
        How.
    model : str
        File of the classifier; by default that of the run, or, while it has none, of the bundle.
    """

    run: Run
    settings: InferenceSettings
    model: str

    @classmethod
    def of(cls, run: Run, model: str | None, **given: Any) -> Inference:
        """Return a stage from the values of a config; None means the default of the setting."""
        model = str(run.weights("model.pt")) if model is None else model
        return cls(run=run, model=model, settings=InferenceSettings.of(run, **given))

    @property
    def data(self) -> Path:
        """Folder of the store of the new images."""
        return self.run.path(self.settings.folder, "data")

    @property
    def product(self) -> Path:
        """The table of predictions."""
        return self.run.path(self.settings.folder, "predictions.csv")

    @cached_property
    def classifier(self) -> tuple[Classifier, ClassifierInfo]:
        """The trained classifier, read on first use."""
        return load_classifier(self.model)

    @property
    def info(self) -> ClassifierInfo:
        """What the classifier predicts; before there is one, what it would."""
        if is_made(self.model):
            return self.classifier[1]
        return ClassifierInfo(self.run.task, self.run.presets.image_size, "", self.run.seed, False)

    @property
    def architecture(self) -> Mapping[str, Any]:
        """Arguments of `build_classifier`: of the classifier, or, before there is one, of the usual one."""
        if is_made(self.model):
            return self.classifier[0].settings
        usual = self.run.presets.classifier
        return {
            "name": usual.network_name,
            "classes": len(self.run.task.classes),
            "channels": self.run.channels,
            "dropout": usual.dropout,
        }

    @cached_property
    def store(self) -> ImageStore:
        """The new images, opened on first use."""
        return later(lambda: ImageStore.open(self.data))

    # Parts

    def dataset(self) -> Dataset[Example]:
        """Return batches with ``image`` uint8 (B, C, H, W) and ``position``, the row."""
        return later(lambda: StoreBatches(self.store, self.info.image_size, {}))

    def loader(self, dataset: Dataset[Example]) -> DataLoader[Example]:
        """Return a loader over all images, once and in order; each process has its share."""
        return batch_loader(dataset, later(lambda: InOrder(self.store.rows(), self.settings.batch_size)), 0)

    @property
    def prepare_batch(self) -> Callable[..., Any]:
        """What turns a batch into images in [0, 1]."""
        return prepare_image

    @property
    def batches(self) -> int:
        """Batches of this process; 1 while the images are not prepared."""
        return len(self.loader(self.dataset())) if is_made(self.data) else 1

    @cached_property
    def gather(self) -> GatherLogits:
        """What gathers the predictions of all processes."""
        return GatherLogits(self.store)

    def handlers(self) -> GatherLogits:
        """Return the handler of the evaluator."""
        return self.gather

    # Work

    def prepare(self) -> None:
        """Make the store of the new images, unless it is there.

        Raises
        ------
        SettingsError
            No folder was named.
        CheckpointError
            There is no classifier.
        """
        if self.run.dataset_dir is None:
            raise SettingsError("name the folder that holds the images to predict with --dataset_dir")
        how = self.settings
        held = contents(self.run.reader, self._folder, how.reader_options or {})
        known = {"patches": defaults(how), "max_rejected": how.max_rejected, CONTENTS: held}
        record = self._data_record | ({} if held is None else {CONTENTS: held})
        with self.run.making(self.data, record, known) as missing:
            if missing:
                make = self._from_slides if self._of_slides else self._from_images
                make({"phantom": is_phantom(self._folder), "sources": [self.run.reader]})

    def predict(self, evaluator: SupervisedEvaluator) -> None:
        """Predict all images, unless that is done; draw the predictions over slides."""
        record = {"data": identity(self.data), "model": file_digest(self.model), "amp": self.settings.amp}
        with self.run.making(self.product, record, {}) as missing:
            if missing:
                self._predict(evaluator)
        if is_first():
            logger.info("The predictions are %s", self.product)
        if self._of_slides:
            options = self.settings.reader_options or {}
            slides = read_slide_source(self.run.reader, self._folder, self.store.task, **options)
            draw_heat_maps(self.product, self.store, slides, self.settings.patches)

    def _predict(self, evaluator: SupervisedEvaluator) -> None:
        evaluator.network.load_state_dict(self.classifier[0].state_dict())
        evaluator.network.to(self.run.device)
        evaluator.state.epoch_length = len(evaluator.data_loader)  # type: ignore[arg-type]  # MONAI says Iterable
        evaluator.run()
        self._write()

    def _write(self) -> None:
        if is_first():
            info, store = self.info, self.store
            scores = probabilities(self.gather.logits, info.task)
            table = predictions_table(
                store, store.rows(), scores, info.task, method=info.method, seed=info.seed
            )
            marks: dict[str, Any] = {"phantom": store.phantom or info.phantom}
            if (synthetic := is_synthetic(store.table)).any():
                logger.warning("%s of %s images say that they are synthetic", synthetic.sum(), len(store))
                marks["synthetic"] = synthetic
            write_predictions(table.assign(**marks), self.product)
        barrier()

    @property
    def _folder(self) -> Path:
        return Path(str(self.run.dataset_dir))

    @property
    def _of_slides(self) -> bool:
        return self.run.reader in SLIDE_READERS

    @property
    def _data_record(self) -> dict[str, Any]:
        """What the store of the new images depends on."""
        info, how = self.classifier[1], self.settings
        names = ("patch_size", "mpp", "level", "tissue_fraction", "level0_mpp", "max_lost")
        grid = {name: getattr(how, name) for name in names}
        return {
            "folder": self.run.dataset_dir,
            "reader": self.run.reader,
            "reader_options": how.reader_options or {},
            "task": info.task,
            "sizes": [info.image_size],
            "channels": self.architecture["channels"],
            "fit": how.fit,
            **({"patches": grid} if self._of_slides else {}),
        }

    def _from_images(self, origin: Mapping[str, Any]) -> None:
        info, how = self.info, self.settings
        table = read_source(self.run.reader, self._folder, info.task, **(how.reader_options or {}))
        files = PrepareSettings((info.image_size,), self.architecture["channels"], how.fit, how.max_rejected)
        write_key(self.data, [table], [{"reader": self.run.reader, "folder": self._folder}])
        table, nothing = table.assign(split=NEW_IMAGES), pd.DataFrame({"reason": []})
        prepare(table, nothing, self.data, info.task, files, origin, how.workers)

    def _from_slides(self, origin: Mapping[str, Any]) -> None:
        info, how = self.info, self.settings
        slides = read_slide_source(self.run.reader, self._folder, info.task, **(how.reader_options or {}))
        write_key(self.data, [slides], [{"reader": self.run.reader, "folder": self._folder}])
        store = PatchStore(
            self.data, info.task, how.patches, [info.image_size], how.max_rejected, how.workers
        )
        store.of_new(slides.assign(split=NEW_IMAGES), every_patch, origin)


def file_digest(path: Path | str) -> str:
    """Return the SHA-256 of a model file."""
    try:
        with Path(path).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read ({error.strerror}); train a model first") from None
