from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from medaug.data.readers import read_slide_source, read_slides
from medaug.errors import DataError, SettingsError
from medaug.task import Task

TASK = Task("multilabel", ("tumour",))
COLUMNS = {"path": "scan", "patient_id": "MRN", "domain": "laboratory"}
LINES = [
    "scan,MRN,laboratory,annotation,tumour_free",
    "Müller Anna.svs,H77,east,,no",
    "b/second.ndpi,H12,,b/second outline.xml,1",
    "c.tif,H77,west,,TRUE",
]


def write_slides(folder: Path, lines: list[str] = LINES) -> Path:
    (folder / "b").mkdir(exist_ok=True)
    for name in (
        "Müller Anna.svs",
        "Müller Anna.xml",
        "b/second.ndpi",
        "b/second outline.xml",
        "c.tif",
        "d.txt",
    ):
        (folder / name).touch()
    (folder / "cases.csv").write_text("\n".join(lines) + "\n", encoding="utf-8-sig")
    return folder


def test_every_slide_below_a_folder_by_number(tmp_path: Path) -> None:
    table = read_slide_source("slides", write_slides(tmp_path), TASK)

    assert table["slide"].tolist() == ["slide_0001", "slide_0002", "slide_0003"]
    assert table["file"].tolist() == ["slide 0001", "slide 0002", "slide 0003"]
    assert table["patient_id"].tolist() == ["patient 1", "patient 2", "patient 3"]
    assert table["domain"].tolist() == ["own data"] * 3
    paths = ["Müller Anna.svs", "b/second.ndpi", "c.tif"]
    assert table["path"].tolist() == [str(tmp_path / path) for path in paths]
    assert table["annotation"].tolist() == [str(tmp_path / "Müller Anna.xml"), None, None]
    assert table["tumour_free"].tolist() == [False] * 3


def test_slides_may_keep_their_names(tmp_path: Path) -> None:
    table = read_slides(write_slides(tmp_path), TASK, names="files", endings=(".ndpi", ".tif"), domain="x")

    assert table["slide"].tolist() == ["b_second", "c"]
    assert table["file"].tolist() == ["b/second.ndpi", "c.tif"]
    assert table["domain"].tolist() == ["x", "x"]
    (tmp_path / "b_second.tif").touch()
    with pytest.raises(DataError, match=r"1 slides .* are called like another one"):
        read_slides(tmp_path, TASK, names="files")


def test_a_table_of_slides(tmp_path: Path) -> None:
    table = read_slides(write_slides(tmp_path), TASK, table="cases.csv", columns=COLUMNS)

    assert table["slide"].tolist() == ["slide_0001", "slide_0002", "slide_0003"]
    assert table["patient_id"].tolist() == ["patient 1", "patient 2", "patient 1"]
    assert table["domain"].tolist() == ["east", None, "west"]
    # Its own column decides, even where a file of the same name lies beside the slide.
    assert table["annotation"].tolist() == [None, str(tmp_path / "b/second outline.xml"), None]
    assert table["tumour_free"].tolist() == [False, False, True]
    shown = table.drop(columns=["path", "annotation"]).to_csv()
    assert not any(name in shown for name in ("Müller", "H77", "H12", "second"))


def test_a_table_without_the_optional_columns(tmp_path: Path) -> None:
    lines = [",".join(line.split(",")[:2]) for line in LINES]
    table = read_slides(
        write_slides(tmp_path, lines), TASK, table="cases.csv", columns={"path": "scan", "patient_id": "MRN"}
    )

    assert table["domain"].tolist() == ["own data"] * 3
    assert table["annotation"].tolist() == [str(tmp_path / "Müller Anna.xml"), None, None]
    assert not table["tumour_free"].any()


@pytest.mark.parametrize(
    ("row", "line", "message"),
    [
        (1, ",H77,east,,no", "row 2: the column for 'path' is blank"),
        (2, "b/second.ndpi,,east,,no", "row 3: the column for 'patient_id' is blank"),
        (3, "c.tif,H77,west,,maybe", "row 4, column 'tumour_free': 'maybe' is not understood"),
        (3, "Müller Anna.svs,H77,west,,", "row 4: its slide is that of row 2"),
    ],
)
def test_rows_that_cannot_be_used_are_named(tmp_path: Path, row: int, line: str, message: str) -> None:
    lines = [line if number == row else old for number, old in enumerate(LINES)]
    with pytest.raises(DataError, match=message):
        read_slides(write_slides(tmp_path, lines), TASK, table="cases.csv", columns=COLUMNS)


def test_a_slide_that_is_not_there_is_left_to_the_cutting(tmp_path: Path) -> None:
    write_slides(tmp_path)
    (tmp_path / "c.tif").unlink()
    (tmp_path / "Müller Anna.xml").unlink(missing_ok=True)
    assert len(read_slides(tmp_path, TASK, table="cases.csv", columns=COLUMNS)) == 3
    for name in ("Müller Anna.svs", "b/second.ndpi"):
        (tmp_path / name).unlink()
    with pytest.raises(DataError, match="none of the 3 slides"):
        read_slides(tmp_path, TASK, table="cases.csv", columns=COLUMNS)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"names": "stems"}, "names is 'stems'; it is one of: numbers, files"),
        ({"table": "cases.csv", "columns": COLUMNS, "domain": "x"}, "both a name and a column"),
        ({"columns": COLUMNS}, "none is named; set table"),
    ],
)
def test_options_that_are_not_understood(tmp_path: Path, options: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        read_slides(write_slides(tmp_path), TASK, **options)


def test_no_slides_and_other_classes(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no slide below .*\.svs"):
        read_slides(tmp_path, TASK)
    with pytest.raises(SettingsError, match="class 'tumour' only, not mitosis"):
        read_slides(tmp_path, Task("multilabel", ("mitosis",)))
