"""Whose predictions these are: method, seed, split, hospital, patient and image of every row."""

from __future__ import annotations

import pandas as pd

from medaug.errors import DataError
from medaug.tabular.messages import first_row, shown, tell
from medaug.tabular.values import TRUTHS, as_text, is_unknown, names, numbers

ALL_DOMAINS = "all"
"""What all hospitals of a split together are called, so that none of several can be."""
UNKNOWN = "unknown"

_DEFAULTS = {"method": "model", "split": UNKNOWN, "domain": UNKNOWN}


def with_identities(table: pd.DataFrame, source: str) -> pd.DataFrame:
    """Fill what a table of predictions does not say about its rows; see `check_predictions`.

    Raises
    ------
    DataError
        A seed or mark is not understood, an image is synthetic, a hospital of several is called ``all``, an
        image is there twice for one method and seed, or is of two patients (names the row).
    """
    for column, default in _DEFAULTS.items():
        table[column] = _named(table, column, default, source)
    _check_domains(table, source)
    table["seed"] = _seeds(table, source)
    table["phantom"] = _mark(table, "phantom", source)
    _need_real(table, source)
    count = table.groupby(["method", "seed"]).cumcount() + 1
    image = _names(table, "image_id", source)
    table["image_id"] = image.mask(image == "", "row " + count.astype("str"))
    patient = _patients(table, source)
    table["patient_id"] = patient.mask(patient == "", "image " + table["image_id"])
    _check_images(table, image != "", patient != "", source)
    return table


def _names(table: pd.DataFrame, column: str, source: str) -> pd.Series[str]:
    if column not in table:
        return pd.Series("", index=table.index, dtype="str")
    return names(table[column], f"{source}, {column}").astype("str")


def _named(table: pd.DataFrame, column: str, default: str, source: str) -> pd.Series[str]:
    found = _names(table, column, source)
    if column in table:
        tell(f"{source}, {column}", len(found), 0, (int((found == "").sum()), f"blank, called {default!r}"))
    return found.mask(found == "", default)


def _check_domains(table: pd.DataFrame, source: str) -> None:
    pooled = table["domain"] == ALL_DOMAINS
    if pooled.any() and not pooled.all():
        raise DataError(
            f"{source}, row {first_row(pooled)}: the domain is called {ALL_DOMAINS!r}, which is the name of "
            "all domains together; call it something else"
        )


def _seeds(table: pd.DataFrame, source: str) -> pd.Series[int]:
    if "seed" not in table:
        return pd.Series(0, index=table.index, dtype="int64")
    column = table["seed"]
    if pd.api.types.is_integer_dtype(column.dtype):
        return column.fillna(0).astype("int64")
    read = numbers(column)
    wrong = read.wrong | (read.values % 1 != 0) & ~read.blank
    if wrong.any():
        row = first_row(wrong)
        raise DataError(f"{source}, row {row}: column seed is not a number ({shown(column.loc[row])})")
    return read.values.fillna(0).astype("int64")


def _mark(table: pd.DataFrame, column: str, source: str) -> pd.Series[bool]:
    """Return a column that is true or false; without it all is false."""
    if column not in table:
        return pd.Series(False, index=table.index)
    if table[column].dtype == bool:
        return table[column]
    text = as_text(table[column]).str.lower()
    wrong = ~text.isin(list(TRUTHS))
    if wrong.any():
        raise DataError(f"{source}, row {first_row(wrong)}: column {column} is neither true nor false")
    return text.map(TRUTHS).astype(bool)


def _need_real(table: pd.DataFrame, source: str) -> None:
    synthetic = _mark(table, "synthetic", source)
    if synthetic.any():
        raise DataError(
            f"{source}, row {first_row(synthetic)}: the image is synthetic ({int(synthetic.sum()):,} of "
            f"{len(table):,} are), and says nothing about patients; leave these rows out"
        )


def _patients(table: pd.DataFrame, source: str) -> pd.Series[str]:
    """Return the patient of each row; blank where there is none or a word such as ``nan``."""
    found = _names(table, "patient_id", source)
    words = is_unknown(found)
    what = "name no patient: each image counts as one of its own"
    tell(f"{source}, patient_id", len(found), 0, (int(words.sum()), what))
    return found.mask(words, "")


def _check_images(table: pd.DataFrame, image: pd.Series[bool], patient: pd.Series[bool], source: str) -> None:
    if table["image_id"].is_unique:
        return
    twice = table.duplicated(["method", "seed", "image_id"])
    if twice.any():
        row = first_row(twice)
        same = (table[["method", "seed", "image_id"]] == table.loc[row, ["method", "seed", "image_id"]]).all(
            axis=1
        )
        raise DataError(
            f"{source}, row {row}: its image_id occurs twice for one method and seed, before in "
            f"row {first_row(same)}"
        )
    # Images that were only counted ("row 7") are others for every method.
    named = image & patient & ~table["image_id"].str.fullmatch("row [0-9]+").astype(bool)
    pairs = table.loc[named, ["image_id", "patient_id"]].drop_duplicates()
    again = pairs["image_id"].duplicated()
    if again.any():
        raise DataError(
            f"{source}, row {first_row(again)}: its image is of another patient elsewhere in the table"
        )
