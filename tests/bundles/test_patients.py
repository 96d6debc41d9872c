"""Names, numbers, dates, places and a host planted in headers, file names and tables come out nowhere.

The public sets name their own images (`patient00001/study1/view1_frontal.jpg`, `00000013_000.png`): so
they do here.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pydicom
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from planted import (
    BORN,
    HOST,
    NAME,
    NUMBER,
    PLACE,
    SIDE,
    TINY,
    check_messages,
    check_products,
    heard,
    planted_host,
    products,
)

from medaug.data.readers import read_source
from medaug.errors import DataError
from medaug.phantoms.chest.dicom_file import write_dicom
from medaug.phantoms.chest.population import Patient
from medaug.task import CHEST_RADIOGRAPHS

pytestmark = pytest.mark.filterwarnings("ignore:parsing config_file:UserWarning")

HEADER = (
    "Path,Sex,Age,Frontal/Lateral,AP/PA,No Finding,Enlarged Cardiomediastinum,Cardiomegaly,Lung Opacity,"
    "Lung Lesion,Edema,Consolidation,Pneumonia,Atelectasis,Pneumothorax,Pleural Effusion,Pleural Other,"
    "Fracture,Support Devices,Name"
)


def noise(seed: int, side: int = SIDE) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (side, side), np.uint8)


def write_chexpert(folder: Path) -> None:
    tree = folder / "CheXpert-v1.0-small"
    for part, patients in (("train", range(60)), ("valid", range(60, 70))):
        lines = [HEADER]
        for patient in patients:
            name = f"{part}/patient{patient:05d}/study1/view1_frontal.jpg"
            (tree / name).parent.mkdir(parents=True)
            Image.fromarray(noise(patient)).save(tree / name, comment=f"{NAME} {BORN}".encode())
            labels = np.random.default_rng(patient).integers(0, 2, 14)
            sex = ("Female", "Male")[patient % 2]
            person = f"{CHEXPERT}/{name},{sex},{20 + patient},Frontal,AP"
            lines.append(",".join([person, *map(str, labels), f"{NAME} {NUMBER}"]))
        (tree / f"{part}.csv").write_text("\n".join(lines) + "\n")


CHEXPERT = "CheXpert-v1.0-small"


def write_chestxray14(folder: Path) -> None:
    text = PngInfo()
    text.add_text("Patient", f"{NAME} {NUMBER} {BORN}")
    columns = (
        "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,View Position,Name"
    )
    lines = [columns]
    (folder / "images").mkdir(parents=True)
    for patient in range(1, 21):
        name = f"{patient:08d}_000.png"
        Image.fromarray(noise(patient)).save(folder / "images" / name, pnginfo=text)
        finding = ("Edema|Effusion", "No Finding", "Atelectasis|Consolidation|Cardiomegaly")[patient % 3]
        lines.append(f"{name},{finding},0,{patient},{30 + patient},{'FM'[patient % 2]},PA,{NAME}")
    (folder / "Data_Entry_2017.csv").write_text("\n".join(lines) + "\n")


def write_ward(folder: Path) -> None:
    """Write DICOM files with full headers, whose names say who it is, and a table of them."""
    lines = ["file,MRN,born,name,sex,age,scanner," + ",".join(CHEST_RADIOGRAPHS.classes)]
    for patient in range(12):
        name = f"{PLACE}/{NAME}_{patient}/{NUMBER}{patient}_{BORN}.dcm"
        (folder / name).parent.mkdir(parents=True)
        write_dicom(folder / name, noise(patient), Patient(sex="F", age=50), "PA")
        file = pydicom.dcmread(folder / name)
        file.PatientName, file.PatientID, file.PatientBirthDate = f"{NAME}^Anna", NUMBER, BORN
        file.InstitutionName, file.StationName, file.StudyDate = PLACE, HOST, BORN
        file.save_as(folder / name)
        labels = ",".join(str((patient + k) % 2) for k in range(len(CHEST_RADIOGRAPHS.classes)))
        lines.append(f"{name},{NUMBER}{patient},{BORN},{NAME},F,{40 + patient},ours,{labels}")
    (folder / "table.csv").write_text("\n".join(lines) + "\n")


COLUMNS = {"path": "file", "patient_id": "MRN", "domain": "scanner"}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Data sets in a folder that names somebody, too."""
    folder = tmp_path_factory.mktemp("data") / f"{NAME} {BORN}"
    write_chexpert(folder / "chexpert")
    write_chestxray14(folder / "nih")
    write_ward(folder / "ward")
    return folder


