"""What a reader may answer: the classes of the task and a longer list of diagnoses that map to them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from medaug.data.conditions import OTHER
from medaug.errors import DataError


def diagnosis_classes(classes: Iterable[str], path: Path | None = None) -> dict[str, str]:
    """Return every diagnosis that a reader may give, with the class that it counts as.

    In the paper more than 20,000 diagnoses count as 27 classes (Section 3.3). A reader can always say
    `medaug.data.conditions.OTHER`. Names are kept as they are written, because readers see them.

    Parameters
    ----------
    classes : iterable of str
        Classes of the task; each is a diagnosis too.
    path : Path, optional
        A CSV with the columns ``condition`` (a diagnosis) and ``class`` (a class of the task, or ``other``).

    Returns
    -------
    dict of str to str
        Diagnosis to class: the classes first, ``other`` among them, then the list in its own order.

    Raises
    ------
    DataError
        The list cannot be read, lacks a column, names an unknown class, or maps a diagnosis to two classes.

    Examples
    --------
    >>> diagnosis_classes(["psoriasis"])
    {'psoriasis': 'psoriasis', 'other': 'other'}
    """
    known = dict.fromkeys([*classes, OTHER])
    found = {name: name for name in known}
    spelling = {name.casefold(): name for name in known}
    for number, (condition, target) in enumerate(_read(path) if path else [], start=2):
        if target not in known:
            raise DataError(
                f"{path}, line {number}: {condition!r} maps to {target!r}, which is no class; "
                f"there are: {', '.join(known)}"
            )
        name = spelling.setdefault(condition.casefold(), condition)
        if found.setdefault(name, target) != target:
            raise DataError(f"{path}, line {number}: {condition!r} maps to {target!r} and to {found[name]!r}")
    return found


def _read(path: Path) -> list[tuple[str, str]]:
    """Pairs of a condition and a class, without spaces around them."""
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read as a list of diagnoses ({error})") from None
    if missing := {"condition", "class"} - set(table):
        raise DataError(f"{path} lacks the column(s) {', '.join(sorted(missing))}; it needs condition,class")
    cells = table[["condition", "class"]].apply(lambda column: column.str.strip())
    if (empty := cells.eq("").any(axis=1)).any():
        raise DataError(f"{path}, line {int(empty.to_numpy().argmax()) + 2}: a condition or a class is empty")
    return list(cells.itertuples(index=False, name=None))
