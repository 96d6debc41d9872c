"""The cells of an evaluation: which rows of a table of predictions are measured together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from medaug.arrays import Array
from medaug.errors import DataError
from medaug.evaluation.identities import ALL_DOMAINS


@dataclass(frozen=True)
class Cell:
    """Rows of one split and domain, of all methods."""

    split: str
    domain: str
    rows: Array


def find_cells(predictions: pd.DataFrame, splits: Sequence[str]) -> list[Cell]:
    """Each domain of each split; where a split has several, all of them together as well."""
    cells = []
    for split in dict.fromkeys(splits) or sorted(set(predictions["split"])):
        in_split = (predictions["split"] == split).to_numpy()
        if not in_split.any():
            there_are = ", ".join(sorted(set(predictions["split"])))
            raise DataError(f"no predictions have the split {split!r}; there are: {there_are}")
        domains = sorted(set(predictions["domain"][in_split]))
        for domain in domains:
            chosen = in_split & (predictions["domain"] == domain).to_numpy()
            cells.append(Cell(split, domain, np.flatnonzero(chosen)))
        if len(domains) > 1:
            cells.append(Cell(split, ALL_DOMAINS, np.flatnonzero(in_split)))
    return cells


def numbered_patients(predictions: pd.DataFrame, rows: Array) -> tuple[int, Array]:
    """Return how many patients some rows have, and their numbers, (rows of the table,); 0 elsewhere."""
    patient_of = np.zeros(len(predictions), np.int64)
    patients, patient_of[rows] = np.unique(predictions["patient_id"].to_numpy(str)[rows], return_inverse=True)
    return len(patients), patient_of


def rows_by_method(predictions: pd.DataFrame, rows: Array) -> dict[tuple[str, int], Array]:
    """Rows of each method and seed."""
    methods, seeds = predictions["method"].to_numpy()[rows], predictions["seed"].to_numpy()[rows]
    pairs = sorted(set(zip(methods.tolist(), seeds.tolist(), strict=True)))
    return {(method, seed): rows[(methods == method) & (seeds == seed)] for method, seed in pairs}
