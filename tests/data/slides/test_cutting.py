import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from medaug.data.slides import cutting, shards, storing
from medaug.data.slides.cutting import cut
from medaug.data.slides.patch_store import PatchStore
from medaug.data.slides.patches import PatchSettings, choose, every_patch
from medaug.data.slides.shards import OVERVIEW, pixels_name, shard_name
from medaug.data.slides.storing import store_patches
from medaug.data.store import ImageStore
from medaug.errors import DataError
from medaug.task import Task

TASK = Task("multilabel", ("tumour",))
SETTINGS = PatchSettings(mpp=1.0, patch_size=32, centre=8, normal_per_negative_slide=5)
XML = """<ASAP_Annotations><Annotations><Annotation Name="a" Type="Polygon" PartOfGroup="Tumor"><Coordinates>
<Coordinate Order="0" X="100" Y="200"/><Coordinate Order="1" X="400" Y="200"/>
<Coordinate Order="2" X="400" Y="420"/><Coordinate Order="3" X="100" Y="420"/>
</Coordinates></Annotation></Annotations></ASAP_Annotations>"""


@pytest.fixture(scope="module")
def slides(tmp_path_factory, draw_scan, write_slide):
    """Three slides in a folder named after a patient: annotated, free of tumour, and held out."""
    folder = tmp_path_factory.mktemp("John Smith")
    (folder / "0.xml").write_text(XML)
    rows = []
    for number in range(3):
        scan = draw_scan(512, 480, number)
        path = write_slide(folder / f"{number}.tif", [scan, scan[::2, ::2]])
        rows.append(
            {
                "slide": f"slide {number}",
                "path": str(path),
                "file": f"slide {number:04}",
                "patient_id": f"patient {number}",
                "domain": f"center_{number}",
                "annotation": str(folder / "0.xml") if number != 1 else None,
                "tumour_free": number == 1,
                "split": "id_val" if number == 2 else "train",
            }
        )
    return pd.DataFrame(rows)


def with_file(slides, path, **columns):
    """The slides and one more."""
    row = {**slides.iloc[0].to_dict(), "slide": "extra", "file": "slide 0009", "path": str(path), **columns}
    return pd.concat([slides, pd.DataFrame([row])], ignore_index=True)


def pixels_of(row, size=32):
    pixels = np.fromfile(f"{row.work}/{pixels_name(size)}", np.uint8).reshape(-1, size, size, 3)
    return pixels[row.index_]


def rows_of(patches):
    return patches.rename(columns={"index": "index_"}).itertuples()


def test_every_patch_has_its_own_pixels(slides, tmp_path, read_alone):
    patches, rejected = cut(slides, tmp_path, SETTINGS, choose, (32,), 0)
    assert rejected.empty
    assert set(patches["slide"]) == {"slide 0", "slide 1", "slide 2"}
    assert patches["image_id"].is_unique
    paths = slides.set_index("slide")["path"]
    for row in rows_of(patches):
        np.testing.assert_array_equal(
            pixels_of(row), read_alone(paths[row.slide], row.x, row.y, row.level, 32)
        )


def test_choice_and_columns_are_those_of_choose(slides, tmp_path):
    patches, _ = cut(slides, tmp_path, SETTINGS, choose, (32,), 0)
    counts = patches.groupby(["slide", "split"])["label:tumour"].agg(["sum", "count", "size"])
    assert counts.loc[("slide 0", "train"), "sum"] * 2 == counts.loc[("slide 0", "train"), "count"] > 0
    assert counts.loc[("slide 1", "train")].tolist() == [0, 5, 5]
    assert set(patches[patches["slide"] == "slide 2"]["split"]) == {"id_val"}
    assert patches.loc[patches["split"] == "unlabelled", "label:tumour"].isna().all()
    assert (patches["level"] == 1).all()
    assert "path" not in patches
    assert "Smith" not in patches.drop(columns="work").to_csv()


