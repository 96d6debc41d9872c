"""From the names that dermatologists give to conditions to the few classes of a task."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from importlib.resources import as_file, files
from pathlib import Path

import numpy as np

from medaug.arrays import FloatArray
from medaug.errors import DataError, SettingsError
from medaug.tabular.table_files import need_columns, read_text_table
from medaug.task import Task, label_column

OTHER = "other"
"""The class of every condition that has none of its own."""

BUILT_IN = "dermatology_classes.csv"
"""Table beside this module: conditions and codes of the public sets, and their class among the 27."""

Weights = Mapping[str, float]


def condition_key(name: str) -> str:
    """Return the form in which names are compared: lower case, words of letters and digits only.

    Examples
    --------
    >>> condition_key("SCC/SCCIS"), condition_key("basal-cell-carcinoma")
    ('scc sccis', 'basal cell carcinoma')
    """
    return " ".join(re.findall(r"[^\W_]+", name.casefold()))


def read_conditions(path: Path | None = None) -> dict[str, str]:
    """Read a table of conditions and their classes.

    Parameters
    ----------
    path : Path, optional
        CSV file with the columns ``condition`` and ``class``. Default is the built-in table, which knows the
        26 conditions of Liu et al. 2020 (doi:10.1038/s41591-020-0842-3), the classes of Section 3.2.3 of the
        paper, under the names and codes that the public sets use. What it does not list is `OTHER`.

    Returns
    -------
    dict of str to str
        Class by `condition_key`. A class is a condition too: it need not be listed under its own name.

    Raises
    ------
    DataError
        The table is not there or no CSV file, lacks a column, has a blank cell, or gives one condition two
        classes (names the row).

    Examples
    --------
    >>> read_conditions()["hives"]
    'urticaria'
    """
    if path is None:
        with as_file(files("medaug.data") / BUILT_IN) as built_in:
            return read_conditions(built_in)
    table = read_text_table(path)
    need_columns(table, ("condition", "class"), path)
    found = {condition_key(name): name for name in table["class"]}
    for row, condition, name in zip(table.index, table["condition"], table["class"], strict=True):
        if not condition_key(condition) or not name:
            raise DataError(f"{path}, row {row}: the condition or its class is blank")
        if found.setdefault(condition_key(condition), name) != name:
            raise DataError(
                f"{path}, row {row}: the condition has another class elsewhere; give every condition one"
            )
    return found


def class_of(condition: str, task: Task, conditions: Mapping[str, str]) -> str | None:
    """Return the class of a condition.

    It is the class of the task that has the condition's own name, else the one that the table gives, else
    `OTHER` where the task has such a class, else None. Names are compared by `condition_key`, so a task may
    spell its classes as it likes.

    Parameters
    ----------
    condition : str
        Name or code, for example ``"Nummular eczema"`` or ``"mel"``.
    task : Task
        Its classes.
    conditions : mapping of str to str
        What `read_conditions` returned.

    Examples
    --------
    >>> task = Task("multiclass", ("melanoma", "other"))
    >>> [class_of(name, task, read_conditions()) for name in ("Melanoma", "mel", "leprosy")]
    ['melanoma', 'melanoma', 'other']
    """
    by_key = {condition_key(name): name for name in task.classes}
    key = condition_key(condition)
    mapped = condition_key(conditions.get(key, OTHER))
    return by_key.get(key) or by_key.get(mapped) or by_key.get(OTHER)


def class_labels(
    weights: Sequence[Weights], task: Task, conditions: Mapping[str, str]
) -> dict[str, FloatArray]:
    """Turn weights over conditions into the soft labels of a task.

    Parameters
    ----------
    weights : sequence of mapping of str to float
        One mapping an image: positive weights over conditions, of any sum; an empty one is unlabelled.
    task : Task
        Its classes. Where it has no class `OTHER`, the weight of conditions outside its classes is left
        out: the rest is normalised if it is at least half of the whole, else the image is unlabelled,
        because what is left would say little about it.
    conditions : mapping of str to str
        What `read_conditions` returned.

    Returns
    -------
    dict of str to ndarray
        ``label:<class>`` to float64 (images,): in [0, 1], summing to 1 over the classes, or NaN in all of
        them where an image is unlabelled.

    Raises
    ------
    SettingsError
        The task is not ``multiclass``, or no condition there is belongs to a class of it.
    """
    if task.kind != "multiclass":
        raise SettingsError("conditions of the skin exclude one another; the task must be 'multiclass'")
    names = {name for one in weights for name in one}
    position = {name: number for number, name in enumerate(task.classes)}
    classes = {name: class_of(name, task, conditions) for name in names}
    sums = np.zeros((len(weights), len(task.classes)))
    whole = np.zeros(len(weights))
    for row, one in enumerate(weights):
        for name, weight in one.items():
            whole[row] += weight
            if (found := classes[name]) is not None:
                sums[row, position[found]] += weight
    if names and not sums.any():
        raise SettingsError(
            f"no condition belongs to a class of the task ({', '.join(task.classes)}); there are, for "
            f"example: {', '.join(sorted(names)[:10])}; name classes after conditions, or give a table"
        )
    return {label_column(name): _normalised(sums, whole)[:, number] for name, number in position.items()}


def _normalised(sums: FloatArray, whole: FloatArray) -> FloatArray:
    """Divide each row by its sum; rows that hold less than half of the whole, or nothing, become NaN."""
    inside = sums.sum(axis=1)
    # A hair of slack, so that rounding does not decide about exactly one half.
    labelled = (whole > 0) & (inside >= whole * (0.5 - 1e-9)) & (inside > 0)
    result = np.full_like(sums, np.nan)
    result[labelled] = sums[labelled] / inside[labelled, None]
    return result
