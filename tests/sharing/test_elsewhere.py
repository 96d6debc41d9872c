"""A bundle that was packed and unpacked does elsewhere what MONAI's tools and medaug's configs ask of it."""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import monai.bundle
import monai.bundle.scripts
import nibabel
import numpy as np
import pandas as pd
import pydicom
import pytest
import torch
from finished_run import SIDE, TASK
from monai.bundle import ConfigWorkflow
from PIL import Image
from pydicom.uid import ComputedRadiographyImageStorage, ExplicitVRLittleEndian
from sklearn.metrics import roc_auc_score

from medaug.classification.classifier import load_classifier
from medaug.data.store import ImageStore

pytestmark = [
    pytest.mark.filterwarnings("ignore:parsing config_file:UserWarning"),
]

SCHEMA = {
    "$schema": "http://json-schema.org/draft-07/schema#",
    "type": "object",
    "required": [
        *("version", "changelog", "monai_version", "pytorch_version", "numpy_version"),
        *("required_packages_version", "task", "description", "authors", "copyright", "network_data_format"),
    ],
    "properties": {
        "changelog": {"type": "object", "additionalProperties": {"type": "string"}},
        "required_packages_version": {"type": "object", "additionalProperties": {"type": "string"}},
        "network_data_format": {"type": "object", "required": ["inputs", "outputs"]},
    },
}
"""What the specification says of metadata; the whole schema is on the web, where no test goes."""