def test_processes_make_no_difference(slides, tmp_path):
    one, _ = cut(slides, tmp_path / "one", SETTINGS, choose, (32, 16), 0)
    two, _ = cut(slides, tmp_path / "two", SETTINGS, choose, (32, 16), 2)
    pd.testing.assert_frame_equal(one.drop(columns="work"), two.drop(columns="work"))
    for name in ("slide 0", "slide 1", "slide 2"):
        for file in (pixels_name(32), pixels_name(16), OVERVIEW):
            assert (tmp_path / "one" / name / file).read_bytes() == (
                tmp_path / "two" / name / file
            ).read_bytes()


def test_smaller_sizes_are_reduced_patches(slides, tmp_path):
    patches, _ = cut(slides.head(1), tmp_path, SETTINGS, every_patch, (32, 16), 0)
    for row in rows_of(patches.head(20)):
        means = pixels_of(row).reshape(16, 2, 16, 2, 3).mean(axis=(1, 3))
        assert np.abs(pixels_of(row, 16) - means).mean() < 5


def test_a_cut_slide_is_not_cut_again(slides, tmp_path, monkeypatch):
    first, _ = cut(slides, tmp_path, SETTINGS, choose, (32,), 0)
    monkeypatch.setattr(shards, "Slide", None)  # opening a slide would fail
    again, _ = cut(slides, tmp_path, SETTINGS, choose, (32,), 0)
    pd.testing.assert_frame_equal(first, again)


@pytest.mark.parametrize("change", ["settings", "sizes", "choose", "split", "half"])
def test_what_was_cut_otherwise_is_cut_again(slides, tmp_path, change):
    slides = slides.head(1)
    cut(slides, tmp_path, SETTINGS, choose, (32,), 0)
    before = json.loads((tmp_path / "slide 0" / "shard.json").read_text())
    arguments = [slides, tmp_path, SETTINGS, choose, (32,), 0]
    if change == "settings":
        arguments[2] = replace(SETTINGS, seed=1)
    elif change == "sizes":
        arguments[4] = (16,)
    elif change == "choose":
        arguments[3] = every_patch
    elif change == "split":
        arguments[0] = slides.assign(split="id_test")
    else:
        (tmp_path / "slide 0" / "shard.json").unlink()
    cut(*arguments)
    after = json.loads((tmp_path / "slide 0" / "shard.json").read_text())
    assert (after["identity"] != before["identity"]) == (change != "half")
    assert (tmp_path / "slide 0" / pixels_name(16)).exists() == (change == "sizes")
    assert not list(tmp_path.glob("*.partial"))


def test_unusable_slides_are_rejected_with_a_reason_that_names_nobody(slides, tmp_path):
    bad = tmp_path / "Jane Smith.tif"
    bad.write_text("<!DOCTYPE html>")
    broken = tmp_path / "Jane Smith.xml"
    broken.write_text("<ASAP_Annotations>")
    table = with_file(slides, bad)
    table = with_file(table, slides["path"][0], slide="wrong outline", annotation=str(broken))
    table = with_file(table, slides["path"][1], slide="contradiction", tumour_free=True)
    gone = str(tmp_path / "Smith" / "gone.xml")
    table = with_file(table, slides["path"][0], slide="no outline", annotation=gone)
    patches, rejected = cut(table, tmp_path / "work", SETTINGS, choose, (32,), 0)
    assert set(patches["slide"]) == {"slide 0", "slide 1", "slide 2"}
    assert rejected["slide"].tolist() == ["extra", "wrong outline", "contradiction", "no outline"]
    assert "not a slide that OpenSlide can read" in rejected["reason"][0]
    assert "said to be free of tumour" in rejected["reason"][2]
    assert "annotation" in rejected["reason"][3]
    assert not rejected["reason"].str.contains("Smith").any()


