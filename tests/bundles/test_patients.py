"""Names, numbers, dates, places and a host planted in headers, file names and tables come out nowhere.

The public sets name their own images (`patient00001/study1/view1_frontal.jpg`, `00000013_000.png`): so
they do here.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pydicom
import pytest
import tifffile
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from medaug.classification.classifier import ClassifierInfo, save_classifier
from medaug.classification.networks import build_classifier
from medaug.data.readers import read_slide_source, read_source
from medaug.errors import DataError
from medaug.phantoms.chest.dicom_file import write_dicom
from medaug.phantoms.chest.population import Patient
from medaug.task import CHEST_RADIOGRAPHS, Task

pytestmark = pytest.mark.filterwarnings("ignore:parsing config_file:UserWarning")

NAME, NUMBER, BORN, PLACE, HOST = "Zwetschgenbaum", "4711048213", "19510417", "klinik-ost", "planted-pc-77"
PLANTED = (NAME, NUMBER, BORN, PLACE, HOST)
HEADER = (
    "Path,Sex,Age,Frontal/Lateral,AP/PA,No Finding,Enlarged Cardiomediastinum,Cardiomegaly,Lung Opacity,"
    "Lung Lesion,Edema,Consolidation,Pneumonia,Atelectasis,Pneumothorax,Pleural Effusion,Pleural Other,"
    "Fracture,Support Devices,Name"
)
SIDE = 16
GENERATOR = {"channels": [8], "head_channels": 8, "iterations": 2, "iterations_per_epoch": 1, "batch_size": 4}
TINY: dict[str, Any] = {
    "diffusion": {"image_size": SIDE, **GENERATOR},
    "generate": {"images": 8, "steps": 2},
    "evaluate": {"replicates": 0, "permutations": 0},
    "image_size": SIDE,
    "iterations": 2,
    "iterations_per_epoch": 1,
    "batch_size": 8,
    "accept_poor_synthetic": True,
}


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
def _host(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: HOST)


def products(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Give name and content of every product, tables as text; keys stay where they are."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.name.endswith(".key.csv"):
            table = path.suffix == ".parquet"
            content = pd.read_parquet(path).to_csv().encode() if table else path.read_bytes()
            yield str(path.relative_to(folder)), content


def check_products(folder: Path) -> None:
    found = [
        (name, word)
        for name, content in products(folder)
        for word in (*PLANTED, str(folder))
        if word in name or word.encode() in content
    ]
    assert found == []


def check_messages(text: str, world: Path) -> None:
    """Nothing of the data; the folder itself is what the user has typed."""
    said = text.replace(str(world), "")
    assert [word for word in PLANTED if word in said] == []


@pytest.fixture(scope="module")
def trained(world: Path, run: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    output = tmp_path_factory.mktemp("run")
    external = {"external_reader": ["chestxray14", "csv"], "external_options": [{}, {"columns": COLUMNS}]}
    said: list[str] = []
    listener = logging.Handler()
    listener.emit = lambda record: said.append(record.getMessage())  # type: ignore[method-assign]
    logger = logging.getLogger("medaug")
    level = logger.level
    logger.addHandler(listener)
    logger.setLevel(logging.DEBUG)
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(socket, "gethostname", lambda: HOST)
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
    finally:
        logger.removeHandler(listener)
        logger.setLevel(level)
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
    few = {"replicates": 0, "permutations": 0}
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


def test_slides_keep_what_is_planted_to_themselves(
    run: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    slides = tmp_path / NAME / "slides"
    (slides / PLACE).mkdir(parents=True)
    generator = np.random.default_rng(0)
    for number in range(2):
        pixels = np.clip(generator.normal((200, 90, 160), 12, (256, 256, 3)), 0, 255).astype(np.uint8)
        file = slides / PLACE / f"{NAME}_{NUMBER}{number}.tif"
        options = {"resolution": (2e4, 2e4), "resolutionunit": "CENTIMETER", "description": f"{NAME} {BORN}"}
        tifffile.imwrite(file, pixels, tile=(64, 64), photometric="rgb", compression="jpeg", **options)
    task = Task("multilabel", ("tumour",))
    network = build_classifier("small_resnet", classes=1, channels=3, seed=0)
    model = tmp_path / "model.pt"
    save_classifier(model, network, ClassifierInfo(task, 32, "m", 0, False))
    with caplog.at_level(logging.DEBUG, "medaug"):
        run(
            "bundles/camelyon17/inference.json",
            "infer",
            output_dir=str(tmp_path / "run"),
            model=str(model),
            dataset_dir=str(slides),
            reader="slides",
            patch_size=64,
            level=0,
            workers=0,
        )
    check_products(tmp_path / "run")
    check_messages(caplog.text, slides)
    key = pd.read_csv(tmp_path / "run" / "inference" / "data.key.csv")
    assert key["pseudonym"].tolist() == ["slide_0001", "slide_0002"]
    assert all((slides / name).is_file() for name in key["name"])
    (slides / "copy.tif").write_bytes((slides / key["name"][0]).read_bytes())
    (slides / "copy.svs").write_bytes(b"")
    with pytest.raises(DataError, match="called like another one") as raised:
        read_slide_source("slides", slides, task, names="files")
    check_messages(str(raised.value), slides)
