import importlib.util
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "scripts" / "count_parameters.py"

pytestmark = pytest.mark.filterwarnings("ignore:parsing config_file:UserWarning")


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("count_parameters", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def paper(script):
    return {(row.bundle, row.part): row for bundle in script.BUNDLES for row in script.rows(bundle, "paper")}


def test_the_readmes_state_the_parameters_of_every_network_of_table_e1(paper):
    assert len(paper) == 8
    for (bundle, _), row in paper.items():
        assert str(row) in (ROOT / "bundles" / bundle / "docs" / "README.md").read_text(encoding="utf-8")


def test_classifiers_are_the_published_backbones_with_a_head_for_each_class(paper):
    found = {bundle: row.parameters for (bundle, part), row in paper.items() if part == "classifier"}
    assert found == {
        "camelyon17": 58_143_808 + 1 * (2048 + 1),
        "chexpert": 232_238_208 + 5 * (4096 + 1),
        "dermatology": 381_789_888 + 27 * (6144 + 1),
    }


def test_base_models_of_one_row_differ_by_colour_and_condition_only(paper):
    colour = 2 * 192 * 9 + (2 * 192 * 9 + 2)  # two more channels into the first convolution, out of the last
    slots = (27 + 6) - (2 * 5 + 2)  # conditions, skin tones and sexes; a condition of radiology has two slots
    grey, photograph = (paper[bundle, "base model"].parameters for bundle in ("chexpert", "dermatology"))
    assert photograph - grey == colour + slots * 4 * 192


def test_the_command_prints_a_table_for_each_bundle(script, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["count_parameters.py", "--preset", "demo"])
    script.main()
    shown = capsys.readouterr().out
    assert [line for line in shown.splitlines() if line and not line.startswith("|")] == list(script.BUNDLES)
    assert "| classifier | `small_resnet` | 64 |" in shown