def test_a_mended_slide_is_cut(slides, tmp_path):
    path = tmp_path / "extra.tif"
    path.write_text("half a download")
    table = with_file(slides, path)
    _, rejected = cut(table, tmp_path / "work", SETTINGS, choose, (32,), 0)
    assert rejected["slide"].tolist() == ["extra"]
    path.write_bytes(Path(slides["path"][0]).read_bytes())
    patches, rejected = cut(table, tmp_path / "work", SETTINGS, choose, (32,), 0)
    assert rejected.empty
    assert "extra" in set(patches["slide"])


def test_no_patch_at_all(slides, tmp_path, write_slide):
    glass = write_slide(tmp_path / "glass.tif", [np.full((300, 300, 3), 245, np.uint8)])
    table = with_file(slides, glass).tail(1)
    with pytest.raises(DataError, match="no patch could be cut from 1 slide"):
        cut(table, tmp_path / "work", SETTINGS, choose, (32,), 0)


def test_names_of_slides_are_unique(slides, tmp_path):
    with pytest.raises(DataError, match="the slide of row 2 has the name of an earlier one"):
        cut(slides.assign(slide="slide 0"), tmp_path, SETTINGS, choose, (32,), 0)


def test_any_name_is_the_name_of_a_file():
    names = ["a/b", "a%2Fb", "..", ".", ".hidden", "%2E", "ä b"]
    assert len({shard_name(name) for name in names}) == len(names)
    assert not any("/" in shard_name(name) or shard_name(name).startswith(".") for name in names)


def test_what_a_killed_process_of_the_same_number_left_is_no_obstacle(slides, tmp_path):
    leftover = tmp_path / f".slide 0.{os.getpid()}.partial"
    leftover.mkdir()
    (leftover / "patches-16.raw").write_bytes(b"half a file")
    patches, _ = cut(slides.head(1), tmp_path, SETTINGS, choose, (32,), 0)
    assert len(patches)
    assert not leftover.exists()
    assert not (tmp_path / "slide 0" / "patches-16.raw").exists()


def test_a_kill_while_an_old_result_is_removed_leaves_none(slides, tmp_path, monkeypatch):
    slides = slides.head(1)
    expected, _ = cut(slides, tmp_path, SETTINGS, choose, (32,), 0)

    def dying(folder, **_):
        if folder == tmp_path / "slide 0":
            (folder / pixels_name(32)).unlink()
            raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(shards.shutil, "rmtree", dying)
        with pytest.raises((Killed, OSError)):
            cut(slides, tmp_path, replace(SETTINGS, seed=1), choose, (32,), 0)
    again, _ = cut(slides, tmp_path, SETTINGS, choose, (32,), 0)
    pd.testing.assert_frame_equal(again, expected)
    assert (tmp_path / "slide 0" / pixels_name(32)).stat().st_size == len(again) * 32 * 32 * 3


def prepared(slides, folder, sizes=(32,), **options):
    patches, rejected = cut(slides, folder / "work", SETTINGS, choose, sizes, 0)
    origin = {"source": "test"}
    return patches, store_patches(patches, rejected, folder / "store", TASK, sizes, origin, **options)


def test_the_store_has_all_patches_in_their_place(slides, tmp_path, read_alone):
    patches, store = prepared(slides, tmp_path, (32, 16))
    assert store.table["image_id"].tolist() == patches["image_id"].tolist()
    assert store.sizes == (32, 16)
    paths = slides.set_index("slide")["path"]
    for number, row in enumerate(store.table.itertuples()):
        expected = read_alone(paths[row.slide], row.x, row.y, row.level, 32)
        np.testing.assert_array_equal(store.images(32)[number], expected)
    assert store.origin["counts"]["slides"] == 3
    assert store.origin["counts"]["images"] == len(patches)
    assert sorted(p.name for p in (store.path / "overviews").iterdir()) == [
        f"slide {n}.png" for n in range(3)
    ]
    assert not list((tmp_path / "work").iterdir())
    everything = b"".join(p.read_bytes() for p in store.path.rglob("*") if p.is_file())
    assert b"Smith" not in everything


