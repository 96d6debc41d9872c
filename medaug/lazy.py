"""Names of a package that are imported on first use (PEP 562): whoever needs one shall not wait for all."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def lazy_names(
    package: str, homes: Mapping[str, str]
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return ``__getattr__`` and ``__dir__`` of a package whose names live in modules below it.

    Parameters
    ----------
    package : str
        Its ``__name__``.
    homes : mapping of str to str
        The module, seen from the package, of each name.

    Raises
    ------
    AttributeError
        By ``__getattr__``, for a name without a home.

    Examples
    --------
    >>> attribute, names = lazy_names("collections", {"Mapping": "abc"})
    >>> attribute("Mapping").__module__, "Mapping" in names()
    ('collections.abc', True)
    """

    def attribute(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(f"{package}.{homes[name]}"), name)

    def names() -> list[str]:
        return sorted({*vars(sys.modules[package]), *homes})

    return attribute, names
