"""What is predicted, and for whom: classes, high-risk classes, sensitive attributes and their groups."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from medaug.arrays import BoolArray, FloatArray
from medaug.errors import SettingsError

Kind = Literal["multilabel", "multiclass"]

LABEL_PREFIX = "label:"
ATTRIBUTE_PREFIX = "attr:"


def label_column(name: str) -> str:
    """Return the column of a class in any medaug table, for example ``label:edema``."""
    return LABEL_PREFIX + name


def attribute_column(name: str) -> str:
    """Return the column of an attribute in any medaug table, for example ``attr:sex``.

    The domain (hospital, site, data set) may serve as an attribute too; it has a column of its own.
    """
    return name if name == "domain" else ATTRIBUTE_PREFIX + name


@dataclass(frozen=True)
class Attribute:
    """A sensitive attribute and the groups in which it is reported.

    Parameters
    ----------
    name : str
        Name without prefix, for example ``"sex"``; ``"domain"`` stands for the hospital.
    groups : tuple of str
        Groups of a categorical attribute. Empty for a numeric one, whose groups follow from its bins.
    bins : tuple of float
        Increasing edges of a numeric attribute, in its unit (years for age); a bin is open on the left
        and closed on the right, as in Table A2 of the paper. ``inf`` may close the last one.

    Raises
    ------
    SettingsError
        There are neither groups nor bins, groups repeat, or bins are less than two edges or do not increase.

    Examples
    --------
    >>> Attribute("age", bins=(0, 40, 60)).group_names
    ('(0, 40]', '(40, 60]')
    """

    name: str
    groups: tuple[str, ...] = ()
    bins: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if bool(self.groups) == bool(self.bins):
            raise SettingsError(f"attribute {self.name!r} needs either groups or bins")
        if len(set(self.groups)) < len(self.groups):
            raise SettingsError(f"a group of attribute {self.name!r} is there twice: {self.groups}")
        if len(self.bins) == 1:
            raise SettingsError(
                f"the bins of attribute {self.name!r} are the edges of its groups, so at least two, for "
                f"example (0, {self.bins[0]:g}, 'inf'), not {self.bins}"
            )
        if not all(low < high for low, high in pairwise(self.bins)):
            raise SettingsError(f"the bins of attribute {self.name!r} do not increase: {self.bins}")

    @property
    def group_names(self) -> tuple[str, ...]:
        """Names of the groups, in order."""
        return self.groups or tuple(f"({low:g}, {high:g}]" for low, high in pairwise(self.bins))

    def group_of(self, values: pd.Series[Any]) -> pd.Series[Any]:
        """Assign each value to its group.

        Parameters
        ----------
        values : Series
            Categories (strings) or numbers; missing means unknown.

        Returns
        -------
        Series of categorical
            Same index; categories are `group_names`; unknown or outside every group is missing.
        """
        if not self.bins:
            known = values.where(values.isin(list(self.groups)))
            return pd.Series(pd.Categorical(known, categories=list(self.groups)), index=values.index)
        cut = pd.cut(pd.to_numeric(values, errors="coerce"), list(self.bins), labels=list(self.group_names))
        return pd.Series(cut, index=values.index)

    def representative(self, group: str) -> str | float:
        """Return a value that belongs to a group: the category itself, or the middle of the bin."""
        if not self.bins:
            return group
        low, high = list(pairwise(self.bins))[self.group_names.index(group)]
        return low + 1.0 if math.isinf(high) else (low + high) / 2


@dataclass(frozen=True)
class Task:
    """What is predicted (Section 3.1 of the paper) and the groups it should be fair to.

    Parameters
    ----------
    kind : {"multilabel", "multiclass"}
        ``multilabel``: each class is present or absent by itself (one head a class).
        ``multiclass``: the labels of an image are weights over the classes that sum to one.
    classes : tuple of str
        Names of the classes, without prefix.
    high_risk : tuple of str
        The classes that must not be missed.
    attributes : tuple of Attribute
        Sensitive attributes.

    Raises
    ------
    SettingsError
        The kind is not known, there is no class, classes or names of attributes repeat, or a class of high
        risk is not among them.

    Examples
    --------
    >>> task = Task("multilabel", ("edema",), attributes=(Attribute("sex", ("F", "M")),))
    >>> Task.from_dict(task.to_dict()) == task
    True
    """

    kind: Kind
    classes: tuple[str, ...]
    high_risk: tuple[str, ...] = ()
    attributes: tuple[Attribute, ...] = ()

    def __post_init__(self) -> None:
        if self.kind not in ("multilabel", "multiclass"):
            raise SettingsError(f"kind must be 'multilabel' or 'multiclass', not {self.kind!r}")
        if not self.classes or len(set(self.classes)) != len(self.classes):
            raise SettingsError(f"classes must be distinct and at least one, not {self.classes}")
        names = [attribute.name for attribute in self.attributes]
        if len(set(names)) < len(names):
            raise SettingsError(f"attributes must have names of their own, not {', '.join(names)}")
        if unknown := set(self.high_risk) - set(self.classes):
            raise SettingsError(f"high-risk classes are not among the classes: {sorted(unknown)}")

    @property
    def label_columns(self) -> list[str]:
        """Columns that hold the labels, in the order of the classes."""
        return [label_column(name) for name in self.classes]

    def attribute(self, name: str) -> Attribute:
        """Return the attribute of this name; a KeyError lists those there are."""
        for attribute in self.attributes:
            if attribute.name == name:
                return attribute
        known = ", ".join(a.name for a in self.attributes) or "none"
        raise KeyError(f"no attribute {name!r}; this task has: {known}")

    def bins(self, name: str) -> tuple[float, ...]:
        """Return the bins of an attribute; none where the task does not have it, or in groups."""
        return next((a.bins for a in self.attributes if a.name == name), ())

    def labels(self, table: pd.DataFrame) -> FloatArray:
        """Return the labels of a table as float32 (rows, classes); NaN means unknown."""
        return table[self.label_columns].to_numpy(np.float32)

    def dominated_by(self, names: Collection[str], labels: FloatArray) -> BoolArray:
        """Say which images have one of some classes as their dominant one.

        Parameters
        ----------
        names : collection of str
            Classes.
        labels : ndarray of float32, (images, classes)
            As `labels` returns them; unknown ones count as absent.

        Returns
        -------
        ndarray of bool, (images,)
            Where the class of largest weight is one of them (multiclass), or one of them is present
            (multilabel).

        Raises
        ------
        SettingsError
            A class is unknown.

        Examples
        --------
        >>> Task("multiclass", ("mole", "wart")).dominated_by(["mole"], np.array([[0.6, 0.4], [0.0, 1.0]]))
        array([ True, False])
        """
        if unknown := sorted(set(names) - set(self.classes)):
            raise SettingsError(f"cannot exclude {unknown}; the classes are: {', '.join(self.classes)}")
        known, among = np.nan_to_num(labels), np.isin(self.classes, list(names))
        if self.kind == "multiclass":
            return np.asarray(among[known.argmax(axis=1)], np.bool_)
        return np.asarray((known[:, among] >= 0.5).any(axis=1), np.bool_)

    def to_dict(self) -> dict[str, Any]:
        """Return plain lists and dictionaries, ready for JSON."""
        return {
            "kind": self.kind,
            "classes": list(self.classes),
            "high_risk": list(self.high_risk),
            "attributes": [
                {"name": a.name, "groups": list(a.groups), "bins": [_json_number(b) for b in a.bins]}
                for a in self.attributes
            ],
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Task:
        """Build a task from what `to_dict` returned, or a command line says: a lone class is a list of one.

        Raises
        ------
        SettingsError
            A value is not understood.
        """
        attributes = tuple(_attribute(item) for item in content.get("attributes", ()))
        classes, high_risk = (_names(content.get(name, ())) for name in ("classes", "high_risk"))
        return cls(content["kind"], classes, high_risk, attributes)

    def save(self, path: Path) -> None:
        """Write the task as JSON."""
        path.write_text(json.dumps(self.to_dict(), indent=2) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> Task:
        """Read a task that `save` wrote."""
        return cls.from_dict(json.loads(path.read_text(encoding="utf-8")))


def _attribute(content: Any) -> Attribute:
    try:
        bins = tuple(float(edge) for edge in content.get("bins", ()))
        return Attribute(content["name"], _names(content.get("groups", ())), bins)
    except SettingsError:
        raise
    except (AttributeError, KeyError, TypeError, ValueError):
        raise SettingsError(
            "an attribute is a mapping with name and groups or bins, for example "
            f"{{'name': 'sex', 'groups': ['F', 'M']}}, not {content!r}"
        ) from None


def _names(given: Any) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) else tuple(given)


def _json_number(value: float) -> float | str:
    """JSON has no infinity; Python's ``float`` reads the string back."""
    return "inf" if math.isinf(value) else value


CHEST_RADIOGRAPHS = Task(
    kind="multilabel",
    classes=("atelectasis", "cardiomegaly", "consolidation", "edema", "effusion"),
    attributes=(
        Attribute("sex", groups=("F", "M")),
        Attribute("age", bins=(0.0, 40.0, 60.0, 80.0, math.inf)),
    ),
)
"""The five conditions that CheXpert and ChestX-ray14 share (Section 3.2.2)."""
