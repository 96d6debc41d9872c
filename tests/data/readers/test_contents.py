from __future__ import annotations

from pathlib import Path

import pytest

from medaug.data.readers import READERS, SLIDE_READERS
from medaug.data.readers.contents import FILES, TABLES, contents

PLACES = [
    ("chexpert", "valid.csv"),
    ("chexpert", "CheXpert-v1.0-small/train.csv"),
    ("chestxray14", "Data_Entry_2017_v2020.csv"),
    ("chestxray14", "nih/Data_Entry_2017.csv"),
    ("chestxray14", "test_list.txt"),
    ("wilds", "camelyon17_unlabeled_v1.0/metadata.csv"),
    ("wilds", "metadata.csv"),
    ("scin", "scin_cases.csv"),
    ("scin", "dataset/scin_labels.csv"),
    ("ham10000", "HAM10000_metadata"),
    ("fitzpatrick17k", "fitzpatrick17k.csv"),
    ("pad_ufes_20", "metadata.csv"),
    ("ddi", "ddi_metadata.csv"),
    ("isic", "ISIC_2019_Test_Metadata.csv"),
    ("isic", "ISIC_2020_Training_GroundTruth_v2.csv"),
    ("csv", "table.csv"),
]


def test_every_reader_is_told_by_tables_or_files():
    assert TABLES.keys() | FILES.keys() == READERS.keys() | SLIDE_READERS.keys()
    assert {name for name, _ in PLACES} == set(TABLES)


@pytest.mark.parametrize(("reader", "name"), PLACES)
def test_a_changed_table_is_noticed_and_an_image_is_not(tmp_path: Path, reader: str, name: str) -> None:
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("image,label\na.png,1\n")
    before = contents(reader, tmp_path, {})
    assert before is not None
    assert [line.split()[0] for line in before] == [path.name]
    (tmp_path / "a.png").write_text("another image")
    assert contents(reader, tmp_path, {}) == before
    path.write_text("image,label\na.png,0\n")
    assert contents(reader, tmp_path, {}) != before


def test_a_table_that_the_user_names_is_told_without_its_name(tmp_path: Path) -> None:
    table = tmp_path / "tables" / "Jane Doe.csv"
    table.parent.mkdir()
    table.write_text("a")
    for reader in ("csv", "slides"):
        named = contents(reader, tmp_path, {"table": "tables/Jane Doe.csv"})
        assert named == contents(reader, tmp_path, {"table": str(table)})
        assert named is not None
        assert named[0].split()[0] == "table"
    table.write_text("b")
    assert contents("csv", tmp_path, {"table": "tables/Jane Doe.csv"}) != named


@pytest.mark.parametrize(
    ("reader", "name"), [("folder", "IM.0001"), ("slides", "a.svs"), ("camelyon17", "patient_000_node_0.tif")]
)
def test_without_a_table_files_tell(tmp_path: Path, reader: str, name: str) -> None:
    (tmp_path / "ward").mkdir()
    held = [contents(reader, tmp_path, {})]
    for content in ("scan", "longer scan"):
        (tmp_path / "ward" / name).write_text(content)
        held.append(contents(reader, tmp_path, {}))
    (tmp_path / "ward" / name).rename(tmp_path / name)
    held.append(contents(reader, tmp_path, {}))
    assert len({str(lines) for lines in held}) == len(held)
    assert [lines[0][:8] for lines in held if lines] == ["files: 1"] * 3
    for other in ("notes.md", "metrics.csv"):  # also of a run that lies there
        (tmp_path / other).write_text("not an image")
    assert contents(reader, tmp_path, {}) == held[-1]
    assert contents(reader, tmp_path, {"endings": [".MD"]}) != held[-1] or reader == "camelyon17"


@pytest.mark.parametrize(
    ("reader", "image", "name"),
    [
        ("slides", "a.svs", "a.xml"),
        ("camelyon17", "patient_000_node_0.tif", "patient_000_node_0.xml"),
        ("camelyon17", "patient_000_node_0.tif", "stages.csv"),
    ],
)
def test_what_tells_of_images_without_a_table_is_told_by_its_bytes(
    tmp_path: Path, reader: str, image: str, name: str
) -> None:
    (tmp_path / image).write_text("scan")
    held = [contents(reader, tmp_path, {})]
    for content in ("macro", "micro"):
        (tmp_path / name).write_text(content)
        held.append(contents(reader, tmp_path, {}))
    assert len({str(lines) for lines in held}) == len(held)


def test_a_changed_table_of_conditions_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "ddi_metadata.csv").write_text("a")
    own = tmp_path / "Dr Doe.csv"
    own.write_text("condition,class\nnevus,mole\n")
    options = {"conditions": own.name}
    before = contents("ddi", tmp_path, options)
    assert before is not None
    assert [line.split()[0] for line in before] == ["ddi_metadata.csv", "conditions"]
    own.write_text("condition,class\nnevus,lump\n")
    assert contents("ddi", tmp_path, options) != before


def test_what_is_not_at_hand_is_not_known(tmp_path: Path) -> None:
    assert contents("csv", tmp_path / "gone", {}) is None
    assert contents("folder", tmp_path / "gone", {}) is None
    for reader in (*TABLES, *FILES):  # a share that is not mounted is an empty folder
        assert contents(reader, tmp_path, {}) is None
    (tmp_path / "classes.csv").write_text("condition,class")
    assert contents("csv", tmp_path, {"table": "gone.csv", "conditions": "classes.csv"}) is None


def test_a_table_that_may_not_be_read_ends_nothing_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "table.csv").write_text("a")

    def refused(path: Path, mode: str) -> None:
        raise PermissionError(path)

    monkeypatch.setattr(Path, "open", refused)
    assert contents("csv", tmp_path, {}) == ["table.csv unreadable"]
