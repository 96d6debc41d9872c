from __future__ import annotations

from pathlib import Path
from typing import Any
from unicodedata import normalize

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from medaug.data.readers import read_csv
from medaug.data.table import check_table
from medaug.errors import DataError, SettingsError
from medaug.phantoms.chest.dicom_file import write_dicom
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


def test_a_table_without_labels_serves_where_it_says_so(tmp_path: Path) -> None:
    columns = {name: column for name, column in COLUMNS.items() if name != "effusion"}
    source = write_source(tmp_path, [",".join(np.delete(line.split(","), 2)) for line in LINES])
    table = read_csv(source, TASK, columns=columns, unlabelled=True)
    assert table["label:effusion"].isna().all()
    assert table["label:effusion"].dtype == np.float64
    assert table["attr:sex"].tolist() == ["F", "M", None]
    check_table(table, TASK)
    with pytest.raises(DataError, match="effusion"):
        read_csv(source, TASK, columns=columns)
    with pytest.raises(SettingsError, match="unlabelled, but columns names labels: effusion"):
        read_csv(source, TASK, columns=COLUMNS, unlabelled=True)


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
        ("new.png,H12,yes,M,,B", r"row 5, column 'effusion': 'yes' is not a label"),
        ("new.png,H12,-1,M,,B", r"row 5, column 'effusion': '-1'"),
        (",H12,1,M,,B", r"row 5: the column for 'path' is blank"),
        ("new.png,,1,M,,B", r"row 5: the column for 'patient_id' is blank"),
    ],
)
def test_bad_rows_are_named(tmp_path: Path, line: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_csv(write_source(tmp_path, [*LINES, line]), TASK, columns=COLUMNS)


SKIN = Task("multiclass", ("melanoma", "nevus", "other"))


def write_shares(folder: Path, *rows: str) -> Path:
    lines = [f"{number}.png;{number};{row}" for number, row in enumerate(rows)]
    (folder / "0.png").touch()
    text = "\n".join(["path;patient_id;melanoma;nevus;other", *lines])
    (folder / "table.csv").write_text(text, encoding="utf-8")
    return folder


def test_classes_that_exclude_one_another_have_shares(tmp_path: Path) -> None:
    rows = ("0,7;0,2;0,1", "1;0;0", ";NA;", "0,33;0,33;0,33")
    found = read_csv(write_shares(tmp_path, *rows), SKIN)[SKIN.label_columns].to_numpy()
    expected = [[0.7, 0.2, 0.1], [1, 0, 0], [np.nan] * 3, [1 / 3] * 3]
    np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("1;;", r"row 3 \(1 row\(s\) in all\): the labels of the 3 classes do not sum to 1; fill in all"),
        ("1;1;0", "row 3 .* do not sum to 1"),
        ("0;0;0", "row 3 .* do not sum to 1"),
        ("1,2;-0,2;0", "row 3, column 'melanoma': a number above 1 is not the share of a class"),
        ("x;0;1", "row 3, column 'melanoma': text of the form 'a' is not the share of a class"),
    ],
)
def test_what_are_no_shares_is_told_with_the_row(tmp_path: Path, row: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_csv(write_shares(tmp_path, "1;0;0", row), SKIN)


@pytest.mark.parametrize(
    ("groups", "expected"),
    [(("I", "II", "III"), ["I", "III", "7", None]), (("1", "3"), ["1", "3", "7", None])],
)
def test_types_of_skin_may_be_numbers(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, groups: tuple[str, ...], expected: list[str | None]
) -> None:
    lines = [f"{number}.png,{number},1,{tone}" for number, tone in enumerate(("1", "3", "7", ""))]
    (tmp_path / "0.png").touch()
    (tmp_path / "table.csv").write_text("\n".join(["path,patient_id,effusion,skin_tone", *lines]))
    task = Task("multilabel", ("effusion",), attributes=(Attribute("skin_tone", groups),))
    assert read_csv(tmp_path, task)["attr:skin_tone"].tolist() == expected
    assert "1 are none of the groups" in caplog.text


@pytest.mark.parametrize(("on_disk", "in_table"), [("NFD", "NFC"), ("NFC", "NFD")])
def test_accents_may_be_spelt_otherwise_on_the_disk(tmp_path: Path, on_disk: str, in_table: str) -> None:
    place = tmp_path / normalize(in_table, "Gerät") / normalize(on_disk, "Müller.png")
    place.parent.mkdir()
    place.touch()
    name = normalize(in_table, "Gerät/Müller.png")
    rows = f"path,patient_id,effusion\n{name},1,1\nGerät/fehlt é.png,2,0\n"
    (tmp_path / "table.csv").write_text(rows, encoding="utf-8")
    table = read_csv(tmp_path, Task("multilabel", ("effusion",)))
    assert table["path"][0] == str(place)
    assert not Path(table["path"][1]).exists()


def test_windows_paths_are_told(tmp_path: Path) -> None:
    write_source(tmp_path, [LINES[0], *(f"images\\{line}" for line in LINES[1:])])
    with pytest.raises(DataError, match=r"none of the 3 files .* parted by /, not by backslashes"):
        read_csv(tmp_path, TASK, columns=COLUMNS)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"columns": ["filename"]},
            r"columns is a mapping, for example \{'path': 'filename'\}, not \['filename",
        ),
        ({"columns": "filename"}, "columns is a mapping"),
        (
            {"columns": {column: name for name, column in COLUMNS.items()}},
            r"turned round: medaug's name comes first, \{'path': 'filename'\}",
        ),
        ({"columns": COLUMNS, "table": 2024}, r"the table .*2024 is not there"),
    ],
)
def test_options_that_are_not_understood(tmp_path: Path, options: dict[str, Any], message: str) -> None:
    with pytest.raises((SettingsError, DataError), match=message):
        read_csv(write_source(tmp_path), TASK, **options)


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


