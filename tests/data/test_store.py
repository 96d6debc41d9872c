import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import medaug.data.pixelfile as pixelfile
from medaug.data.pixelfile import PixelFile
from medaug.data.store import ImageStore, StoreWriter
from medaug.errors import DataError
from medaug.task import Task

SIZES = (8, 4)


def contents(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


@pytest.fixture
def write_store(tmp_path, task, make_table, make_images):
    def write(name="store", count=6, rejected=(), **columns):
        writer = StoreWriter(tmp_path / name, task, make_table(count, **columns), SIZES, 1)
        for row in rejected:
            writer.reject(row, f"reason {row}")
        rows = writer.pending()
        writer.write(rows, make_images(rows, SIZES))
        return writer.finish({"phantom": True, "versions": {"numpy": "1"}})

    return write


def test_a_store_holds_what_was_written(write_store, task):
    store = write_store()
    assert len(store) == 6
    assert store.task == task
    assert store.sizes == (8, 4)
    assert store.phantom
    assert store.images().shape == (6, 8, 8, 1)
    np.testing.assert_array_equal(store.images(4)[:, 0, 0, 0], np.arange(6))
    assert sorted(p.name for p in store.path.iterdir()) == [
        *("images-4.npy", "images-8.npy", "origin.json", "rejected.csv", "table.parquet", "task.json")
    ]
    assert not store.path.with_name("store.partial").exists()


def test_images_are_read_only(write_store):
    with pytest.raises(ValueError, match="read-only"):
        write_store().images()[0] = 1


def test_rejected_rows_are_dropped_and_listed(write_store):
    store = write_store(rejected=(4, 1))
    assert store.table["image_id"].tolist() == ["image0", "image2", "image3", "image5"]
    for size in SIZES:
        np.testing.assert_array_equal(store.images(size)[:, -1, -1, 0], [0, 2, 3, 5])
    listed = pd.read_csv(store.path / "rejected.csv")
    assert listed.to_dict("list") == {
        "file": ["folder/1.png", "folder/4.png"],
        "reason": ["reason 1", "reason 4"],
    }


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)
@given(st.sets(st.integers(0, 29), min_size=1), st.integers(1, 40))
def test_compaction_keeps_any_rows_in_any_portions(tmp_path, monkeypatch, kept, at_once):
    monkeypatch.setattr(pixelfile, "BYTES_AT_ONCE", at_once * 12)
    images = np.random.default_rng(0).integers(0, 256, (30, 2, 2, 3), np.uint8)
    file, target = PixelFile(tmp_path / "building", images.shape), tmp_path / "kept.npy"
    target.unlink(missing_ok=True)
    file.create()
    file.write(range(30), images)
    rows = np.array(sorted(kept))
    file.keep(rows, target)
    np.testing.assert_array_equal(np.load(target), images[rows])
    assert not file.path.exists()


def test_compaction_reads_little_at_once(tmp_path, monkeypatch):
    import tracemalloc

    monkeypatch.setattr(pixelfile, "BYTES_AT_ONCE", 2**16)
    file = PixelFile(tmp_path / "building", (4000, 64, 64, 1))
    file.create()
    tracemalloc.start()
    file.keep(np.arange(1, 4000), tmp_path / "kept.npy")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2**20 < (tmp_path / "kept.npy").stat().st_size


def test_rows_of_splits(write_store):
    store = write_store(split=["train", "id_val", "train", "ood_test", "unlabelled", "id_test"])
    assert store.rows("train").tolist() == [0, 2]
    assert store.rows("train", "unlabelled").tolist() == [0, 2, 4]
    assert store.rows().tolist() == list(range(6))
    assert store.rows("ood_val").dtype == np.int64


def test_the_fingerprint_is_the_content_not_the_place_or_version(write_store, tmp_path):
    first, same = write_store("one"), write_store("two")
    assert first.fingerprint == same.fingerprint
    others = [
        write_store("three", count=5),
        write_store("four", rejected=(2,)),
        write_store("five", domain="B"),
    ]
    assert len({store.fingerprint for store in (first, *others)}) == 4
    origin = json.loads((same.path / "origin.json").read_text())
    (same.path / "origin.json").write_text(json.dumps({**origin, "versions": {"numpy": "2"}}))
    assert ImageStore.open(same.path).fingerprint == first.fingerprint
    (same.path / "origin.json").write_text(json.dumps({**origin, "phantom": False}))
    assert ImageStore.open(same.path).fingerprint != first.fingerprint


def test_what_is_begun_is_continued(tmp_path, task, make_table, make_images):
    path, table = tmp_path / "store", make_table(5)
    first = StoreWriter(path, task, table, SIZES, 1)
    first.write([3, 1], make_images([3, 1], SIZES))
    first.reject(0, "bad")
    second = StoreWriter(path, task, table, SIZES, 1)
    assert second.pending().tolist() == [2, 4]
    second.write([2, 4], make_images([2, 4], SIZES))
    assert second.finish({}).images()[:, 0, 0, 0].tolist() == [1, 2, 3, 4]


@pytest.mark.parametrize("change", ["table", "sizes", "channels", "recipe", "task"])
def test_what_was_begun_otherwise_is_discarded(tmp_path, task, make_table, make_images, change):
    path = tmp_path / "store"
    StoreWriter(path, task, make_table(5), SIZES, 1).write([0], make_images([0], SIZES))
    writer = StoreWriter(
        path,
        Task(task.kind, task.classes, ("edema",), task.attributes) if change == "task" else task,
        make_table(5, domain="B") if change == "table" else make_table(5),
        (8,) if change == "sizes" else SIZES,
        3 if change == "channels" else 1,
        {"seed": 1} if change == "recipe" else None,
    )
    assert writer.pending().tolist() == [0, 1, 2, 3, 4]


