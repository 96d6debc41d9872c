import hashlib
import importlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import medaug.data.prepare as module
from medaug.data.pixels import Recipe, fit_square
from medaug.data.prepare import PrepareSettings, decode_files, prepare
from medaug.data.readers import read_folder
from medaug.data.split import SplitSettings, assign_splits
from medaug.errors import DataError, SettingsError
from medaug.parallel import CRASHED
from medaug.task import Task
from spoiling.dicom_files import header_of

SETTINGS = PrepareSettings((16, 8), 1)
NOTHING = pd.DataFrame({"reason": []})


def contents(folder):
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


@pytest.fixture
def make_files(tmp_path, make_table):
    """Write PNG files and give their table; files that are named in `broken` are no images."""

    def make(count=30, broken=(), where="Bilder 影像"):
        folder = tmp_path / where
        folder.mkdir()
        for i in range(count):
            image = np.random.default_rng(i).integers(0, 256, (20, 14), np.uint8)
            path = folder / f"{i}.png"
            path.write_text("<html>") if i in broken else Image.fromarray(image).save(path)
        return make_table(count, path=[str(folder / f"{i}.png") for i in range(count)])

    return make


CRASHING = """
import os
from medaug.data.pixels import decode

def decode_or_die(path, recipe):
    if path.name == "13.png":
        os._exit(11)
    return decode(path, recipe)
"""


def test_a_file_that_ends_the_process_is_found_and_the_rest_decoded_in_order(tmp_path, monkeypatch):
    # The processes import this module by its name: one file ends them as a crash in a C library would.
    (tmp_path / "crashing_decoder.py").write_text(CRASHING)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(module, "decode", importlib.import_module("crashing_decoder").decode_or_die)
    paths = [tmp_path / f"{i}.png" for i in range(40)]
    for i, path in enumerate(paths):
        Image.fromarray(np.full((8, 8), i, np.uint8)).save(path)
    rows = list(range(39, -1, -1))
    found = list(decode_files(rows, paths, Recipe((8,), 1, "pad"), 2))
    assert [row for row, _ in found] == rows
    assert {r: i if isinstance(i, str) else int(i[8][0, 0, 0]) for r, i in found} == {
        i: CRASHED if i == 13 else i for i in range(40)
    }


@pytest.mark.parametrize("workers", [0, 2])
def test_every_file_becomes_the_image_of_its_row(make_files, tmp_path, task, workers):
    table = make_files()
    store = prepare(table, NOTHING, tmp_path / "store", task, SETTINGS, {"phantom": True}, workers)
    for row, path in enumerate(table["path"]):
        image = np.asarray(Image.open(path))[..., None]
        for size in (16, 8):
            np.testing.assert_array_equal(store.images(size)[row], fit_square(image, size, "pad"))


def test_any_number_of_processes_makes_the_same_store(make_files, tmp_path, task):
    table = make_files(broken=(7,))
    stores = [prepare(table, NOTHING, tmp_path / str(n), task, SETTINGS, {}, n) for n in (0, 2)]
    assert contents(stores[0].path) == contents(stores[1].path)


def test_the_origin_tells_counts_listing_and_versions(make_files, tmp_path, task):
    table = make_files(broken=(3,))
    left_out = table.iloc[:2].assign(reason="not wanted")
    store = prepare(
        table, left_out, tmp_path / "store", task, SETTINGS, {"phantom": False, "reader": "csv"}, 0
    )
    assert store.origin["reader"] == "csv"
    assert store.origin["counts"] == {
        "images": 29,
        "patients": 29,
        "splits": {"train": 29},
        "rejected": 1,
        "left_out": {"not wanted": 2},
    }
    lines = sorted(
        f"{f}\t{Path(p).stat().st_size}" for f, p in zip(table["file"], table["path"], strict=True)
    )
    assert store.origin["listing_sha256"] == hashlib.sha256("\n".join(lines).encode()).hexdigest()
    assert store.origin["versions"]["numpy"] == np.__version__


def test_nothing_that_is_stored_holds_a_path(make_files, tmp_path, task):
    store = prepare(
        make_files(broken=(1,), where="Jane Doe"), NOTHING, tmp_path / "store", task, SETTINGS, {}, 0
    )
    for file in store.path.iterdir():
        assert b"Jane" not in file.read_bytes()


def test_unusable_files_are_listed_with_the_reason(make_files, tmp_path, task, caplog):
    store = prepare(make_files(broken=(4,)), NOTHING, tmp_path / "store", task, SETTINGS, {}, 0)
    listed = pd.read_csv(store.path / "rejected.csv")
    assert listed["file"].tolist() == ["folder/4.png"]
    assert "HTML page" in listed["reason"][0]
    assert "image4" not in set(store.table["image_id"])
    assert f"1 of 30 files cannot be used; {store.path / 'rejected.csv'} says why" in caplog.text