def test_a_table_that_is_not_there_comes_with_the_way_to_name_it(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"table\.csv is not there; name it with .*'table': 'NAME\.csv'"):
        read_csv(tmp_path, TASK, columns=COLUMNS)


def test_settings(tmp_path: Path) -> None:
    write_source(tmp_path)
    with pytest.raises(SettingsError, match="only one of them"):
        read_csv(tmp_path, TASK, columns=COLUMNS | {"domain": "device"}, domain="x")
    with pytest.raises(SettingsError, match="from_headers is 'name'"):
        read_csv(tmp_path, TASK, columns=COLUMNS, from_headers=("name",))


def write_rows(folder: Path, header: str, *rows: str) -> Path:
    for number in range(len(rows)):
        Image.new("L", (4, 4)).save(folder / f"i{number}.png")
    lines = [header, *(f"i{number}.png,{row}" for number, row in enumerate(rows))]
    (folder / "table.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def test_rows_are_called_as_an_editor_numbers_them(tmp_path: Path) -> None:
    lines = [LINES[0], "", *LINES[1:3], "", LINES[3]]
    table = read_csv(write_source(tmp_path, lines), TASK, columns=COLUMNS)

    expected = [f"row {lines.index(line) + 1}" for line in LINES[1:]]
    assert table["image_id"].tolist() == table["file"].tolist() == expected
    write_source(tmp_path, [*lines[:5], lines[5].replace("H77,,", "H77,2,")])
    with pytest.raises(DataError, match="row 6, column 'effusion'"):
        read_csv(tmp_path, TASK, columns=COLUMNS)


def test_a_patient_called_nan_is_unknown(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    rows = ("1,nan,F,50", "0,nan,M,60", "1,NA,F,50", "0,7,M,60", "0,7,M,60", "1,07,F,20")
    table = read_csv(write_rows(tmp_path, "path,effusion,patient_id,sex,age", *rows), TASK)

    assert table["patient_id"].nunique() == 5
    assert table["patient_id"][3] == table["patient_id"][4]
    assert "3 name no patient: each image counts as one of its own" in caplog.text


def test_a_file_of_two_patients_and_a_file_twice(tmp_path: Path) -> None:
    header = "path,effusion,patient_id,sex,age"
    for second in ("i0.png,0,P2,F,50", "i0.png,1,P1,F,50", "./i0.png,0,P2,F,50"):
        write_rows(tmp_path, header, "1,P1,F,50")
        with (tmp_path / "table.csv").open("a") as file:
            file.write(second + "\n")
        with pytest.raises(DataError, match="row 3: its file is that of row 2"):
            read_csv(tmp_path, TASK)


def test_words_are_names_of_sites_and_unknown_labels(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    header = "path,effusion,patient_id,sex,age,domain"
    rows = ("NA,1,F,50,NA", "nan,2,M,60,None", "1,3,F,> 89,01", "0,4,M,17/04/1951,1")
    table = read_csv(write_rows(tmp_path, header, *rows), TASK)

    assert table["domain"].tolist() == ["NA", "None", "01", "1"]
    np.testing.assert_array_equal(table["label:effusion"], [np.nan, np.nan, 1, 0])
    np.testing.assert_array_equal(table["attr:age"], [50, 60, 90, np.nan])
    assert "column for 'effusion': of 4 cells 2 hold a word such as NA: unknown" in caplog.text
    assert "form '99/99/9999'" in caplog.text
    assert "1951" not in caplog.text


def test_groups_that_the_task_does_not_have_are_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    attributes = (Attribute("race", groups=("NA", "White")), Attribute("bmi", bins=(0.0, 25.0, 60.0)))
    task = Task("multilabel", ("effusion",), attributes=attributes)
    rows = ("1,P1,NA,22.5", "0,P2,white,24,", "0,P3,,thin")
    folder = write_rows(tmp_path, "path,effusion,patient_id,race,bmi", *(row.rstrip(",") for row in rows))
    table = read_csv(folder, task)

    assert table["attr:race"].tolist() == ["NA", "white", None]
    np.testing.assert_array_equal(table["attr:bmi"], [22.5, 24, np.nan])
    assert "1 are none of the groups NA, White: unknown" in caplog.text
    assert "column for 'bmi': of 3 cells 1 are no certain number" in caplog.text


def test_a_parquet_table_has_the_names_of_a_csv_table(tmp_path: Path) -> None:
    rows = ("1,1000001,F,50,7", "0,1000002,M,60,8", ",1000001,F,,7")
    folder = write_rows(tmp_path, "path,effusion,patient_id,sex,age,domain", *rows)
    pd.read_csv(folder / "table.csv").to_parquet(folder / "table.parquet")
    first, second = (read_csv(folder, TASK, table=name) for name in ("table.csv", "table.parquet"))

    called = ["image_id", "file"]
    pd.testing.assert_frame_equal(first.drop(columns=called), second.drop(columns=called), check_dtype=False)
