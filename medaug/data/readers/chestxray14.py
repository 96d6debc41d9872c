"""ChestX-ray14 (Wang et al. 2017, NIH Clinical Center), PNG or DICOM files, old and new tables."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from medaug.data.readers.tables import chosen, distinct, largest_files
from medaug.errors import DataError, SettingsError
from medaug.files import printable
from medaug.tabular.messages import first_row, refuse, shown
from medaug.tabular.people import canonical_age, canonical_sex
from medaug.tabular.table_files import need_columns, need_distinct, read_text_table
from medaug.tabular.text import read_utf8
from medaug.tabular.values import names as names_in
from medaug.task import Task, label_column

DOMAIN = "ChestX-ray14"
FINDINGS = (
    "Atelectasis",
    "Cardiomegaly",
    "Consolidation",
    "Edema",
    "Effusion",
    "Emphysema",
    "Fibrosis",
    "Hernia",
    "Infiltration",
    "Mass",
    "Nodule",
    "Pleural_Thickening",
    "Pneumonia",
    "Pneumothorax",
    "No_Finding",
)
VIEWS = ("PA", "AP")
LISTS = {"train_val_list.txt": "train", "test_list.txt": "test"}
"""Official lists of file names and their split. Train and validation are not told apart officially."""

_ENDINGS = (".png", ".dcm", ".dicom")
_COLUMNS = ("image index", "finding labels", "patient id", "patient age", "patient gender", "view position")

logger = logging.getLogger(__name__)


def read_chestxray14(folder: Path, task: Task, *, views: Sequence[str] = VIEWS) -> pd.DataFrame:
    """Read ChestX-ray14.

    Images may lie anywhere below the folder, as PNG or DICOM under the name (without ending) that the table
    gives. Where a name occurs more than once, the largest file is taken. Rows without a file are left out,
    and their number is logged.

    Parameters
    ----------
    folder : Path
        Holds ``Data_Entry_2017*.csv``, itself or in a folder right below, and the official lists `LISTS`, if
        any, itself or beside the table.
    task : Task
        Classes are findings of ChestX-ray14 in any case, words joined by spaces or underscores. A finding
        that the table does not list for an image is absent from it.
    views : sequence of {"PA", "AP"}
        Which images to read.

    Returns
    -------
    DataFrame
        As described in `medaug.data.readers`; further column ``view``. ``official_split`` is missing
        where there are no official lists.

    Raises
    ------
    DataError
        The table, a column or all images are missing, a finding is not known (names the row), or an image
        is in both lists.
    SettingsError
        A view or a class of the task is not known.
    """
    views = chosen("views", views, VIEWS)
    _need_findings(task)
    path = find_table(folder)
    source = _read_entries(path)
    findings = _findings(source["finding labels"], path)
    table = pd.DataFrame(
        {
            "image_id": distinct(source["image index"].map(_stem), "image", path),
            "patient_id": _patients(source["patient id"], path),
            "domain": DOMAIN,
            "view": _views(source["view position"], path),
            "attr:sex": canonical_sex(source["patient gender"], f"{path}, column 'Patient Gender'"),
            "attr:age": canonical_age(
                source["patient age"], task.bins("age"), f"{path}, column 'Patient Age'"
            ),
            **{label_column(name): _is_listed(findings, name) for name in task.classes},
        }
    )
    table["official_split"] = table["image_id"].map(_official_splits(folder, path.parent))
    table = table[table["view"].isin(views)]
    if table.empty:
        raise DataError(f"{path} has no rows with a view out of: {', '.join(views)}")
    return _with_files(table, folder, path)


def find_table(folder: Path) -> Path:
    """Return the table: the only ``Data_Entry*.csv`` in the folder or right below it."""
    tables = sorted(folder.glob("Data_Entry*.csv")) or sorted(folder.glob("*/Data_Entry*.csv"))
    if len(tables) != 1:
        found = ", ".join(table.name for table in tables) or "none"
        raise DataError(
            f"{folder} must hold one table Data_Entry_2017*.csv, but has: {found}; "
            "set dataset_dir to the folder of ChestX-ray14"
        )
    return tables[0]


def _read_entries(path: Path) -> pd.DataFrame:
    """Read the table; brackets in its header split on commas, so only names without brackets are used."""
    source = read_text_table(path)
    source.columns = [re.sub(r"[\s_]+", " ", name).lower() for name in source.columns]
    need_distinct(list(source.columns), path)
    need_columns(source, _COLUMNS, path)
    return source


def _patients(cells: pd.Series[str], path: Path) -> pd.Series[str]:
    """Return patients in one form; ``13`` and ``00000013`` are the same here."""
    numbers = names_in(cells, f"{path}, column 'Patient ID'")
    wrong = ~numbers.str.fullmatch("[0-9]+").astype(bool)
    if wrong.any():
        raise DataError(
            f"{path}, row {first_row(wrong)}, column 'Patient ID': there is no number of a patient"
        )
    return numbers.str.lstrip("0").str.zfill(8)


def _views(cells: pd.Series[str], path: Path) -> pd.Series[str]:
    view = cells.str.upper()
    refuse(cells, ~view.isin(VIEWS), path, f"is no view; views are: {', '.join(VIEWS)}")
    return view


def _stem(name: str) -> str:
    return os.path.splitext(name)[0]


def _finding(name: str) -> str:
    return name.strip().lower().replace(" ", "_")


def _need_findings(task: Task) -> None:
    known = {name.lower() for name in FINDINGS}
    if unknown := [name for name in task.classes if _finding(name) not in known]:
        raise SettingsError(
            f"ChestX-ray14 has no finding {', '.join(unknown)}; it has: {', '.join(FINDINGS)}"
        )


def _findings(values: pd.Series[str], path: Path) -> pd.Series[str]:
    """Return findings in one form, ``|edema|effusion|``; whatever is not a known finding is an error."""
    forms = {value: [_finding(name) for name in value.split("|")] for value in values.unique()}
    known = {name.lower() for name in FINDINGS}
    for value, names in forms.items():
        if unknown := [name for name in names if name not in known]:
            row = first_row(values == value)
            raise DataError(
                f"{path}, row {row}, column 'Finding Labels': {shown(unknown[0])} is not understood; "
                f"findings are: {', '.join(FINDINGS)}, joined by |"
            )
    return values.map({value: f"|{'|'.join(names)}|" for value, names in forms.items()})


def _is_listed(findings: pd.Series[str], name: str) -> pd.Series[float]:
    return findings.str.contains(f"|{_finding(name)}|", regex=False).astype("float64")


def _official_splits(*folders: Path) -> dict[str, str]:
    """Return image to split, from the lists that are there."""
    splits: dict[str, str] = {}
    for name, split in LISTS.items():
        for image in _listed(name, folders):
            if splits.setdefault(image, split) != split:
                raise DataError(f"the image {image} is in both {' and '.join(LISTS)} of {folders[0]}")
    return splits


def _listed(name: str, folders: Sequence[Path]) -> list[str]:
    path = next((folder / name for folder in folders if (folder / name).is_file()), None)
    lines = [] if path is None else read_utf8(path).decode("utf-8").splitlines()
    return [_stem(line.strip()) for line in lines if line.strip()]


def _with_files(table: pd.DataFrame, folder: Path, path: Path) -> pd.DataFrame:
    """Add ``path`` and ``file``; leave out the rows whose file is not there."""
    found = largest_files(folder, set(table["image_id"]), _ENDINGS)
    paths = pd.Series([found.get(image) for image in table["image_id"]], index=table.index, dtype=object)
    present = paths.notna()
    if not present.any():
        raise DataError(
            f"none of the {len(table):,} images that {path} lists is below {folder}; unpack the images there"
        )
    if not present.all():
        absent = int((~present).sum())
        logger.info("%s: %d of %d rows have no file here and are left out", path.name, absent, len(table))
    table, paths = table[present], paths[present]
    files = [printable(os.path.relpath(one, folder)) for one in paths]
    table = table.assign(path=paths, file=files)
    return table.reset_index(drop=True)
