"""ISIC challenges of 2019 and 2020 (doi:10.34970/2020-ds01): dermatoscopic images of several clinics."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from medaug.data.readers.skin import (
    as_jpg,
    attribute_columns,
    blank,
    certain,
    diagnoses,
    label_columns,
    with_images,
)
from medaug.data.readers.tables import distinct, known_patients, need_choice
from medaug.errors import DataError, SettingsError
from medaug.tabular.messages import first_row, refuse
from medaug.tabular.table_files import need_columns, read_text_table
from medaug.tabular.values import is_unknown, names, numbers
from medaug.task import Task

PARTS_2019 = {"Training": None, "Test": "test"}
"""Parts of 2019 and their official split; ``Training`` is for the user to split."""

TABLES_2020 = ("ISIC_2020_Training_GroundTruth_v2.csv", "ISIC_2020_Training_GroundTruth.csv", "train.csv")
"""Names of the table of 2020; the second version also tells lesions, the last one is Kaggle's."""

CODES_2019 = ("MEL", "NV", "BCC", "AK", "BKL", "DF", "VASC", "SCC", "UNK")
LABELS = ("diagnosis", "malignancy")

_META_2019 = ("image", "age_approx", "anatom_site_general", "sex")
_COLUMNS_2020 = (
    *("image_name", "patient_id", "sex", "age_approx", "anatom_site_general_challenge"),
    *("diagnosis", "benign_malignant"),
)


def read_isic(
    folder: Path,
    task: Task,
    *,
    labels: Literal["diagnosis", "malignancy"] = "diagnosis",
    conditions: str | None = None,
) -> pd.DataFrame:
    """Read the tables of the ISIC challenges of 2019 and 2020, whichever of them are there.

    Parameters
    ----------
    folder : Path
        Holds ``ISIC_2019_Training_GroundTruth.csv`` and ``ISIC_2019_Training_Metadata.csv`` (``Test`` too, if
        wanted), or ``ISIC_2020_Training_GroundTruth_v2.csv`` (or its first version, or Kaggle's
        ``train.csv``), or both years; images are anywhere below.
    task : Task
        Classes are codes of 2019 (`CODES_2019`; the last one is "none of the others"), diagnoses of 2020, or
        classes of the table of conditions, see `medaug.data.conditions.class_labels`; with
        ``labels="malignancy"`` ``malignant`` and ``benign``.
    labels : {"diagnosis", "malignancy"}
        What an image is labelled with. The diagnosis of most images of 2020 is ``unknown`` (they are benign):
        these have no label. 2019 has no malignancy.
    conditions : str, optional
        Table of conditions and classes, relative to the folder; default the built-in one.

    Returns
    -------
    DataFrame
        As described in `medaug.data.readers`. ``domain`` is ``ISIC 2019`` or ``ISIC 2020``. The images of a
        lesion are one patient in 2019, where patients are not told; an image without a lesion is a patient of
        its own. Skin tone is unknown. ``official_split`` is ``test`` for the test part of 2019. Further
        columns ``anatomical_site`` and ``source`` (2019: ``BCN``, ``HAM``, ``MSK``, or missing).

    Raises
    ------
    DataError
        There is no table, a column or all images are missing, an image is in only one of the two tables of
        2019, or has not exactly one diagnosis there (names the row).
    SettingsError
        An option is not understood, no diagnosis belongs to a class of the task, or malignancy is asked of
        2019.

    Examples
    --------
    >>> read_isic(Path("isic"), Task("multiclass", ("MEL", "NV", "BCC")))  # doctest: +SKIP
    """
    need_choice("labels", labels, LABELS)
    parts = [_part_2019(folder, part) for part in PARTS_2019 if _truth_2019(folder, part).is_file()]
    if parts and labels == "malignancy":
        raise SettingsError(
            "ISIC 2019 does not tell malignancy; read its diagnosis with a table of conditions that has the "
            "classes malignant and benign"
        )
    found_2020 = next((folder / name for name in TABLES_2020 if (folder / name).is_file()), None)
    if found_2020 is not None:
        parts.append(_table_2020(found_2020, labels))
    if not parts:
        raise DataError(
            f"{folder} holds neither {_truth_2019(folder, 'Training').name} nor {TABLES_2020[0]}; "
            "set dataset_dir to the folder of the tables"
        )
    rows = pd.concat(parts, ignore_index=True)
    known = attribute_columns(
        task, rows["sex"], rows["age"], blank(rows.index), f"the ISIC tables of {folder}"
    )
    found = label_columns(certain(rows["named"]), task, folder, conditions)
    table = rows.drop(columns=["sex", "age", "named"]).assign(
        **known, **found, image=as_jpg(rows["image_id"])
    )
    return with_images(table, folder, found_2020 or _truth_2019(folder, "Training"))


