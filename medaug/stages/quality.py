"""The stage that judges synthetic images before a classifier is trained on them."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from medaug.arrays import BoolArray
from medaug.data.real import open_synthetic
from medaug.data.store import ImageStore
from medaug.engine.distributed import barrier, is_first
from medaug.errors import DataError, SettingsError
from medaug.quality.image_features import PRETRAINED, SeenImages, common_size, feature_network, see
from medaug.quality.judge import judge
from medaug.quality.judgement import Judgement
from medaug.quality.limits import Limits
from medaug.quality.resampling import Resampling
from medaug.quality.spoiling import SPOILINGS
from medaug.report.tensorboard_quality import write_quality
from medaug.stages.products import identity, is_made, plain
from medaug.stages.run import Run
from medaug.stages.setting_values import chosen, defaults, free, record

logger = logging.getLogger(__name__)

LEARNT_FROM, HELD_OUT = ("train", "unlabelled"), ("id_val",)


@dataclass(frozen=True, kw_only=True)
class QualitySettings(Limits):
    """How synthetic images are judged.

    Parameters
    ----------
    features : str
        What the images are compared by: ``efficientnet_lite0``, trained on ImageNet, or the file of a
        classifier of medaug.
    sample : int
        Images of each kind, drawn where there are more, that all but the search for copies uses.
    replicates : int
        Bootstrap replicates for the intervals, of patients and of synthetic images.
    confidence : float
        Of the intervals.
    batch_size : int
        Images looked at at once by a process.
    """

    features: str = PRETRAINED
    sample: int = 5000
    replicates: int = 200
    confidence: float = 0.95
    batch_size: int = free(64)

    def __post_init__(self) -> None:
        if self.replicates < 20 or not 0 < self.confidence < 1:
            raise SettingsError(
                f"intervals need at least 20 replicates and a confidence between 0 and 1, not "
                f"{self.replicates} and {self.confidence}"
            )


@dataclass(frozen=True, kw_only=True)
class Quality:
    """Judges the synthetic images of a run.

    Parameters
    ----------
    run : Run
        What all stages share.
    settings : QualitySettings
        How to judge.
    """

    run: Run
    settings: QualitySettings

    @classmethod
    def of(cls, run: Run, **given: Any) -> Quality:
        """Return a stage from the values of a config; None means the default of the setting."""
        return cls(run=run, settings=chosen(QualitySettings, given))

    @property
    def product(self) -> Path:
        """The judgement, with a table of the images beside it."""
        return judgement_path(self.run)

    @property
    def record(self) -> dict[str, Any]:
        """What the judgement depends on."""
        run = self.run
        inputs = {"synthetic": identity(run.generator_path("synthetic")), "data": identity(run.data_dir)}
        own = {"skew": run.scarcity, "properties": run.properties, "seed": run.seed}
        return {**inputs, **own, **record(self.settings)}

    def pull(self) -> None:
        """Have made what is needed."""
        self.run.pull("generate")

    def make(self) -> None:
        """Judge the images, unless they are; say in a sentence how they are."""
        within = self.run.generator_path("synthetic")
        with self.run.making(self.product, self.record, defaults(self.settings), within=within) as missing:
            if missing:
                self._judge()
        if is_first():
            found = Judgement.read(self.product)
            level = logging.INFO if found.outcome == "passed" else logging.WARNING
            logger.log(level, "%s See %s", found.sentence, self.product)

    def _judge(self) -> None:
        run, how = self.run, self.settings
        synthetic = open_synthetic(run.generator_path("synthetic"))
        size = common_size(run.store, synthetic)
        made = self._see(synthetic, (), size)
        held_out, learnt_from = (self._see(run.store, splits, size) for splits in (HELD_OUT, LEARNT_FROM))
        spoiled = {name: self._see(run.store, HELD_OUT, size, spoil) for name, spoil in SPOILINGS.items()}
        if is_first():
            judgement = judge(
                made,
                held_out,
                learnt_from,
                spoiled,
                limits=how,
                resampling=Resampling(how.replicates, how.confidence, run.seed),
                size=size,
                sample=how.sample,
                properties=run.properties,
                settings=plain(record(how)),
            )
            write_quality(run.generator_path("logs", "quality"), judgement)
            judgement.write(self.product)
        barrier()

    def _see(
        self,
        store: ImageStore,
        splits: tuple[str, ...],
        size: int,
        spoil: Callable[[Tensor], Tensor] | None = None,
    ) -> SeenImages:
        network = feature_network(self.settings.features, store.channels, spoil)
        return see(
            network,
            store,
            store.rows(*splits),
            size=size,
            batch_size=self.settings.batch_size,
            device=self.run.device,
        )


def judgement_path(run: Run) -> Path:
    """Return where the judgement of a run's synthetic images lies."""
    return run.generator_path("synthetic", "quality.json")


def judgement_of(run: Run) -> Judgement | None:
    """Return the judgement of a run's synthetic images; None where they have not been judged."""
    path = judgement_path(run)
    return Judgement.read(path) if is_made(path) else None


def left_out(usable: BoolArray | None) -> str:
    """Name the synthetic images that are not used, as what a classifier depends on.

    Examples
    --------
    >>> left_out(None), left_out(np.array([True, True])), left_out(np.array([True, False]))
    ('none', 'none', '1 (7c9fa136)')
    """
    if usable is None or usable.all():
        return "none"
    rows = np.flatnonzero(~usable).astype("<i8")
    return f"{len(rows)} ({hashlib.sha256(rows.tobytes()).hexdigest()[:8]})"


def demand_quality(run: Run) -> None:
    """Raise a DataError that says what is wrong, where the synthetic images of a run failed."""
    judgement = judgement_of(run)
    if judgement is not None and judgement.outcome == "failed":
        raise DataError(
            f"{judgement.sentence} To train on these images nevertheless, add --accept_poor_synthetic true"
        )
