"""The data in numbers: who is in which split, and what was not used and why. No names, no files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from medaug.data.store import ImageStore
from medaug.evaluation.family import splits
from medaug.report.data_figures import domain_order
from medaug.report.group_words import attribute_words, bin_words
from medaug.report.parts import Cell, Table, name
from medaug.report.words import count, share, split_name
from medaug.task import ATTRIBUTE_PREFIX, Attribute, attribute_column

MOST_GROUPS = 10
MOST_REASONS = 12


def evaluated_images(predictions: pd.DataFrame) -> pd.DataFrame:
    """Return each evaluated image once, whatever the number of methods and seeds."""
    table = predictions
    for column, value in (("domain", "unknown"), ("split", "unknown")):
        table = table if column in table else table.assign(**{column: value})
    return table.drop_duplicates("image_id") if "image_id" in table else table


def data_table(table: pd.DataFrame) -> Table:
    """Return images, patients and ages by domain and split."""
    with_age = has_ages(table)
    body = []
    for domain, split, rows in by_domain_and_split(table):
        patients = count(rows["patient_id"].nunique()) if "patient_id" in rows else "–"
        cells = [name(domain), name(split_name(split)), Cell(f"{len(rows):,}"), Cell(patients)]
        body.append([*cells, _age_cell(rows)] if with_age else cells)
    head = ["Domain", "Split", "Images", "Patients"] + (["Age, median (quartiles)"] if with_age else [])
    return Table("Images and patients", head, body, names=2)


def attribute_tables(table: pd.DataFrame, attributes: Sequence[Attribute] = ()) -> list[Table]:
    """Return a table for each attribute in groups: images of each group, by domain and split (Table A3).

    Parameters
    ----------
    table : DataFrame
        Of a store or of predictions.
    attributes : sequence of Attribute
        Those of the task; a number is shown in the bins that it has there, and without any not at all.
    """
    bins = {attribute_column(a.name): a for a in attributes if a.bins}
    columns = [str(c) for c in table.columns if str(c).startswith(ATTRIBUTE_PREFIX)]
    tables = []
    for column in columns:
        if _is_categorical(table[column]):
            groups = sorted(table[column].dropna().astype(str).unique())
            tables.append(_attribute_table(table, column, groups, "unknown"))
        elif column in bins and table[column].notna().any():
            groups = list(bins[column].group_names)
            in_bins = table.assign(**{column: bins[column].group_of(table[column])})
            tables.append(_attribute_table(in_bins, column, groups, "in no group"))
    return tables


def unused_table(store: ImageStore) -> Table | None:
    """Return what was left out by the settings or rejected as unusable, by reason; None where nothing was."""
    left_out = pd.Series(store.origin.get("counts", {}).get("left_out", {}), dtype="int64")
    rejected = _rejected_reasons(store)
    rows = [("left out", *item) for item in left_out.items()] + [("rejected", *i) for i in rejected.items()]
    if not rows:
        return None
    body = [[name(what), Cell(str(why), kind="text"), Cell(f"{n:,}")] for what, why, n in rows]
    return Table("Images that were not used", ["What", "Reason", "Images"], body)


def rejected_images_table(training: str, rejected: pd.DataFrame) -> Table:
    """Return the synthetic images that a training left out: of all, of each condition, of each group."""
    columns = (rejected[column] for column in ("by", "name", "images", "rejected"))
    body = [
        [name(by), name(which), Cell(count(images)), Cell(count(left_out), share(left_out, images))]
        for by, which, images, left_out in zip(*columns, strict=True)
    ]
    caption = f"Synthetic images that the real-trained classifier does not agree with ({training})"
    return Table(caption, ["By", "Which", "Asked for", "Left out"], body, names=2)


def by_domain_and_split(table: pd.DataFrame) -> list[tuple[str, str, pd.DataFrame]]:
    """Return domain, split and rows of each part of a table that is not empty, training first."""
    order = ["train", "unlabelled", *(s for s in splits(table) if s not in ("train", "unlabelled"))]
    grouped = {(str(d), str(s)): rows for (d, s), rows in table.groupby(["domain", "split"], sort=False)}
    return [(d, s, grouped[d, s]) for d in map(str, domain_order(table)) for s in order if (d, s) in grouped]


def has_ages(table: pd.DataFrame) -> bool:
    """Tell whether any age is known."""
    return "attr:age" in table and bool(pd.to_numeric(table["attr:age"], errors="coerce").notna().any())


def _age_cell(rows: pd.DataFrame) -> Cell:
    ages = pd.to_numeric(rows["attr:age"], errors="coerce").dropna()
    if ages.empty:
        return Cell("unknown", kind="quiet")
    low, middle, high = ages.quantile([0.25, 0.5, 0.75])
    return Cell(f"{middle:.0f} ({low:.0f}–{high:.0f})")


def _is_categorical(values: pd.Series[Any]) -> bool:
    """Whether any known value is not a number."""
    return bool((pd.to_numeric(values, errors="coerce").isna() & values.notna()).any())


def _attribute_table(table: pd.DataFrame, column: str, every: Sequence[str], none: str) -> Table:
    """Count the images of each group, of many the first, and those that are in none."""
    body, groups = [], every[:MOST_GROUPS]
    for domain, split, rows in by_domain_and_split(table):
        counts = rows[column].dropna().astype(str).value_counts()
        numbers = [int(counts.get(g, 0)) for g in groups] + [int(rows[column].isna().sum())]
        shown = [Cell(f"{n:,}", share(n, len(rows))) for n in numbers]
        body.append([name(domain), name(split_name(split)), *shown])
    title = attribute_words(column.removeprefix(ATTRIBUTE_PREFIX))
    which = f", the first {len(groups)} of {len(every)} groups" if len(every) > len(groups) else ""
    head = ["Domain", "Split", *map(bin_words, groups), none]
    return Table(f"Images by {title}{which}", head, body, names=2)


def _rejected_reasons(store: ImageStore) -> pd.Series[Any]:
    path = store.path / "rejected.csv"
    if not path.is_file():
        return pd.Series(dtype="int64")
    reasons = pd.read_csv(path, dtype=str, keep_default_na=False)["reason"].value_counts()
    shown, others = reasons.head(MOST_REASONS), reasons.iloc[MOST_REASONS:]
    return (
        pd.concat([shown, pd.Series({"other reasons, see rejected.csv": others.sum()})])
        if len(others)
        else shown
    )
