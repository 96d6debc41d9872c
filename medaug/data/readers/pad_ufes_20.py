"""PAD-UFES-20 (Pacheco et al. 2020, doi:10.1016/j.dib.2020.106221): smartphone images from Brazil."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from medaug.data.readers.skin import (
    attribute_columns,
    certain,
    diagnoses,
    label_columns,
    skin_tones,
    with_images,
)
from medaug.data.readers.tables import distinct, known_patients
from medaug.tabular.table_files import need_columns, read_text_table
from medaug.tabular.values import names
from medaug.task import Task

DOMAIN = "PAD-UFES-20"
TABLE = "metadata.csv"

_COLUMNS = ("patient_id", "age", "gender", "fitspatrick", "region", "diagnostic", "img_id", "biopsed")
_UNKNOWN = ("UNK", "nan", "NaN")


def read_pad_ufes_20(folder: Path, task: Task, *, conditions: str | None = None) -> pd.DataFrame:
    """Read PAD-UFES-20.

    Parameters
    ----------
    folder : Path
        Holds ``metadata.csv``; images (``imgs_part_1`` to ``3``) are anywhere below.
    task : Task
        Classes are its codes (``ACK``, ``BCC``, ``MEL``, ``NEV``, ``SCC``, ``SEK``) or classes of the table
        of conditions, see `medaug.data.conditions.class_labels`.
    conditions : str, optional
        Table of conditions and classes, relative to the folder; default the built-in one.

    Returns
    -------
    DataFrame
        As described in `medaug.data.readers`. Sex and skin tone (spelt ``fitspatrick`` there) are unknown for
        804 of the 2,298 images. Further columns ``region`` and
        ``biopsed`` (``True`` or ``False``); the other columns of the table are about the patient's life and
        family, and are not read.

    Raises
    ------
    DataError
        The table, a column or all images are missing.
    SettingsError
        No code belongs to a class of the task.

    Examples
    --------
    >>> read_pad_ufes_20(Path("PAD-UFES-20"), Task("multiclass", ("MEL", "NEV")))  # doctest: +SKIP
    """
    path = folder / TABLE
    source = read_text_table(path)
    need_columns(source, _COLUMNS, path)
    source = source.mask(source.isin(_UNKNOWN), "")
    images = distinct(source["img_id"].str.replace(r"\.\w+$", "", regex=True), "image", path)
    patients = names(source["patient_id"], f"{path}, column 'patient_id'")
    tones = skin_tones(source["fitspatrick"], str(path))
    found = diagnoses(source["diagnostic"], f"{path}, column 'diagnostic'")
    table = pd.DataFrame(
        {
            "image_id": images,
            "image": source["img_id"],
            "patient_id": known_patients(patients, images, f"{path}, column 'patient_id'"),
            "domain": DOMAIN,
            "official_split": None,
            "region": source["region"].where(source["region"] != ""),
            "biopsed": source["biopsed"].where(source["biopsed"] != ""),
            **attribute_columns(task, source["gender"], source["age"], tones, str(path)),
            **label_columns(certain(found), task, folder, conditions),
        }
    )
    return with_images(table, folder, path)