IMAGES = torch.linspace(0, 1, 2 * SIDE * SIDE).reshape(2, 1, SIDE, SIDE)


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Work in an empty folder, with a space in its name, where nothing of the repository is."""
    place = tmp_path / "where I work"
    place.mkdir()
    monkeypatch.chdir(place)
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    yield
    logging.captureWarnings(False)


def everything(folder: Path) -> set[Path]:
    return {path.relative_to(folder) for path in folder.rglob("*")}


def run(config: Path, kind: str = "train", **settings: Any) -> ConfigWorkflow:
    workflow = ConfigWorkflow(str(config), workflow_type=kind, logging_file=False, **settings)
    workflow.initialize()
    workflow.run()
    workflow.finalize()
    return workflow


def logits(unpacked: Path, images: torch.Tensor = IMAGES) -> torch.Tensor:
    with torch.inference_mode():
        return load_classifier(unpacked / "models" / "model.pt")[0](images)


# MONAI's own tools


def test_verify_metadata(unpacked: Path) -> None:
    Path("schema.json").write_text(json.dumps(SCHEMA))
    monai.bundle.verify_metadata(
        meta_file=str(unpacked / "configs" / "metadata.json"),
        filepath="schema.json",
        hash_val=hashlib.sha256(Path("schema.json").read_bytes()).hexdigest(),
        hash_type="sha256",
    )


def test_verify_net_in_out_from_elsewhere_and_from_inside(
    unpacked: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {"meta_file": "configs/metadata.json", "config_file": "configs/inference.json"}
    whole = {name: str(unpacked / file) for name, file in files.items()}
    monai.bundle.verify_net_in_out("network_def", device="cpu", bundle_root=str(unpacked), **whole)
    monkeypatch.chdir(unpacked)
    monai.bundle.verify_net_in_out("network_def", device="cpu", **files)


def test_ckpt_export_with_its_defaults(taken: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(taken)
    monai.bundle.ckpt_export(config_file="configs/inference.json")
    network = torch.jit.load("models/model.ts")
    torch.testing.assert_close(network(IMAGES), logits(taken))


@pytest.mark.filterwarnings("ignore")  # what the exporter says of itself
def test_onnx_export(unpacked: Path) -> None:
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxscript")
    from onnx.reference import ReferenceEvaluator

    monai.bundle.onnx_export(
        "network_def",
        filepath="model.onnx",
        ckpt_file=str(unpacked / "models" / "model.pt"),
        meta_file=str(unpacked / "configs" / "metadata.json"),
        config_file=str(unpacked / "configs" / "inference.json"),
        bundle_root=str(unpacked),
    )
    model = onnx.load("model.onnx")
    onnx.checker.check_model(model)
    (given,) = model.graph.input
    (scores,) = ReferenceEvaluator(model).run(None, {given.name: IMAGES[:1].numpy()})
    np.testing.assert_allclose(scores, logits(unpacked)[:1].numpy(), atol=1e-4)


def test_torch_export(unpacked: Path) -> None:
    network = monai.bundle.load("chexpert", bundle_dir=str(unpacked.parent), device="cpu").eval()
    program = torch.export.export(network, (IMAGES,))
    torch.export.save(program, "model.pt2")
    torch.testing.assert_close(torch.export.load("model.pt2").module()(IMAGES), logits(unpacked))


@pytest.mark.parametrize("kind", ["train", "inference"])
def test_load_gives_the_network_with_its_weights_and_makes_nothing(unpacked: Path, kind: str) -> None:
    before = everything(unpacked)
    network = monai.bundle.load(
        "chexpert", bundle_dir=str(unpacked.parent), workflow_type=kind, device="cpu"
    ).eval()
    with torch.inference_mode():
        assert torch.equal(network(IMAGES), logits(unpacked))
    assert everything(unpacked) == before
    assert everything(Path.cwd()) == set()


@pytest.mark.parametrize(
    ("config", "kind"), [("train", "train"), ("train_diffusion", "train"), ("inference", "inference")]
)
def test_create_workflow_has_all_properties_and_makes_nothing(unpacked: Path, config: str, kind: str) -> None:
    before = everything(unpacked)
    workflow = monai.bundle.create_workflow(
        config_file=str(unpacked / "configs" / f"{config}.json"), workflow_type=kind, logging_file=False
    )
    assert workflow.check_properties() == []
    assert everything(unpacked) == before
    assert everything(Path.cwd()) == set()


def test_the_checks_of_the_zoo_on_directory_and_version(unpacked: Path) -> None:
    """What ``ci/verify_bundle.py`` of Project-MONAI/model-zoo asks of a folder."""
    metadata = json.loads((unpacked / "configs" / "metadata.json").read_text())
    assert metadata["version"] in metadata["changelog"]
    assert all((unpacked / name).is_file() for name in ("LICENSE", "docs/README.md", "models/model.pt"))
    assert not [path for path in unpacked.rglob("*") if path.stat().st_size > 25 * 2**20]
    assert not [path for path in unpacked.rglob("*") if path.is_symlink()]


def test_push_to_hf_hub_up_to_the_network(taken: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("huggingface_hub")
    calls: dict[str, dict[str, Any]] = {}

    def api(**_: Any) -> Any:
        names = ("create_repo", "upload_folder", "create_tag")
        return SimpleNamespace(
            **{name: lambda name=name, **given: calls.update({name: given}) for name in names}
        )

    hub = SimpleNamespace(HfApi=api)
    monkeypatch.setattr(monai.bundle.scripts, "huggingface_hub", hub)
    monai.bundle.push_to_hf_hub("me/chexpert", "chexpert", str(taken.parent), version="0.2.0")
    assert Path(calls["upload_folder"]["folder_path"]) == taken
    assert calls["create_tag"] == {"repo_id": "me/chexpert", "tag": "0.2.0", "exist_ok": True}
    card = (taken / "README.md").read_text()
    assert card.startswith("---\ntags:\n- monai")
    assert "license: apache-2.0" in card


# medaug's configs


def new_images(folder: Path) -> Path:
    """The same picture as PNG, DICOM and NIfTI."""
    folder.mkdir()
    pixels = (np.arange(SIDE * SIDE) % 251).astype(np.uint8).reshape(SIDE, SIDE)
    Image.fromarray(pixels).save(folder / "a.png")
    nibabel.save(nibabel.Nifti1Image(pixels.T[:, :, None], np.diag([-1, -1, 1, 1])), folder / "b.nii.gz")
    film = pydicom.Dataset()
    film.file_meta = pydicom.dataset.FileMetaDataset()
    film.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    film.SOPClassUID, film.SOPInstanceUID = ComputedRadiographyImageStorage, "1.2.3.4.5.6.7"
    film.Modality, film.PhotometricInterpretation = "CR", "MONOCHROME2"
    film.Rows = film.Columns = SIDE
    film.SamplesPerPixel, film.PixelRepresentation = 1, 0
    film.BitsAllocated, film.BitsStored, film.HighBit = 8, 8, 7
    film.PixelData = pixels.tobytes()
    film.save_as(folder / "c.dcm", enforce_file_format=True)
    return folder


@pytest.mark.filterwarnings("ignore:.*:UserWarning:pydicom")
def test_inference_on_png_dicom_and_nifti_with_the_shared_weights(unpacked: Path) -> None:
    run(
        unpacked / "configs" / "inference.json",
        "inference",
        dataset_dir=str(new_images(Path("films"))),
        output_dir="out",
        workers=0,
    )
    table = pd.read_csv("out/inference/predictions.csv")
    assert len(table) == 3
    scores = table[["score:edema", "score:effusion"]].to_numpy()
    image = torch.from_numpy(np.asarray(Image.open("films/a.png"), dtype=np.float32) / 255)[None, None]
    expected = torch.sigmoid(logits(unpacked, image)).numpy()[0]
    np.testing.assert_allclose(scores[0], expected, atol=1e-4)
    assert ((scores > 0) & (scores < 1)).all()
    assert not (unpacked / "output").exists()


def own_table(path: Path) -> pd.DataFrame:
    random = np.random.default_rng(4)
    table = pd.DataFrame({"patient_id": [f"p{place}" for place in range(120)]})
    for name in TASK.classes:
        table[f"label:{name}"] = random.integers(0, 2, 120)
        table[f"score:{name}"] = random.random(120)
    table["attr:sex"] = np.where(np.arange(120) % 2, "F", "M")
    table.to_csv(path, index=False)
    return table


AUDIT: dict[str, Any] = {"predictions": "mine.csv", "output_dir": "audit", "metrics": ["auc"]}
AUDIT |= {"replicates": 10, "permutations": 10}


def test_evaluate_on_ones_own_table_is_an_audit(unpacked: Path) -> None:
    mine = own_table(Path("mine.csv"))
    run(unpacked / "configs" / "evaluate.json", **AUDIT)
    metrics = pd.read_csv("audit/evaluation/metrics.csv")
    rows = metrics[(metrics["metric"] == "auc") & (metrics["label"] == "edema")]
    overall = rows[rows["attribute"].isna()]["value"].item()
    assert overall == pytest.approx(roc_auc_score(mine["label:edema"], mine["score:edema"]))
    women = mine[mine["attr:sex"] == "F"]
    assert rows[rows["group"] == "F"]["value"].item() == pytest.approx(
        roc_auc_score(women["label:edema"], women["score:edema"])
    )
    assert Path("audit/evaluation/report.html").is_file()


def test_generate_from_the_shared_weights_without_images_or_training(unpacked: Path) -> None:
    run(unpacked / "configs" / "generate.json", output_dir="drawn", images=6)
    store = ImageStore.open("drawn/synthetic")
    assert store.images(SIDE).shape == (6, SIDE, SIDE, 1)
    assert (store.table["synthetic"].all(), store.phantom) == (True, True)
    assert store.table["attr:sex"].value_counts().to_dict() == {"F": 3, "M": 3}
    labels = store.table[TASK.label_columns].value_counts().to_dict()
    assert labels == {(0.0, 0.0): 2, (1.0, 0.0): 2, (0.0, 1.0): 2}
    made = [".synthetic.lock", "synthetic", "synthetic.settings.json"]
    assert sorted(path.name for path in Path("drawn").iterdir()) == made


# Tracking


class Client:
    """Keeps what MLflow would be told."""

    told: dict[str, Any]

    def __init__(self, tracking_uri: str) -> None:
        type(self).told = {"uri": tracking_uri, "params": {}, "metrics": {}, "artifacts": []}

    def get_experiment_by_name(self, name: str) -> Any:
        return SimpleNamespace(experiment_id="1")

    def search_runs(self, *_: Any, **__: Any) -> list[Any]:
        return []

    def create_run(self, experiment: str, run_name: str | None) -> Any:
        return SimpleNamespace(info=SimpleNamespace(run_id="r"))

    def log_batch(self, run: str, params: Any = (), metrics: Any = ()) -> None:
        self.told["params"] |= {item.key: item.value for item in params}
        self.told["metrics"] |= {item.key: item.value for item in metrics}

    def log_artifact(self, run: str, path: str) -> None:
        self.told["artifacts"].append(Path(path).name)

    def set_terminated(self, run: str) -> None:
        self.told["ended"] = run


def item(key: str, value: Any, *_: Any) -> Any:
    return SimpleNamespace(key=key, value=value)


@pytest.fixture
def _mlflow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand in for MLflow, which asks for older packages than are installed here."""
    module, entities = ModuleType("mlflow"), ModuleType("mlflow.entities")
    module.MlflowClient, entities.Metric, entities.Param = Client, item, item  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "mlflow", module)
    monkeypatch.setitem(sys.modules, "mlflow.entities", entities)


