from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from medaug.errors import DataError, SettingsError
from medaug.evaluation.settings import EvaluationSettings
from medaug.stages.evaluation import Evaluation, evaluation_settings, file_digests
from medaug.stages.run import Run

ROOT = Path(__file__).parents[2]


def run(folder: Path, bundle: str = "chexpert", modality: str = "radiology") -> Run:
    where = {"output_dir": str(folder), "data_dir": str(folder / "data")}
    return Run.of(bundle_root=str(ROOT / "bundles" / bundle), modality=modality, **where, seed=7)


def evaluation(folder: Path, **given: object) -> Evaluation:
    return Evaluation(run=run(folder), settings=EvaluationSettings(), **given)  # type: ignore[arg-type]


def test_arms_have_names_in_words_where_medaug_has_trained_them(tmp_path: Path) -> None:
    ours, theirs = tmp_path / "model.parquet", tmp_path / "theirs.csv"
    (tmp_path / "model.settings.json").touch()
    called = [evaluation(tmp_path, predictions=tuple(map(str, f))).called for f in ([ours], [ours, theirs])]
    assert [name("filtered") for name in called] == ["synthetic, filtered", "filtered"]


def test_which_predictions_are_evaluated(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"run train\.json first, or name a file with --predictions"):
        _ = evaluation(tmp_path).files
    folder = tmp_path / "predictions"
    for name in ("b.parquet", "a.parquet", "a.settings.json", "before-2026/a.parquet"):
        (folder / name).parent.mkdir(exist_ok=True, parents=True)
        (folder / name).touch()

    assert evaluation(tmp_path).files == [str(folder / "a.parquet"), str(folder / "b.parquet")]
    assert evaluation(tmp_path, predictions="mine.csv").files == ["mine.csv"]
    assert evaluation(tmp_path, predictions=("x.csv", "y.csv")).files == ["x.csv", "y.csv"]


@pytest.mark.filterwarnings("ignore:parsing config_file:UserWarning")
@pytest.mark.parametrize("called", [{}, {"baseline": {"name": "plain"}}])
def test_the_baseline_of_the_run_is_compared_with_whatever_its_files_are_called(
    tmp_path: Path, called: dict[str, object]
) -> None:
    predicted(tmp_path, "model")
    stage = Evaluation(run=replace(run(tmp_path), **called), settings=EvaluationSettings())  # type: ignore[arg-type]
    assert stage.compared_with is None
    predicted(tmp_path, "plain" if called else "baseline")
    assert stage.compared_with == ("plain" if called else "baseline")


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
    assert evaluation(tmp_path).compared_with is None
    (tmp_path / "predictions").mkdir()
    table = pd.DataFrame({"score:a": [0.5], "label:a": [1], "method": ["100% real, heuristic"]})
    table.to_parquet(tmp_path / "predictions" / "baseline.parquet")

    assert evaluation(tmp_path).compared_with == "100% real, heuristic"
    assert evaluation(tmp_path, baseline="yours").compared_with == "yours"
    assert evaluation(tmp_path, predictions="mine.csv").compared_with is None


@pytest.mark.filterwarnings("ignore:parsing config_file:UserWarning")
def test_bins_are_those_of_the_task_and_the_threshold_is_for_own_predictions(tmp_path: Path) -> None:
    own = evaluation_settings(run(tmp_path), None, "id_val")
    assert own.bins == {"age": [0, 40, 60, 80, 120]}
    assert (own.threshold, own.seed, own.replicates) == ("id_val", 7, 1000)
    given = evaluation_settings(run(tmp_path), "mine.csv", "id_val", bins={"age": [0, 50]}, replicates=10)
    assert given.bins == {"age": [0, 50]}
    assert (given.threshold, given.replicates) == (0.5, 10)
    skin = evaluation_settings(run(tmp_path, "dermatology", "dermatology"), None)
    assert skin.bins == {"age": [15, 25, 35, 45, 55, 65, 75, 90]}


@pytest.mark.parametrize("edges", ["young", 40, [0, "old"], None])
def test_bins_that_are_no_list_of_numbers_are_a_sentence(edges: object) -> None:
    with pytest.raises(SettingsError, match=r"bins of 'age' must be a list of edges, for example"):
        EvaluationSettings(bins={"age": edges})


def predicted(folder: Path, name: str) -> None:
    random = np.random.default_rng(0)
    table = pd.DataFrame({"image_id": [f"i{n}" for n in range(40)], "label:edema": np.arange(40) % 2})
    table = table.assign(method=name, split="id_test", **{"score:edema": random.random(40)})
    (folder / "predictions").mkdir(exist_ok=True)
    table.to_parquet(folder / "predictions" / f"{name}.parquet")


@pytest.mark.filterwarnings("ignore:parsing config_file:UserWarning")
def test_predictions_that_another_training_leaves_meanwhile_are_evaluated_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def while_another_training_ends(product: Path) -> Iterator[None]:
        predicted(tmp_path, "second")
        yield

    predicted(tmp_path, "first")
    monkeypatch.setattr("medaug.stages.evaluation.working_on", while_another_training_ends)
    settings = EvaluationSettings(replicates=0, permutations=0, metrics=("auc",))
    Evaluation(run=run(tmp_path), settings=settings).make()
    metrics = pd.read_csv(tmp_path / "evaluation" / "metrics.csv")
    assert set(metrics["method"]) == {"first", "second"}
