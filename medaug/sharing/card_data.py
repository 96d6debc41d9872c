"""What a model card says of the images: numbers only, and none about few patients."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from medaug.report.group_words import FEWEST
from medaug.report.words import count, listing, split_name
from medaug.sharing.card_words import TESTED_ON, markdown_table
from medaug.sharing.source import Source
from medaug.task import label_column


def tested_on(source: Source, splits: Sequence[str]) -> str:
    """Say on how many images of how many patients of which hospitals the classifier was tested."""
    store = source.store.table
    told = [_where(store[store["split"] == split], split) for split in splits]
    return f"{'; '.join(filter(None, told))}."


def _where(rows: pd.DataFrame, split: str) -> str:
    if rows.empty:
        return ""
    domains = listing(sorted(map(str, rows["domain"].dropna().unique())))
    people = told(rows["patient_id"].nunique())
    where = TESTED_ON.get(split, split_name(split))
    return f"{told(len(rows))} images of {people} patients of {domains} ({where})"


def split_table(source: Source) -> str:
    """Return images and patients of each split and hospital, as a table in Markdown."""
    grouped = source.store.table.groupby(["split", "domain"], observed=True, sort=True)
    rows = [
        [split_name(str(split)), str(domain), told(len(part)), told(part["patient_id"].nunique())]
        for (split, domain), part in grouped
    ]
    return markdown_table(["Images for", "Hospital or source", "Images", "Patients"], rows)


def label_sentence(source: Source) -> str:
    """Say how labels were read: the readers with their options, and what unknown means."""
    prepared = source.settings(source.data).get("sources", [])
    readers = [_reader(str(item.get("reader")), item.get("options") or {}) for item in prepared]
    read = f"Read by {listing(readers)}." if readers else "Of drawn phantoms, whose truth is known."
    if source.info.task.kind == "multiclass":
        return f"{read} Classes exclude one another; a label is a weight over the classes."
    return f"{read} A condition is present, absent or unknown; unknown ones are left out of loss and metrics."


def _reader(name: str, options: dict[str, object]) -> str:
    words = {k: v for k, v in options.items() if isinstance(v, bool | int | float | str)}
    told = [f"{k} = {v}" for k, v in words.items() if not set(str(v)) & set("/\\.")]
    return f"the reader `{name}`" + (f" with {', '.join(told)}" if told else "")


def condition_table(source: Source) -> str:
    """Return in how many labelled training images each condition is present, absent, unknown."""
    store = source.store
    rows = store.table.iloc[store.rows("train")]
    body = []
    for name in source.info.task.classes:
        labels = rows[label_column(name)].to_numpy(np.float32)
        present, unknown = int((labels >= 0.5).sum()), int(np.isnan(labels).sum())
        numbers = (present, len(labels) - present - unknown, unknown)
        body.append([name, *map(told, numbers)])
    return markdown_table(["Training images: condition", "Present", "Absent", "Unknown"], body)


def told(number: int) -> str:
    """Return a number of images or patients, unless it is of few.

    Examples
    --------
    >>> told(1200), told(3), told(0)
    ('1,200', 'fewer than 10', '0')
    """
    return f"fewer than {FEWEST}" if 0 < number < FEWEST else count(number)
