"""Packages whose names are imported on first use."""

from __future__ import annotations

import ast
import doctest
import inspect
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

import medaug
from medaug import lazy
from medaug.lazy import lazy_names

PACKAGE = Path(medaug.__file__).parent
LAZY = [
    import_module(".".join(("medaug", *path.relative_to(PACKAGE).parts[:-1])))
    for path in sorted(PACKAGE.rglob("__init__.py"))
    if "lazy_names(" in path.read_text(encoding="utf-8")
]


def told_to_mypy(package: ModuleType) -> Iterator[tuple[str, str]]:
    """Give module and name of each import under ``if TYPE_CHECKING``."""
    for node in ast.parse(inspect.getsource(package)).body:
        if isinstance(node, ast.If):
            for line in node.body:
                assert isinstance(line, ast.ImportFrom)
                yield from ((str(line.module), alias.name) for alias in line.names)


def test_names_come_from_their_module_when_they_are_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "__init__.py").write_text(
        "from medaug.lazy import lazy_names\n"
        "__getattr__, __dir__ = lazy_names(__name__, {'bread': 'bakery'})\n"
    )
    (tmp_path / "shop" / "bakery.py").write_text("bread = ['rye']\n")
    monkeypatch.syspath_prepend(tmp_path)
    shop = import_module("shop")
    assert "bread" in dir(shop)
    assert "__name__" in dir(shop)
    assert "shop.bakery" not in sys.modules
    assert shop.bread == ["rye"]
    assert shop.bread is sys.modules["shop.bakery"].bread
    with pytest.raises(AttributeError, match=r"^module 'shop' has no attribute 'cake'$"):
        _ = shop.cake


def test_a_name_without_its_module_is_an_import_error() -> None:
    attribute, names = lazy_names("medaug", {"gone": "no_such_module"})
    assert "gone" in names()
    with pytest.raises(ModuleNotFoundError, match=r"medaug\.no_such_module"):
        attribute("gone")


@pytest.mark.parametrize("package", LAZY, ids=lambda package: package.__name__)
def test_editors_are_told_the_names_that_are_there(package: ModuleType) -> None:
    told = list(told_to_mypy(package))
    assert sorted(name for _, name in told) == sorted(package.__all__)
    for module, name in told:
        assert getattr(package, name) is getattr(import_module(module), name)


def test_the_example_is_true() -> None:
    assert doctest.testmod(lazy).failed == 0
