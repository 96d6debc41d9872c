"""Slides of which a part cannot be read, and what lies beside slides that does not matter."""

import logging
import os
from dataclasses import replace

import numpy as np
import openslide
import pandas as pd
import pytest
import tifffile

from medaug.data.readers.slides import read_slides
from medaug.data.slides.cutting import cut
from medaug.data.slides.patches import PatchSettings, choose, every_patch
from medaug.data.slides.reading import UNREADABLE, Grid, Slide
from medaug.data.slides.storing import store_patches
from medaug.errors import DataError, SettingsError
from medaug.task import Task

TASK = Task("multilabel", ("tumour",))
SETTINGS = PatchSettings(mpp=0.5, patch_size=64, centre=32, tissue_fraction=0.0, max_lost=0.1)
SIDE, TILE = 512, 64
BROKEN = (3, 5)
"""Column and row of a tile."""


def break_tiles(path, places, level=0):
    """Overwrite tiles, given by column and row, with what is no JPEG."""
    with tifffile.TiffFile(path) as file:
        page = file.pages[level]
        columns = -(-page.imagewidth // page.tilewidth)
        spans = [(page.dataoffsets[n], page.databytecounts[n]) for n in (x + columns * y for x, y in places)]
    with path.open("r+b") as file:
        for start, length in spans:
            file.seek(start)
            file.write(b"\1" * length)


@pytest.fixture
def broken(tmp_path, draw_scan, write_slide):
    """A slide of one level, whose thumbnail needs the broken tile too."""
    path = write_slide(tmp_path / "broken.tif", [draw_scan(SIDE, SIDE)], tile=TILE)
    break_tiles(path, [BROKEN])
    return path


def row_of(path, **columns):
    row = {"slide": "one", "path": str(path), "file": "slide 0001", "patient_id": "patient 1", "domain": "a"}
    return pd.DataFrame([row | {"annotation": None, "tumour_free": False, "split": "ood_test"} | columns])


def corners(step=TILE):
    return np.array([(x, y) for y in range(0, SIDE, step) for x in range(0, SIDE, step)], np.int64)


def test_the_other_patches_are_those_of_openslide(broken, read_alone):
    found = {}
    with Slide(broken) as slide:
        for numbers, pixels in slide.read_patches(corners(), Grid(0, 1.0), TILE, max_lost=0.1):
            found |= dict(zip(numbers.tolist(), pixels.copy(), strict=True))
    lost = BROKEN[0] + SIDE // TILE * BROKEN[1]
    assert sorted(found) == [number for number in range(len(corners())) if number != lost]
    for number, pixels in found.items():
        np.testing.assert_array_equal(pixels, read_alone(broken, *corners()[number].tolist(), 0, TILE))


def test_a_tile_that_fails_does_not_spoil_those_that_are_kept(broken, read_alone, monkeypatch):
    from medaug.data.slides import reading, tiles

    monkeypatch.setattr(tiles, "CACHE_BYTES", 0)  # six tiles are kept
    monkeypatch.setattr(reading, "PROBES", 1)
    order = np.array([(x * TILE, y * TILE) for x, y in [(0, 2), (1, 2), BROKEN, (2, 2), (0, 2), (1, 2)]])
    with Slide(broken) as slide:
        fill = slide._fill(0, order.astype(float), TILE)
        out = np.empty((TILE, TILE, 3), np.uint8)
        for x, y in order.tolist() * 3:
            if (x // TILE, y // TILE) == BROKEN:
                with pytest.raises(DataError):
                    fill(x, y, out)
                continue
            fill(x, y, out)
            np.testing.assert_array_equal(out, read_alone(broken, x, y, 0, TILE))


def test_what_cannot_be_read_is_marked_on_the_thumbnail(broken):
    with Slide(broken) as slide:
        picture = slide.thumbnail(SIDE // 4, max_lost=0.1)
        with pytest.raises(DataError, match="truncated or damaged"):
            slide.thumbnail(SIDE // 4)
    marked = (picture == UNREADABLE).all(axis=2)
    x, y = (place * TILE // 4 for place in BROKEN)
    assert marked[y : y + TILE // 4, x : x + TILE // 4].all()
    assert marked.sum() == (TILE // 4) ** 2


def test_a_slide_with_a_broken_tile_keeps_its_other_patches_and_says_so(broken, tmp_path, caplog):
    with caplog.at_level(logging.WARNING):
        patches, rejected = cut(row_of(broken), tmp_path / "work", SETTINGS, every_patch, (64,), 0)
    assert rejected.empty
    assert len(patches) == (SIDE // TILE) ** 2 - 1
    assert (BROKEN[0] * TILE, BROKEN[1] * TILE) not in set(zip(patches["x"], patches["y"], strict=True))
    assert "1 patches on damaged parts of 1 of 1 slides are lost" in caplog.text
    store = store_patches(patches, rejected, tmp_path / "store", TASK, (64,), {})
    assert store.origin["counts"]["lost"] == 1


def test_past_the_share_the_slide_is_rejected(tmp_path, draw_scan, write_slide):
    scan = draw_scan(SIDE, SIDE)
    path = write_slide(tmp_path / "a.tif", [scan, scan[::2, ::2]], tile=TILE)
    break_tiles(path, [(x, y) for x in range(8) for y in (4, 6)])
    table = pd.concat([row_of(path), row_of(write_slide(tmp_path / "b.tif", [scan]), slide="two")])
    for allowed, kept in ((0.05, {"two"}), (0.3, {"one", "two"})):
        settings = replace(SETTINGS, max_lost=allowed)
        patches, rejected = cut(table, tmp_path / f"work {allowed}", settings, every_patch, (64,), 0)
        assert set(patches["slide"]) == kept
        if allowed == 0.05:
            assert "truncated or damaged" in rejected["reason"].iloc[0]
            assert "a larger share than max_lost, 0.05, cannot be read" in rejected["reason"].iloc[0]


def test_a_slide_without_damage_is_read_as_before(tmp_path, draw_scan, write_slide):
    path = write_slide(tmp_path / "a.tif", [draw_scan(SIDE, SIDE)], tile=TILE)
    patches, _ = cut(row_of(path), tmp_path / "work", SETTINGS, every_patch, (64,), 0)
    assert len(patches) == (SIDE // TILE) ** 2


def test_shares_lie_between_none_and_all():
    for wrong in (-0.1, 1.1):
        with pytest.raises(SettingsError, match="max_lost must be in"):
            PatchSettings(max_lost=wrong)


IMAGESCOPE = '<?xml version="1.0"?><Annotations MicronsPerPixel="0.5"><Annotation Id="1"/></Annotations>'


@pytest.mark.parametrize("beside", [IMAGESCOPE, "<ASAP_Annotations>", "not XML", None])
def test_inference_needs_no_annotation(tmp_path, draw_scan, write_slide, beside):
    folder = tmp_path / "slides"
    folder.mkdir()
    write_slide(folder / "a.tif", [draw_scan(256, 256)])
    if beside is None:
        (folder / "a.xml").mkdir()
    else:
        (folder / "a.xml").write_text(beside)
    table = read_slides(folder, TASK).assign(split="ood_test")
    patches, rejected = cut(table, tmp_path / "work", SETTINGS, every_patch, (64,), 0)
    assert rejected.empty
    assert len(patches) == 16
    if beside is not None:
        with pytest.raises(DataError, match="the annotation is"):
            cut(table, tmp_path / "other", SETTINGS, choose, (64,), 0)


def test_an_annotation_that_is_a_folder_rejects_its_slide_only(tmp_path, draw_scan, write_slide):
    scan = draw_scan(256, 256)
    (tmp_path / "a.xml").mkdir()
    first = row_of(write_slide(tmp_path / "a.tif", [scan]), annotation=str(tmp_path / "a.xml"), split="train")
    second = row_of(write_slide(tmp_path / "b.tif", [scan]), slide="two", split="train")
    patches, rejected = cut(pd.concat([first, second]), tmp_path / "work", SETTINGS, choose, (64,), 0)
    assert set(patches["slide"]) == {"two"}
    assert rejected["reason"].tolist() == ["the annotation cannot be read (Is a directory)"]


@pytest.mark.parametrize("names", ["numbers", "files"])
def test_a_name_that_is_not_utf8_is_read_or_rejected(tmp_path, draw_scan, write_slide, names):
    folder = tmp_path / "slides"
    folder.mkdir()
    write_slide(folder / "a.tif", [draw_scan(256, 256)])
    os.rename(os.fsencode(folder / "a.tif"), os.fsencode(folder) + b"/M\xfcller.tif")
    write_slide(folder / "b.tif", [draw_scan(256, 256)])
    table = read_slides(folder, TASK, names=names).assign(split="ood_test")
    patches, rejected = cut(table, tmp_path / "work", SETTINGS, every_patch, (64,), 0)
    store = store_patches(patches, rejected, tmp_path / "store", TASK, (64,), {}, max_rejected=1.0)
    assert store.table["slide"].nunique() + len(rejected) == 2


def test_openslide_reads_nothing_more_after_an_error(broken):
    """Why a slide is opened again."""
    with openslide.OpenSlide(broken) as slide:
        for corner in ((BROKEN[0] * TILE, BROKEN[1] * TILE), (0, 0)):
            with pytest.raises(openslide.OpenSlideError):
                slide.read_region(corner, 0, (TILE, TILE))
