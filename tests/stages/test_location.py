from __future__ import annotations

import json
from pathlib import Path

import pytest
from monai.bundle import ConfigParser, ConfigWorkflow

from medaug.stages import bundle_root
from medaug.stages.location import config_path

ROOT = Path(__file__).parents[2]
CONFIG = {"imports": ["$import medaug.stages as stages"], "root": "$stages.bundle_root('x')", "run": []}

pytestmark = pytest.mark.filterwarnings("ignore:parsing config_file:UserWarning")


@pytest.mark.parametrize("place", [".", "configs"])
def test_a_config_lies_where_its_workflow_has_read_it(tmp_path: Path, place: str) -> None:
    bundle = tmp_path / "given away"
    (bundle / place).mkdir(parents=True)
    (bundle / place / "train.json").write_text(json.dumps(CONFIG))
    workflow = ConfigWorkflow(str(bundle / place / "train.json"), logging_file=False, init_id="root")
    assert workflow.initialize() == [str(bundle)]


def test_without_a_workflow_it_is_the_usual_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert bundle_root("chexpert") == "bundles/chexpert"
    parser = ConfigParser(
        {"imports": ["$import medaug.stages as stages"], "root": "$stages.bundle_root('x')"}
    )
    assert parser.get_parsed_content("root") == "."
    monkeypatch.chdir(tmp_path)
    assert bundle_root("chexpert") == "."


def test_a_config_is_looked_for_in_the_bundle_and_then_in_its_configs(tmp_path: Path) -> None:
    assert config_path(ROOT / "bundles" / "chexpert", "train") == ROOT / "bundles" / "chexpert" / "train.json"
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "train.json").write_text("{}")
    assert config_path(tmp_path, "train") == tmp_path / "configs" / "train.json"
