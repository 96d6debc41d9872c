"""Real or synthetic: a table or store is taken as one of the two only if all of its rows are."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from medaug.data.store import ImageStore
from medaug.data.table import is_synthetic
from medaug.errors import DataError


def need_real(table: pd.DataFrame, where: Path | str) -> None:
    """Raise a DataError where rows say that they are synthetic: they must not pass for patients.

    Parameters
    ----------
    table : DataFrame
        Of a reader or a store.
    where : Path or str
        What the error calls it.
    """
    if count := int(is_synthetic(table).sum()):
        raise DataError(
            f"{where}: {count:,} of {len(table):,} images say that they are synthetic, and cannot stand for "
            "patients; leave them out, or name the data that they were mistaken for"
        )


def open_real(path: Path | str) -> ImageStore:
    """Open a store of real images; a DataError where rows of it are synthetic, whatever its name is."""
    store = ImageStore.open(path)
    need_real(store.table, store.path)
    return store


def open_synthetic(path: Path | str) -> ImageStore:
    """Open a store of synthetic images; a DataError where rows of it are real, whatever its name is."""
    store = ImageStore.open(path)
    if count := int((~is_synthetic(store.table)).sum()):
        raise DataError(
            f"{path}: {count:,} of {len(store):,} images are real, where synthetic ones are asked for; "
            "name the store that generate.json made"
        )
    return store
