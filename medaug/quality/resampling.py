"""Intervals: values on the data and on bootstrap replicates of patients or synthetic images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from medaug.arrays import Array, IntArray
from medaug.evaluation.bootstrap import weight_blocks
from medaug.evaluation.intervals import percentile_bounds
from medaug.randomness import numpy_generator

COLUMNS = (
    *("measure", "label", "attribute", "group"),
    *("value", "ci_low", "ci_high", "n", "real", "real_low", "real_high", "real_n"),
)
"""Of the table of a judgement: a measure of the synthetic images beside the same of real ones."""


@dataclass(frozen=True)
class Resampling:
    """How intervals are made: number of replicates, their confidence, and the run's seed."""

    replicates: int
    confidence: float
    seed: int

    def weights(self, units: IntArray, *key: str | int) -> Array:
        """Return weights (n, 1 + replicates) of images whose patients are `units`; the first column is 1."""
        if not len(units):
            return np.zeros((0, 1 + self.replicates))
        count = int(units.max()) + 1
        random = numpy_generator(self.seed, "quality", *key)
        return np.concatenate(list(weight_blocks(count, self.replicates, len(units), random)), axis=1)[units]


@dataclass(frozen=True)
class Estimated:
    """A value: ``values`` (1 + replicates) is the estimate and its replicates, NaN where undefined."""

    values: Array
    n: int

    @property
    def value(self) -> float:
        """The estimate."""
        return float(self.values[0])

    def interval(self, confidence: float) -> tuple[float, float]:
        """Return the percentile interval; NaN where there is none."""
        return percentile_bounds(self.values[1:], confidence)


def unknown(n: int) -> Estimated:
    """Return what cannot be estimated from so many images."""
    return Estimated(np.array([np.nan]), n)


UNKNOWN = unknown(0)
"""What was not looked at."""


def share(of: Array, weights: Array) -> Estimated:
    """Return the weighted mean of numbers of images, (n,)."""
    if not len(of):
        return Estimated(np.full(weights.shape[1], np.nan), 0)
    return Estimated(of.astype(np.float64) @ weights / weights.sum(axis=0), len(of))


def mean(of: Sequence[Estimated]) -> Estimated:
    """Return the mean of values whose replicates are paired, of those that could be estimated."""
    known = [one for one in of if not np.isnan(one.value)]
    if not known:
        return unknown(max((one.n for one in of), default=0))
    return Estimated(np.stack([one.values for one in known]).mean(axis=0), max(one.n for one in known))


@dataclass(frozen=True)
class Row:
    """A row of the table: a measure, of which class and group, of synthetic and of real images."""

    measure: str
    synthetic: Estimated
    real: Estimated = UNKNOWN
    label: str = ""
    attribute: str = ""
    group: str = ""


def tidy_table(rows: Sequence[Row], confidence: float) -> pd.DataFrame:
    """Return rows as a table with the columns `COLUMNS`."""
    return pd.DataFrame([_cells(row, confidence) for row in rows], columns=list(COLUMNS))


def _cells(row: Row, confidence: float) -> tuple[str | float | int, ...]:
    made, real = row.synthetic, row.real
    return (
        *(row.measure, row.label, row.attribute, row.group),
        *(made.value, *made.interval(confidence), made.n),
        *(real.value, *real.interval(confidence), real.n),
    )
