"""From whole slides to an image store of patches: divide the slides, cut them, keep the patches."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from medaug.data.readers import read_slide_source
from medaug.data.slides.cutting import cut
from medaug.data.slides.patches import TUMOUR_LABEL, PatchSettings, choose
from medaug.data.slides.shards import Choose
from medaug.data.slides.storing import store_patches
from medaug.data.split import SplitSettings, assign_splits, split_settings
from medaug.data.store import ImageStore
from medaug.engine.distributed import is_first
from medaug.errors import DataError, SettingsError
from medaug.task import Task


def prepare_slides(
    product: Path,
    task: Task,
    settings: Mapping[str, Any],
    data_sets: list[dict[str, Any]],
    origin: Mapping[str, Any],
    workers: int | None,
) -> ImageStore:
    """Make an image store of patches; parameters as in `medaug.bundle.data.prepare`.

    Slides are divided before they are cut, so that held-out slides give no unlabelled patches; with the unit
    ``patch`` the labelled patches of the training slides are divided after that.
    """
    if settings["channels"] != 3:
        raise SettingsError(f"slides are kept in colour, with 3 channels, not {settings['channels']}")
    tables = [read_slide_source(s["reader"], Path(s["folder"]), task, **s["options"]) for s in data_sets]
    split = split_settings(settings["split"], tables[0])
    patches = PatchSettings(**settings["patches"])
    slides, left_out = divide_slides(pd.concat(tables, ignore_index=True), split, patches)
    reasons = {str(reason): int(count) for reason, count in left_out["reason"].value_counts().items()}
    origin = {**origin, "left_out_slides": reasons}
    return cut_slides(slides, choose, product, task, settings, origin, workers, split)


def cut_slides(
    slides: pd.DataFrame,
    choose: Choose,
    product: Path,
    task: Task,
    settings: Mapping[str, Any],
    origin: Mapping[str, Any],
    workers: int | None,
    split: SplitSettings | None = None,
) -> ImageStore:
    """Cut the chosen patches of divided slides into an image store; with a split by patch divide these."""
    work, sizes = product.with_name(f"{product.name}.slides"), tuple(settings["sizes"])
    table, rejected = cut(slides, work, PatchSettings(**settings["patches"]), choose, sizes, workers)
    if split is not None:
        table = divide_patches(table, split) if split.unit == "patch" else table
        _check_labelled(table)
    unit = "patient" if split is None else split.unit
    store = store_patches(table, rejected, product, task, sizes, origin, settings["max_rejected"], unit)
    if is_first():
        shutil.rmtree(work, ignore_errors=True)
    return store


def divide_slides(
    slides: pd.DataFrame, split: SplitSettings, patches: PatchSettings
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Give every slide its split; only slides that can give labelled patches are held out.

    Parameters
    ----------
    slides : DataFrame
        What the slide readers returned.
    split : SplitSettings
        How to divide; with the unit ``patch`` every slide in distribution is for training.
    patches : PatchSettings
        Says whether slides free of tumour give labelled patches.

    Returns
    -------
    table, left_out : DataFrame
        As from `medaug.data.split.assign_splits`.
    """
    known = slides["annotation"].notna()
    if patches.normal_per_negative_slide:
        known |= slides["tumour_free"]
    table = slides.assign(**{TUMOUR_LABEL: np.where(known, 1.0, np.nan)})
    if split.unit != "patch":
        return assign_splits(table, split)
    return assign_splits(table, replace(split, unit="slide", val_fraction=0.0, test_fraction=0.0), ("train",))


def divide_patches(patches: pd.DataFrame, split: SplitSettings) -> pd.DataFrame:
    """Divide the labelled patches of the training slides into training, validation and test, patch by patch.

    Parameters
    ----------
    patches : DataFrame
        Patches of slides that `divide_slides` has divided.
    split : SplitSettings
        With the unit ``patch``.

    Returns
    -------
    DataFrame
        The same rows; ``split`` of what was ``train`` may be ``id_val`` or ``id_test``. Patches of other
        hospitals and unlabelled ones stay what their slide has made them.
    """
    inside = patches["split"] == "train"
    if not inside.any():
        return patches
    hospitals = tuple(sorted(patches.loc[inside, "domain"].unique()))
    how = replace(split, domain_column="domain", train_domains=hospitals, ood_val_domains=())
    divided, _ = assign_splits(patches[inside], how)
    result = patches.copy()
    result.loc[inside, "split"] = divided["split"].to_numpy()
    return result


def _check_labelled(patches: pd.DataFrame) -> None:
    """Check what the slides promised when they were divided: that each of these splits has labels."""
    for name in ("train", "id_val"):
        if not (patches["split"] == name).any():
            raise DataError(
                f"the slides of the split {name} gave no labelled patch: none has both tumour and normal "
                "tissue where patches lie; use more slides, smaller patches, or another seed"
            )
