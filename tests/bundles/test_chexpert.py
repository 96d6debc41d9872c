from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from bundle_files import fails, times, told

from medaug.classification.classifier import load_classifier
from medaug.data.store import ImageStore
from medaug.diffusion.diffusion_model import load_model
from medaug.stages.products import is_current

pytestmark = pytest.mark.filterwarnings("ignore:parsing config_file:UserWarning")

GENERATOR = {"channels": [8], "head_channels": 8, "iterations": 4, "iterations_per_epoch": 2, "batch_size": 8}
CLASSES = ["edema", "effusion"]
TINY: dict[str, Any] = {
    "prepare": {"phantom_images": [200, 100], "image_size": 16, "classes": CLASSES, "workers": 0},
    "diffusion": {"image_size": 16, **GENERATOR},
    "generate": {"images": 16, "steps": 2},
    "evaluate": {"replicates": 10, "metrics": ["auc", "accuracy"], "intersections": []},
    "image_size": 16,
    "iterations": 4,
    "iterations_per_epoch": 2,
    "batch_size": 16,
}


# The whole of it, tiny


@pytest.fixture(scope="module")
def tiny(run: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("run")
    run("bundles/chexpert/train.json", output_dir=str(output), **TINY)
    return output


def test_all_products_are_there_as_promised(tiny: Path) -> None:
    data, synthetic = ImageStore.open(tiny / "data"), ImageStore.open(tiny / "synthetic")
    assert data.phantom
    assert synthetic.phantom
    assert data.sizes == (16,)
    assert set(data.table["split"]) >= {"train", "id_val", "id_test", "ood_val", "ood_test"}
    assert len(synthetic) == 16
    assert synthetic.table["attr:sex"].value_counts().to_dict() == {"F": 8, "M": 8}
    assert load_model(tiny / "models" / "diffusion.pt", "cpu").kind == "base"
    assert load_classifier(tiny / "models" / "model.pt")[1].method == "50% real + 50% synthetic"
    assert load_classifier(tiny / "models" / "baseline.pt")[1].method == "100% real"
    for product in (
        "data",
        "synthetic",
        "synthetic/quality",
        "evaluation",
        "models/model",
        "models/diffusion",
        "predictions/model",
    ):
        record = json.loads((tiny / f"{product}.settings.json").read_text())
        assert set(record) - {"computed"} == {"settings", "made", "versions", "git_commit"}
        assert ("computed" in record) == (product in ("synthetic", "models/model", "models/diffusion"))
    assert sorted(p.name for p in (tiny / "logs").iterdir()) == [
        "baseline",
        "diffusion",
        "evaluation",
        "model",
        "quality",
    ]
    judgement = json.loads((tiny / "synthetic" / "quality.json").read_text())
    assert judgement["outcome"] == "undecided"  # of 16 images
    assert len(pd.read_parquet(tiny / "synthetic" / "quality.parquet")) == 16
    assert not [name for name in times(tiny) if "partial" in name or "resume" in name]


def test_the_evaluation_speaks_of_both_methods_in_and_out_of_distribution(tiny: Path) -> None:
    metrics = pd.read_csv(tiny / "evaluation" / "metrics.csv")
    assert set(metrics["method"]) == {"100% real", "50% real + 50% synthetic"}
    assert {"id_test", "ood_test"} <= set(metrics["split"])
    assert {"auc", "auc_gap", "auc_worst"} <= set(metrics["metric"])
    comparison = pd.read_csv(tiny / "evaluation" / "comparison.csv")
    assert set(comparison["baseline"]) == {"100% real"}
    report = (tiny / "evaluation" / "report.html").read_text()
    assert "phantom" in report.lower()
    assert "Are the synthetic images good enough?" in report


def test_the_second_run_makes_nothing_anew(
    tiny: Path, run: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before, looked_at = times(tiny), Counter[str]()

    def look_and_note(product: Path, *rest: Any, **how: Any) -> bool:
        looked_at[str(product)] += 1
        return is_current(product, *rest, **how)

    monkeypatch.setattr("medaug.stages.making.is_current", look_and_note)
    monkeypatch.setattr("medaug.stages.making.alone", None)  # what is there takes no lock
    run("bundles/chexpert/train.json", output_dir=str(tiny), **TINY)
    # Each product by one stage, those of a training twice: that is what a run costs again.
    assert sorted(looked_at.values()) == [1] * 3 + [2] * 5
    assert times(tiny) == before
    assert "mean AUC" in capsys.readouterr().out


def test_monai_finds_the_properties_of_a_training(tiny: Path, run: Any) -> None:
    workflow = run("bundles/chexpert/train.json", output_dir=str(tiny), **TINY)
    assert workflow.check_properties() == []
    assert workflow.max_epochs == 2
    assert workflow.trainer.state.max_epochs == 2


def test_another_setting_in_the_same_folder_names_it(tiny: Path, run: Any) -> None:
    before = times(tiny)
    with pytest.raises(RuntimeError) as raised:
        run("bundles/chexpert/train.json", output_dir=str(tiny), **TINY, learning_rate=0.5)
    assert "learning_rate (there 0.001, now 0.5)" in told(raised.value)
    assert times(tiny) == before


def test_a_real_only_training_has_no_baseline_but_itself(tiny: Path, run: Any, tmp_path: Path) -> None:
    (tmp_path / "data").symlink_to(tiny / "data")
    (tmp_path / "data.settings.json").write_bytes((tiny / "data.settings.json").read_bytes())
    run("bundles/chexpert/train.json", output_dir=str(tmp_path), **TINY, real_fraction=1.0)

    assert [p.name for p in (tmp_path / "predictions").glob("*.parquet")] == ["model.parquet"]
    assert not (tmp_path / "evaluation" / "comparison.csv").exists()


# New images


def test_new_images_get_the_scores_that_they_got_in_the_run(tiny: Path, run: Any) -> None:
    (phantoms,) = tiny.glob("phantoms-*")
    workflow = run(
        "bundles/chexpert/inference.json",
        "infer",
        output_dir=str(tiny),
        dataset_dir=str(phantoms / "ChestX-ray14"),
        batch_size=7,
        workers=0,
    )
    assert workflow.check_properties() == []
    assert workflow.network_def is workflow.evaluator.network

    found = pd.read_csv(tiny / "inference" / "predictions.csv")
    assert len(found) == 100
    assert found["phantom"].all()
    known = pd.read_parquet(tiny / "predictions" / "model.parquet").query("domain == 'ChestX-ray14'")
    key = pd.read_csv(tiny / "inference" / "data.key.csv").set_index("pseudonym")["name"]
    found.index = found["image_id"].map(key).str.extract(r"([^/]+)\.\w+$", expand=False)
    for name in CLASSES:
        score = found.loc[known["image_id"], f"score:{name}"].to_numpy()
        np.testing.assert_allclose(score, known[f"score:{name}"], rtol=1e-4)
        assert found[f"label:{name}"].isna().all()


def test_new_labelled_images_can_be_evaluated(tiny: Path, run: Any, tmp_path: Path) -> None:
    (phantoms,) = tiny.glob("phantoms-*")
    run(
        "bundles/chexpert/inference.json",
        "infer",
        output_dir=str(tmp_path),
        model=str(tiny / "models" / "model.pt"),
        dataset_dir=str(phantoms / "ChestX-ray14"),
        reader="chestxray14",
        workers=0,
    )
    table = str(tmp_path / "inference" / "predictions.csv")
    run("bundles/chexpert/evaluate.json", output_dir=str(tmp_path), predictions=table, replicates=0)

    metrics = pd.read_csv(tmp_path / "evaluation" / "metrics.csv")
    overall = metrics[metrics["attribute"].isna() & (metrics["metric"] == "auc") & metrics["label"].notna()]
    assert overall["estimable"].any()
    assert set(overall["domain"]) == {"ChestX-ray14"}


def test_an_image_more_is_not_passed_over(tiny: Path, run: Any, tmp_path: Path) -> None:
    (phantoms,) = tiny.glob("phantoms-*")
    images = sorted((phantoms / "ChestX-ray14").rglob("*.png"))[:3]
    (tmp_path / "ward").mkdir()
    given = {"model": str(tiny / "models" / "model.pt"), "workers": 0}
    given |= {"output_dir": str(tmp_path), "dataset_dir": str(tmp_path / "ward")}

    def predicted(**more: Any) -> int:
        run("bundles/chexpert/inference.json", "infer", **given, **more)
        return len(pd.read_csv(tmp_path / "inference" / "predictions.csv"))

    for image in images[:2]:
        shutil.copy(image, tmp_path / "ward")
    assert predicted() == predicted() == 2
    shutil.copy(images[2], tmp_path / "ward")
    with pytest.raises(RuntimeError) as raised:
        predicted()
    assert "contents (there ['files: 2 " in told(raised.value)
    assert "now ['files: 3 " in told(raised.value)
    assert "--fresh true" in told(raised.value)
    assert predicted(fresh=True) == 3


def test_inference_without_a_folder_says_so(tiny: Path, run: Any) -> None:
    with pytest.raises(RuntimeError) as raised:
        run("bundles/chexpert/inference.json", "infer", output_dir=str(tiny), folder="none")
    assert "--dataset_dir" in told(raised.value)


# Evaluation of a stranger's table


def hand_written(path: Path) -> Path:
    """Twelve rows: the men have both classes, the women only one."""
    rows = [
        (f"i{n}", f"p{n}", "F" if n % 2 else "M", 50 + n, (n + 1) / 13, 0 if n % 2 else int(n > 5))
        for n in range(12)
    ]
    names = ["image_id", "patient_id", "attr:sex", "attr:age", "score:edema", "label:edema"]
    pd.DataFrame(rows, columns=names).to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def evaluated(run: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("evaluate")
    table = hand_written(output / "mine.csv")
    few = {"replicates": 20, "min_group_size": 1}
    run("bundles/chexpert/evaluate.json", output_dir=str(output), predictions=str(table), **few)
    return output


def test_a_group_of_one_class_is_not_estimable(evaluated: Path) -> None:
    metrics = pd.read_csv(evaluated / "evaluation" / "metrics.csv")
    groups = metrics.query("metric == 'auc' and label == 'edema' and attribute == 'sex'").set_index("group")

    women, men = groups.loc["F"], groups.loc["M"]
    assert not women["estimable"]
    assert women["reason"] == "no positive image"
    assert pd.isna(women["value"])
    assert (women["n"], women["n_positive"]) == (6, 0)
    assert men["estimable"]
    assert men["value"] == 1.0
    gap = metrics.query("metric == 'auc_gap' and label == 'edema' and attribute == 'sex'").iloc[0]
    assert not gap["estimable"]
    assert isinstance(gap["reason"], str)
    assert "edema" in (evaluated / "evaluation" / "report.html").read_text()


# What a user sees who makes a mistake


def test_an_unknown_option(root: Path, tmp_path: Path) -> None:
    sentence = fails(
        root, "bundles/chexpert/evaluate.json", "--output_dir", str(tmp_path), "--predicions", "x"
    )
    assert sentence == "medaug: there is no setting 'predicions'; did you mean 'predictions'?"
    assert not list(tmp_path.iterdir())


def test_a_missing_dataset_folder(run: Any, tmp_path: Path) -> None:
    missing, output = str(tmp_path / "nowhere"), tmp_path / "run"
    with pytest.raises(RuntimeError) as raised:
        run("bundles/chexpert/configs/prepare.json", output_dir=str(output), dataset_dir=missing)
    sentence = told(raised.value)
    assert missing in sentence
    assert "dataset_dir" in sentence
    assert sorted(p.name for p in output.iterdir()) == [".data.lock", "data.settings.json"]


def test_other_settings_in_an_old_run_folder(run: Any, evaluated: Path) -> None:
    place = {"output_dir": str(evaluated), "predictions": str(evaluated / "mine.csv")}
    with pytest.raises(RuntimeError) as raised:
        run("bundles/chexpert/evaluate.json", **place, replicates=30)
    sentence = told(raised.value)
    assert "evaluation was made with other settings" in sentence
    assert "evaluation::replicates (there 20, now 30)" in sentence
    assert "--fresh true" in sentence
