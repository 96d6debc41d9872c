"""Things that are made when they are first used, so that engines can be composed before there are data."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any, TypeVar, cast

Thing = TypeVar("Thing")


def later(make: Callable[[], Thing]) -> Thing:
    """Return what stands for a thing that is made on its first use.

    Attributes, length, items and calls are those of the thing. MONAI asks a workflow for its parts before
    anything has run; parts that read an image store are wrapped in this, so that asking prepares nothing.

    Examples
    --------
    >>> made = []
    >>> words = later(lambda: made.append("now") or ["a", "b"])
    >>> made, len(words), words[1], made
    (['now'], 2, 'b', ['now'])
    """
    return cast(Thing, _Later(make))


class _Later:
    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make

    @cached_property
    def _thing(self) -> Any:
        return self._make()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):  # not the thing's, or asked for while this is copied
            raise AttributeError(name)
        return getattr(self._thing, name)

    def __len__(self) -> int:
        return len(self._thing)

    def __getitem__(self, key: Any) -> Any:
        return self._thing[key]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._thing)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._thing(*args, **kwargs)
