"""Who is trained on, validated on and tested on, in and out of distribution; a patient is in one split."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from medaug.data.table import UNITS, SplitUnit
from medaug.errors import DataError, SettingsError
from medaug.randomness import derive_seed
from medaug.task import LABEL_PREFIX

BOTH_SIDES = "the patient also has images in the other kind of domain, where this patient was put"
NO_DOMAIN = "the domain is unknown"

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class SplitSettings:
    """How patients are divided.

    Parameters
    ----------
    train_domains : tuple of str
        Domains that are in distribution; all others are the shift.
    domain_column : str
        Column whose values are the domains: data set, hospital, view, scanner.
    val_fraction, test_fraction : float
        Shares of the in-distribution patients for ``id_val`` and ``id_test``.
    ood_val_fraction : float
        Share of the patients of other domains for ``ood_val``; the rest is ``ood_test``.
    ood_val_domains : tuple of str
        Where given, these domains as a whole are ``ood_val``, and all other ones ``ood_test`` (Table A1).
    unlabelled_fraction : float
        Share of the patients of other domains whose images are used without labels, to train the generator.
    unit : {"patient", "slide", "patch"}
        What is in one split only. ``slide`` and ``patch`` are for patches of slides: one patient, or even one
        slide, is then trained on and validated on, and in-distribution figures are too good.
    seed : int
        Seed of the run.
    """

    train_domains: tuple[str, ...]
    domain_column: str = "domain"
    val_fraction: float = 0.1
    test_fraction: float = 0.1
    ood_val_fraction: float = 0.2
    ood_val_domains: tuple[str, ...] = ()
    unlabelled_fraction: float = 0.0
    unit: SplitUnit = "patient"
    seed: int = 0

    def __post_init__(self) -> None:
        if self.unit not in UNITS:
            raise SettingsError(f"the unit of a split is one of {', '.join(UNITS)}, not {self.unit!r}")
        for first, second in (
            ("val_fraction", "test_fraction"),
            ("ood_val_fraction", "unlabelled_fraction"),
        ):
            shares = getattr(self, first), getattr(self, second)
            if min(shares) < 0 or sum(shares) >= 1:
                raise SettingsError(
                    f"{first} and {second} must not be negative and leave some patients over, not {shares}"
                )


def split_settings(content: Mapping[str, Any], tables: Sequence[pd.DataFrame]) -> SplitSettings:
    """Build settings from plain values; without ``train_domains`` all of the first data set is inside.

    A command line hands over a lone domain as it is, not as a list of one, and ``0`` as a number.

    Parameters
    ----------
    content : mapping
        As for `SplitSettings`.
    tables : sequence of DataFrame
        Of the data set to train on, then of external ones.

    Raises
    ------
    DataError
        The first data set lacks the domain column, or has a domain in common with an external one and
        ``train_domains`` does not say that it is inside.
    """
    column, first = content["domain_column"], tables[0]
    if column not in first:
        raise DataError(
            f"there is no column {column!r} to be the domain; there are: {', '.join(map(str, first))}"
        )
    inside = _domains(content["train_domains"])
    if not inside:
        inside = tuple(sorted(first[column].dropna().astype(str).unique()))
        _check_external(inside, [table[column] for table in tables[1:] if column in table])
    held_out = _domains(content.get("ood_val_domains"))
    return SplitSettings(**{**content, "train_domains": inside, "ood_val_domains": held_out})


def _check_external(inside: tuple[str, ...], external: Sequence[pd.Series[Any]]) -> None:
    outside = {str(name) for domains in external for name in domains.dropna().unique()}
    if both := sorted(outside.intersection(inside)):
        raise DataError(
            f"the domain {both[0]!r} is both in the data set to train on and in an external one, which is "
            "out of distribution: give the external one another (domain in external_options), or name the "
            "domains to train on with train_domains"
        )


def _domains(given: Any) -> tuple[str, ...]:
    several = given if isinstance(given, list | tuple) else [given]
    return tuple(str(name) for name in several if name not in (None, ""))


def assign_splits(
    table: pd.DataFrame, settings: SplitSettings, needed: Collection[str] | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Give every row of a source table its split.

    In distribution, official splits are kept; what a domain's official splits lack (most have no test or no
    validation part) is drawn from its other patients, as far as these have a label. Out of distribution, an
    official test part is ``ood_test`` and the rest ``ood_val``; without one, patients are drawn, or the
    settings name the domains of each. A training image without any known label is ``unlabelled``. A patient
    in both kinds of domain is put on one side by a coin. Every draw is a function of the seed and the patient
    (slide, patch) alone.

    Parameters
    ----------
    table : DataFrame
        Columns ``patient_id``, the domain column, ``label:<class>`` and possibly ``official_split``
        (``train``, ``val``, ``test`` or missing).
    settings : SplitSettings
        How to divide.
    needed : collection of str, optional
        Splits that must not be empty; None means ``train``, ``id_val`` and, where `test_fraction` asks for
        one, ``id_test``.

    Returns
    -------
    table : DataFrame
        Rows in the same order, with ``split`` and ``domain``; labels removed where they must not be known.
    left_out : DataFrame
        Rows that are not used, with ``reason``.

    Raises
    ------
    DataError
        The domain column is missing, a train domain is unknown, an official split is not understood, or
        a split that is `needed` would be empty.
    """
    table = _with_domain(table, settings)
    reasons = pd.Series(None, index=table.index, dtype=object)
    reasons[table["domain"].isna()] = NO_DOMAIN
    inside = table["domain"].isin(settings.train_domains)
    reasons[reasons.isna() & (inside != _side(table, inside, settings.seed))] = BOTH_SIDES
    kept = table[reasons.isna()].copy()
    left_out = table[reasons.notna()].assign(reason=reasons[reasons.notna()])
    kept["split"] = _splits(kept, inside[kept.index], settings)
    _hide_labels(kept, inside[kept.index])
    usual = ("train", "id_val", "id_test") if settings.test_fraction else ("train", "id_val")
    _check_not_empty(kept, usual if needed is None else needed)
    for reason, count in left_out["reason"].value_counts().items():
        logger.warning("%s of %s rows are left out: %s", f"{count:,}", f"{len(table):,}", reason)
    return kept.reset_index(drop=True), left_out.reset_index(drop=True)


