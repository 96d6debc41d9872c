"""The groups in which performance is compared: categories, bins of numbers, and their intersections."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from medaug.arrays import Array
from medaug.errors import SettingsError
from medaug.evaluation.predictions import attribute_names
from medaug.evaluation.settings import EvaluationSettings
from medaug.tabular.messages import common_form, tell
from medaug.tabular.people import canonical_age
from medaug.tabular.values import as_text, numbers
from medaug.task import Attribute, Task, attribute_column

MOST_CATEGORIES_OF_NUMBERS = 10


@dataclass(frozen=True)
class Grouping:
    """The group of every row under one attribute (or intersection).

    ``codes`` (rows,) are positions in ``groups``; -1 means unknown: the row is in no group, but it does count
    in the overall figures. ``bins`` are the edges of the groups of a number.
    """

    attribute: str
    groups: tuple[str, ...]
    codes: Array
    bins: tuple[float, ...] = ()


def find_groupings(
    predictions: pd.DataFrame, settings: EvaluationSettings, task: Task | None = None
) -> list[Grouping]:
    """Return the groupings of a table: each attribute, then each intersection.

    Bins and the order of categories come from `task` where it has the attribute, else bins from
    `settings.bins` and categories from the table.

    Raises
    ------
    SettingsError
        An attribute is not in the table, or is a measured number without bins.
    """
    present = attribute_names(predictions)
    names = list(dict.fromkeys(present if settings.attributes is None else settings.attributes))
    single = {name: _grouping(predictions, name, present, settings, task) for name in names}
    intersections = combinations(names, 2) if settings.intersections is None else settings.intersections
    return [*single.values(), *(_cross(single, crossed) for crossed in intersections)]


def _grouping(
    predictions: pd.DataFrame, name: str, present: list[str], settings: EvaluationSettings, task: Task | None
) -> Grouping:
    if name not in (*present, "domain"):
        raise SettingsError(
            f"there is no attribute {name!r}; the predictions have: {', '.join(present) or 'none'}"
        )
    values = predictions[attribute_column(name)]
    known = {a.name: a for a in task.attributes} if task else {}
    bins = known[name].bins if name in known else settings.bins.get(name)
    edges = tuple(float(edge) for edge in bins or ())
    if edges and (_measured(values, name).notna().any() or values.isna().all()):
        groups = Attribute(name, bins=edges).group_of(_measured(values, name, edges))
        return replace(_from_categorical(name, groups), bins=edges)
    order = known[name].groups if name in known else ()
    return _from_categorical(name, _categories(values, name, order))


def _measured(values: pd.Series[Any], name: str, bins: Sequence[float] = ()) -> pd.Series[float]:
    """Values as numbers, ages in words too; where none is one, they are names, of the bins for example."""
    return canonical_age(values, bins) if name == "age" else numbers(values).values


def tell_unknown(predictions: pd.DataFrame, groupings: Sequence[Grouping]) -> None:
    """Log for each attribute how many images are in no group, because of a blank or otherwise."""
    for grouping in groupings:
        if " & " not in grouping.attribute:
            column = attribute_column(grouping.attribute)
            text = as_text(predictions[column])
            told = pd.Series(False, index=text.index)
            if grouping.bins and grouping.attribute == "age":
                told = canonical_age(predictions[column], grouping.bins, column).isna()
            blank, lost = (text == "") & ~told, (text != "") & (grouping.codes < 0) & ~told
            what = f"in no group, for example of the form {common_form(text[lost])!r}" if lost.any() else ""
            tell(f"groups by {column}", len(text), int(blank.sum()), (int(lost.sum()), what))


def _categories(values: pd.Series[Any], name: str, order: Sequence[str]) -> pd.Series[Any]:
    """Values as categories: those of `order` first, the others sorted; none is lost."""
    text = as_text(values)
    known = text[text != ""]
    if _are_measured(known):
        raise SettingsError(
            f"attribute {name!r} is a number without bins: give edges, for example "
            f"bins={{'{name}': [0, 50, 'inf']}}, or leave it out of `attributes`"
        )
    present = sorted(set(known))
    kept = [group for group in order if group in present]
    found = kept + [group for group in present if group not in kept]
    return pd.Series(pd.Categorical(text.where(text != ""), categories=found))


def _are_measured(cells: pd.Series[str]) -> bool:
    """Whether cells are so many different numbers that they measure something; ``01`` is a name."""
    padded = cells.str.fullmatch("0[0-9]+").astype(bool)
    return cells.nunique() > MOST_CATEGORIES_OF_NUMBERS and not (padded | numbers(cells).wrong).any()


def _from_categorical(name: str, values: pd.Series[Any]) -> Grouping:
    return Grouping(name, tuple(map(str, values.cat.categories)), values.cat.codes.to_numpy(np.int64))


def _cross(single: dict[str, Grouping], crossed: Sequence[str]) -> Grouping:
    """Intersection of attributes: ``F & (60, 80]`` under ``sex & age``; unknown if any part is unknown."""
    if missing := [name for name in crossed if name not in single]:
        raise SettingsError(f"intersection {list(crossed)} needs {missing} among the attributes")
    groups: tuple[str, ...] = ("",)
    codes = np.zeros(len(single[crossed[0]].codes), np.int64)
    for grouping in (single[name] for name in crossed):
        groups = tuple(f"{a} & {b}" if a else b for a in groups for b in grouping.groups)
        unknown = (codes < 0) | (grouping.codes < 0)
        codes = np.where(unknown, -1, codes * len(grouping.groups) + grouping.codes)
    return Grouping(" & ".join(crossed), groups, codes)