def _truth_2019(folder: Path, part: str) -> Path:
    return folder / f"ISIC_2019_{part}_GroundTruth.csv"


def _part_2019(folder: Path, part: str) -> pd.DataFrame:
    truth_path, meta_path = _truth_2019(folder, part), folder / f"ISIC_2019_{part}_Metadata.csv"
    truth, meta = read_text_table(truth_path), read_text_table(meta_path)
    need_columns(truth, ("image", *CODES_2019), truth_path)
    need_columns(meta, _META_2019, meta_path)
    for table, path in ((truth, truth_path), (meta, meta_path)):
        distinct(table["image"], "image", path)
    if different := sorted(set(truth["image"]) ^ set(meta["image"])):
        raise DataError(f"{len(different)} images are in only one of {truth_path} and {meta_path.name}")
    truth = truth.assign(named=_one_hot(truth, truth_path))
    both = meta.merge(truth[["image", "named"]], on="image", validate="one_to_one")
    lesions = _lesions(both, meta_path)
    return pd.DataFrame(
        {
            "image_id": both["image"],
            "patient_id": known_patients(lesions, both["image"], f"{meta_path}, column 'lesion_id'"),
            "domain": "ISIC 2019",
            "official_split": PARTS_2019[part],
            "source": lesions.str.extract(r"^([A-Z]+)", expand=False),
            "anatomical_site": _known(both["anatom_site_general"]),
            "sex": both["sex"],
            "age": both["age_approx"],
            "named": both["named"],
        }
    )


def _lesions(both: pd.DataFrame, path: Path) -> pd.Series[str]:
    """Return the lesion of each image; blank where it is not told."""
    if "lesion_id" not in both:
        return blank(both.index)
    lesions = names(both["lesion_id"], f"{path}, column 'lesion_id'")
    return lesions.mask(is_unknown(lesions), "")


def _one_hot(truth: pd.DataFrame, path: Path) -> pd.Series[str]:
    """Return the code that is 1.0 in each row; exactly one is, and the others are 0.0."""
    values = truth[list(CODES_2019)].apply(lambda cells: numbers(cells).values)
    hot = values == 1
    wrong = (hot.sum(axis=1) != 1) | (hot.sum(axis=1) + (values == 0).sum(axis=1) != len(CODES_2019))
    if wrong.any():
        there_are = ", ".join(CODES_2019)
        raise DataError(
            f"{path}, row {first_row(wrong)}: exactly one of {there_are} must be 1.0, the others 0.0"
        )
    codes: np.ndarray[Any, np.dtype[np.object_]] = np.array(CODES_2019, dtype=object)
    return pd.Series(codes[hot.to_numpy().argmax(axis=1)], index=truth.index)


def _table_2020(path: Path, labels: str) -> pd.DataFrame:
    source = read_text_table(path)
    need_columns(source, _COLUMNS_2020, path)
    named = (
        _malignancy(source, path)
        if labels == "malignancy"
        else diagnoses(source["diagnosis"], f"{path}, column 'diagnosis'")
    )
    images = distinct(source["image_name"], "image", path)
    patients = names(source["patient_id"], f"{path}, column 'patient_id'")
    return pd.DataFrame(
        {
            "image_id": images,
            "patient_id": known_patients(patients, images, f"{path}, column 'patient_id'"),
            "domain": "ISIC 2020",
            "official_split": None,
            "source": None,
            "anatomical_site": _known(source["anatom_site_general_challenge"]),
            "sex": source["sex"],
            "age": source["age_approx"],
            "named": named,
        }
    )


def _malignancy(source: pd.DataFrame, path: Path) -> pd.Series[str]:
    cells = source["benign_malignant"].str.lower()
    wrong = ~cells.isin(["", "benign", "malignant"])
    refuse(cells, wrong, path, "is neither benign nor malignant")
    return cells


def _known(values: pd.Series[str]) -> pd.Series[str]:
    return values.where(values != "")
