from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import openslide
import pandas as pd
import pytest
import tifffile
from bundle_files import times, told
from PIL import Image

from medaug.classification.classifier import load_classifier
from medaug.data.store import ImageStore
from medaug.diffusion.diffusion_model import load_model

pytestmark = pytest.mark.filterwarnings("ignore:parsing config_file:UserWarning")

SLIDES, SIDE, PATCH, DOWNSAMPLE = 4, 768, 32, 2
PREPARE = {"phantom_slides": [SLIDES, SIDE], "image_size": 16, "patch_size": PATCH, "centre": 16}
DIVIDE = {"val_fraction": 0.3, "test_fraction": 0.3, "split_unit": "slide", "normal_per_negative_slide": 8}
GENERATOR = {"channels": [8], "head_channels": 8, "iterations": 4, "iterations_per_epoch": 2, "batch_size": 8}
TINY: dict[str, Any] = {
    "prepare": {**PREPARE, **DIVIDE, "unlabelled_per_slide": 20, "workers": 0},
    "diffusion": {"image_size": 16, **GENERATOR},
    "generate": {"images": 18, "steps": 2},
    "evaluate": {"replicates": 10, "metrics": ["auc", "accuracy"]},
    "image_size": 16,
    "iterations": 4,
    "iterations_per_epoch": 2,
    "batch_size": 16,
}
ON_SLIDES: dict[str, Any] = {"patch_size": PATCH, "workers": 0, "batch_size": 50}


def phantoms(folder: Path) -> Path:
    (found,) = folder.glob("phantoms-*")
    return found / "CAMELYON17" / "training"


# The whole of it, tiny