def _with_domain(table: pd.DataFrame, settings: SplitSettings) -> pd.DataFrame:
    column = settings.domain_column
    if column not in table:
        raise DataError(
            f"there is no column {column!r} for the domain; there are: {', '.join(map(str, table))}"
        )
    table = table.reset_index(drop=True)
    if (missing := np.flatnonzero(table["patient_id"].isna())).size:
        raise DataError(
            f"patient_id is missing in row {missing[0] + 1}; without it images of one patient may leak"
        )
    domain = table[column].astype(object).where(table[column].notna(), None)
    table["domain"] = [None if value is None or value == "" else str(value) for value in domain]
    there = sorted(table["domain"].dropna().unique())
    for setting in ("train_domains", "ood_val_domains"):
        if unknown := [name for name in getattr(settings, setting) if name not in there]:
            raise DataError(
                f"{setting} {unknown} are not in column {column!r}; there are: {', '.join(there)}"
            )
    if UNITS[settings.unit] not in table:
        raise DataError(f"splitting by {settings.unit} needs a column {UNITS[settings.unit]!r}")
    return table


def _side(table: pd.DataFrame, inside: pd.Series[bool], seed: int) -> pd.Series[bool]:
    """Return for each row whether its patient is in distribution."""
    known = inside[table["domain"].notna()].groupby(table["patient_id"])
    some, every = known.any(), known.all()
    side = {
        patient: bool(derive_seed(seed, "side", str(patient)) & 1)
        if some[patient] and not every[patient]
        else bool(every[patient])
        for patient in some.index
    }
    return table["patient_id"].map(side)


