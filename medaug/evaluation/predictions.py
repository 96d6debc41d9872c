"""The table of predictions from which all evaluation starts: ours, or anyone's as CSV or parquet."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from medaug.arrays import Array
from medaug.errors import DataError
from medaug.evaluation.identities import with_identities
from medaug.files import write_aside
from medaug.tabular.messages import first_row, shown, tell
from medaug.tabular.people import sex_words
from medaug.tabular.table_files import ROW, columns_there, need_distinct, read_text_table, read_typed_table
from medaug.tabular.values import Numbers, as_text, is_unknown, names, numbers
from medaug.task import ATTRIBUTE_PREFIX, LABEL_PREFIX, Kind, label_column

SCORE_PREFIX = "score:"
DECISION_PREFIX = "decision:"
ROUNDING = 1e-6  # of float32 probabilities

_SEX = ATTRIBUTE_PREFIX + "sex"


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
        The file is missing, is neither CSV nor parquet (see `medaug.tabular.table_files.read_text_table`), or
        `check_predictions` refuses it.
    """
    path = Path(path)
    if not path.is_file():
        raise DataError(f"there is no file of predictions at {path}")
    typed = path.suffix.lower() == ".parquet"
    return check_predictions((read_typed_table if typed else read_text_table)(path), source=str(path))


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
        Needs ``score:<class>`` (probability) and ``label:<class>`` (0 to 1, true or false, blank or a word
        such as ``NA`` where unknown) for at least one class. May have ``image_id``, ``patient_id``,
        ``domain``, ``split``, ``method``, ``seed``, ``attr:<name>``, ``decision:<class>``, ``phantom`` and
        ``synthetic`` (true is refused). Filled in where missing: method ``model``, split and domain
        ``unknown``, seed 0, phantom False, image ids counted within method and seed; an image without a
        patient is taken as a patient of its own. Names (of hospitals, groups, patients, images) are kept as
        they are written.
    source : str
        What errors and the log call the table, usually its file.

    Returns
    -------
    DataFrame
        Sorted by method, seed, split, domain, patient and image, so that no result depends on row order.

    Raises
    ------
    DataError
        Names the column and row of the first fault: the row that an editor shows of a CSV file, else counted
        from 1.
    """
    need_distinct([str(name).strip() for name in table], Path(source))
    classes = class_names(table)
    _check_columns(table, classes, source)
    index = table.index if table.index.name == ROW else pd.RangeIndex(1, len(table) + 1, name=ROW)
    table = table.set_axis(index, axis=0)
    for name in classes:
        table[score_column(name)] = _scores(table[score_column(name)], source)
        table[label_column(name)] = _labels(table[label_column(name)], source)
        if decision_column(name) in table:
            table[decision_column(name)] = _decisions(table, name, source)
    for name in attribute_names(table):
        table[ATTRIBUTE_PREFIX + name] = _attribute(table[ATTRIBUTE_PREFIX + name], source)
    table = with_identities(table, source)
    order = ["method", "seed", "split", "domain", "patient_id", "image_id"]
    return table.sort_values(order, kind="stable", ignore_index=True)


def detect_kind(table: pd.DataFrame) -> Kind:
    """Tell whether classes exclude one another: all scores, and all known labels, sum to one.

    Sums may differ from one by what the rounding of their numbers explains: half of the last decimal a class.

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
    return "multiclass" if sum_to_one(scores) and sum_to_one(labels) else "multilabel"


def sum_to_one(shares: Array) -> bool:
    """Whether every row (rows, classes) sums to one, up to the rounding of its numbers."""
    decimals = next((d for d in range(7) if np.allclose(shares, shares.round(d), rtol=0, atol=1e-9)), 7)
    rounding = shares.shape[1] * 0.5 * 10.0**-decimals if decimals else 0.0
    return bool(np.allclose(shares.sum(axis=1), 1, rtol=0, atol=max(1e-3, rounding + 1e-9)))


def _names(table: pd.DataFrame, prefix: str) -> list[str]:
    return [str(c).removeprefix(prefix) for c in table.columns if str(c).startswith(prefix)]