@pytest.fixture(scope="module")
def tiny(run: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("run")
    run("bundles/camelyon17/train.json", output_dir=str(output), **TINY)
    return output


def test_all_products_are_there_as_promised(tiny: Path) -> None:
    data, synthetic = ImageStore.open(tiny / "data"), ImageStore.open(tiny / "synthetic")
    assert data.phantom
    assert synthetic.phantom
    assert data.sizes == synthetic.sizes == (16,)
    assert data.channels == synthetic.channels == 3
    assert synthetic.table["domain"].value_counts().to_dict() == dict.fromkeys(
        ("center_0", "center_3", "center_4"), 6
    )
    assert load_model(tiny / "models" / "diffusion.pt", "cpu").kind == "base"
    assert load_classifier(tiny / "models" / "model.pt")[1].method == "50% real + 50% synthetic"
    assert load_classifier(tiny / "models" / "baseline.pt")[1].method == "100% real"
    for product in ("data", "synthetic", "evaluation", "models/model", "predictions/model"):
        assert (tiny / f"{product}.settings.json").is_file()
    assert not [
        name for name in times(tiny) if "partial" in name or "resume" in name or "data.slides" in name
    ]


def test_patches_come_from_slides_of_five_hospitals(tiny: Path) -> None:
    table = ImageStore.open(tiny / "data").table
    assert table["slide"].nunique() == 5 * SLIDES
    inside = table["domain"].isin(["center_0", "center_3", "center_4"])
    assert set(table.loc[inside, "split"]) == {"train", "unlabelled", "id_val", "id_test"}
    assert set(table.loc[table["domain"] == "center_1", "split"]) == {"ood_val"}
    assert set(table.loc[table["domain"] == "center_2", "split"]) == {"ood_test"}
    known = table["label:tumour"].notna()
    assert (known == (table["split"] != "unlabelled")).all()
    whole, unlabelled = (table[known].groupby("slide"), table[~known].groupby("slide"))
    assert (unlabelled.size() <= 20).all()
    for slide, labels in whole["label:tumour"]:
        assert (labels == 1).sum() == (labels == 0).sum() or len(labels) == 8, slide


def test_a_stored_patch_is_that_place_of_its_slide(tiny: Path) -> None:
    store = ImageStore.open(tiny / "data")
    for number in range(0, len(store), len(store) // 7):
        row = store.table.iloc[number]
        with openslide.OpenSlide(phantoms(tiny) / row["domain"] / f"{row['slide']}.tif") as slide:
            region = slide.read_region((row["x"], row["y"]), row["level"], (PATCH, PATCH)).convert("RGB")
        expected = np.asarray(region.resize((16, 16), Image.Resampling.BICUBIC))
        np.testing.assert_array_equal(store.images(16)[number], expected)


def test_the_evaluation_compares_hospitals_in_and_out_of_distribution(tiny: Path) -> None:
    metrics = pd.read_csv(tiny / "evaluation" / "metrics.csv")
    assert set(metrics["method"]) == {"100% real", "50% real + 50% synthetic"}
    assert {"id_val", "id_test", "ood_val", "ood_test"} <= set(metrics["split"])
    gaps = metrics.query("metric == 'accuracy_gap' and attribute == 'domain'")
    assert set(gaps["split"]) == {"id_val", "id_test"}
    assert not gaps["estimable"].any()  # of so few patients
    groups = metrics.query("metric == 'accuracy' and attribute == 'domain' and split == 'id_test'")
    predictions = pd.read_parquet(tiny / "predictions" / "model.parquet")
    hospitals = set(predictions.query("split == 'id_test'")["domain"])
    assert len(hospitals) > 1
    for _, method in groups.groupby("method"):
        assert set(method["group"]) == hospitals
    table = predictions.query("split == 'ood_test'")
    right = (table["score:tumour"] >= 0.5) == (table["label:tumour"] == 1)
    overall = metrics.query(
        "metric == 'accuracy' and split == 'ood_test' and method.str.endswith('synthetic')"
    )
    assert overall.loc[overall["attribute"].isna(), "value"].iloc[0] == pytest.approx(right.mean())


def test_the_report_shows_the_slides(tiny: Path) -> None:
    slides = {path.stem for path in phantoms(tiny).rglob("*.tif")}
    assert {path.stem for path in (tiny / "data" / "overviews").glob("*.png")} == slides
    report = (tiny / "evaluation" / "report.html").read_text()
    assert "phantom data" in report.lower()
    assert "The slides</h2>" in report
    pictures = report.split("The slides</h2>")[1].split("<h2")[0]
    assert pictures.count("<img") == 10  # of each hospital one slide with tumour and one without
    assert not [slide for slide in slides if slide in report]


def test_the_second_run_makes_nothing_anew(tiny: Path, run: Any, capsys: pytest.CaptureFixture[str]) -> None:
    before = times(tiny)
    run("bundles/camelyon17/train.json", output_dir=str(tiny), **TINY)
    assert times(tiny) == before
    assert "accuracy" in capsys.readouterr().out


def test_another_grid_in_the_same_folder_is_named(tiny: Path, run: Any) -> None:
    before = times(tiny)
    changed = {**TINY, "prepare": {**TINY["prepare"], "tissue_fraction": 0.25}}
    with pytest.raises(RuntimeError) as raised:
        run("bundles/camelyon17/train.json", output_dir=str(tiny), **changed)
    shown = told(raised.value)
    assert "data was made with other settings: patches" in shown
    assert "--fresh true" in shown
    assert times(tiny) == before


# Other experiments on the same slides


def drawn(tiny: Path) -> dict[str, Any]:
    """The slides of the run, as a data set of one's own."""
    return {"dataset_dir": str(phantoms(tiny)), "workers": 0, **PREPARE, "phantom_slides": [1, 512]}


def test_a_label_budget_leaves_labels_out_but_keeps_the_patches(tiny: Path, run: Any, tmp_path: Path) -> None:
    run(
        "bundles/camelyon17/train.json",
        output_dir=str(tmp_path),
        data_dir=str(tiny / "data"),
        label_budget=1,
        real_fraction=1.0,
        **{name: value for name, value in TINY.items() if name not in ("diffusion", "generate")},
    )
    settings = json.loads((tmp_path / "models" / "model.settings.json").read_text())["settings"]
    assert settings["skew"]["caps"] == {"center_3": 1, "center_4": 1}
    assert not (tmp_path / "data").exists()
    budgeted = pd.read_parquet(tmp_path / "predictions" / "model.parquet")
    whole = pd.read_parquet(tiny / "predictions" / "baseline.parquet")
    assert budgeted["image_id"].tolist() == whole["image_id"].tolist()
    assert (tmp_path / "evaluation" / "report.html").is_file()


@pytest.mark.parametrize("unit", ["patch", "patient"])
def test_what_is_in_one_split_only(tiny: Path, run: Any, tmp_path: Path, unit: str) -> None:
    divide = {**DIVIDE, "split_unit": unit}
    run("bundles/camelyon17/prepare.json", output_dir=str(tmp_path), **drawn(tiny), **divide)

    table = ImageStore.open(tmp_path / "data").table
    labelled = table[table["label:tumour"].notna()]
    inside = labelled[labelled["split"].isin(["train", "id_val", "id_test"])]
    splits = inside.groupby("slide" if unit == "patch" else "patient_id")["split"].nunique()
    assert splits.max() == (3 if unit == "patch" else 1)
    assert set(labelled["split"]) == {"train", "id_val", "id_test", "ood_val", "ood_test"}
    assert set(labelled.loc[labelled["domain"] == "center_1", "split"]) == {"ood_val"}
    assert json.loads((tmp_path / "data" / "origin.json").read_text())["split"]["unit"] == unit


# New slides


@pytest.fixture(scope="module")
def new_slides(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two slides of the run, and a web page under the name of one."""
    folder = tmp_path_factory.mktemp("slides")
    for slide in sorted(phantoms(tiny).rglob("center_2/*.tif"))[:2]:
        shutil.copy(slide, folder)
    (folder / "patient_099_node_9.tif").write_text("<html>not found</html>")
    return folder


@pytest.fixture(scope="module")
def predicted(tiny: Path, new_slides: Path, run: Any) -> Path:
    settings = {"dataset_dir": str(new_slides), "max_rejected": 0.5, "reader_options": {"names": "files"}}
    workflow = run(
        "bundles/camelyon17/inference.json", "infer", output_dir=str(tiny), **ON_SLIDES, **settings
    )
    assert workflow.check_properties() == []
    return tiny / "inference"


def test_all_tissue_is_predicted_as_in_the_run(tiny: Path, predicted: Path) -> None:
    found = pd.read_csv(predicted / "predictions.csv").set_index("image_id")
    known = pd.read_parquet(tiny / "predictions" / "model.parquet").set_index("image_id")
    names = {name.rsplit("_x", 1)[0] for name in found.index}
    assert len(names) == 2
    known = known[[name.rsplit("_x", 1)[0] in names for name in known.index]]
    assert len(found) > len(known) > 10
    assert found["label:tumour"].isna().all()
    scores = found.loc[known.index, "score:tumour"].to_numpy()
    np.testing.assert_allclose(scores, known["score:tumour"], rtol=1e-4)


def test_heat_maps_hold_the_predictions(predicted: Path, new_slides: Path) -> None:
    store = ImageStore.open(predicted / "data").table
    table = pd.read_csv(predicted / "predictions.csv").merge(store[["image_id", "slide", "x", "y"]])
    assert len(table) == len(store)
    assert {path.stem for path in (predicted / "heatmaps").iterdir()} == set(table["slide"])
    for slide, rows in table.groupby("slide"):
        heat = pd.read_csv(predicted / "heatmaps" / f"{slide}.csv")
        rows = rows.sort_values(["y", "x"])
        np.testing.assert_array_equal(heat[["x", "y"]], rows[["x", "y"]])
        np.testing.assert_allclose(heat["probability"], rows["score:tumour"], rtol=1e-6)
        assert heat[["x", "y"]].to_numpy().max() <= SIDE - PATCH * DOWNSAMPLE
        with Image.open(predicted / "heatmaps" / f"{slide}.png") as picture:
            assert min(picture.size) > 300


def test_a_slide_that_cannot_be_read_is_listed_with_the_reason(predicted: Path) -> None:
    rejected = pd.read_csv(predicted / "data" / "rejected.csv")
    assert rejected["file"].tolist() == ["patient_099_node_9.tif"]
    assert rejected["reason"].str.len().gt(10).all()
    assert "patient_099" not in (predicted / "predictions.csv").read_text()


def test_heat_maps_follow_their_predictions(tiny: Path, predicted: Path, run: Any, new_slides: Path) -> None:
    settings = {"dataset_dir": str(new_slides), "max_rejected": 0.5, "reader_options": {"names": "files"}}
    before = {path.name: path.read_bytes() for path in (predicted / "heatmaps").glob("*.csv")}
    model = str(tiny / "models" / "baseline.pt")
    new = {**ON_SLIDES, **settings, "output_dir": str(tiny), "model": model, "fresh": True}
    run("bundles/camelyon17/inference.json", "infer", **new)

    after = {path.name: path.read_bytes() for path in (predicted / "heatmaps").glob("*.csv")}
    assert after.keys() == before.keys()
    assert all(after[name] != before[name] for name in before)
    kept = list(predicted.glob("before-*/heatmaps/*.csv"))
    assert {path.name: path.read_bytes() for path in kept} == before


# What a user sees who makes a mistake


def test_a_slide_without_resolution_needs_a_level(tiny: Path, run: Any, tmp_path: Path) -> None:
    folder = tmp_path / "slides"
    folder.mkdir()
    pixels = np.full((512, 512, 3), (200, 90, 160), np.uint8)
    tifffile.imwrite(folder / "a.tif", pixels, tile=(256, 256), photometric="rgb", compression="jpeg")
    place = {"output_dir": str(tmp_path / "run"), "dataset_dir": str(folder)}
    model = str(tiny / "models" / "model.pt")

    with pytest.raises(RuntimeError) as raised:
        run("bundles/camelyon17/inference.json", "infer", **place, model=model, workers=0)
    sentence = told(raised.value)
    assert "resolution" in sentence
    assert "level" in sentence
    assert not (tmp_path / "run" / "inference" / "data").exists()


def test_slides_have_one_class(tiny: Path, run: Any, tmp_path: Path) -> None:
    place = {"output_dir": str(tmp_path / "run"), "dataset_dir": str(phantoms(tiny))}
    with pytest.raises(RuntimeError) as raised:
        run("bundles/camelyon17/prepare.json", **place, classes=["edema"], workers=0)
    sentence = told(raised.value)
    assert "'tumour'" in sentence
    assert "edema" in sentence


def test_a_folder_without_slides_says_which_there_should_be(run: Any, tmp_path: Path) -> None:
    place = {"output_dir": str(tmp_path / "run"), "dataset_dir": str(tmp_path)}
    with pytest.raises(RuntimeError) as raised:
        run("bundles/camelyon17/prepare.json", **place)
    assert "patient_000_node_0.tif" in told(raised.value)