def _splits(table: pd.DataFrame, inside: pd.Series[bool], settings: SplitSettings) -> pd.Series[Any]:
    """Return the split of each row, decided by patient (slide, patch)."""
    official = _official(table)
    has = {part: official.eq(part).groupby(table["domain"]).transform("any") for part in ("val", "test")}
    rows = pd.DataFrame(
        {
            "inside": inside,
            "test": official.eq("test"),
            "val": official.eq("val"),
            "drawable": official.isna(),
            "lacks_test": ~has["test"],
            "lacks_val": ~has["val"],
            "labelled": _labelled(table),
            "ood_val": table["domain"].isin(settings.ood_val_domains),
        }
    )
    unit = table[UNITS[settings.unit]]
    units = rows.groupby(unit).any()
    found = {row.Index: _split_of(row, settings) for row in units.itertuples()}
    return unit.map(found)


def _labelled(table: pd.DataFrame) -> pd.Series[bool]:
    """Return which rows have a known label; where there are no labels at all, any row may be held out."""
    labels = _label_columns(table)
    return table[labels].notna().any(axis=1) if labels else pd.Series(True, index=table.index)


def _label_columns(table: pd.DataFrame) -> list[str]:
    return [str(name) for name in table if str(name).startswith(LABEL_PREFIX)]


def _split_of(unit: Any, settings: SplitSettings) -> str:
    draw = derive_seed(settings.seed, "split", str(unit.Index)) / 2.0**63
    decide = _inside_split if unit.inside else _outside_split
    return decide(unit, draw, settings)


def _inside_split(unit: Any, draw: float, settings: SplitSettings) -> str:
    if unit.test or unit.val:
        return "id_test" if unit.test else "id_val"
    if not unit.labelled:
        return "train"  # nothing to validate or test on
    if draw < settings.test_fraction:
        return "id_test" if unit.lacks_test or unit.drawable else "train"
    if draw < settings.test_fraction + settings.val_fraction:
        return "id_val" if unit.lacks_val or unit.drawable else "train"
    return "train"


def _outside_split(unit: Any, draw: float, settings: SplitSettings) -> str:
    if unit.test:
        return "ood_test"
    if draw < settings.unlabelled_fraction:
        return "unlabelled"
    if settings.ood_val_domains:
        return "ood_val" if unit.ood_val else "ood_test"
    if draw < settings.unlabelled_fraction + settings.ood_val_fraction or not unit.lacks_test:
        return "ood_val"
    return "ood_test"


def _official(table: pd.DataFrame) -> pd.Series[Any]:
    if "official_split" not in table:
        return pd.Series(None, index=table.index, dtype=object)
    official = table["official_split"].astype(object).where(table["official_split"].notna(), None)
    wrong = official.notna() & ~official.isin(("train", "val", "test"))
    if wrong.any():
        row = int(wrong.to_numpy().argmax()) + 1
        raise DataError(f"official_split is not understood in row {row}; it is train, val, test or missing")
    return official


def _hide_labels(table: pd.DataFrame, inside: pd.Series[bool]) -> None:
    """Remove the labels of unlabelled patients; a training row that has no label is unlabelled too."""
    labels = _label_columns(table)
    table.loc[(table["split"] == "unlabelled") & ~inside, labels] = np.nan
    table.loc[(table["split"] == "train") & ~_labelled(table), "split"] = "unlabelled"


def _check_not_empty(table: pd.DataFrame, needed: Collection[str]) -> None:
    empty = [name for name in needed if not (table["split"] == name).any()]
    if not empty:
        return
    way = "use more patients in train_domains, other fractions, or another seed"
    if not _labelled(table).any():
        way = "none has a label: give a table of labels (reader 'csv'), or check the one that was read"
    raise DataError(f"no image is left for the split {empty[0]}; {way}")
