"""The code that configs hold: expressions, things to call, logging; compared with that of medaug's bundles.

MONAI evaluates any text that begins with ``$`` as Python, and calls whatever ``_target_`` names
(GHSA-873f-pvrv-4x83). What the configs of medaug's own bundles hold is listed in ``known_code.json``;
anything else, however harmless it looks, is for a person to read.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from medaug.sharing.findings import Finding

Known = Mapping[str, frozenset[str]]

_EVALUATED = ("class", "args", "kwargs")
"""Fields of a logging file that Python evaluates."""


@cache
def known_code() -> Known:
    """Return the ``expressions``, ``targets`` and ``logging`` fields of medaug's own bundles."""
    text = files("medaug.sharing").joinpath("known_code.json").read_text(encoding="utf-8")
    return {kind: frozenset(items) for kind, items in json.loads(text).items()}


def code_in_config(name: str, text: str) -> Iterator[Finding]:
    """Give the code of a JSON config that medaug's own configs do not have."""
    known = known_code()
    try:
        content = json.loads(text)
    except ValueError:
        yield Finding("unread", name, "is no JSON")
        return
    for place, expression in expressions(content):
        if expression not in known["expressions"]:
            yield Finding("expression", f"{name}, {place}", expression)
    for place, target in targets(content):
        if target not in known["targets"]:
            yield Finding("target", f"{name}, {place}", target)


def code_in_logging(name: str, text: str) -> Iterator[Finding]:
    """Give the fields of a logging file that would be evaluated and that medaug's do not have."""
    for field in logging_fields(text):
        if field not in known_code()["logging"]:
            yield Finding("expression", name, field)


def expressions(content: Any) -> Iterator[tuple[str, str]]:
    """Give place and text of what a config has evaluated or read from elsewhere (``$…``, ``%…``)."""
    for place, value in _texts(content):
        if value.lstrip()[:1] in ("$", "%"):
            yield place, value


def targets(content: Any) -> Iterator[tuple[str, str]]:
    """Give place and name of what a config has called, and every mode of calling (``_mode_``)."""
    for place, value in _texts(content):
        if place.replace("#", "::").rpartition("::")[2] in ("_target_", "_mode_") and not value.startswith(
            "$"
        ):
            yield place, value


def logging_fields(text: str) -> Iterator[str]:
    """Give the fields of a logging file that are evaluated, as ``name=value``."""
    for line in text.splitlines():
        name, _, value = line.partition("=")
        if name.strip().lower() in _EVALUATED:
            yield f"{name.strip().lower()}={value.strip()}"
        elif ":" in line and line.partition(":")[0].strip().lower() in _EVALUATED:
            yield line.strip()


def _texts(content: Any, place: str = "") -> Iterator[tuple[str, str]]:
    """Give place and value of every text, keys among them."""
    if isinstance(content, str):
        yield place, content
        return
    is_list = isinstance(content, Sequence)
    items = enumerate(content) if is_list else content.items() if isinstance(content, Mapping) else ()
    for key, value in items:
        where = f"{place}::{key}" if place else str(key)
        if isinstance(key, str):
            yield f"{where} (the key)", key
        yield from _texts(value, where)
