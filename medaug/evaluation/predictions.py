"""The table of predictions from which all evaluation starts: ours, or anyone's as CSV or parquet."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from medaug.errors import DataError
from medaug.files import write_aside
from medaug.task import ATTRIBUTE_PREFIX, LABEL_PREFIX, Kind, label_column

SCORE_PREFIX = "score:"
DECISION_PREFIX = "decision:"
ROUNDING = 1e-6  # of float32 probabilities

_DEFAULTS = {"method": "model", "split": "id_test", "domain": "all"}
_TEXT = ("image_id", "patient_id", *_DEFAULTS)


def score_column(name: str) -> str:
    """Return the column that holds the predicted probability of a class, ``score:<class>``."""
    return SCORE_PREFIX + name


def decision_column(name: str) -> str:
    """Return the column that holds a decision (0 or 1) given by the user, ``decision:<class>``."""
    return DECISION_PREFIX + name


def class_names(table: pd.DataFrame) -> list[str]:
    """Return the classes of a table of predictions, in the order of its score columns."""
    return _names(table, SCORE_PREFIX)


def attribute_names(table: pd.DataFrame) -> list[str]:
    """Return the attributes of a table of predictions, in the order of its ``attr:`` columns."""
    return _names(table, ATTRIBUTE_PREFIX)


def read_predictions(path: Path | str) -> pd.DataFrame:
    """Read a table of predictions from a CSV or parquet file and check it.

    Raises
    ------
    DataError
        The file is missing, is neither CSV nor parquet, or `check_predictions` refuses it.
    """
    path = Path(path)
    if not path.is_file():
        raise DataError(f"there is no file of predictions at {path}")
    try:
        if path.suffix.lower() == ".parquet":
            table = pd.read_parquet(path)
        else:
            table = pd.read_csv(path, dtype=dict.fromkeys(_TEXT, "str"))
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read as a table (.parquet or .csv): {error}") from error
    return check_predictions(table, source=str(path))


def write_predictions(table: pd.DataFrame, path: Path | str) -> None:
    """Write a table of predictions as CSV or parquet, by the suffix; the file is whole or absent."""
    path = Path(path)
    with write_aside(path) as temporary:
        if path.suffix.lower() == ".parquet":
            table.to_parquet(temporary, index=False)
        else:
            table.to_csv(temporary, index=False)


def check_predictions(table: pd.DataFrame, source: str = "predictions") -> pd.DataFrame:
    """Check a table of predictions and fill the columns that may be left out.

    Parameters
    ----------
    table : DataFrame
        Needs ``score:<class>`` (probability) and ``label:<class>`` (0 to 1, empty where unknown) for at
        least one class. May have ``image_id``, ``patient_id``, ``domain``, ``split``, ``method``, ``seed``,
        ``attr:<name>``, ``decision:<class>`` and ``phantom``. Filled in where missing: method ``model``,
        split ``id_test``, domain ``all``, seed 0, phantom False, image ids counted within method and seed;
        an image without a patient is taken as a patient of its own.
    source : str
        What errors call the table, usually its file.

    Returns
    -------
    DataFrame
        Sorted by method, seed, split, domain, patient and image, so that no result depends on row order.

    Raises
    ------
    DataError
        Names the column and row (counted from 1, without the header) of the first fault.
    """
    classes = class_names(table)
    _check_columns(table, classes, source)
    table = table.reset_index(drop=True)
    for name in classes:
        for column, empty in ((score_column(name), False), (label_column(name), True)):
            table[column] = _probabilities(table[column], source, may_be_empty=empty)
        if decision_column(name) in table:
            table[decision_column(name)] = _decisions(table, name, source)
    table = _with_defaults(table, source)
    _check_unique(table, source)
    order = ["method", "seed", "split", "domain", "patient_id", "image_id"]
    return table.sort_values(order, kind="stable", ignore_index=True)


def detect_kind(table: pd.DataFrame) -> Kind:
    """Tell whether classes exclude one another: all scores, and all known labels, sum to one.

    Examples
    --------
    >>> row = {"score:a": 0.2, "score:b": 0.8, "label:a": 0, "label:b": 1}
    >>> detect_kind(pd.DataFrame([row]))
    'multiclass'
    """
    classes = class_names(table)
    scores = table[[score_column(c) for c in classes]].to_numpy(float)
    labels = table[[label_column(c) for c in classes]].to_numpy(float)
    labels = labels[~np.isnan(labels).any(axis=1)]
    if len(classes) == 1 or len(labels) == 0:
        return "multilabel"
    sums = np.concatenate([scores.sum(axis=1), labels.sum(axis=1)])
    return "multiclass" if np.allclose(sums, 1, atol=1e-3) else "multilabel"


def _names(table: pd.DataFrame, prefix: str) -> list[str]:
    return [str(c).removeprefix(prefix) for c in table.columns if str(c).startswith(prefix)]


def _check_columns(table: pd.DataFrame, classes: list[str], source: str) -> None:
    if not classes:
        raise DataError(f"{source} has no column score:<class>; it has: {', '.join(map(str, table.columns))}")
    missing = [LABEL_PREFIX + c for c in classes if LABEL_PREFIX + c not in table]
    missing += [SCORE_PREFIX + c for c in _names(table, DECISION_PREFIX) if c not in classes]
    if missing:
        raise DataError(
            f"{source} lacks the columns {', '.join(missing)}: each class needs a score and a label"
        )
    if table.columns.has_duplicates:
        raise DataError(f"{source} has a column twice: {table.columns[table.columns.duplicated()][0]}")
    if table.empty:
        raise DataError(f"{source} has no rows")


def _numbers(column: pd.Series[Any], source: str) -> pd.Series[Any]:
    numbers = pd.to_numeric(column, errors="coerce").astype("float64")
    _refuse(column, numbers.isna() & column.notna(), source, "is not a number")
    return numbers


def _probabilities(column: pd.Series[Any], source: str, *, may_be_empty: bool) -> pd.Series[Any]:
    numbers = _numbers(column, source)
    if not may_be_empty:
        _refuse(column, numbers.isna(), source, "is empty")
    outside = (numbers < -ROUNDING) | (numbers > 1 + ROUNDING)
    _refuse(column, outside, source, "is outside 0 to 1")
    return numbers.clip(0, 1)


def _decisions(table: pd.DataFrame, name: str, source: str) -> pd.Series[Any]:
    column = table[decision_column(name)]
    numbers = _numbers(column, source)
    unclear = ~numbers.isin([0, 1]) & table[label_column(name)].notna()
    _refuse(column, unclear, source, "is neither 0 nor 1")
    return numbers


def _refuse(column: pd.Series[Any], wrong: pd.Series[bool], source: str, what: str) -> None:
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise DataError(f"{source}, row {row + 1}: column {column.name} {what} ({column.iloc[row]!r})")


def _with_defaults(table: pd.DataFrame, source: str) -> pd.DataFrame:
    for column, value in _DEFAULTS.items():
        table[column] = table[column].astype("str").fillna(value) if column in table else value
    table["seed"] = _numbers(table["seed"], source).fillna(0).astype("int64") if "seed" in table else 0
    table["phantom"] = table["phantom"].fillna(False).astype(bool) if "phantom" in table else False
    count = table.groupby(["method", "seed"]).cumcount() + 1
    image = table["image_id"] if "image_id" in table else pd.Series(pd.NA, index=table.index)
    table["image_id"] = image.astype("str").where(image.notna(), "row " + count.astype("str"))
    patient = table["patient_id"] if "patient_id" in table else pd.Series(pd.NA, index=table.index)
    table["patient_id"] = patient.astype("str").where(patient.notna(), "image " + table["image_id"])
    return table


def _check_unique(table: pd.DataFrame, source: str) -> None:
    twice = table.duplicated(["method", "seed", "image_id"])
    if twice.any():
        row = int(np.flatnonzero(twice)[0])
        image, method = table.loc[row, "image_id"], table.loc[row, "method"]
        raise DataError(f"{source}, row {row + 1}: image_id {image!r} occurs twice for method {method!r}")
