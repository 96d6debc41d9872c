"""Folders of phantom radiographs in the forms of CheXpert and ChestX-ray14, with the quirks of both."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from medaug.arrays import UInt8Array
from medaug.files import write_aside
from medaug.phantoms.chest.dicom_file import write_dicom
from medaug.phantoms.chest.population import (
    CHESTXRAY14,
    CHEXPERT,
    CONDITIONS,
    Patient,
    Site,
    draw_follow_up,
    draw_patient,
)
from medaug.phantoms.chest.radiograph import draw_radiograph
from medaug.phantoms.mark import PHANTOM_FILE
from medaug.progress import progress
from medaug.randomness import numpy_generator

PHANTOM_NOTE = "Phantom data: every image in this folder is drawn by medaug. No person was X-rayed.\n"

CHEXPERT_FOLDER = "CheXpert-v1.0-small"
CHESTXRAY14_FOLDER = "ChestX-ray14"

CHEXPERT_OBSERVATIONS = (
    "No Finding",
    "Enlarged Cardiomediastinum",
    "Cardiomegaly",
    "Lung Opacity",
    "Lung Lesion",
    "Edema",
    "Consolidation",
    "Pneumonia",
    "Atelectasis",
    "Pneumothorax",
    "Pleural Effusion",
    "Pleural Other",
    "Fracture",
    "Support Devices",
)

_CHEXPERT_NAMES = {name: name.capitalize() for name in CONDITIONS} | {"effusion": "Pleural Effusion"}
_NIH_HEADER = (
    "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,View Position,"
    "OriginalImage[Width,Height],OriginalImagePixelSpacing[x,y]"
)
_VALID_SHARE = 0.12
_TEST_SHARE = 0.75
_DICOM_SHARE = 0.2


@dataclass(frozen=True)
class Study:
    """One image of a patient: running number of the image, of the patient and of the patient's image.

    ``reported`` says whether there is a report from which labels can be read.
    """

    number: int
    patient_number: int
    follow_up: int
    patient: Patient
    reported: bool


def write_radiograph_phantoms(folder: Path, seed: int, chexpert_images: int, chestxray14_images: int) -> None:
    """Write both phantom hospitals, each in the form of its public data set.

    Parameters
    ----------
    folder : Path
        Gets ``CheXpert-v1.0-small/``, ``ChestX-ray14/`` and `PHANTOM_FILE`. A tree that is already there is
        kept, so that an interrupted call can be repeated; give each seed and size a folder of its own.
    seed : int
        Names the data; image i depends on nothing but the seed and its own number.
    chexpert_images, chestxray14_images : int
        Numbers of images.
    """
    if not (folder / CHEXPERT_FOLDER).exists():
        write_chexpert_tree(folder / CHEXPERT_FOLDER, chexpert_images, seed)
    if not (folder / CHESTXRAY14_FOLDER).exists():
        write_chestxray14_tree(folder / CHESTXRAY14_FOLDER, chestxray14_images, seed)
    with write_aside(folder / PHANTOM_FILE) as temporary:
        temporary.write_text(PHANTOM_NOTE, encoding="utf-8")


def write_chexpert_tree(folder: Path, images: int, seed: int, size: int = 128) -> None:
    """Write ``train.csv``, ``valid.csv`` and frontal JPEGs as CheXpert-v1.0-small has them.

    Labels are 1.0, 0.0, -1.0 (uncertain) or blank (unmentioned). Rows without a report (see `Referral`) say
    nothing certain about any of the five conditions. ``valid.csv`` is fully labelled.

    Parameters
    ----------
    folder : Path
        The tree itself; appears as a whole or not at all.
    images : int
        Number of images, about a twentieth of them in ``valid.csv``.
    seed : int
        Names the data.
    size : int
        Side in pixels.
    """
    with write_aside(folder) as temporary:
        rows = [
            _write_chexpert_image(temporary, study, seed, size)
            for study in progress(_studies(CHEXPERT, images, seed), "Drawing CheXpert phantoms", images)
        ]
        table = pd.DataFrame(rows)
        for split in ("train", "valid"):
            part = table[table["Path"].str.contains(f"/{split}/")]
            part.to_csv(temporary / f"{split}.csv", index=False)
        (temporary / PHANTOM_FILE).write_text(PHANTOM_NOTE, encoding="utf-8")


def write_chestxray14_tree(folder: Path, images: int, seed: int, size: int = 128) -> None:
    """Write ``Data_Entry_2017_v2020.csv``, the official lists, and images as ChestX-ray14 has them.

    A fifth of the images are DICOM files (MONOCHROME1, 12 bits, with a window) as a hospital's archive gives
    them, under the same names with the ending ``.dcm``; the table names them ``.png`` like all others.

    Parameters
    ----------
    folder : Path
        The tree itself; appears as a whole or not at all.
    images : int
        Number of images, about three quarters of them in ``test_list.txt``.
    seed : int
        Names the data.
    size : int
        Side in pixels.
    """
    with write_aside(folder) as temporary:
        (temporary / "images").mkdir(parents=True)
        rows = [
            _write_chestxray14_image(temporary, study, seed, size)
            for study in progress(
                _studies(CHESTXRAY14, images, seed), "Drawing ChestX-ray14 phantoms", images
            )
        ]
        table = "\n".join([_NIH_HEADER, *(row for row, _ in rows)]) + "\n"
        (temporary / "Data_Entry_2017_v2020.csv").write_text(table, encoding="utf-8")
        for name, is_test in (("train_val_list.txt", False), ("test_list.txt", True)):
            names = [row.split(",")[0] for row, row_is_test in rows if row_is_test == is_test]
            (temporary / name).write_text("\n".join(names) + "\n", encoding="utf-8")
        (temporary / PHANTOM_FILE).write_text(PHANTOM_NOTE, encoding="utf-8")


def _studies(site: Site, images: int, seed: int) -> Iterator[Study]:
    """Patients in order, a third of them with two or three images, until there are enough images."""
    number = patient_number = 0
    while number < images:
        patient_number += 1
        generator = numpy_generator(seed, site.name, "patient", patient_number)
        reported = _is_reported(site, patient_number, seed)
        referral = site.referral if reported else None
        patient = draw_patient(site, generator, referral)
        for follow_up in range(min(int(generator.choice([1, 2, 3], p=[0.7, 0.2, 0.1])), images - number)):
            if follow_up:
                patient = draw_follow_up(patient, site, generator, referral)
            yield Study(number, patient_number, follow_up, patient, reported)
            number += 1


def _is_reported(site: Site, patient_number: int, seed: int) -> bool:
    """Say whether a patient has a report; the first always has, so that the smallest tree has labels."""
    share = 1.0 if site.referral is None else site.referral.reported
    return patient_number == 1 or _share(site, patient_number, seed, "reported") < share


def _image_generator(site: Site, study: Study, seed: int) -> np.random.Generator:
    return numpy_generator(seed, site.name, "image", study.number)


def _share(site: Site, patient_number: int, seed: int, what: str) -> float:
    """Uniform in [0, 1), the same for all images of a patient."""
    return float(numpy_generator(seed, site.name, what, patient_number).random())


def _write_chexpert_image(folder: Path, study: Study, seed: int, size: int) -> dict[str, Any]:
    generator = _image_generator(CHEXPERT, study, seed)
    # The first patient is always one for validation, so that the smallest tree has both tables.
    is_valid = study.patient_number == 1 or (
        study.reported and _share(CHEXPERT, study.patient_number, seed, "valid") < _VALID_SHARE
    )
    split = "valid" if is_valid else "train"
    path = f"{split}/patient{study.patient_number:05d}/study{study.follow_up + 1}/view1_frontal.jpg"
    pixels = draw_radiograph(study.patient, CHEXPERT, size, generator)
    (folder / path).parent.mkdir(parents=True)
    Image.fromarray(pixels).save(folder / path, quality=92)
    labels = _certain_labels(study.patient) if is_valid else _reported_labels(study, generator)
    return {
        "Path": f"{CHEXPERT_FOLDER}/{path}",
        "Sex": {"F": "Female", "M": "Male"}[study.patient.sex],
        "Age": study.patient.age,
        "Frontal/Lateral": "Frontal",
        "AP/PA": "AP" if generator.random() < 0.8 else "PA",
        **labels,
    }


def _certain_labels(patient: Patient) -> dict[str, float | None]:
    labels: dict[str, float | None] = dict.fromkeys(CHEXPERT_OBSERVATIONS, 0.0)
    for name in CONDITIONS:
        labels[_CHEXPERT_NAMES[name]] = float(name in patient.conditions)
    labels["No Finding"] = float(not patient.conditions)
    return labels


def _reported_labels(study: Study, generator: np.random.Generator) -> dict[str, float | None]:
    """Labels as read from a report: what is absent is mostly not mentioned, what is seen may be uncertain."""
    labels: dict[str, float | None] = dict.fromkeys(CHEXPERT_OBSERVATIONS)
    for name in CONDITIONS:
        is_present, chance = name in study.patient.conditions, generator.random()
        if not study.reported or chance < (0.10 if is_present else 0.03):
            labels[_CHEXPERT_NAMES[name]] = -1.0
        elif is_present:
            labels[_CHEXPERT_NAMES[name]] = 1.0
        elif chance > 0.85:
            labels[_CHEXPERT_NAMES[name]] = 0.0
    if study.reported and not study.patient.conditions:
        labels["No Finding"] = 1.0
    labels["Support Devices"] = 1.0 if generator.random() < 0.5 else None
    return labels


def _write_chestxray14_image(folder: Path, study: Study, seed: int, size: int) -> tuple[str, bool]:
    """Write the image; return its row of the table and whether it belongs to the official test list."""
    generator = _image_generator(CHESTXRAY14, study, seed)
    patient, stem = study.patient, f"{study.patient_number:08d}_{study.follow_up:03d}"
    pixels = draw_radiograph(patient, CHESTXRAY14, size, generator)
    view = "AP" if generator.random() < 0.4 else "PA"
    _write_pixels(folder / "images" / stem, pixels, patient, view, generator.random() < _DICOM_SHARE)
    findings = (
        "|".join(name.capitalize() for name in CONDITIONS if name in patient.conditions) or "No Finding"
    )
    row = (
        f"{stem}.png,{findings},{study.follow_up},{study.patient_number},{patient.age},{patient.sex},"
        f"{view},{size},{size},0.143,0.143"
    )
    share = _share(CHESTXRAY14, study.patient_number, seed, "test")
    return row, study.patient_number == 1 or share < _TEST_SHARE


def _write_pixels(stem: Path, pixels: UInt8Array, patient: Patient, view: str, as_dicom: bool) -> None:
    if as_dicom:
        write_dicom(stem.with_suffix(".dcm"), pixels, patient, view)
    else:
        Image.fromarray(pixels).save(stem.with_suffix(".png"))
