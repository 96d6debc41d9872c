from __future__ import annotations

from pathlib import Path

import pytest

from medaug.data.readers import READERS, read_source
from medaug.errors import DataError, SettingsError
from medaug.task import CHEST_RADIOGRAPHS


def test_unknown_reader_option_and_folder(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no reader 'mimic'; there are: chexpert"):
        read_source("mimic", tmp_path, CHEST_RADIOGRAPHS)
    with pytest.raises(SettingsError, match="no option uncertian; it has: uncertain"):
        read_source("chexpert", tmp_path, CHEST_RADIOGRAPHS, uncertian="unknown")
    with pytest.raises(DataError, match=r"nowhere is not there"):
        read_source("chexpert", tmp_path / "nowhere", CHEST_RADIOGRAPHS)


@pytest.mark.parametrize(("reader", "tree"), [("chexpert", "."), ("chestxray14", "ChestX-ray14")])
def test_every_reader_keeps_the_contract(phantoms: Path, reader: str, tree: str) -> None:
    table = read_source(reader, phantoms / tree, CHEST_RADIOGRAPHS)

    assert set(READERS) >= {reader}
    assert {"image_id", "path", "file", "patient_id", "domain", "official_split", "view"} <= set(table)
    assert table["image_id"].is_unique
    assert list(table.index) == list(range(len(table)))
    assert all(Path(path).is_absolute() for path in table["path"])
    assert not any(Path(file).is_absolute() for file in table["file"])
