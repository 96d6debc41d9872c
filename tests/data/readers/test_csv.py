from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from medaug.data.readers import read_csv
from medaug.data.table import check_table
from medaug.errors import DataError, SettingsError
from medaug.phantoms.chest.dicom import write_dicom
from medaug.phantoms.chest.population import Patient
from medaug.task import Attribute, Task

TASK = Task(
    "multilabel",
    ("effusion",),
    attributes=(Attribute("sex", groups=("F", "M")), Attribute("age", bins=(0.0, 60.0, 120.0))),
)
COLUMNS = {
    "path": "filename",
    "patient_id": "MRN",
    "effusion": "pleural_eff",
    "sex": "gender",
    "age": "years",
    "scanner": "device",
}
LINES = [
    "filename,MRN,pleural_eff,gender,years,device",
    "Müller Anna.png,H77,1,female,61,A",
    "b.png,H12,0,M,,B",
    "c.png,H77,,O,059Y,",
]


def write_source(folder: Path, lines: list[str] = LINES, name: str = "table.csv") -> Path:
    for file in ("Müller Anna.png", "b.png", "c.png"):
        Image.new("L", (4, 4)).save(folder / file)
    (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8-sig")
    return folder


def test_a_mapped_table(tmp_path: Path) -> None:
    table = read_csv(write_source(tmp_path), TASK, columns=COLUMNS, domain="Ward 3")

    assert table["image_id"].tolist() == table["file"].tolist() == ["row 2", "row 3", "row 4"]
    assert table["patient_id"].tolist() == ["patient 1", "patient 2", "patient 1"]
    assert table["domain"].unique().tolist() == ["Ward 3"]
    assert table["official_split"].isna().all()
    np.testing.assert_array_equal(table["label:effusion"], [1, 0, np.nan])
    assert table["attr:sex"].tolist() == ["F", "M", None]
    np.testing.assert_array_equal(table["attr:age"], [61, np.nan, 59])
    assert table["scanner"].tolist()[:2] == ["A", "B"]
    check_table(table, TASK)


def test_nothing_that_names_a_person_but_the_path(tmp_path: Path) -> None:
    table = read_csv(write_source(tmp_path), TASK, columns=COLUMNS)

    assert Path(table["path"][0]).name == "Müller Anna.png"
    text = table.drop(columns="path").to_csv()
    assert "H77" not in text
    assert "Anna" not in text


def test_names_that_are_not_mapped_are_looked_for_as_they_are(tmp_path: Path) -> None:
    lines = [
        "path,patient_id,effusion,sex,age,domain,official_split",
        "b.png,1,0,F,5,East,Test",
        "c.png,2,1,M,6,West,",
        "d.png,3,1,M,6,West,valid",
    ]
    table = read_csv(write_source(tmp_path, lines, "mine.csv"), TASK, table="mine.csv")

    assert table["domain"].tolist() == ["East", "West", "West"]
    assert table["official_split"].fillna("").tolist() == ["test", "", "val"]


def test_sex_and_age_from_dicom_headers(tmp_path: Path) -> None:
    pixels = np.zeros((4, 4), np.uint8)
    write_dicom(tmp_path / "1.dcm", pixels, Patient("F", 7), "PA")
    (tmp_path / "2.dcm").write_text("<html>not found</html>")
    (tmp_path / "table.csv").write_text("path,patient_id,effusion\n1.dcm,1,1\n2.dcm,2,0\n3.dcm,3,0\n")
    table = read_csv(tmp_path, TASK, from_headers=("sex", "age"))

    assert table["attr:sex"].tolist() == ["F", None, None]
    np.testing.assert_array_equal(table["attr:age"], [7, np.nan, np.nan])
    assert "PHANTOM" not in table.to_csv()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("b.png,H12,yes,M,,B", r"row 5, column 'effusion': 'yes' is not a label"),
        ("b.png,H12,-1,M,,B", r"row 5, column 'effusion': '-1'"),
        (",H12,1,M,,B", r"row 5: the column for 'path' is blank"),
        ("b.png,,1,M,,B", r"row 5: the column for 'patient_id' is blank"),
    ],
)
def test_bad_rows_are_named(tmp_path: Path, line: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_csv(write_source(tmp_path, [*LINES, line]), TASK, columns=COLUMNS)


def test_bad_splits_columns_files_and_tables(tmp_path: Path) -> None:
    write_source(tmp_path)
    with pytest.raises(DataError, match=r"lacks the column.*'nosuch'"):
        read_csv(tmp_path, TASK, columns=COLUMNS | {"age": "nosuch"})
    with pytest.raises(
        DataError, match="row 2, column 'official_split': text of the form 'A' is no official split"
    ):
        read_csv(tmp_path, TASK, columns=COLUMNS | {"official_split": "device"})
    with pytest.raises(DataError, match="none of the 3 files"):
        read_csv(tmp_path, TASK, columns=COLUMNS | {"path": "MRN"})
    with pytest.raises(DataError, match=r"other\.csv is not there"):
        read_csv(tmp_path, TASK, table="other.csv")
    (tmp_path / "page.csv").write_bytes(b"\xff\xfe\x00<html>")
    with pytest.raises(DataError, match="is not a CSV table"):
        read_csv(tmp_path, TASK, table="page.csv")


def test_settings(tmp_path: Path) -> None:
    write_source(tmp_path)
    with pytest.raises(SettingsError, match="only one of them"):
        read_csv(tmp_path, TASK, columns=COLUMNS | {"domain": "device"}, domain="x")
    with pytest.raises(SettingsError, match="from_headers is 'name'"):
        read_csv(tmp_path, TASK, columns=COLUMNS, from_headers=("name",))
