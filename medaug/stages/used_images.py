"""Which synthetic images a classifier is trained on: none, all, or those that nothing speaks against."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from medaug.arrays import BoolArray
from medaug.data.real import open_synthetic
from medaug.data.store import ImageStore
from medaug.engine.later import later
from medaug.errors import SettingsError
from medaug.stages.agreed_images import AgreedImages, agreed_images
from medaug.stages.classifier_settings import ClassifierSettings
from medaug.stages.products import identity
from medaug.stages.quality import judgement_of, left_out
from medaug.stages.run import Run


@dataclass(frozen=True, kw_only=True)
class UsedImages:
    """The synthetic images of one training.

    Parameters
    ----------
    run : Run
        What all stages share.
    settings : ClassifierSettings
        How to train.
    """

    run: Run
    settings: ClassifierSettings

    @property
    def any(self) -> bool:
        """Whether there are synthetic images in the mixture."""
        return self.settings.real_fraction < 1

    @property
    def are_filtered(self) -> bool:
        """Whether the baseline decides which of them are used."""
        return self.any and self.settings.only_agreed

    @cached_property
    def store(self) -> ImageStore | None:
        """All synthetic images of the run, opened on first use."""
        return later(lambda: open_synthetic(self.run.generator_path("synthetic"))) if self.any else None

    @property
    def rows(self) -> BoolArray | None:
        """Which of them are used: judged so, agreed with, not excluded; None is all of them."""
        rows = [self.judged, None if self.agreed is None else self.agreed.rows, self._not_excluded]
        masks = [mask for mask in rows if mask is not None]
        return np.logical_and.reduce(masks) if masks else None

    @property
    def judged(self) -> BoolArray | None:
        """Which of them are no copies of patients; None where they have not been judged."""
        judgement = judgement_of(self.run) if self.any else None
        return None if judgement is None else judgement.usable

    @cached_property
    def agreed(self) -> AgreedImages | None:
        """Those that the baseline agrees with, where only these are used."""
        if self.store is None or not self.are_filtered:
            return None
        batch_size = 4 * self.settings.batch_size
        return agreed_images(self.judge, self.run.store, self.store, batch_size, self.run.device)

    @property
    def judge(self) -> Path:
        """The classifier that must agree with them: the baseline."""
        return self.run.path("models", f"{self.run.baseline_name}.pt")

    @property
    def record(self) -> dict[str, Any]:
        """What a classifier depends on here."""
        inputs = {
            "synthetic": identity(self.run.generator_path("synthetic")) if self.any else None,
            "left_out": left_out(self.judged),
        }
        return inputs | ({"agrees": identity(self.judge)} if self.are_filtered else {})

    @property
    def _not_excluded(self) -> BoolArray | None:
        if self.store is None or not self.settings.exclude:
            return None
        task = self.store.task
        kept = ~task.dominated_by(self.settings.exclude, task.labels(self.store.table))
        if not kept.any():
            raise SettingsError("exclude leaves no synthetic image; name fewer classes")
        return kept
