from __future__ import annotations

import logging
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from medaug.data.readers import read_chestxray14
from medaug.data.table import check_table
from medaug.errors import DataError, SettingsError
from medaug.phantoms.chest.dicom_file import write_dicom
from medaug.phantoms.chest.population import Patient
from medaug.task import CHEST_RADIOGRAPHS, Task

NEW = "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,View Position"
BRACKETS = ",OriginalImage[Width,Height],OriginalImagePixelSpacing[x,y]"
ROWS = [
    "00000013_000.png,No Finding,0,{p13},{a57},F,PA",
    "00000013_001.png,Edema|Effusion,1,{p13},{a57},F,AP",
    "00000014_000.png,Pleural_Thickening,0,14,{a411},M,PA",
]


def write_table(
    folder: Path, rows: list[str], name: str = "Data_Entry_2017_v2020.csv", end: str = ""
) -> None:
    folder.mkdir(exist_ok=True, parents=True)
    filled = [f"{row},2682,2749,0.143,0.143{end}" for row in rows]
    (folder / name).write_text("\n".join([NEW + BRACKETS + end, *filled]) + "\n")


def write_image(path: Path, side: int = 8, mode: str = "L") -> None:
    path.parent.mkdir(exist_ok=True, parents=True)
    noise = np.random.default_rng(0).integers(0, 255, (side, side), np.uint8)
    Image.fromarray(noise).convert(mode).save(path)


def write_set(folder: Path, **values: str) -> Path:
    values = {"p13": "13", "a57": "57", "a411": "40"} | values
    write_table(folder, [row.format(**values) for row in ROWS])
    for number, name in enumerate(["00000013_000", "00000013_001", "00000014_000"]):
        write_image(
            folder / f"images_{number:03d}" / "images" / f"{name}.png", mode="RGBA" if number else "L"
        )
    return folder


@pytest.mark.parametrize("values", [{}, {"p13": "00000013", "a57": "057Y", "a411": "411Y"}])
def test_new_and_old_forms_mean_the_same(tmp_path: Path, values: dict[str, str]) -> None:
    table = read_chestxray14(write_set(tmp_path, **values), CHEST_RADIOGRAPHS)

    assert table["image_id"].tolist() == ["00000013_000", "00000013_001", "00000014_000"]
    assert table["patient_id"].tolist() == ["00000013", "00000013", "00000014"]
    assert table["attr:sex"].tolist() == ["F", "F", "M"]
    np.testing.assert_array_equal(table["attr:age"], [57, 57, np.nan if values else 40])
    assert table["view"].tolist() == ["PA", "AP", "PA"]
    assert table["label:edema"].tolist() == [0, 1, 0]
    assert table["label:effusion"].tolist() == [0, 1, 0]
    assert table["label:atelectasis"].tolist() == [0, 0, 0]
    assert table["official_split"].isna().all()
    assert all(Path(path).is_file() for path in table["path"])
    assert table["file"].tolist()[0] == os.path.join("images_000", "images", "00000013_000.png")


def test_trailing_commas_underscores_and_months(tmp_path: Path) -> None:
    rows = ["1_0.png,No_Finding,0,1,013M,M,PA", "1_1.png,Pleural_Thickening|Mass,0,1,001D,M,PA"]
    write_table(tmp_path, rows, name="Data_Entry_2017.csv", end=",")
    for name in ("1_0", "1_1"):
        write_image(tmp_path / f"{name}.png")
    table = read_chestxray14(tmp_path, Task("multilabel", ("Pleural Thickening", "no_finding")))

    assert table["label:Pleural Thickening"].tolist() == [0, 1]
    assert table["label:no_finding"].tolist() == [1, 0]
    np.testing.assert_allclose(table["attr:age"], [13 / 12, 1 / 365.25])


def test_official_lists(tmp_path: Path) -> None:
    write_set(tmp_path)
    (tmp_path / "train_val_list.txt").write_text("00000013_000.png\r\n00000013_001.png\r\n")
    (tmp_path / "test_list.txt").write_text("00000014_000.png", encoding="utf-16")

    assert read_chestxray14(tmp_path, CHEST_RADIOGRAPHS)["official_split"].tolist() == [
        "train",
        "train",
        "test",
    ]

    (tmp_path / "test_list.txt").write_text("00000013_000.png\n")
    with pytest.raises(DataError, match="00000013_000 is in both"):
        read_chestxray14(tmp_path, CHEST_RADIOGRAPHS)