@pytest.mark.usefixtures("_mlflow")
def test_tracking_tells_settings_metrics_by_group_and_the_report_but_no_place(unpacked: Path) -> None:
    own_table(Path("mine.csv"))
    run(unpacked / "configs" / "evaluate.json", **AUDIT, tracking="mlflow")
    metrics = pd.read_csv("audit/evaluation/metrics.csv")
    told = Client.told
    assert told["uri"].startswith("sqlite:///")
    assert (told["params"]["replicates"], told["params"]["modality"]) == ("10", "radiology")
    assert not [value for value in told["params"].values() if "/" in value]
    rows = metrics[(metrics["metric"] == "auc") & metrics["label"].isna() & (metrics["group"] == "F")]
    name = f"{rows['method'].item()}/unknown/unknown/auc/sex/F"
    assert told["metrics"][name] == pytest.approx(rows["value"].item())
    assert told["artifacts"] == ["report.html"]
    assert told["ended"] == "r"


def test_tracking_without_mlflow_is_a_sentence(unpacked: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mlflow", None)
    own_table(Path("mine.csv"))
    with pytest.raises(RuntimeError) as failure:
        run(unpacked / "configs" / "evaluate.json", **AUDIT, tracking="mlflow")
    assert "pip install mlflow" in str(failure.value.__cause__)
    assert not Path("audit/evaluation").exists()


def test_a_bundle_in_a_copy_with_another_name_still_finds_its_weights(taken: Path) -> None:
    renamed = Path(shutil.move(taken, taken.with_name("another name")))
    workflow = ConfigWorkflow(
        str(renamed / "configs" / "inference.json"), workflow_type="inference", logging_file=False
    )
    workflow.initialize()
    assert workflow.parser.get_parsed_content("stage").model == str(renamed / "models" / "model.pt")
