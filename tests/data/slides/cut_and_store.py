"""Run by test_whole_way.py in two processes: cut the slides of a table, keep their patches in a store."""

from pathlib import Path

import pandas as pd

from medaug.data.slides.cutting import cut
from medaug.data.slides.patches import PatchSettings, choose
from medaug.data.slides.storing import store_patches
from medaug.engine import distributed
from medaug.task import Task

TASK = Task("multilabel", ("tumour",))
SETTINGS = PatchSettings(mpp=1.0, patch_size=48, centre=16, seed=5, unlabelled_per_slide=40)
SIZES = (48, 24)


def main(slides: Path | str, output: Path | str) -> None:
    distributed.start("cpu")
    table, output = pd.read_parquet(slides), Path(output)
    patches, rejected = cut(table, output / "work", SETTINGS, choose, SIZES, 0)
    store_patches(patches, rejected, output / "store", TASK, SIZES, {"source": "test"}, max_rejected=0.5)
    distributed.end()
