import errno

import pytest

from medaug.errors import DataError, SettingsError
from medaug.files import disk_errors, write_aside


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
