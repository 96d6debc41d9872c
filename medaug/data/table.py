"""The table of a store: its columns and their checks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import pandas as pd

from medaug.errors import DataError
from medaug.files import printable
from medaug.task import ATTRIBUTE_PREFIX, LABEL_PREFIX, Task, attribute_column

SplitUnit = Literal["patient", "slide", "patch"]

SPLITS = ("train", "id_val", "id_test", "ood_val", "ood_test", "unlabelled")
"""Every split there is; ``unlabelled`` images train the generator only."""

UNITS: Mapping[str, str] = {"patient": "patient_id", "slide": "slide", "patch": "image_id"}
"""What is in one split only, and the column that names it. Anything finer than a patient may leak."""

SYNTHETIC_DOMAIN = "synthetic"
"""Domain of synthetic images of which no hospital was asked for."""

UNKNOWN_DOMAIN = "unknown"
"""Domain of new images whose hospital nobody knows."""

_PLAIN_COLUMNS = ("image_id", "file", "patient_id", "domain", "split")
_PLACE_COLUMNS = ("x", "y", "level")


def check_table(table: pd.DataFrame, task: Task, split_unit: SplitUnit = "patient") -> None:
    """Check a table against the contract of an image store.

    Parameters
    ----------
    table : DataFrame
        Columns ``image_id``, ``file``, ``patient_id``, ``domain``, one ``label:<class>`` a class and one
        ``attr:<name>`` an attribute of the task; ``split`` is checked where it is there. Synthetic rows
        (``synthetic`` is true) need no ``file`` and no ``patient_id``.
    task : Task
        What is predicted, for whom.
    split_unit : {"patient", "slide", "patch"}
        What must be in one split only. The finer units are for patches of slides, to compare with published
        splits (WILDS validates on patches of the slides that it trains on).

    Raises
    ------
    DataError
        A column is missing, an ``image_id`` is missing or appears twice, a label lies outside [0, 1], a
        split is unknown, or images of one patient (slide) are in two splits. ``train`` and ``unlabelled``
        count as one split here, because both are trained on.
    """
    if table.empty:
        raise DataError("the table has no rows; check the folder and the settings that choose rows")
    _check_columns(table, task)
    _check_image_ids(table)
    _check_present(table["domain"])
    for column in task.label_columns:
        _check_labels(table, column)
    if "split" in table:
        _check_splits(table, split_unit)


def is_synthetic(table: pd.DataFrame) -> pd.Series[bool]:
    """Return which rows are synthetic; without such a column none is."""
    if "synthetic" not in table:
        return pd.Series(False, index=table.index)
    return table["synthetic"].fillna(False).astype(bool)


def stored_columns(table: pd.DataFrame, task: Task) -> pd.DataFrame:
    """Return what a store keeps of a table, with the types of the contract and a plain index.

    Only columns of the contract are kept, so that a path or a further column of a hospital's own table can
    not enter a store. Labels are float32, numeric attributes float64, the rest text. Patches of a slide keep
    their place: ``slide``, and ``x``, ``y``, ``level`` (int64; the upper left corner in pixels of level 0).
    """
    missing = pd.Series(None, index=table.index, dtype=object)
    kept = {name: _as_text(table.get(name, missing)) for name in _PLAIN_COLUMNS}
    kept |= {
        name: table[name].astype(np.float32) for name in map(str, table) if name.startswith(LABEL_PREFIX)
    }
    numeric = {attribute_column(a.name) for a in task.attributes if a.bins}
    for name in (column for column in map(str, table) if column.startswith(ATTRIBUTE_PREFIX)):
        kept[name] = table[name].astype(np.float64) if name in numeric else _as_text(table[name])
    if "slide" in table:
        kept["slide"] = _as_text(table["slide"])
    kept |= {name: table[name].astype(np.int64) for name in _PLACE_COLUMNS if name in table}
    kept["synthetic"] = is_synthetic(table)
    return pd.DataFrame(kept).reset_index(drop=True)


def _as_text(values: pd.Series[Any]) -> pd.Series[Any]:
    text = [None if pd.isna(value) else printable(str(value)) for value in values]
    return pd.Series(text, index=values.index, dtype=object)


def _check_columns(table: pd.DataFrame, task: Task) -> None:
    needed = ["image_id", "domain", *task.label_columns, *(attribute_column(a.name) for a in task.attributes)]
    if not is_synthetic(table).all():
        needed += ["file", "patient_id"]
    if missing := [name for name in needed if name not in table]:
        raise DataError(
            f"the table lacks the column(s) {', '.join(missing)}; it has: {', '.join(map(str, table))}"
        )


def _check_present(cells: pd.Series[Any]) -> None:
    absent = np.flatnonzero(cells.isna())
    if len(absent):
        raise DataError(
            f"{cells.name} is missing in {_row(absent[0])} ({len(absent)} row(s) in all); fill it in, or "
            "leave these rows out"
        )


def _check_image_ids(table: pd.DataFrame) -> None:
    _check_present(table["image_id"])
    names = table["image_id"].astype(str)
    twice = np.flatnonzero(names.duplicated())
    if len(twice):
        first = np.flatnonzero(names == names.iloc[twice[0]])[0]
        raise DataError(
            f"the image_id of {_row(twice[0])} is that of {_row(first)} ({len(twice)} row(s) in all repeat "
            "one); every image needs its own"
        )


def _check_labels(table: pd.DataFrame, column: str) -> None:
    try:
        values = table[column].to_numpy(np.float64, na_value=np.nan)
    except (TypeError, ValueError):
        raise DataError(f"{column} holds values that are no numbers; labels lie in [0, 1]") from None
    wrong = np.flatnonzero((values < 0) | (values > 1))
    if len(wrong):
        raise DataError(f"{column} is outside [0, 1] in {_row(wrong[0])}; labels lie in [0, 1]")


def _check_splits(table: pd.DataFrame, unit: SplitUnit) -> None:
    wrong = np.flatnonzero(~table["split"].isin(SPLITS))
    if len(wrong):
        raise DataError(f"split is unknown in {_row(wrong[0])}; it is one of: {', '.join(SPLITS)}")
    real = table[~is_synthetic(table)]
    if real.empty:
        return
    _check_present(table["patient_id"].mask(is_synthetic(table), ""))
    names = real[UNITS[unit]].astype(str)
    side = real["split"].where(real["split"] != "unlabelled", "train")
    both = side.groupby(names, sort=False).nunique()
    if (both > 1).any():
        divided = names.isin(both.index[both > 1])
        one = names == names[divided].iloc[0]
        splits = ", ".join(sorted(set(real.loc[one, "split"])))
        rows = ", ".join(_row(place) for place in np.flatnonzero(table.index.isin(real.index[one]))[:2])
        raise DataError(
            f"images of one {unit} are in more than one split ({splits}: {rows}, ...), and so are those of "
            f"{int((both > 1).sum())} in all; put all images of a {unit} in one split"
        )


def _row(position: Any) -> str:
    """Say which row, counted from 1; a name of an image or file could be that of a patient."""
    return f"row {position + 1}"