@pytest.fixture(autouse=True)
def _host() -> Iterator[None]:
    with planted_host():
        yield


@pytest.fixture(scope="module")
def trained(world: Path, run: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    output = tmp_path_factory.mktemp("run")
    external = {"external_reader": ["chestxray14", "csv"], "external_options": [{}, {"columns": COLUMNS}]}
    with planted_host(), heard() as said:
        run(
            "bundles/chexpert/train.json",
            output_dir=str(output),
            dataset_dir=str(world / "chexpert"),
            external_dir=[str(world / "nih"), str(world / "ward")],
            prepare={"image_size": SIDE, "workers": 0, **external},
            **TINY,
        )
        run(
            "bundles/chexpert/inference.json",
            "infer",
            output_dir=str(output),
            dataset_dir=str(world / "ward"),
            workers=0,
        )
    return output, "\n".join(said)


def test_all_stages_keep_what_is_planted_to_themselves(trained: tuple[Path, str], world: Path) -> None:
    output, said = trained
    there = {name.split("/")[0] for name, _ in products(output)}
    assert "blank" in said or "images" in said
    assert {"data", "models", "synthetic", "predictions", "evaluation", "logs", "inference"} <= there
    check_products(output)
    check_messages(said, world)


def test_the_key_of_a_folder_stays_and_leads_back(trained: tuple[Path, str], world: Path) -> None:
    key = pd.read_csv(trained[0] / "inference" / "data.key.csv").set_index("pseudonym")["name"]
    predictions = pd.read_csv(trained[0] / "inference" / "predictions.csv")
    assert len(predictions) == 12
    for name in predictions["image_id"].map(key):
        assert (world / "ward" / name).is_file()


def test_given_predictions_are_evaluated_without_their_names(
    trained: tuple[Path, str], run: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture, capsys: Any
) -> None:
    table = pd.read_parquet(trained[0] / "predictions" / "model.parquet")
    table["image_id"] = [f"{PLACE}/{NAME}_{n}_{BORN}.png" for n in range(len(table))]
    table["patient_id"] = [f"{NUMBER}{n}" for n in range(len(table))]
    given = tmp_path / f"{NAME}.csv"
    table.to_csv(given, index=False)
    few = {"replicates": 0, "permutations": 0, "metrics": ["auc", "accuracy"], "intersections": []}
    with caplog.at_level(logging.DEBUG, "medaug"):
        run("bundles/chexpert/evaluate.json", output_dir=str(tmp_path / "run"), predictions=str(given), **few)

    check_products(tmp_path / "run")
    printed = capsys.readouterr()
    check_messages((caplog.text + printed.out + printed.err).replace(str(given), ""), tmp_path)
    key = pd.read_csv(tmp_path / "run" / "evaluation.key.csv")
    assert set(key.loc[key["column"] == "patient_id", "name"].astype(str)) == set(table["patient_id"])


@pytest.mark.parametrize(
    ("row", "cells"),
    [
        ("label", {"edema": NAME}),
        ("number", {"edema": NUMBER}),
        ("twice", {"file": f"{PLACE}/{NAME}_1/{NUMBER}1_{BORN}.dcm"}),
        ("nobody", {"MRN": ""}),
        ("split", {"official_split": BORN}),
        ("open quote", {"name": f'"{NAME}'}),
    ],
)
def test_refusals_of_a_table_say_row_column_and_kind(world: Path, row: str, cells: dict[str, str]) -> None:
    table = pd.read_csv(world / "ward" / "table.csv", dtype=str).assign(official_split="")
    for column, cell in cells.items():
        table.loc[3, column] = cell
    lines = [",".join(table.columns), *(",".join(map(str, one)) for one in table.fillna("").to_numpy())]
    name = f"{row}.csv"
    (world / "ward" / name).write_text("\n".join(lines) + "\n")
    with pytest.raises(DataError, match=r"row 5") as raised:
        read_source("csv", world / "ward", CHEST_RADIOGRAPHS, table=name, columns=COLUMNS)
    check_messages(str(raised.value), world)
