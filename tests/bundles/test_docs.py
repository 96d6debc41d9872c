"""The table of settings in a bundle's README says what its configs say."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

import pytest
from bundle_files import BUNDLES, folder, settings, stages

from medaug.data.readers import READERS, SLIDE_READERS

LETTERS = {
    "P": "prepare",
    "D": "train_diffusion",
    "U": "train_upsampler",
    "G": "generate",
    "T": "train",
    "E": "evaluate",
    "I": "inference",
}
DESCRIBED_READERS = {
    "chexpert": {"chexpert", "chestxray14", "csv", "folder"},
    "camelyon17": {"camelyon17", "slides", "wilds", "csv", "folder"},
    "dermatology": {
        *("scin", "ham10000", "fitzpatrick17k", "pad_ufes_20", "ddi", "isic"),
        *("csv", "folder"),
    },
}


class Row(NamedTuple):
    name: str
    stage: str
    default: str


def docs(bundle: str) -> str:
    return (folder(bundle) / "docs" / "README.md").read_text(encoding="utf-8")


def documented(bundle: str) -> Iterator[Row]:
    table = docs(bundle).split("## Settings")[1].split("### Readers")[0]
    for name, letters, default in re.findall(r"^\| `(\w+)` \| ([A-Z ]+) \| (.*?) \|", table, re.MULTILINE):
        for letter in letters.split():
            yield Row(name, LETTERS[letter], default)


@pytest.mark.parametrize(("bundle", "stage"), [(b, s) for b in BUNDLES for s in stages(b)])
def test_every_setting_is_documented_once_and_nothing_else(bundle: str, stage: str) -> None:
    rows = defaultdict(int)
    for row in documented(bundle):
        rows[row.name] += row.stage == stage
    assert {name for name, count in rows.items() if count} == set(settings(bundle, stage))
    assert max(rows.values()) == 1


@pytest.mark.parametrize("bundle", BUNDLES)
def test_defaults_are_those_of_the_configs(bundle: str) -> None:
    for row in documented(bundle):
        default = settings(bundle, row.stage)[row.name]
        if isinstance(default, str) and default.startswith("$"):
            assert (row.default == "preset") == (
                "preset" in default or "@p." in default or "@sampling." in default
            ), row
        elif row.name not in ("classes", "attributes"):
            assert row.default == f"`{json.dumps(default)}`", row


@pytest.mark.parametrize("bundle", BUNDLES)
def test_every_config_and_reader_is_described(bundle: str) -> None:
    configs = {path.name for path in folder(bundle).glob("*.json")} - {"metadata.json"}
    assert configs == {f"{stage}.json" for stage in stages(bundle)}
    assert DESCRIBED_READERS[bundle] <= {*READERS, *SLIDE_READERS}
    assert all(f"| `{name}` |" in docs(bundle) for name in (*configs, *DESCRIBED_READERS[bundle]))
