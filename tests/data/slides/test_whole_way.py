"""Every chosen place of phantom slides, from the file to the store, against OpenSlide itself."""

import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import openslide
import pandas as pd
import pytest

from medaug.data.readers import read_slide_source
from medaug.data.slides.cutting import cut
from medaug.data.slides.patches import PatchSettings, choose, every_patch
from medaug.data.slides.storing import store_patches
from medaug.data.store import ImageStore
from medaug.phantoms.slides.trees import write_slide_phantoms
from medaug.task import Task

SCRIPT = Path(__file__).with_name("cut_and_store.py")
TWO = Path(__file__).parents[2] / "engine" / "two_processes.py"
TASK = Task("multilabel", ("tumour",))
SIZE = 64


@pytest.fixture(scope="module")
def slides(tmp_path_factory):
    """Slides of five hospitals in the challenge's tree, each with the split that its patients may have."""
    folder = tmp_path_factory.mktemp("phantoms")
    write_slide_phantoms(folder, seed=3, slides_per_hospital=1, size=1024, workers=0)
    table = read_slide_source("camelyon17", folder / "CAMELYON17", TASK)
    return table.assign(split=["train", "ood_val", "ood_test", "train", "id_val"])


def store_of(slides, folder, settings, which):
    patches, rejected = cut(slides, folder / "work", settings, which, (SIZE,), 0)
    return store_patches(patches, rejected, folder / "store", TASK, (SIZE,), {"source": "test"})


@pytest.mark.parametrize(
    ("level", "which"), [(0, every_patch), (1, every_patch), (2, every_patch), (1, choose)]
)
def test_every_patch_of_the_store_is_what_openslide_reads_there(slides, tmp_path, level, which):
    settings = PatchSettings(mpp=None, level=level, patch_size=SIZE, centre=16, tissue_fraction=0.1)
    store = store_of(slides, tmp_path, settings, which)
    assert len(store) > 20
    images, paths = store.images(), slides.set_index("slide")["path"]
    for name, rows in store.table.groupby("slide"):
        with openslide.OpenSlide(paths[name]) as slide:
            for number, x, y in zip(rows.index, rows["x"], rows["y"], strict=True):
                region = slide.read_region((x, y), level, (SIZE, SIZE))
                assert region.getextrema()[3] == (255, 255)  # no pixel is transparent
                np.testing.assert_array_equal(images[number], np.asarray(region.convert("RGB")))


def test_two_processes_make_the_store_that_one_makes(slides, tmp_path):
    bad = tmp_path / "bad.tif"
    bad.write_text("half a download")
    more = slides.iloc[[0]].assign(slide="extra", path=str(bad), file="slide 0009")
    pd.concat([slides, more], ignore_index=True).to_parquet(tmp_path / "slides.parquet")
    one, two = tmp_path / "one", tmp_path / "two"
    runpy.run_path(str(SCRIPT))["main"](tmp_path / "slides.parquet", one)
    command = [sys.executable, str(TWO), str(SCRIPT), str(tmp_path / "slides.parquet"), str(two)]
    subprocess.run(command, check=True, capture_output=True, timeout=240)
    expected, found = ImageStore.open(one / "store"), ImageStore.open(two / "store")
    assert found.fingerprint == expected.fingerprint
    pd.testing.assert_frame_equal(found.table, expected.table)
    for path in sorted(p.relative_to(one / "store") for p in (one / "store").rglob("*") if p.is_file()):
        assert (two / "store" / path).read_bytes() == (one / "store" / path).read_bytes(), path
    # A slide with isolated tumour cells alone may give no patch.
    assert len(list((two / "store" / "overviews").iterdir())) == found.table["slide"].nunique() >= 4
