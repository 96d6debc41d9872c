"""The table of settings in a bundle's README says what its configs say."""

from __future__ import annotations

import ast
import json
import re
import shlex
from inspect import signature
from itertools import takewhile
from typing import Any

import pytest
import yaml
from bundle_files import BUNDLES, folder, settings, stages

import document_settings
from medaug.data.readers import READERS, SLIDE_READERS
from medaug.grid.design import Study
from medaug.stages.command_line import check_options

pytestmark = pytest.mark.filterwarnings("ignore:parsing config_file:UserWarning")

LETTERS = document_settings.LETTERS
DESCRIBED_READERS = {
    "chexpert": {"chexpert", "chestxray14", "csv", "folder"},
    "camelyon17": {"camelyon17", "slides", "wilds", "csv", "folder"},
    "dermatology": {
        *("scin", "ham10000", "fitzpatrick17k", "pad_ufes_20", "ddi", "isic"),
        *("csv", "folder"),
    },
}


def docs(bundle: str) -> str:
    return (folder(bundle) / "docs" / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("bundle", BUNDLES)
def test_the_table_of_settings_is_the_one_that_the_dataclasses_give(bundle: str) -> None:
    path, text = document_settings.written(bundle)
    assert path.read_text(encoding="utf-8") == text, "run python scripts/document_settings.py"


@pytest.mark.parametrize("bundle", BUNDLES)
def test_every_setting_is_documented_once_for_each_config_and_nothing_else(bundle: str) -> None:
    table = docs(bundle).split("## Settings")[1].split("### Readers")[0]
    rows = re.findall(r"^\| `(\w+)` \| ([A-Z ]+) \| .*? \| .*? \| (.+) \|$", table, re.MULTILINE)
    documented = [(name, letter) for name, letters, _ in rows for letter in letters.split()]
    given = {(name, LETTERS[stage]) for stage in stages(bundle) for name in settings(bundle, stage)}
    assert sorted(documented) == sorted(given)
    assert all(len(meaning) > 3 for *_, meaning in rows)


@pytest.mark.parametrize("bundle", BUNDLES)
def test_every_config_and_reader_is_described(bundle: str) -> None:
    configs = {path.name for path in folder(bundle).glob("*.json")} - {"metadata.json"}
    assert configs == {f"{stage}.json" for stage in stages(bundle)}
    assert DESCRIBED_READERS[bundle] <= {*READERS, *SLIDE_READERS}
    assert all(f"| `{name}` |" in docs(bundle) for name in (*configs, *DESCRIBED_READERS[bundle]))


def recipes(bundle: str) -> list[tuple[str, dict[str, Any]]]:
    """The command lines of a guide that run one config: its name and the options."""
    lines = re.findall(r"^(?:python .*--config_file \S*?)?(\w+\.json)\b(.*)$", docs(bundle), re.MULTILINE)
    words = [(config, shlex.split(options)) for config, options in lines]
    return [(c, dict(zip([n[2:] for n in w[::2]], map(literal, w[1::2]), strict=True))) for c, w in words]


def literal(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


@pytest.mark.parametrize("bundle", BUNDLES)
def test_recipes_name_what_there_is(bundle: str) -> None:
    def content(name: str) -> dict[str, Any]:
        return json.loads((folder(bundle) / name).read_text(encoding="utf-8"))

    shared = content("metadata.json")["medaug"]
    found = recipes(bundle)
    assert found
    for config, options in found:
        check_options(options, content(config), folder(bundle))
        prepare = {**content("prepare.json"), **options.get("prepare", {})}
        reader = options.get("reader", shared["reader"])
        known = signature({**READERS, **SLIDE_READERS}[reader]).parameters
        assert {*(prepare["reader_options"] or ())} <= {*known}, options
        properties = options.get("properties", shared["properties"])
        assert {*properties} <= {"domain", *(a["name"] for a in prepare["attributes"])}, options


@pytest.mark.parametrize("bundle", BUNDLES)
def test_recipes_of_studies_can_be_planned(bundle: str) -> None:
    lines = re.findall(r"^bash scripts/study\.sh (.*)$", docs(bundle).replace("\\\n", ""), re.MULTILINE)
    for line in lines:
        words = list(takewhile(lambda word: not word.startswith("--"), shlex.split(line)))
        given = dict(word.split("=", 1) for word in words[1:])
        settings = {name: yaml.safe_load(value) for name, value in given.items()}
        assert list(Study.of({"bundle": words[0], "output": "study"} | settings).cells())
    assert lines
