"""What a generative model is asked for: diagnostic labels and, where wanted, a property, as one vector.

Nothing known is all zeros, so an unlabelled image, an uncertain finding and a known absence are three
different things (Section E.1, "Dealing with missing labels").
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from medaug.arrays import FloatArray
from medaug.data.store import ImageStore
from medaug.errors import DataError, SettingsError
from medaug.task import Attribute, Task, attribute_column


@dataclass(frozen=True)
class ConditionEncoder:
    """Turns labels and properties of a table into condition vectors.

    A binary condition has two slots (absent, present), filled (1 - p, p); a multi-class label has one slot
    a class; a property has one slot a group. What is unknown is zeros.

    Parameters
    ----------
    task : Task
        Gives the classes and the groups of the attributes.
    properties : tuple of str
        Names of the attributes to condition on besides the label; ``"domain"`` is the hospital.
    domains : tuple of str
        Groups of the property ``"domain"``; required with it, empty without.

    Raises
    ------
    SettingsError
        A property is not an attribute of the task, or ``domains`` does not fit the properties.

    Examples
    --------
    >>> encoder = ConditionEncoder(Task("multilabel", ("edema",)), ("domain",), ("A", "B"))
    >>> encoder.slots
    ('edema:absent', 'edema:present', 'domain:A', 'domain:B')
    >>> encoder.encode(pd.DataFrame({"label:edema": [0.25, None], "domain": ["B", "A"]})).tolist()
    [[0.75, 0.25, 0.0, 1.0], [0.0, 0.0, 1.0, 0.0]]
    """

    task: Task
    properties: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        known = {"domain", *(a.name for a in self.task.attributes)}
        if unknown := [name for name in self.properties if name not in known]:
            raise SettingsError(f"cannot condition on {unknown}; the properties there are: {sorted(known)}")
        if len(set(self.properties)) != len(self.properties):
            raise SettingsError(f"a property is listed twice: {self.properties}")
        if ("domain" in self.properties) != bool(self.domains):
            raise SettingsError("the property 'domain' and the list `domains` go together: give both or none")

    @cached_property
    def attributes(self) -> tuple[Attribute, ...]:
        """The properties as attributes, with their groups."""
        return tuple(
            Attribute("domain", groups=self.domains) if name == "domain" else self.task.attribute(name)
            for name in self.properties
        )

    @cached_property
    def slots(self) -> tuple[str, ...]:
        """Names of the slots of the vector, in order."""
        groups = tuple(f"{a.name}:{group}" for a in self.attributes for group in a.group_names)
        if self.task.kind == "multiclass":
            return self.task.classes + groups
        return tuple(f"{c}:{state}" for c in self.task.classes for state in ("absent", "present")) + groups

    @property
    def size(self) -> int:
        """Length of the vector."""
        return len(self.slots)

    @property
    def columns(self) -> list[str]:
        """Columns of a table that the vector is made from."""
        return self.task.label_columns + [attribute_column(name) for name in self.properties]

    def encode(self, table: pd.DataFrame) -> FloatArray:
        """Return the condition vectors of a table.

        Parameters
        ----------
        table : DataFrame
            With the label columns of the task and the columns of the properties.

        Returns
        -------
        ndarray of float32, (rows, size)
            Each slot in [0, 1]; zeros where the label or the group is unknown.

        Raises
        ------
        DataError
            A column is missing.
        """
        if missing := [column for column in self.columns if column not in table]:
            raise DataError(
                f"the table has no column {missing[0]!r}, which the condition vector is made from"
            )
        return np.concatenate([self._labels(table), *(_one_hot(a, table) for a in self.attributes)], axis=1)

    def _labels(self, table: pd.DataFrame) -> FloatArray:
        labels = self.task.labels(table)
        if self.task.kind == "multiclass":
            return np.where(np.isnan(labels).any(axis=1, keepdims=True), np.float32(0), labels)
        slots: FloatArray = np.nan_to_num(np.stack([1 - labels, labels], axis=2))
        return slots.reshape(len(table), -1)

    def to_dict(self) -> dict[str, Any]:
        """Return plain lists and dictionaries, ready for JSON or a checkpoint."""
        return {
            "task": self.task.to_dict(),
            "properties": list(self.properties),
            "domains": list(self.domains),
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> ConditionEncoder:
        """Build an encoder from what `to_dict` returned."""
        return cls(
            Task.from_dict(content["task"]), tuple(content["properties"]), tuple(content.get("domains", ()))
        )


def encoder_for(store: ImageStore, properties: Sequence[str]) -> ConditionEncoder:
    """Return the encoder for a store: label conditioning, or label and property where properties are named.

    With the property ``"domain"`` its groups are the domains of the images that a generator learns from.
    """
    learnt_from = store.table["domain"].iloc[store.rows("train", "unlabelled")]
    domains = tuple(sorted(learnt_from.dropna().unique())) if "domain" in properties else ()
    return ConditionEncoder(store.task, tuple(properties), domains)


def _one_hot(attribute: Attribute, table: pd.DataFrame) -> FloatArray:
    """One slot a group; a row of zeros where the group is unknown."""
    groups = attribute.group_of(table[attribute_column(attribute.name)])
    table_of_groups = np.eye(len(attribute.group_names) + 1, len(attribute.group_names), dtype=np.float32)
    return table_of_groups[groups.cat.codes.to_numpy()]  # an unknown group has the code -1: the last row
