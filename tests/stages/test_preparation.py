from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from medaug.data import prepare as preparing
from medaug.errors import DataError, SettingsError
from medaug.stages import Preparation, Run
from medaug.stages.products import settings_path
from medaug.task import Task


def preparation(folder: Path, **given: Any) -> Preparation:
    where = {"bundle_root": ".", "output_dir": str(folder / "run"), "data_dir": str(folder / "run" / "data")}
    run = Run.of(modality="radiology", dataset_dir=str(folder / "ward"), reader="csv", **where)
    split = {"domain_column": "domain", "train_domains": None, "test_fraction": 0.0}
    task = Task("multilabel", ("edema",))
    return Preparation.of(run, task=task, split=split, image_size=8, base_size=4, workers=0, **given)


@pytest.fixture
def ward(tmp_path: Path) -> Path:
    """The folder above one of 20 images, two of which are broken."""
    (tmp_path / "ward").mkdir()
    lines = ["path,patient_id,edema", *(f"{number}.png,{number},1" for number in range(20))]
    (tmp_path / "ward" / "table.csv").write_text("\n".join(lines))
    for number in range(20):
        Image.fromarray(np.full((9, 9), number, np.uint8)).save(tmp_path / "ward" / f"{number}.png")
    for number in (3, 7):
        (tmp_path / "ward" / f"{number}.png").write_text("<html>")
    return tmp_path


def test_a_higher_limit_goes_on_with_what_is_decoded(ward: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DataError, match=r"2 of 20 files .* allow more with max_rejected \(now 0.05\)"):
        preparation(ward).make()
    monkeypatch.setattr(preparing, "decode", lambda path, recipe: pytest.fail("decoded again"))
    stage = preparation(ward, max_rejected=0.1)
    stage.make()
    assert len(preparing.ImageStore.open(stage.product)) == 18


def test_a_store_that_is_older_than_this_is_the_same(ward: Path) -> None:
    stage = preparation(ward, max_rejected=0.1)
    stage.make()
    path = settings_path(stage.product)
    record = json.loads(path.read_text())
    record["settings"]["max_rejected"] = 0.3
    path.write_text(json.dumps(record))
    stage.make()
    assert json.loads(path.read_text()) == record


def test_a_table_that_has_changed_is_noticed(ward: Path) -> None:
    stage = preparation(ward, max_rejected=0.1)
    stage.make()
    table = ward / "ward" / "table.csv"
    table.write_text(table.read_text().replace("9.png,9,1", "9.png,9,0"))
    with pytest.raises(SettingsError, match=r"contents \(there \['table.csv .*--fresh true"):
        preparation(ward, max_rejected=0.1).make()
    changed = preparation(ward, max_rejected=0.1)
    replace(changed, run=replace(changed.run, fresh=True)).make()
    labels = preparing.ImageStore.open(stage.product).table["label:edema"]
    assert sorted(labels) == [0.0] + [1.0] * 17
    preparation(ward, max_rejected=0.1).make()


def test_without_its_data_set_a_store_serves(ward: Path) -> None:
    preparation(ward, max_rejected=0.1).make()
    (ward / "ward").rename(ward / "archive")
    preparation(ward, max_rejected=0.1).make()


def test_a_store_from_before_contents_were_noted_serves(ward: Path) -> None:
    stage = preparation(ward, max_rejected=0.1)
    stage.make()
    path = settings_path(stage.product)
    record = json.loads(path.read_text())
    assert record["settings"].pop("contents")
    path.write_text(json.dumps(record))
    stage.make()
    assert json.loads(path.read_text()) == record


def test_a_half_made_store_goes_on_with_mended_files(ward: Path) -> None:
    """Its parts know what they were made of: slides that are cut are not set aside for a mended one."""
    stage = preparation(ward)
    with pytest.raises(DataError, match="mend the files and delete"):
        stage.make()
    cut = stage.product.with_name("data.slides")
    cut.mkdir()
    table = ward / "ward" / "table.csv"
    table.write_text(table.read_text().replace("3.png,3,1", "4.png,4,0").replace("4.png,4,1\n", ""))
    (ward / "ward" / "7.png").write_bytes((ward / "ward" / "8.png").read_bytes())
    preparation(ward).make()
    assert len(preparing.ImageStore.open(stage.product)) == 19
    assert cut.exists()
    preparation(ward).make()
    table.write_text(table.read_text() + "\n")
    with pytest.raises(SettingsError, match=r"contents \(there \['table.csv "):
        preparation(ward).make()
