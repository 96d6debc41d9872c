"""DDI, Diverse Dermatology Images (Daneshjou et al. 2022, doi:10.1126/sciadv.abq6147), Stanford."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pandas as pd

from medaug.data.readers.skin import attribute_columns, blank, certain, diagnoses, label_columns, with_images
from medaug.data.readers.tables import distinct, need_choice
from medaug.tabular.messages import refuse
from medaug.tabular.table_files import need_columns, read_text_table
from medaug.task import Task

DOMAIN = "DDI"
TABLE = "ddi_metadata.csv"
LABELS = ("disease", "malignancy")
TONES = {"12": "I-II", "34": "III-IV", "56": "V-VI"}

_COLUMNS = ("DDI_file", "skin_tone", "malignant", "disease")
_MALIGNANT = {"true": "malignant", "false": "benign", "1": "malignant", "0": "benign"}


def read_ddi(
    folder: Path,
    task: Task,
    *,
    labels: Literal["disease", "malignancy"] = "disease",
    conditions: str | None = None,
) -> pd.DataFrame:
    """Read DDI.

    Parameters
    ----------
    folder : Path
        Holds ``ddi_metadata.csv``; images are anywhere below.
    task : Task
        Classes are diseases of DDI or classes of the table of conditions, see
        `medaug.data.conditions.class_labels`; with ``labels="malignancy"`` ``malignant`` and ``benign``.
    labels : {"disease", "malignancy"}
        What an image is labelled with.
    conditions : str, optional
        Table of conditions and classes, relative to the folder; default the built-in one.

    Returns
    -------
    DataFrame
        As described in `medaug.data.readers`. DDI tells skin tones as I-II, III-IV or V-VI only: they are in
        ``attr:skin_tone`` for a task with such groups (see `medaug.data.readers.skin.tone_groups`), and
        always in the further column ``skin_tones``. Sex, age and patient are not told; each image counts as a
        patient, so images of one person may be in two splits.

    Raises
    ------
    DataError
        The table, a column or all images are missing, or a skin tone or malignancy is not understood.
    SettingsError
        An option is not understood, or no disease belongs to a class of the task.

    Examples
    --------
    >>> task = Task("multiclass", ("malignant", "benign"))
    >>> read_ddi(Path("ddi"), task, labels="malignancy")  # doctest: +SKIP
    """
    need_choice("labels", labels, LABELS)
    path = folder / TABLE
    source = read_text_table(path)
    need_columns(source, _COLUMNS, path)
    tones = _translated(source["skin_tone"], TONES, path)
    named = (
        diagnoses(source["disease"], f"{path}, column 'disease'")
        if labels == "disease"
        else _translated(source["malignant"].str.lower(), _MALIGNANT, path)
    )
    unknown = blank(source.index)
    stems = distinct(source["DDI_file"].str.replace(r"\.\w+$", "", regex=True), "image", path)
    table = pd.DataFrame(
        {
            "image_id": stems,
            "image": source["DDI_file"],
            "patient_id": stems,
            "domain": DOMAIN,
            "official_split": None,
            "skin_tones": tones.where(tones != ""),
            **attribute_columns(task, unknown, unknown, tones),
            **label_columns(certain(named), task, folder, conditions),
        }
    )
    return with_images(table, folder, path)


def _translated(values: pd.Series[str], meaning: dict[str, str], path: Path) -> pd.Series[str]:
    """Return what each cell means; a blank stays blank, and anything else is an error."""
    wrong = (values != "") & ~values.isin(list(meaning))
    refuse(values, wrong, path, f"is not understood; it is blank or one of: {', '.join(meaning)}")
    return values.map({"": "", **meaning})
