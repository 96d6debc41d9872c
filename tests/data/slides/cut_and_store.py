"""Run by test_whole_way.py under torchrun: cut the slides of a table, keep their patches in a store."""

import sys
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


def main(slides: Path, output: Path, workers: int) -> None:
    distributed.start("cpu")
    table = pd.read_parquet(slides)
    patches, rejected = cut(table, output / "work", SETTINGS, choose, SIZES, workers)
    store_patches(patches, rejected, output / "store", TASK, SIZES, {"source": "test"}, max_rejected=0.5)
    distributed.end()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
