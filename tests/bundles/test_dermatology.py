from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from bundle_files import config, folder
from monai.bundle import ConfigParser

from medaug.classification.classifier import load_classifier
from medaug.data.store import ImageStore
from medaug.diffusion.diffusion_model import load_model
from medaug.task import Task

pytestmark = pytest.mark.filterwarnings("ignore:parsing config_file:UserWarning")

HIGH_RISK = ("basal cell carcinoma", "melanoma", "SCC/SCCIS", "urticaria")
CLASSES = [*HIGH_RISK, "acne", "melanocytic nevus", "tinea", "other"]
SITES = ["clinics_australia", "teledermatology_colombia", "teledermatology_us"]
METRICS = ["balanced_top3_accuracy", "top3_accuracy", "balanced_accuracy", "high_risk_sensitivity"]
GENERATOR = {"channels": [8], "head_channels": 8, "iterations": 4, "iterations_per_epoch": 2, "batch_size": 8}
GENERATOR |= {"residual_blocks": 1, "workers": 0}
TINY: dict[str, Any] = {
    "prepare": {"phantom_images": [120, 40, 40], "classes": CLASSES, "image_size": 32, "base_size": 8}
    | {"workers": 0},
    "diffusion": {"image_size": 8, **GENERATOR},
    "upsampler": {"image_size": 32, "low_size": 8, **GENERATOR},
    "generate": {"images": 40, "steps": 2, "upsampler_steps": 2, "exclude": ["tinea", "acne"]},
    "evaluate": {"replicates": 10, "metrics": [*METRICS, "sensitivity"], "intersections": []},
    "preset": "single_gpu",  # whose generator is a cascade
    "network_name": "small_resnet",
    "workers": 0,
    "image_size": 32,
    "iterations": 4,
    "iterations_per_epoch": 2,
    "batch_size": 16,
}


