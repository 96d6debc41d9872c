"""HAM10000 (Tschandl et al. 2018, doi:10.1038/sdata.2018.161): dermatoscopic images of pigmented lesions."""

from __future__ import annotations

from pathlib import Path

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
from medaug.data.readers.tables import distinct, known_names, known_patients
from medaug.errors import DataError
from medaug.tabular.table_files import need_columns, read_text_table
from medaug.tabular.values import names
from medaug.task import Task

TABLES = ("HAM10000_metadata.csv", "HAM10000_metadata")
"""Names of the table; the one of the Harvard Dataverse has no ending."""

_COLUMNS = ("lesion_id", "image_id", "dx", "age", "sex", "localization", "dataset")


def read_ham10000(folder: Path, task: Task, *, conditions: str | None = None) -> pd.DataFrame:
    """Read HAM10000.

    Parameters
    ----------
    folder : Path
        Holds ``HAM10000_metadata.csv``; images are anywhere below.
    task : Task
        Classes are codes of HAM10000 (``akiec``, ``bcc``, ``bkl``, ``df``, ``mel``, ``nv``, ``vasc``) or
        classes of the table of conditions, see `medaug.data.conditions.class_labels`. In the built-in table
        ``akiec`` counts as actinic keratosis (the code includes Bowen's disease too), ``bkl`` as SK/ISK (it
        includes solar lentigines and lichenoid keratoses), ``df`` and ``vasc`` as other.
    conditions : str, optional
        Table of conditions and classes, relative to the folder; default the built-in one.

    Returns
    -------
    DataFrame
        As described in `medaug.data.readers`. ``domain`` is the site: ``vidir_molemax``, ``vidir_modern`` and
        ``vienna_dias`` (Vienna), ``rosendahl`` (Queensland). The images of a lesion are one patient, because
        patients are not told. Skin tone is unknown. Further column ``localization``.

    Raises
    ------
    DataError
        The table, a column or all images are missing.
    SettingsError
        No code belongs to a class of the task.

    Examples
    --------
    >>> task = Task("multiclass", ("mel", "bcc", "akiec", "other"), high_risk=("mel", "bcc", "akiec"))
    >>> read_ham10000(Path("ham10000"), task)  # doctest: +SKIP
    """
    path = next((folder / name for name in TABLES if (folder / name).is_file()), None)
    if path is None:
        raise DataError(f"{folder} holds no {TABLES[0]}; set dataset_dir to the folder of HAM10000")
    source = read_text_table(path)
    need_columns(source, _COLUMNS, path)
    images = distinct(source["image_id"], "image", path)
    lesions = names(source["lesion_id"], f"{path}, column 'lesion_id'")
    found = diagnoses(source["dx"], f"{path}, column 'dx'")
    table = pd.DataFrame(
        {
            "image_id": images,
            "image": as_jpg(images),
            "patient_id": known_patients(lesions, images, f"{path}, column 'lesion_id'"),
            "domain": known_names(source["dataset"], f"{path}, column 'dataset'"),
            "official_split": None,
            "localization": source["localization"],
            **attribute_columns(task, source["sex"], source["age"], blank(source.index), str(path)),
            **label_columns(certain(found), task, folder, conditions),
        }
    )
    return with_images(table, folder, path)