def test_largest_file_and_dicom_and_missing_files(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write_table(tmp_path, [row.format(p13="13", a57="57", a411="40") for row in ROWS])
    write_image(tmp_path / "images-256" / "00000013_000.png", 64)
    write_image(tmp_path / "images-64" / "00000013_000.png", 16)
    (tmp_path / "archive").mkdir()
    write_dicom(tmp_path / "archive" / "00000013_001.DCM", np.zeros((8, 8), np.uint8), Patient("F", 57), "AP")
    write_image(tmp_path / "images-64" / "99999999_000.png")
    with caplog.at_level(logging.INFO, logger="medaug"):
        table = read_chestxray14(tmp_path, CHEST_RADIOGRAPHS)

    assert table["file"].tolist() == ["images-256/00000013_000.png", "archive/00000013_001.DCM"]
    assert "1 of 3 rows have no file" in caplog.text


def test_official_lists_lie_beside_the_table(tmp_path: Path) -> None:
    tree = write_set(tmp_path / "CXR8")
    (tree / "test_list.txt").write_text("00000014_000.png\n")
    table = read_chestxray14(tmp_path, CHEST_RADIOGRAPHS)
    assert table.set_index("image_id")["official_split"].dropna().to_dict() == {"00000014_000": "test"}


@pytest.mark.parametrize("views", [("PA",), "PA"])
def test_views(tmp_path: Path, views: str | tuple[str, ...]) -> None:
    assert len(read_chestxray14(write_set(tmp_path), CHEST_RADIOGRAPHS, views=views)) == 2


def test_no_images_at_all(tmp_path: Path) -> None:
    write_table(tmp_path, ["00000013_000.png,No Finding,0,13,57,F,PA"])

    with pytest.raises(DataError, match="none of the 1 images"):
        read_chestxray14(tmp_path, CHEST_RADIOGRAPHS)


def test_bad_tables(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="must hold one table"):
        read_chestxray14(tmp_path, CHEST_RADIOGRAPHS)
    write_table(tmp_path, ["1.png,Edema,0,1,5,F,PA", "2.png,Edema|Flu,0,1,5,F,PA"])
    with pytest.raises(DataError, match=r"row 3, column 'Finding Labels': text of the form 'aaa'"):
        read_chestxray14(tmp_path, CHEST_RADIOGRAPHS)
    (tmp_path / "Data_Entry_2017_v2020.csv").write_text("Image Index,Patient ID\n1.png,1\n")
    with pytest.raises(DataError, match="'finding labels', 'patient age'"):
        read_chestxray14(tmp_path, CHEST_RADIOGRAPHS)


def test_settings(tmp_path: Path) -> None:
    write_set(tmp_path)
    with pytest.raises(SettingsError, match="no finding flu"):
        read_chestxray14(tmp_path, Task("multilabel", ("flu",)))
    with pytest.raises(SettingsError, match="views is 'frontal'"):
        read_chestxray14(tmp_path, CHEST_RADIOGRAPHS, views=("frontal",))


def test_phantoms_read_like_the_real_thing(phantoms: Path) -> None:
    folder = phantoms / "ChestX-ray14"
    table = read_chestxray14(folder, CHEST_RADIOGRAPHS)

    assert len(table) == 200
    assert {Path(path).suffix for path in table["path"]} == {".png", ".dcm"}
    assert set(table["official_split"]) == {"train", "test"}
    check_table(table, CHEST_RADIOGRAPHS)


@pytest.mark.skipif(
    "MEDAUG_REAL_DATA" not in os.environ, reason="set MEDAUG_REAL_DATA to a folder of real data"
)
def test_real_table() -> None:
    folder = Path(os.environ["MEDAUG_REAL_DATA"]) / "nih-cxr"
    table = read_chestxray14(folder, CHEST_RADIOGRAPHS)
    raw = pd.read_csv(folder / "Data_Entry_2017_v2020.csv", index_col=False)

    assert len(table) == len(raw) == 1993
    for name in CHEST_RADIOGRAPHS.classes:
        listed = [name.capitalize() in value.split("|") for value in raw["Finding Labels"]]
        assert table[f"label:{name}"].tolist() == [float(value) for value in listed]
    assert table["attr:sex"].tolist() == raw["Patient Gender"].tolist()
    both = {path.name for path in (folder / "images-64").iterdir()} & {
        path.name for path in (folder / "images-256").iterdir()
    }
    assert both
    chosen = table.set_index(table["image_id"] + ".png").loc[sorted(both), "file"]
    assert chosen.str.startswith("images-256").all()
    check_table(table, CHEST_RADIOGRAPHS)
