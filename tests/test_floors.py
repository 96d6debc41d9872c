"""Rooms stand in an order, and import only rooms below them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "medaug"

FLOORS = (
    ("errors", "arrays", "lazy", "progress"),
    ("files", "locks", "randomness", "task", "presets", "parallel"),
    ("checkpoints", "tabular", "threads"),
    ("engine",),
    ("transforms",),
    ("data",),
    ("phantoms",),
    ("diffusion", "classification", "export"),
    ("evaluation",),
    ("analysis", "quality"),
    ("report", "study"),
    ("stages",),
    ("notebook", "grid", "sharing"),
)
"""From the ground up; rooms of one floor do not know each other."""


def room(path: Path) -> str:
    relative = path.relative_to(PACKAGE)
    return relative.parts[0] if len(relative.parts) > 1 else relative.stem


def imports(path: Path) -> Iterator[str]:
    """Give the rooms that a module imports, wherever in it, also for types only."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        for name in names:
            if name.startswith("medaug."):
                yield name.split(".")[1]
            elif name == "medaug" and isinstance(node, ast.ImportFrom):
                yield from (alias.name for alias in node.names)


def floor(name: str) -> int:
    (found,) = [number for number, rooms in enumerate(FLOORS) if name in rooms]
    return found


MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_imports_its_own_room_and_those_below(path: Path) -> None:
    own = room(path)
    for other in set(imports(path)) - {own}:
        assert floor(other) < floor(own), f"{own} imports {other}"


def test_every_room_says_what_it_is_for() -> None:
    for package in PACKAGE.rglob("__init__.py"):
        text = ast.get_docstring(ast.parse(package.read_text(encoding="utf-8"))) or ""
        assert len(text) > 60, package
        assert " room of medaug" not in text, package


def test_no_two_modules_share_a_name() -> None:
    """But phantoms and readers, whose package says of what they are."""
    names = [path.stem for path in MODULES if not {"phantoms", "readers"} & set(path.parts)]
    assert sorted({name for name in names if names.count(name) > 1} - {"__init__", "__main__"}) == []
