from __future__ import annotations

import hashlib
from pathlib import Path

import pandas as pd
import pytest

from medaug.bundle.data import label_budget, sources
from medaug.bundle.evaluation import baseline_method, file_digests, predictions_files
from medaug.bundle.stages import method_name
from medaug.errors import DataError, SettingsError


@pytest.mark.parametrize(
    ("real_fraction", "augmentation", "name"),
    [
        (1.0, "none", "100% real"),
        (0.0, "none", "100% synthetic"),
        (0.25, "none", "25% real + 75% synthetic"),
        (0.999, "heuristic", "99.9% real + 0.1% synthetic, heuristic"),
    ],
)
def test_methods_are_named_by_what_they_were_trained_on(
    real_fraction: float, augmentation: str, name: str
) -> None:
    assert method_name(real_fraction, augmentation) == name


def test_which_predictions_are_evaluated(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"run train\.json first, or name a file with --predictions"):
        predictions_files(tmp_path, None)
    for name in ("b.parquet", "a.parquet", "a.settings.json", "before-2026/a.parquet"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()

    assert predictions_files(tmp_path, None) == [str(tmp_path / "a.parquet"), str(tmp_path / "b.parquet")]
    assert predictions_files(tmp_path, "mine.csv") == ["mine.csv"]
    assert predictions_files(tmp_path, ("x.csv", "y.csv")) == ["x.csv", "y.csv"]


def test_digests_tell_files_of_one_name_apart_wherever_they_lie(tmp_path: Path) -> None:
    files = [tmp_path / folder / "model.parquet" for folder in ("seed0", "seed1")]
    for file in files:
        file.parent.mkdir()
        file.write_text(file.parent.name)

    expected = [f"model.parquet {hashlib.sha256(text).hexdigest()}" for text in (b"seed0", b"seed1")]
    assert file_digests([str(file) for file in files]) == expected
    with pytest.raises(DataError, match=r"no file of predictions at .*nowhere\.csv"):
        file_digests([str(files[0]), str(tmp_path / "nowhere.csv")])


def test_the_baseline_is_what_its_predictions_say(tmp_path: Path) -> None:
    table = pd.DataFrame({"score:a": [0.5], "label:a": [1], "method": ["100% real, heuristic"]})
    table.to_parquet(tmp_path / "baseline.parquet")

    assert baseline_method(tmp_path / "baseline.parquet") == "100% real, heuristic"
    assert baseline_method(tmp_path / "nothing.parquet") is None


def test_sources() -> None:
    assert sources(None, "chexpert", {}) == []
    assert sources("/a", "csv", {"domain": "x"}, "/b", "chestxray14", None) == [
        {"reader": "csv", "folder": "/a", "options": {"domain": "x"}},
        {"reader": "chestxray14", "folder": "/b", "options": {}},
    ]
    with pytest.raises(SettingsError, match="--dataset_dir"):
        sources(None, "chexpert", {}, "/b", "chestxray14")


def test_several_external_sources() -> None:
    first = {"reader": "scin", "folder": "/a", "options": {}}
    alike = sources("/a", "scin", {}, ["/b", "/c"], "scin", {"labels": "raters"})
    assert alike == [first, *({**first, "folder": f, "options": {"labels": "raters"}} for f in ("/b", "/c"))]

    options = [{"labels": "malignancy"}, {}]
    assert sources("/a", "scin", {}, ["/b", "/c"], ["ddi", "pad_ufes_20"], options) == [
        first,
        {"reader": "ddi", "folder": "/b", "options": {"labels": "malignancy"}},
        {"reader": "pad_ufes_20", "folder": "/c", "options": {}},
    ]
    with pytest.raises(SettingsError, match="external_reader has 1 entries, but external_dir names 2"):
        sources("/a", "scin", {}, ["/b", "/c"], ["ddi"])


def test_a_label_budget_is_a_skew_of_hospitals() -> None:
    assert label_budget(None, ["center_3"]) is None
    assert label_budget(100, ["center_3", "center_4"]) == {
        "attribute": "domain",
        "caps": {"center_3": 100, "center_4": 100},
        "surplus": "unlabelled",
    }