def test_a_line_cut_short_does_not_count(tmp_path, task, make_table, make_images):
    writer = StoreWriter(tmp_path / "store", task, make_table(4), SIZES, 1)
    writer.write([0], make_images([0], SIZES))
    writer.write([1], make_images([1], SIZES))
    (journal,) = writer.partial.glob("journal-*")
    journal.write_bytes(journal.read_bytes()[:-3])
    assert StoreWriter(tmp_path / "store", task, make_table(4), SIZES, 1).pending().tolist() == [1, 2, 3]


def test_finish_wants_every_row(tmp_path, task, make_table, make_images):
    writer = StoreWriter(tmp_path / "store", task, make_table(3), SIZES, 1)
    writer.write([0], make_images([0], SIZES))
    with pytest.raises(DataError, match=r"2 rows of .* the first is 1"):
        writer.finish({})
    with pytest.raises(DataError, match="not finished"):
        ImageStore.open(tmp_path / "store")


def test_nothing_usable_is_an_error(tmp_path, task, make_table):
    writer = StoreWriter(tmp_path / "store", task, make_table(2), SIZES, 1)
    writer.reject(0, "torn")
    writer.reject(1, "torn")
    with pytest.raises(DataError, match=r"no image of .* torn"):
        writer.finish({})


def test_wrong_images_are_an_error(tmp_path, task, make_table, make_images):
    writer = StoreWriter(tmp_path / "store", task, make_table(2), SIZES, 1)
    with pytest.raises(DataError, match=r"size 8 must be uint8 \(1, 8, 8, 1\), not uint8 \(1, 8, 8, 3\)"):
        writer.write([0], make_images([0], SIZES, channels=3))
    with pytest.raises(DataError, match="not float64"):
        writer.write([0], {size: np.zeros((1, size, size, 1)) for size in SIZES})
    assert writer.pending().tolist() == [0, 1]


def test_an_existing_store_is_not_overwritten(write_store):
    write_store()
    with pytest.raises(DataError, match="exists already"):
        write_store()


@pytest.mark.parametrize("damage", ["absent", "foreign", "no table", "short pixels", "no pixels"])
def test_open_refuses_what_is_not_whole(write_store, damage):
    path = write_store().path
    if damage == "absent":
        path = path / "elsewhere"
    elif damage == "foreign":
        (path / "origin.json").write_text("[]")
    elif damage == "no table":
        (path / "table.parquet").unlink()
    elif damage == "short pixels":
        os.truncate(path / "images-4.npy", 130)
    else:
        (path / "images-4.npy").unlink()
    with pytest.raises(DataError, match=str(path)):
        ImageStore.open(path)


def test_an_unknown_size_lists_those_there_are(write_store):
    with pytest.raises(DataError, match="no images of size 5; there are: 8, 4"):
        write_store().images(5)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_one_sentence(tmp_path, task, make_table, make_images):
    writer = StoreWriter(tmp_path / "store", task, make_table(2), SIZES, 1)
    pixels = writer.partial / "building-8.npy"
    pixels.unlink()
    pixels.symlink_to("/dev/full")
    with pytest.raises(DataError, match=r"the disk that holds .*store.* is full; free some space and run"):
        writer.write([0], make_images([0], SIZES))
    assert StoreWriter(tmp_path / "store", task, make_table(2), SIZES, 1).pending().tolist() == [0, 1]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and SIGKILL")
def test_killed_at_random_moments_the_store_ends_the_same(tmp_path):
    script = Path(__file__).with_name("kill_writer.py")
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", script, whole, killed], capture_output=True, text=True, check=True
    )
    assert int(done.stdout) >= 2
    assert contents(killed) == contents(whole)
    assert not killed.with_name("killed.partial").exists()


class Killed(BaseException):
    """Stands for the end of the process: nothing in the code may catch it."""


def _die_at(monkeypatch, call: int) -> None:
    """Die at the n-th change of a name on disk, just before it happens."""
    count = iter(range(1, 1000))
    for owner, name in ((Path, "rename"), (Path, "replace"), (Path, "unlink")):
        original = getattr(owner, name)

        def dying(self, *arguments, original=original, **options):
            if next(count) == call:
                raise Killed
            return original(self, *arguments, **options)

        monkeypatch.setattr(owner, name, dying)


@pytest.mark.parametrize("rejected", [(), (2, 3)])
def test_every_step_of_finish_can_be_the_last(tmp_path, task, make_table, make_images, rejected):
    def write(path):
        writer = StoreWriter(path, task, make_table(6), SIZES, 1)
        for row in writer.pending():
            if row in rejected:
                writer.reject(row, "bad")
            else:
                writer.write([row], make_images([row], SIZES))
        return writer.finish({"phantom": False})

    expected = contents(write(tmp_path / "whole").path)
    for call in range(1, 100):
        path = tmp_path / f"killed{call}"
        with pytest.MonkeyPatch.context() as patch:
            _die_at(patch, call)
            try:
                write(path)
            except Killed:
                assert not path.exists()
            else:
                break
        assert contents(write(path).path) == expected
    assert call > 8
