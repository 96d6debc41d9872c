"""The table of settings in the bundle's README says what the configs say."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from medaug.data.readers import READERS

BUNDLE = Path(__file__).parents[2] / "bundles" / "chexpert"
DOCS = (BUNDLE / "docs" / "README.md").read_text(encoding="utf-8")
STAGES = {
    "P": "prepare",
    "D": "train_diffusion",
    "U": "train_upsampler",
    "G": "generate",
    "T": "train",
    "E": "evaluate",
    "I": "inference",
}


class Row(NamedTuple):
    name: str
    stage: str
    default: str


def documented() -> Iterator[Row]:
    table = DOCS.split("## Settings")[1].split("### Readers")[0]
    for name, letters, default in re.findall(r"^\| `(\w+)` \| ([A-Z ]+) \| (.*?) \|", table, re.MULTILINE):
        for letter in letters.split():
            yield Row(name, STAGES[letter], default)


def configured(stage: str) -> dict[str, Any]:
    """What may be set comes first in a config, and then what is built from it."""
    content = json.loads((BUNDLE / f"{stage}.json").read_text())
    names = list(content)
    end = min(names.index(name) for name in ("device", "task", "evaluation") if name in names)
    return {n: content[n] for n in names[:end] if n not in ("imports", "common", "p", "sampling")}


@pytest.mark.parametrize("stage", STAGES.values())
def test_every_setting_is_documented_once_and_nothing_else(stage: str) -> None:
    rows = defaultdict(int)
    for row in documented():
        rows[row.name] += row.stage == stage
    assert {name for name, count in rows.items() if count} == set(configured(stage))
    assert max(rows.values()) == 1


def test_defaults_are_those_of_the_configs() -> None:
    for row in documented():
        default = configured(row.stage)[row.name]
        if isinstance(default, str) and default.startswith("$"):
            assert (row.default == "preset") == (
                "preset" in default or "@p." in default or "@sampling." in default
            ), row
        elif row.name not in ("classes", "attributes"):
            assert row.default == f"`{json.dumps(default)}`", row


def test_every_config_and_reader_is_described() -> None:
    configs = {path.name for path in BUNDLE.glob("*.json")} - {"metadata.json"}
    assert configs == {f"{stage}.json" for stage in STAGES.values()}
    assert all(f"| `{name}` |" in DOCS for name in (*configs, *READERS))
