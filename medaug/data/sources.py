"""Which data sets a store is made from: the one to train on, and external ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from medaug.errors import SettingsError


def sources(
    dataset_dir: str | None,
    reader: str,
    reader_options: Mapping[str, Any],
    external_dir: str | Sequence[str] | None = None,
    external_reader: str | Sequence[str] | None = None,
    external_options: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None,
) -> list[dict[str, Any]]:
    """List the data sets to read: the one to train on, then external ones; none means phantoms.

    Several external data sets are lists of the same length; a single reader or options are those of all.

    Returns
    -------
    list of dict
        For each data set ``reader``, ``folder`` and ``options`` (of the reader).

    Raises
    ------
    SettingsError
        There is an external data set but none to train on, or lists differ in length.

    Examples
    --------
    >>> [s["reader"] for s in sources("scin", "scin", {}, ["ddi", "pad"], ["ddi", "pad_ufes_20"])]
    ['scin', 'ddi', 'pad_ufes_20']
    """
    if dataset_dir is None and external_dir is not None:
        raise SettingsError(
            "external_dir is for a second data set; name the one to train on with --dataset_dir"
        )
    if dataset_dir is None:
        return []
    folders = [] if external_dir is None else _list(external_dir)
    readers = _for_each("external_reader", external_reader, len(folders))
    options = _for_each("external_options", external_options or {}, len(folders))
    return [
        {"reader": name, "folder": str(folder), "options": dict(of_reader)}
        for name, folder, of_reader in zip(
            [reader, *readers], [dataset_dir, *folders], [reader_options, *options], strict=True
        )
    ]


def _list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


def _for_each(name: str, value: Any, count: int) -> list[Any]:
    """Return a value for each external data set: its own, or the only one for all."""
    values = _list(value)
    if not isinstance(value, list | tuple):
        return values * count
    if len(values) != count:
        raise SettingsError(f"{name} has {len(values)} entries, but external_dir names {count} folders")
    return values
