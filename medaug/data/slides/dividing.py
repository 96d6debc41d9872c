"""Which slides, and which of their patches, are for training and which are held out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from medaug.data.slides.patches import TUMOUR_LABEL, PatchSettings
from medaug.data.split import SplitSettings, assign_splits
from medaug.errors import DataError


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


def check_labelled(patches: pd.DataFrame) -> None:
    """Check what the slides promised when they were divided: that each of these splits has labels.

    Raises
    ------
    DataError
        ``train`` or ``id_val`` has no patch.
    """
    for name in ("train", "id_val"):
        if not (patches["split"] == name).any():
            raise DataError(
                f"the slides of the split {name} gave no labelled patch: none has both tumour and normal "
                "tissue where patches lie; use more slides, smaller patches, or another seed"
            )
