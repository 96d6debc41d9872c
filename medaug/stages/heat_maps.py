"""Predictions drawn over the slides that they were made from."""

from __future__ import annotations

import logging
from pathlib import Path

import pandas as pd

from medaug.data.slides.patches import PatchSettings
from medaug.data.slides.reading import Slide
from medaug.data.store import ImageStore
from medaug.engine.distributed import barrier, is_first
from medaug.evaluation.predictions import read_predictions
from medaug.report.heatmap import write_heatmaps
from medaug.stages.making import working_on
from medaug.stages.products import identity, is_current, renewed

logger = logging.getLogger(__name__)


def draw_heat_maps(product: Path, store: ImageStore, slides: pd.DataFrame, patches: PatchSettings) -> None:
    """Draw predictions over their slides, into a folder ``heatmaps`` beside them.

    Parameters
    ----------
    product : Path
        The predictions.
    store : ImageStore
        The patches that were predicted.
    slides : DataFrame
        The slides, as their reader returns them.
    patches : PatchSettings
        The grid of the patches.
    """
    folder = product.with_name("heatmaps")
    record = {"predictions": identity(product)}
    if not is_current(folder, record, fresh=True):  # those of older predictions go aside
        with working_on(folder):
            if not is_current(folder, record, fresh=True) and is_first():
                with renewed(folder, record) as aside:
                    _draw(product, store, slides, patches, aside / folder.name)
            barrier()
    if is_first():
        logger.info("The heat maps are in %s", folder)


def _draw(
    product: Path, store: ImageStore, slides: pd.DataFrame, patches: PatchSettings, folder: Path
) -> None:
    places = store.table[["image_id", "slide", "x", "y"]]
    predictions = read_predictions(product).merge(places, on="image_id", validate="one_to_one")
    shown = slides[slides["slide"].isin(predictions["slide"])]
    paths = {str(name): Path(path) for name, path in zip(shown["slide"], shown["path"], strict=True)}
    sides = {name: _side(path, patches) for name, path in paths.items()}
    write_heatmaps(predictions, paths, sides, folder)


def _side(path: Path, patches: PatchSettings) -> float:
    """Return the side of a patch in level-0 pixels."""
    with Slide(path) as slide:
        grid = slide.grid_level(mpp=patches.mpp, level=patches.level, level0_mpp=patches.level0_mpp)
        return patches.patch_size * grid.downsample
