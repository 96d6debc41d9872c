"""CheXpert (Irvin et al. 2019), the original tree or the small one."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import pandas as pd

from medaug.data.readers.tables import chosen, distinct, label_values, need_choice
from medaug.errors import DataError
from medaug.tabular.messages import first_row, refuse, tell
from medaug.tabular.people import canonical_age, canonical_sex
from medaug.tabular.table_files import need_columns, need_distinct, read_text_table
from medaug.task import Task, label_column

DOMAIN = "CheXpert"
TABLES = {"train.csv": None, "valid.csv": "val"}
"""Tables and their official split: ``train.csv`` is for the user to split."""

UNCERTAIN = {"unknown": math.nan, "positive": 1.0, "negative": 0.0}
UNMENTIONED = {"negative": 0.0, "unknown": math.nan}
VIEWS = ("frontal", "lateral")

_COLUMNS = ("Path", "Sex", "Age", "Frontal/Lateral", "AP/PA")
_OTHER_NAMES = {"effusion": "Pleural Effusion"}


def read_chexpert(
    folder: Path,
    task: Task,
    *,
    uncertain: Literal["unknown", "positive", "negative"] = "unknown",
    unmentioned: Literal["negative", "unknown"] = "negative",
    views: Sequence[str] = VIEWS,
) -> pd.DataFrame:
    """Read CheXpert.

    Parameters
    ----------
    folder : Path
        The tree itself (with ``train.csv``) or a folder with one tree in it.
    task : Task
        Classes are CheXpert's observations in any case, words joined by spaces or underscores; ``effusion``
        is ``Pleural Effusion``.
    uncertain : {"unknown", "positive", "negative"}
        What -1.0 means. The paper leaves such labels out of the classifier's loss: unknown.
    unmentioned : {"negative", "unknown"}
        What a blank means. The paper (Section 3.2.2) takes it for absence.
    views : sequence of {"frontal", "lateral"}
        Which images to read.

    Returns
    -------
    DataFrame
        As described in `medaug.data.readers`. ``official_split`` is ``val`` for ``valid.csv`` and missing for
        ``train.csv``. Further columns: ``view`` (``frontal``, ``lateral``) and ``projection``
        (``AP``, ``PA``, ``LL``, ``RL`` or missing).

    Raises
    ------
    DataError
        A table, a column (also that of a class of the task) or the images are missing, or a label is not
        understood (names row and column).
    SettingsError
        An option is not understood.
    """
    need_choice("uncertain", uncertain, list(UNCERTAIN))
    need_choice("unmentioned", unmentioned, list(UNMENTIONED))
    views = chosen("views", views, VIEWS)
    tree = find_tree(folder)
    meaning = {1.0: 1.0, 0.0: 0.0, -1.0: UNCERTAIN[uncertain]}
    parts = [
        _read_part(tree, name, task, meaning, UNMENTIONED[unmentioned]).assign(official_split=split)
        for name, split in TABLES.items()
        if (tree / name).is_file()
    ]
    table = pd.concat(parts, ignore_index=True)
    table = table[table["view"].isin(views)].reset_index(drop=True)
    _need_images(table, tree, views)
    return table


def find_tree(folder: Path) -> Path:
    """Return the folder that holds ``train.csv``: this one or the only one in it."""
    if (folder / "train.csv").is_file():
        return folder
    trees = sorted(path.parent for path in folder.glob("*/train.csv"))
    if len(trees) != 1:
        found = ", ".join(tree.name for tree in trees) or "none"
        raise DataError(
            f"{folder} holds no train.csv, and not exactly one folder with one (found: {found}); "
            "set dataset_dir to the folder CheXpert-v1.0 or CheXpert-v1.0-small"
        )
    return trees[0]


def _read_part(tree: Path, name: str, task: Task, meaning: dict[float, float], blank: float) -> pd.DataFrame:
    source = read_text_table(tree / name)
    need_columns(source, _COLUMNS, tree / name)
    relative = source["Path"].str.replace(r"^CheXpert-v1\.0[^/]*/", "", regex=True)
    patients = relative.str.extract(r"(patient\d+)", expand=False)
    if patients.isna().any():
        row = first_row(patients.isna())
        raise DataError(f"{tree / name}, row {row}, column 'Path': there is no patient number in it")
    distinct(relative, "file", tree / name)
    table = {
        "image_id": relative.str.replace(r"\.\w+$", "", regex=True),
        "path": [str(tree / path) for path in relative],
        "file": relative,
        "patient_id": patients,
        "domain": DOMAIN,
        "view": _view(source["Frontal/Lateral"], tree / name),
        "projection": source["AP/PA"].where(source["AP/PA"] != ""),
        "attr:sex": canonical_sex(source["Sex"], f"{tree / name}, column 'Sex'"),
        "attr:age": _age(source["Age"], task, f"{tree / name}, column 'Age'"),
    }
    for label, cells in _observations(task, source, tree / name).items():
        known = label_values(cells, meaning, tree / name)
        table[label_column(label)] = known.where(cells != "", blank)
    return pd.DataFrame(table)


def _view(cells: pd.Series[str], path: Path) -> pd.Series[str]:
    view = cells.str.lower()
    refuse(cells, ~view.isin(VIEWS), path, f"is no view; views are: {', '.join(VIEWS)}")
    return view


def _age(cells: pd.Series[str], task: Task, where: str) -> pd.Series[float]:
    """Age 0 stands for unknown here: CheXpert holds adults only."""
    ages = canonical_age(cells, task.bins("age"), where)
    tell(where, len(ages), 0, (int((ages == 0).sum()), "are 0, which stands for unknown here"))
    return ages.where(ages > 0)


def _observations(task: Task, source: pd.DataFrame, path: Path) -> dict[str, pd.Series[str]]:
    """Return the cells of each class."""
    found = {name.lower(): name for name in map(str, source.columns)}
    need_distinct([name.lower() for name in map(str, source.columns)], path)
    wanted = {label: _OTHER_NAMES.get(label, label).replace("_", " ") for label in task.classes}
    columns = {label: found.get(name.lower(), name.title()) for label, name in wanted.items()}
    need_columns(source, list(columns.values()), path)
    return {label: source[column] for label, column in columns.items()}


def _need_images(table: pd.DataFrame, tree: Path, views: Sequence[str]) -> None:
    """Check for images: `prepare` rejects one that is missing, but none of them means a wrong folder."""
    if table.empty:
        raise DataError(f"{tree} has no rows with a view out of: {', '.join(views)}")
    if not any(os.path.isfile(path) for path in table["path"].head(100)):
        raise DataError(
            f"the images that the first rows of {tree / 'train.csv'} list are not there; unpack them beside "
            "the table"
        )