@pytest.fixture(scope="module")
def tiny(run: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("run")
    run("bundles/dermatology/train.json", output_dir=str(output), **TINY)
    return output


def weights(store: ImageStore, rows: Any) -> np.ndarray:
    return store.task.labels(store.table[rows])


def test_the_default_classes_are_those_of_the_built_in_table() -> None:
    table = pd.read_csv(Path(__file__).parents[2] / "medaug" / "data" / "dermatology_classes.csv")
    classes = config("dermatology", "prepare")["classes"]
    assert len(classes) == 27
    assert set(classes) == set(table["class"])


def test_the_store_holds_soft_labels_of_one_site_and_unlabelled_images_of_the_others(tiny: Path) -> None:
    store = ImageStore.open(tiny / "data")
    table = store.table
    assert store.phantom
    assert (store.channels, store.sizes) == (3, (32, 8))
    assert (store.task.kind, store.task.high_risk) == ("multiclass", HIGH_RISK)
    assert sorted(table["domain"].unique()) == SITES
    inside = table["split"].isin(["train", "id_val", "id_test"])
    assert set(table["domain"][inside]) == {"teledermatology_us"}
    assert set(table["split"][~inside]) == {"unlabelled", "ood_val", "ood_test"}

    unlabelled = table["split"] == "unlabelled"
    assert set(table["domain"][unlabelled]) >= set(SITES[:2])
    assert np.isnan(weights(store, unlabelled)).all()
    labels = weights(store, ~unlabelled)
    labels = labels[~np.isnan(labels).all(axis=1)]  # a patient who is held out may have an ungradable image
    assert len(labels) > 80
    np.testing.assert_allclose(labels.sum(axis=1), 1, atol=1e-6)
    assert ((labels > 0).sum(axis=1) > 1).any()


def test_the_generator_makes_even_skin_tones_and_nothing_that_is_excluded(tiny: Path) -> None:
    synthetic = ImageStore.open(tiny / "synthetic")
    everything = np.ones(len(synthetic), bool)
    assert synthetic.channels == 3
    assert sorted(synthetic.table["attr:skin_tone"].value_counts()) == [6, 6, 7, 7, 7, 7]
    labels = weights(synthetic, everything)
    chosen = pd.Series(labels.argmax(axis=1)).map(dict(enumerate(synthetic.task.classes)))
    assert not {"tinea", "acne"} & set(chosen)
    assert load_model(tiny / "models" / "upsampler.pt", "cpu").kind == "upsampler"


def test_the_evaluation_is_about_conditions_sites_and_three_attributes(tiny: Path) -> None:
    metrics = pd.read_csv(tiny / "evaluation" / "metrics.csv")
    assert set(metrics["method"]) == {"100% real, small_resnet", "50% real + 50% synthetic, small_resnet"}
    assert {name + end for name in METRICS for end in ("", "_gap")} <= set(metrics["metric"])
    assert set(metrics["attribute"].dropna()) == {"sex", "age", "skin_tone"}
    assert set(metrics.loc[metrics["split"] == "ood_test", "domain"]) == {*SITES[:2], "all"}
    sensitivity = metrics[(metrics["metric"] == "sensitivity") & metrics["attribute"].isna()]
    assert set(HIGH_RISK) <= set(sensitivity["label"])

    predictions = pd.read_parquet(tiny / "predictions" / "model.parquet")
    np.testing.assert_allclose(predictions.filter(like="score:").sum(axis=1), 1, atol=1e-5)
    here = predictions[predictions["split"] == "ood_test"]
    labels = here.filter(like="label:").to_numpy()
    here = here[(labels == labels.max(axis=1, keepdims=True)).sum(axis=1) == 1]  # of one condition
    truth, score = (here.filter(like=kind).to_numpy().argmax(axis=1) for kind in ("label:", "score:"))
    high = np.isin(truth, [list(load_task(tiny).classes).index(name) for name in HIGH_RISK])
    found = metrics.query(
        "metric == 'high_risk_sensitivity' and split == 'ood_test' and domain == 'all'"
        " and method == '50% real + 50% synthetic, small_resnet' and attribute.isna()"
    )
    assert found["value"].item() == pytest.approx((truth == score)[high].mean())
    assert found["n_positive"].item() == high.sum()


def load_task(tiny: Path) -> Task:
    return load_classifier(tiny / "models" / "model.pt")[1].task


def test_skew_weights_and_oversampling_are_settings_of_the_training(
    tiny: Path, run: Any, tmp_path: Path
) -> None:
    skew = {"attribute": "sex", "caps": {"M": 5}, "surplus": "unlabelled"}
    workflow = run(
        "bundles/dermatology/train.json",
        output_dir=str(tmp_path),
        data_dir=str(tiny / "data"),
        real_fraction=1.0,
        skew=skew,
        weigh_by="sex",
        oversample="skin_tone",
        **{name: value for name, value in TINY.items() if name not in ("generate", "evaluate")},
        evaluate={"replicates": 0, "permutations": 0, "metrics": METRICS, "intersections": []},
    )
    trained_on = workflow.parser.get_parsed_content("shared").store
    split = trained_on.table[trained_on.table["attr:sex"] == "M"]["split"]
    assert (split == "train").sum() == 5
    info = load_classifier(tmp_path / "models" / "model.pt")[1]
    assert info.method == "100% real, weighted by sex, oversampled by skin_tone, small_resnet"
    counts = [
        ImageStore.open(tiny / "data").table["split"].eq(name).sum() for name in ("id_test", "ood_test")
    ]
    evaluated = pd.read_parquet(tmp_path / "predictions" / "model.parquet")["split"]
    assert [evaluated.eq(name).sum() for name in ("id_test", "ood_test")] == counts


def test_new_photographs_get_the_scores_that_they_got_in_the_run(tiny: Path, run: Any) -> None:
    (phantoms,) = tiny.glob("phantoms-*")
    run(
        "bundles/dermatology/inference.json",
        "infer",
        output_dir=str(tiny),
        dataset_dir=str(phantoms / "clinics_australia"),
        reader="scin",
        workers=0,
    )
    found = pd.read_csv(tiny / "inference" / "predictions.csv").set_index("image_id")
    known = pd.read_parquet(tiny / "predictions" / "model.parquet").query("domain == 'clinics_australia'")
    assert len(known)
    for name in load_task(tiny).classes:
        score = found.loc[known["image_id"], f"score:{name}"].to_numpy()
        np.testing.assert_allclose(score, known[f"score:{name}"], rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize(
    ("stage", "expected"),
    [
        ("train_diffusion", {"image_size": 64, "channels": (192, 384, 576, 768), "learning_rate": 1.5e-4}),
        ("train_upsampler", {"image_size": 256, "low_size": 64, "channels": (128, 128, 256, 256, 512, 512)}),
        ("train", {"network_name": "bit_101x3", "optimizer_name": "sgd", "iterations": 10_000}),
    ],
)
def test_the_preset_of_the_paper_is_table_e1(stage: str, expected: dict[str, Any]) -> None:
    parser = ConfigParser()
    parser.read_config(str(folder("dermatology") / f"{stage}.json"))
    parser.read_meta(str(folder("dermatology") / "metadata.json"))
    parser["preset"] = "paper"
    how = parser.get_parsed_content("stage").settings
    assert {name: getattr(how, name) for name in expected} == expected