def test_too_many_unusable_files_stop_and_a_higher_limit_goes_on(make_files, tmp_path, task, monkeypatch):
    table = make_files(broken=(0, 5, 9))
    with pytest.raises(
        DataError, match=r"3 of 30 files \(10.0%\) cannot be used, see .*rejected.csv; mend"
    ) as caught:
        prepare(table, NOTHING, tmp_path / "store", task, SETTINGS, {}, 0)
    assert "max_rejected (now 0.05)" in str(caught.value)
    listed = pd.read_csv(tmp_path / "store.partial" / "rejected.csv")
    assert listed["file"].tolist() == ["folder/0.png", "folder/5.png", "folder/9.png"]
    assert not (tmp_path / "store").exists()
    monkeypatch.setattr(module, "decode_files", lambda rows, *_: iter([] if not rows else [1 / 0]))
    store = prepare(
        table, NOTHING, tmp_path / "store", task, PrepareSettings((16, 8), 1, max_rejected=0.1), {}, 0
    )
    assert len(store) == 27


@pytest.mark.parametrize("change", ["fit", "files"])
def test_what_was_begun_with_other_pixels_is_not_continued(make_files, tmp_path, task, monkeypatch, change):
    table = make_files()
    fit = "crop" if change == "fit" else "pad"

    def stop(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(module.StoreWriter, "finish", stop)
        with pytest.raises(KeyboardInterrupt):
            prepare(table, NOTHING, tmp_path / "store", task, SETTINGS, {}, 0)
    if change == "files":
        Image.fromarray(np.full((20, 20), 9, np.uint8)).save(table["path"][0])
    found = prepare(table, NOTHING, tmp_path / "store", task, PrepareSettings((16, 8), 1, fit), {}, 0)
    fresh = prepare(table, NOTHING, tmp_path / "fresh", task, PrepareSettings((16, 8), 1, fit), {}, 0)
    assert contents(found.path) == contents(fresh.path)


def test_images_are_written_in_portions_that_fit(make_files, tmp_path, task, monkeypatch):
    monkeypatch.setattr(module, "BYTES_AT_ONCE", 4 * (16 * 16 + 8 * 8))
    sizes = []
    write = module.StoreWriter.write

    def counting(self, rows, images):
        sizes.append(len(rows))
        write(self, rows, images)

    monkeypatch.setattr(module.StoreWriter, "write", counting)
    prepare(make_files(10), NOTHING, tmp_path / "store", task, SETTINGS, {}, 0)
    assert sizes == [4, 4, 2]


@pytest.mark.parametrize(
    "wrong", [{"sizes": ()}, {"sizes": (0,)}, {"channels": 2}, {"fit": "zoom"}, {"max_rejected": 1.5}]
)
def test_impossible_settings_are_an_error(wrong):
    with pytest.raises(SettingsError, match=next(iter(wrong))):
        PrepareSettings(**{"sizes": (8,), "channels": 1, **wrong})


KILLED = """
if __name__ == "__main__":
    import sys, time
    import numpy as np, pandas as pd
    from pathlib import Path
    import medaug.data.prepare as module
    from medaug.task import Attribute, Task

    module.IMAGES_AT_ONCE = 8
    table = pd.read_json(sys.argv[2])
    def slow_write(self, *arguments, write=module.StoreWriter.write):
        write(self, *arguments)
        print("written", flush=True)
        time.sleep(float(sys.argv[3]))
    module.StoreWriter.write = slow_write
    ages = Attribute("age", bins=(0, 50, 90))
    task = Task("multilabel", ("edema", "effusion"), attributes=(Attribute("sex", ("F", "M")), ages))
    settings = module.PrepareSettings((16, 8), 1)
    module.prepare(table, pd.DataFrame({"reason": []}), Path(sys.argv[1]), task, settings, {}, 2)
"""


@pytest.mark.skipif(not Path("/proc").exists(), reason="looks for processes in /proc")
def test_killed_while_decoding_it_goes_on_and_leaves_no_process(make_files, tmp_path, task):
    table = make_files(60, broken=(2,))
    table.to_json(tmp_path / "table.json")
    (tmp_path / "run.py").write_text(KILLED)
    command = [sys.executable, "-W", "ignore", tmp_path / "run.py"]
    with subprocess.Popen(
        [*command, tmp_path / "store", tmp_path / "table.json", "60"], stdout=subprocess.PIPE
    ) as process:
        assert process.stdout.readline() == b"written\n"
        children = _children(process.pid)
        process.send_signal(signal.SIGKILL)
    assert len(children) >= 2
    journals = list((tmp_path / "store.partial").glob("journal-*"))
    done = [
        row
        for j in journals
        for line in j.read_text().splitlines()
        for row in json.loads(line).get("written", [])
    ]
    assert 0 < len(done) < 59
    ended = subprocess.run(
        [*command, tmp_path / "store", tmp_path / "table.json", "0"], capture_output=True, check=True
    )
    assert ended.stdout.count(b"written") <= (60 - len(done)) // 8 + 1
    prepare(table, NOTHING, tmp_path / "whole", task, SETTINGS, {}, 0)
    assert contents(tmp_path / "store") == contents(tmp_path / "whole")
    while any(Path(f"/proc/{child}/cmdline").exists() for child in children):
        time.sleep(0.1)  # decoding processes that outlive their parent end in the time limit of all tests


def _children(parent):
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                status = (entry / "stat").read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue
            if int(status[1]) == parent:
                found.append(int(entry.name))
    return found


BURNED = "BurnedInAnnotation is YES: text in the picture may name a person"


@pytest.fixture
def odd_files(make_table, tmp_path):
    """Radiographs of which the second and the last have text burned in; the first cannot be used."""
    folder = tmp_path / "Doe, Jane"
    folder.mkdir()
    values = np.arange(64, dtype=np.uint8).reshape(8, 8)
    for number in range(5):
        more = {"BurnedInAnnotation": "YES"} if number in (1, 4) else {}
        header_of(values, **more).save_as(folder / f"{number}.dcm", enforce_file_format=True)
    (folder / "0.dcm").write_bytes(b"<html>Doe")
    paths = [str(folder / f"{number}.dcm") for number in range(5)]
    return make_table(5, path=paths, file=[f"row {number + 1}" for number in range(5)])


@pytest.mark.parametrize("workers", [0, 2])
def test_remarks_are_counted_listed_and_said_once(odd_files, tmp_path, task, caplog, workers):
    settings = PrepareSettings((8,), 1, max_rejected=0.5)
    store = prepare(odd_files, NOTHING, tmp_path / "store", task, settings, {}, workers)
    assert store.origin["remarks"] == {BURNED: 2}
    listed = pd.read_csv(store.path / "remarks.csv")
    assert listed.to_dict("list") == {"row": [0, 3], "file": ["row 2", "row 5"], "remark": [BURNED] * 2}
    assert store.table["file"].iloc[listed["row"]].tolist() == listed["file"].tolist()
    (said,) = (record.getMessage() for record in caplog.records if "BurnedIn" in record.getMessage())
    assert said.startswith(f"2 of 4 images: {BURNED} (for example row 0 of the table; ")
    everything = said + "".join(path.read_text() for path in store.path.glob("*.csv"))
    assert "Doe" not in everything.replace(str(tmp_path), "")
    assert "4711" not in everything


def test_remarks_survive_a_kill(odd_files, tmp_path, task, monkeypatch):
    settings = PrepareSettings((8,), 1, max_rejected=0.5)
    monkeypatch.setattr(module, "IMAGES_AT_ONCE", 1)
    write = module.StoreWriter.write

    def killed(writer, rows, images):
        if 3 in rows:
            raise KeyboardInterrupt
        write(writer, rows, images)

    with monkeypatch.context() as patch:
        patch.setattr(module.StoreWriter, "write", killed)
        with pytest.raises(KeyboardInterrupt):
            prepare(odd_files, NOTHING, tmp_path / "store", task, settings, {}, 0)
    store = prepare(odd_files, NOTHING, tmp_path / "store", task, settings, {}, 0)
    whole = prepare(odd_files, NOTHING, tmp_path / "whole", task, settings, {}, 0)
    assert contents(store.path) == contents(whole.path)


def test_ordinary_files_need_no_remark(make_files, tmp_path, task):
    store = prepare(make_files(3), NOTHING, tmp_path / "store", task, SETTINGS, {}, 0)
    assert store.origin["remarks"] == {}
    assert not (store.path / "remarks.csv").exists()


def test_the_table_needs_paths_of_this_machine_only_while_decoding(make_files, tmp_path, task):
    table = make_files(5)
    store = prepare(table, NOTHING, tmp_path / "store", task, SETTINGS, {}, 0)
    assert "path" not in store.table
    os.remove(table["path"][0])
    assert store.images().shape == (5, 16, 16, 1)


@pytest.mark.skipif(os.name != "posix", reason="other systems have no such names")
@pytest.mark.parametrize("workers", [0, 1])
def test_names_that_are_not_utf_8_are_read_or_rejected(tmp_path: Path, workers: int) -> None:
    folder = tmp_path / "images"
    folder.mkdir()
    for number in range(12):  # enough for a process to start
        Image.fromarray(np.full((8, 8), number, np.uint8)).save(folder / f"i{number:02d}.png")
    os.rename(folder / "i00.png", os.fsencode(folder) + b"/M\xfcller.png")
    (folder / "i01.png").unlink()
    with open(os.fsencode(folder) + b"/kaputt\xff.png", "wb") as file:
        file.write(b"no image")
    task = Task("multilabel", ("edema",))
    table, left_out = assign_splits(
        read_folder(folder, task).assign(**{"label:edema": 1.0}),
        SplitSettings(train_domains=("own data",)),
        needed=(),
    )
    settings = PrepareSettings((8,), 1, max_rejected=0.5)
    store = prepare(table, left_out, tmp_path / "store", task, settings, {}, workers=workers)

    row = store.table["file"].tolist().index("image 1")
    assert (store.images(8)[row] == 0).all()
    listed = pd.read_csv(store.path / "rejected.csv")
    assert listed["file"].tolist() == [f"image {len(table)}"]
    assert store.fingerprint
