"""From whole slides to an image store of patches: divide the slides, cut them, keep the patches."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from medaug.data.slides.cutting import cut
from medaug.data.slides.dividing import check_labelled, divide_patches, divide_slides
from medaug.data.slides.patches import PatchSettings, choose
from medaug.data.slides.shards import Choose
from medaug.data.slides.storing import store_patches
from medaug.data.split import SplitSettings
from medaug.data.store import ImageStore
from medaug.data.table import UNKNOWN_DOMAIN
from medaug.engine.distributed import is_first
from medaug.task import Task


@dataclass(frozen=True)
class PatchStore:
    """How slides become an image store of their patches.

    Parameters
    ----------
    path : Path
        Folder of the store.
    task : Task
        What is predicted.
    patches : PatchSettings
        How patches are laid out and chosen.
    sizes : sequence of int
        Sides of the stored images in pixels.
    max_rejected : float
        Share of the slides that may be unusable.
    workers : int or None
        Cutting processes; all cores when None.
    """

    path: Path
    task: Task
    patches: PatchSettings
    sizes: Sequence[int]
    max_rejected: float = 0.05
    workers: int | None = None

    def of_training(
        self, slides: pd.DataFrame, split: SplitSettings, origin: Mapping[str, Any]
    ) -> ImageStore:
        """Make the store that models are trained on and tested with.

        Slides are divided before they are cut, so that held-out slides give no unlabelled patches; with the
        unit ``patch`` the labelled patches of the training slides are divided after that.

        Parameters
        ----------
        slides : DataFrame
            One row a slide, as slide readers return it.
        split : SplitSettings
            How to divide.
        origin : mapping
            What ``origin.json`` shall say about the source; counts are added.
        """
        slides, left_out = divide_slides(slides, split, self.patches)
        reasons = {str(reason): int(count) for reason, count in left_out["reason"].value_counts().items()}
        table, rejected = self._cut(slides, choose)
        table = divide_patches(table, split) if split.unit == "patch" else table
        check_labelled(table)
        return self._store(table, rejected, {**origin, "left_out_slides": reasons}, split)

    def of_new(self, slides: pd.DataFrame, choose: Choose, origin: Mapping[str, Any]) -> ImageStore:
        """Make a store of slides whose column ``split`` says where they belong, for a trained model.

        A slide whose hospital is not known is of `UNKNOWN_DOMAIN`.
        """
        slides = slides.assign(domain=slides["domain"].fillna(UNKNOWN_DOMAIN))
        table, rejected = self._cut(slides, choose)
        return self._store(table, rejected, origin, None)

    @property
    def _work(self) -> Path:
        return self.path.with_name(f"{self.path.name}.slides")

    def _cut(self, slides: pd.DataFrame, choose: Choose) -> tuple[pd.DataFrame, pd.DataFrame]:
        return cut(slides, self._work, self.patches, choose, tuple(self.sizes), self.workers)

    def _store(
        self,
        table: pd.DataFrame,
        rejected: pd.DataFrame,
        origin: Mapping[str, Any],
        split: SplitSettings | None,
    ) -> ImageStore:
        unit = "patient" if split is None else split.unit
        sizes = tuple(self.sizes)
        store = store_patches(table, rejected, self.path, self.task, sizes, origin, self.max_rejected, unit)
        if is_first():
            shutil.rmtree(self._work, ignore_errors=True)
        return store