def _check_columns(table: pd.DataFrame, classes: list[str], source: str) -> None:
    if not classes:
        raise DataError(f"{source} has no column score:<class>; {columns_there(list(map(str, table)))}")
    if "" in [*classes, *attribute_names(table)]:
        raise DataError(f"{source} has a column without a name behind the colon; name it, or leave it out")
    missing = [LABEL_PREFIX + c for c in classes if LABEL_PREFIX + c not in table]
    missing += [SCORE_PREFIX + c for c in _names(table, DECISION_PREFIX) if c not in classes]
    if missing:
        raise DataError(
            f"{source} lacks the columns {', '.join(missing)}: each class needs a score and a label"
        )
    if table.empty:
        raise DataError(f"{source} has no rows")


def _scores(column: pd.Series[Any], source: str) -> pd.Series[float]:
    values = _known_numbers(column, numbers(column), source)
    _refuse(column, values.isna(), source, "is empty")
    return _within(column, values, source)


def _labels(column: pd.Series[Any], source: str) -> pd.Series[float]:
    column = _counted(column)
    read = numbers(column)
    if read.wrong.any():
        words = read.wrong & is_unknown(as_text(column))
        what = "hold a word such as NA: unknown"
        tell(f"{source}, {column.name}", len(column), 0, (int(words.sum()), what))
        column = column.mask(words)
        read = numbers(column)
    return _within(column, _known_numbers(column, read, source), source)


def _decisions(table: pd.DataFrame, name: str, source: str) -> pd.Series[float]:
    column = _counted(table[decision_column(name)])
    values = _known_numbers(column, numbers(column), source)
    unclear = ~values.isin([0, 1]) & table[label_column(name)].notna()
    _refuse(column, unclear, source, "is neither 0 nor 1")
    return values


def _counted(column: pd.Series[Any]) -> pd.Series[Any]:
    """Return true and false, which pandas makes of a comparison, as 1 and 0."""
    if pd.api.types.is_numeric_dtype(column.dtype) and not pd.api.types.is_bool_dtype(column.dtype):
        return column
    text = as_text(column)
    word = text.str.lower()
    return text.mask(word == "true", "1").mask(word == "false", "0")


def _known_numbers(column: pd.Series[Any], read: Numbers, source: str) -> pd.Series[float]:
    _refuse(column, read.wrong, source, "is not a number")
    tell(f"{source}, {column.name}", len(column), 0, (read.commas, "have a decimal comma, read as a point"))
    return read.values


def _within(column: pd.Series[Any], values: pd.Series[float], source: str) -> pd.Series[float]:
    outside = (values < -ROUNDING) | (values > 1 + ROUNDING)
    _refuse(column, outside, source, "is outside 0 to 1")
    return values.clip(0, 1)


def _refuse(column: pd.Series[Any], wrong: pd.Series[bool], source: str, what: str) -> None:
    if wrong.any():
        row = first_row(wrong)
        raise DataError(f"{source}, row {row}: column {column.name} {what} ({shown(column.loc[row])})")


def _attribute(column: pd.Series[Any], source: str) -> pd.Series[Any]:
    """Return numbers as they are, and names as they are written; only words for female and male are one."""
    if pd.api.types.is_numeric_dtype(column.dtype) and not pd.api.types.is_bool_dtype(column.dtype):
        return column
    where = f"{source}, {column.name}"
    text = names(column, where)
    if column.name == _SEX:
        text = _with_one_word(text, where)
    known = pd.Series(text.unique(), dtype="str")
    read = numbers(known)
    if not read.wrong.any() and (as_text(read.values) == known).all():
        return numbers(text).values
    return text.astype("str").mask(text == "")


def _with_one_word(text: pd.Series[str], where: str) -> pd.Series[str]:
    """Return a column of sexes with one word for each of female and male; other words stay."""
    meaning = sex_words(text)
    words = {word: meaning.get(word.lower(), word) for word in text.unique()}
    if all(word == one for word, one in words.items()):
        return text
    merged = text.map(words)
    tell(where, len(text), 0, (int((merged != text).sum()), "are other words for F or M, which is taken"))
    return merged
