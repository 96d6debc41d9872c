import errno
import os

import pytest

from medaug.errors import DataError, SettingsError
from medaug.files import disk_errors, replaced, write_aside


def test_success_replaces_the_file(tmp_path) -> None:
    target = tmp_path / "new folder" / "file.txt"
    for text in ("first", "second"):
        with write_aside(target) as temporary:
            temporary.write_text(text)
    assert target.read_text() == "second"
    assert [p.name for p in target.parent.iterdir()] == ["file.txt"]


def test_an_error_keeps_the_old_file_and_leaves_nothing_behind(tmp_path) -> None:
    target = tmp_path / "file.txt"
    target.write_text("old")
    with pytest.raises(ZeroDivisionError), write_aside(target) as temporary:
        temporary.write_text(f"{1 / 0}")
    assert target.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["file.txt"]


def test_a_folder_is_written_aside_too(tmp_path) -> None:
    with write_aside(tmp_path / "folder") as temporary:
        temporary.mkdir()
        (temporary / "a").write_text("a")
        assert not (tmp_path / "folder").exists()
    assert (tmp_path / "folder" / "a").read_text() == "a"


def test_a_full_disk_is_one_sentence_and_other_errors_pass(tmp_path) -> None:
    with pytest.raises(DataError, match="is full; free some space"), disk_errors(tmp_path):
        raise OSError(errno.ENOSPC, "No space left on device")
    with pytest.raises(PermissionError), disk_errors(tmp_path):
        raise PermissionError


def test_a_folder_that_another_run_has_made_meanwhile_stays(tmp_path) -> None:
    def make() -> None:
        with write_aside(tmp_path / "made") as aside:
            aside.mkdir()
            (tmp_path / "made").mkdir()
            (tmp_path / "made" / "theirs").write_text("theirs")

    with pytest.raises(SettingsError, match="another run has made"):
        make()
    assert [path.name for path in tmp_path.rglob("*")] == ["made", "theirs"]


@pytest.fixture
def left(tmp_path) -> None:
    """Leave what a killed process of the same number leaves: containers give numbers again."""
    for end in ("partial", "older"):
        folder = tmp_path / f".made.{os.getpid()}.{end}"
        folder.mkdir()
        (folder / "half").write_text("half")


def test_a_half_folder_of_a_killed_process_is_not_in_the_way(tmp_path, left) -> None:
    with write_aside(tmp_path / "made") as temporary:
        temporary.mkdir()
        (temporary / "note").write_text("whole")
    assert [path.name for path in (tmp_path / "made").iterdir()] == ["note"]


def test_a_folder_is_replaced_whatever_a_killed_process_left(tmp_path, left) -> None:
    (tmp_path / "made").mkdir()
    (tmp_path / "made" / "old").write_text("old")
    with replaced(tmp_path / "made") as temporary:
        (temporary / "note").write_text("whole")
    assert [path.name for path in tmp_path.rglob("*")] == ["made", "note"]
