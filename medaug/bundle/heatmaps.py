"""The stage that draws predictions over the slides that they were made from."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from medaug.bundle.products import claim, identity, is_made
from medaug.data.readers import SLIDE_READERS, read_slide_source
from medaug.data.slides.patches import PatchSettings
from medaug.data.slides.reading import Slide
from medaug.data.store import ImageStore
from medaug.engine.distributed import barrier, is_first
from medaug.evaluation.predictions import read_predictions
from medaug.files import write_aside
from medaug.report.heatmap import write_heatmaps

logger = logging.getLogger(__name__)


def draw_heatmaps(product: Path | str, data: Path | str, settings: Mapping[str, Any]) -> None:
    """Draw predictions over their slides, into a folder ``heatmaps`` beside them; images have no such place.

    Parameters
    ----------
    product : Path
        The predictions.
    data : Path
        The image store that was predicted.
    settings : mapping
        What the store was made with, see `medaug.bundle.inference.prepare_new`.
    """
    folder = Path(product).with_name("heatmaps")
    if settings["reader"] not in SLIDE_READERS:
        return
    claim(folder, {"predictions": identity(product)}, fresh=True)  # those of older predictions go aside
    if is_first() and not is_made(folder):
        store = ImageStore.open(data)
        places = store.table[["image_id", "slide", "x", "y"]]
        predictions = read_predictions(Path(product)).merge(places, on="image_id", validate="one_to_one")
        source = Path(settings["folder"])
        slides = read_slide_source(settings["reader"], source, store.task, **settings["reader_options"])
        shown = slides[slides["slide"].isin(predictions["slide"])]
        paths = {str(name): Path(path) for name, path in zip(shown["slide"], shown["path"], strict=True)}
        extents = {name: _extent(path, settings["patches"]) for name, path in paths.items()}
        with write_aside(folder) as aside:
            write_heatmaps(predictions, paths, extents, aside)
        logger.info("The heat maps are in %s", folder)
    barrier()


def _extent(path: Path, patches: Mapping[str, Any]) -> float:
    """Return the side of a patch in level-0 pixels."""
    how = PatchSettings(**patches)
    with Slide(path) as slide:
        return (
            how.patch_size
            * slide.grid_level(mpp=how.mpp, level=how.level, level0_mpp=how.level0_mpp).downsample
        )
