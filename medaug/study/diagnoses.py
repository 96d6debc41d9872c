"""What a reader may answer: the classes of the task and a longer list of diagnoses that map to them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from medaug.data.conditions import OTHER
from medaug.errors import DataError
from medaug.tabular.table_files import need_columns, read_text_table


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
    for row, condition, target in _read(path) if path else ():
        if target not in known:
            raise DataError(
                f"{path}, row {row}: {condition!r} maps to {target!r}, which is no class; "
                f"there are: {', '.join(known)}"
            )
        name = spelling.setdefault(condition.casefold(), condition)
        if found.setdefault(name, target) != target:
            raise DataError(f"{path}, row {row}: {condition!r} maps to {target!r} and to {found[name]!r}")
    return found


def _read(path: Path) -> Iterator[tuple[int, str, str]]:
    """Yield the row, the condition and the class of each entry, without blanks around them."""
    table = read_text_table(path)
    need_columns(table, ("condition", "class"), path)
    for row, condition, target in zip(table.index, table["condition"], table["class"], strict=True):
        if not condition or not target:
            raise DataError(f"{path}, row {row}: a condition or a class is empty")
        yield row, condition, target
