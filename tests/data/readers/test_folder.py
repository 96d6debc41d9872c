from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from medaug.data.readers import read_folder, read_source
from medaug.data.table import check_table
from medaug.errors import DataError
from medaug.task import CHEST_RADIOGRAPHS, Attribute, Task


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("b.PNG", "a/deep/er.jpg", "a/1", "a/notes.txt", ".hidden/c.png", "a/.c.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    Image.new("L", (4, 4)).save(tmp_path / "b.PNG")
    return tmp_path


def test_all_images_below_the_folder_and_nothing_else(folder: Path) -> None:
    table = read_source("folder", folder, CHEST_RADIOGRAPHS)

    assert table["path"].tolist() == [str(folder / name) for name in ("a/1", "a/deep/er.jpg", "b.PNG")]


@pytest.mark.parametrize("name", ["1.2.840.113619.2.62.99404", "CT.1.2.840.10008.1", "IM.0001"])
def test_dicom_files_are_often_called_by_their_uid(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    assert read_folder(tmp_path, CHEST_RADIOGRAPHS)["path"].tolist() == [str(tmp_path / name)]
    with pytest.raises(DataError, match="no image below"):
        read_folder(tmp_path, CHEST_RADIOGRAPHS, endings=[".png"])


def test_a_folder_in_itself_is_told(folder: Path) -> None:
    (folder / "a" / "above").symlink_to(folder)
    with pytest.raises(DataError, match=r"cannot be searched \(Too many levels of symbolic links\)"):
        read_folder(folder, CHEST_RADIOGRAPHS)


def test_names_of_files_are_pseudonyms_wherever_they_may_be_shown(folder: Path) -> None:
    table = read_folder(folder, CHEST_RADIOGRAPHS)

    for column in ("image_id", "file", "patient_id"):
        assert table[column].tolist() == ["image 1", "image 2", "image 3"]
    shown = table.drop(columns="path").to_csv()
    assert not any(name in shown for name in ("deep", "er.jpg", "b.PNG"))


def test_nothing_is_known_of_them(folder: Path) -> None:
    table = read_folder(folder, CHEST_RADIOGRAPHS, domain="Ward 3")

    check_table(table, CHEST_RADIOGRAPHS)
    assert table["domain"].tolist() == ["Ward 3"] * 3
    assert table["patient_id"].is_unique
    columns = [*CHEST_RADIOGRAPHS.label_columns, "attr:sex", "attr:age", "official_split"]
    assert table[columns].isna().all(axis=None)
    assert table["attr:age"].dtype == float


def test_the_domain_stays_what_it_is_called(folder: Path) -> None:
    task = Task("multilabel", ("edema",), attributes=(Attribute("domain", ("x", "y")),))
    assert set(read_folder(folder, task, domain="x")["domain"]) == {"x"}


@pytest.mark.parametrize("endings", [[".JPG"], ".jpg"])
def test_endings_can_be_chosen_and_none_is_an_error(folder: Path, endings: str | list[str]) -> None:
    (path,) = read_folder(folder, CHEST_RADIOGRAPHS, endings=endings)["path"]
    assert path.endswith("a/deep/er.jpg")
    with pytest.raises(DataError, match=r"no image below .*: \.xyz"):
        read_folder(folder, CHEST_RADIOGRAPHS, endings=[".xyz"])