def test_rejected_slides_are_listed_in_the_store(slides, tmp_path):
    bad = tmp_path / "bad.tif"
    bad.write_text("nothing")
    patches, store = prepared(with_file(slides, bad), tmp_path, max_rejected=0.5)
    listed = pd.read_csv(store.path / "rejected.csv")
    assert listed["file"].tolist() == ["slide 0009"]
    assert "OpenSlide" in listed["reason"][0]
    assert len(store) == len(patches)
    assert "extra" not in set(store.table["slide"])


def test_too_many_rejected_slides(slides, tmp_path):
    bad = tmp_path / "bad.tif"
    bad.write_text("nothing")
    with pytest.raises(DataError, match=r"1 of 4 slides cannot be used: slide 0009 \(not a slide"):
        prepared(with_file(slides, bad), tmp_path, max_rejected=0.2)


class Killed(BaseException):
    """As if the process had been killed."""


@pytest.mark.parametrize("writes", [0, 1, 2])
def test_storing_goes_on_where_it_was_killed(slides, tmp_path, monkeypatch, writes):
    _, expected = prepared(slides, tmp_path / "whole")
    left = [writes]
    write = storing.StoreWriter.write

    def dying(self, *arguments):
        if not left[0]:
            raise Killed
        left[0] -= 1
        write(self, *arguments)

    monkeypatch.setattr(storing.StoreWriter, "write", dying)
    with pytest.raises(Killed):
        prepared(slides, tmp_path / "killed")
    monkeypatch.setattr(storing.StoreWriter, "write", write)
    monkeypatch.setattr(shards, "Slide", None)  # no slide is opened again
    _, found = prepared(slides, tmp_path / "killed")
    pd.testing.assert_frame_equal(found.table, expected.table)
    np.testing.assert_array_equal(found.images(), expected.images())
    assert found.fingerprint == expected.fingerprint


def test_patches_whose_store_is_gone(slides, tmp_path):
    patches, rejected = cut(slides, tmp_path / "work", SETTINGS, choose, (32,), 0)
    for file in (tmp_path / "work").rglob("patches-*"):
        file.unlink()
    with pytest.raises(DataError, match="went into a store that is gone; delete"):
        store_patches(patches, rejected, tmp_path / "store", TASK, (32,), {})


def test_splits_may_change_between_cutting_and_storing(slides, tmp_path):
    patches, rejected = cut(slides, tmp_path / "work", SETTINGS, choose, (32,), 0)
    labelled = patches["label:tumour"].notna() & (patches["slide"] == "slide 0")
    some = patches.index[labelled][::3]
    patches.loc[some, "split"] = "id_val"
    with pytest.raises(DataError, match="more than one split"):
        store_patches(patches, rejected, tmp_path / "store", TASK, (32,), {})
    store = store_patches(patches, rejected, tmp_path / "store", TASK, (32,), {}, split_unit="patch")
    assert isinstance(store, ImageStore)
    assert (store.table["split"] == "id_val").sum() >= len(some)


def test_progress_is_counted_in_patches(slides, tmp_path, monkeypatch):
    counted = []

    class Counting(cutting.Progress):
        def update(self, count=1, note=""):
            counted.append(count)

    monkeypatch.setattr(cutting, "Progress", Counting)
    patches, _ = cut(slides, tmp_path, SETTINGS, choose, (32,), 0)
    assert sum(counted) == len(patches)


def test_cutting_processes_need_no_torch():
    command = "import sys, medaug.data.slides.shards; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", command], check=True, cwd=Path(__file__).parents[3])


def test_new_slides_of_unknown_hospitals_are_stored(slides, tmp_path):
    """CAMELYON17 does not publish the hospitals of its test patients."""
    new = slides.assign(domain=["center_0", None, None], split="ood_test")
    store = PatchStore(tmp_path / "store", TASK, SETTINGS, (32,), workers=0).of_new(new, every_patch, {})
    assert store.table.groupby("slide")["domain"].unique().map(list).to_dict() == {
        "slide 0": ["center_0"],
        "slide 1": ["unknown"],
        "slide 2": ["unknown"],
    }
