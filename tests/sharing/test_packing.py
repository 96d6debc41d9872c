from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import socket
import stat
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from finished_run import BUNDLES, METHOD, SIDE, record
from sklearn.metrics import roc_auc_score

from medaug.classification.classifier import load_classifier
from medaug.errors import DataError
from medaug.sharing import packing
from medaug.sharing.packing import pack
from medaug.sharing.source import Source

CHEXPERT = BUNDLES / "chexpert"


@pytest.fixture
def own_run(finished: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished, tmp_path / "run"))


# What goes in


def test_the_zip_is_one_folder_of_real_files_by_the_specification(zipped: Path) -> None:
    with zipfile.ZipFile(zipped) as archive:
        names = archive.namelist()
        links = [entry for entry in archive.infolist() if stat.S_ISLNK(entry.external_attr >> 16)]
    assert not links
    assert {name.split("/")[0] for name in names} == {"chexpert"}
    assert {name.removeprefix("chexpert/") for name in names} == {
        *("LICENSE", "SHA256SUMS", "docs/README.md", "docs/guide.md", "configs/logging.conf"),
        *(f"configs/{path.name}" for path in CHEXPERT.glob("*.json")),
        *(f"models/{name}" for name in ("model.pt", "model.json", "model.settings.json")),
        *(f"models/{name}" for name in ("diffusion.pt", "diffusion.settings.json")),
    }


def test_the_same_run_gives_the_same_bytes(zipped: Path, finished: Path, tmp_path: Path) -> None:
    again = pack(Source.of(CHEXPERT, finished), tmp_path / "again.zip")
    assert again.read_bytes() == zipped.read_bytes()


def test_the_weights_are_a_plain_state_dictionary_of_the_run(unpacked: Path, finished: Path) -> None:
    weights = torch.load(unpacked / "models" / "model.pt", weights_only=True)
    network, info = load_classifier(finished / "models" / "model.pt")
    assert list(weights) == list(network.state_dict())
    assert all(torch.equal(weights[name], value) for name, value in network.state_dict().items())
    loaded, told = load_classifier(unpacked / "models" / "model.pt")
    assert (told, loaded.settings) == (info, network.settings)


def test_every_file_is_listed_with_its_hash(unpacked: Path) -> None:
    lines = (unpacked / "SHA256SUMS").read_text().splitlines()
    listed = {line.split("  ")[1]: line.split("  ")[0] for line in lines}
    there = {p.relative_to(unpacked).as_posix(): p for p in unpacked.rglob("*") if p.is_file()}
    assert set(listed) == set(there) - {"SHA256SUMS"}
    assert all(hashlib.sha256(there[name].read_bytes()).hexdigest() == listed[name] for name in listed)


def test_the_metadata_are_those_of_the_run(unpacked: Path) -> None:
    metadata = json.loads((unpacked / "configs" / "metadata.json").read_text())
    image = metadata["network_data_format"]["inputs"]["image"]
    assert (image["spatial_shape"], image["num_channels"]) == ([SIDE, SIDE], 1)
    prediction = metadata["network_data_format"]["outputs"]["pred"]
    assert (prediction["num_channels"], prediction["channel_def"]) == (2, {"0": "edema", "1": "effusion"})
    assert (metadata["pytorch_version"], metadata["monai_version"]) == ("2.13.0", "1.6.1")
    assert metadata["required_packages_version"]["medaug"] == "0.2.0"
    assert "drawn" in metadata["data_source"]


def test_configs_say_what_the_run_used_where_the_bundle_leaves_it_to_a_preset(unpacked: Path) -> None:
    def of(config: str, *names: str) -> list[object]:
        content = json.loads((unpacked / "configs" / f"{config}.json").read_text())
        return [content[name] for name in names]

    assert of("train", "network_name", "image_size", "dropout") == ["small_resnet", SIDE, 0.25]
    assert of("prepare", "classes", "fit", "image_size") == [["edema", "effusion"], "crop", SIDE]
    assert of("generate", "images", "sampler", "guidance") == [4, "ddim", 1.5]
    assert of("train", "iterations", "pretrained_weights") == [None, None]


def test_large_files_are_listed_for_the_zoo(finished: Path, tmp_path: Path) -> None:
    folder = tmp_path / "chexpert"
    packing.write_folder(Source.of(CHEXPERT, finished), folder)
    assert not (folder / "large_files.yml").exists()
    packing.write_large_files(folder, "https://example.org/weights/", largest=2**20)
    text = (folder / "large_files.yml").read_text()
    digest = hashlib.sha256((folder / "models" / "model.pt").read_bytes()).hexdigest()
    assert re.findall(r'path: "(.*)"', text) == ["models/model.pt"]
    assert 'url: "https://example.org/weights/models/model.pt"' in text
    assert f'hash_val: "{digest}"' in text


# The card


def test_the_first_ten_lines_say_what_for_on_whom_how_well_how_fairly_and_where_not(
    unpacked: Path, finished: Path
) -> None:
    head = "\n".join((unpacked / "docs" / "README.md").read_text().splitlines()[:10])
    for title in ("What it is for", "Tested on", "How well", "How fairly", "Where it fails", "Generator"):
        assert f"**{title}.**" in head
    assert "60 images of 60 patients of South" in head
    assert "40 images of 40 patients of North" in head
    assert "phantoms, no patients" in head
    metrics = pd.read_csv(finished / "evaluation" / "metrics.csv")
    chosen = (metrics["metric"] == "auc") & metrics["label"].isna() & (metrics["split"] == "id_test")
    row = metrics[chosen & metrics["attribute"].isna()].iloc[0]
    assert f"{row['value']:.3f} [{row['ci_low']:.3f}, {row['ci_high']:.3f}] in distribution" in head


def test_the_mean_in_the_card_is_that_of_the_predictions(unpacked: Path, finished: Path) -> None:
    table = pd.read_parquet(finished / "evaluation" / "predictions.parquet")
    table = table[table["split"] == "id_test"]
    areas = [roc_auc_score(table[f"label:{c}"], table[f"score:{c}"]) for c in ("edema", "effusion")]
    assert f"{np.mean(areas):.3f} [" in (unpacked / "docs" / "README.md").read_text()


def test_the_card_says_of_how_many_patients_a_group_is_and_what_chance_gives(
    unpacked: Path, finished: Path
) -> None:
    card = (unpacked / "docs" / "README.md").read_text()
    table = pd.read_parquet(finished / "evaluation" / "predictions.parquet")
    groups = table[table["split"] == "id_test"].groupby("attr:sex", observed=True)
    for group, rows in groups:
        assert re.search(rf"\| sex {group} \| [^|]*, {rows['patient_id'].nunique()} patients \|", card)
    (gap,) = re.findall(r"between groups of sex ([\d.]+) .* in distribution \((?:not )?clear: ", card)
    areas = [
        np.mean([roc_auc_score(rows[f"label:{c}"], rows[f"score:{c}"]) for c in ("edema", "effusion")])
        for _, rows in groups
    ]
    assert float(gap) == pytest.approx(abs(areas[0] - areas[1]), abs=6e-4)


def test_the_card_has_no_word_of_this_project_without_its_meaning(unpacked: Path) -> None:
    card, _, use = (unpacked / "docs" / "README.md").read_text().partition("## Use")
    assert use
    assert not re.search(r"id_test|ood_test|id_val|OOD|KID|Youden|attr:|\(\d+, \d+\]", card)
    assert "AUC: the chance that" in card
    assert "- In distribution: " in card


def test_nothing_is_told_of_few(unpacked: Path) -> None:
    card = (unpacked / "docs" / "README.md").read_text()
    assert "| training | South | fewer than 10 | fewer than 10 |" in card


# What must not leave


@pytest.mark.parametrize(
    ("what", "kind"),
    [
        ("/home/anna/data/images", "an absolute path"),
        (r"C:\\Users\\anna", "a path of Windows"),
        ("~/data", "a home folder"),
        ("anna@example.org", "an e-mail address"),
        ("1.2.840.113619.2.55.3.604688119", "a DICOM identifier"),
        ("Person-017", "the identifier of a patient"),
        ("see film003x.png", "the name of an image"),
    ],
)
@pytest.mark.parametrize("place", ["guide", "model"])
def test_what_names_a_patient_or_a_place_is_refused_by_file_and_kind(
    what: str, kind: str, place: str, own_run: Path, tmp_path: Path
) -> None:
    bundle = Path(shutil.copytree(CHEXPERT, tmp_path / "chexpert", ignore=shutil.ignore_patterns("output")))
    shutil.copy(BUNDLES.parent / "LICENSE", bundle)
    if place == "guide":
        (bundle / "docs" / "README.md").write_text(f"# Guide\n\nMade from {what}, last year.\n")
    else:
        content = torch.load(own_run / "models" / "diffusion.pt", weights_only=True)
        torch.save({**content, "info": {"note": f"of {what} ."}}, own_run / "models" / "diffusion.pt")
    with pytest.raises(DataError, match=kind) as refusal:
        pack(Source.of(bundle, own_run), tmp_path / "out.zip")
    named = "docs/guide.md" if place == "guide" else "models/diffusion.pt"
    assert f"{named} holds {kind}" in str(refusal.value)
    assert what.split()[-1].removesuffix(".png") not in str(refusal.value)
    assert not (tmp_path / "out.zip").exists()


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("As Doe_Jane-7 shows.", "the name of an image"),
        ("As Müller, Anna Maria shows.", "the name of an image"),
        ("As MRN-4711 shows.", "the identifier of a patient"),
        ("As Jane M. Doe shows.", "the identifier of a patient"),
    ],
)
def test_names_that_a_key_leads_back_to_are_refused(
    text: str, kind: str, own_run: Path, tmp_path: Path
) -> None:
    bundle = Path(shutil.copytree(CHEXPERT, tmp_path / "chexpert", ignore=shutil.ignore_patterns("output")))
    shutil.copy(BUNDLES.parent / "LICENSE", bundle)
    (bundle / "docs" / "README.md").write_text(f"# Guide\n\n{text}\n")
    key = "column,pseudonym,name\n"
    files = 'slide,slide_0001,ward 3/Doe_Jane-7.svs\nslide,slide_0002,"ward 3/Müller, Anna Maria.svs"\n'
    (own_run / "data.key.csv").write_text(key + files)
    (own_run / "evaluation.key.csv").write_text(
        f"{key}patient_id,patient 1,MRN-4711\npatient_id,patient 2,Jane M. Doe\n"
    )
    with pytest.raises(DataError, match=f"guide.md holds {kind}"):
        pack(Source.of(bundle, own_run), tmp_path / "out.zip")


def test_a_key_goes_into_no_bundle_wherever_it_lies(own_run: Path, tmp_path: Path) -> None:
    bundle = Path(shutil.copytree(CHEXPERT, tmp_path / "chexpert", ignore=shutil.ignore_patterns("output")))
    shutil.copy(BUNDLES.parent / "LICENSE", bundle)
    folders = [bundle, bundle / "configs", bundle / "docs", own_run, own_run / "data", own_run / "models"]
    folders += [own_run / "evaluation", own_run / "inference"]
    for folder in folders:
        folder.mkdir(exist_ok=True)
        (folder / "data.key.csv").write_text("column,pseudonym,name\nimage_id,image 1,Zwetschgenbaum.png\n")
    packed = pack(Source.of(bundle, own_run), tmp_path / "out.zip")
    with zipfile.ZipFile(packed) as archive:
        assert [name for name in archive.namelist() if "key" in name] == []
        assert all(b"Zwetschgenbaum" not in archive.read(name) for name in archive.namelist())


def test_the_name_of_the_machine_is_refused(
    own_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: "radiology-ws7.example.org")
    record(own_run / "models" / "diffusion.pt", {"note": "radiology-ws7"})
    with pytest.raises(DataError, match=r"models/diffusion\.settings\.json holds the name of this machine"):
        pack(Source.of(CHEXPERT, own_run), tmp_path / "out.zip")


def test_more_than_a_model_in_a_model_file_is_refused(own_run: Path, tmp_path: Path) -> None:
    path = own_run / "models" / "diffusion.pt"
    torch.save({**torch.load(path, weights_only=True), "rows": torch.zeros(3)}, path)
    with pytest.raises(DataError, match="content that no model has"):
        pack(Source.of(CHEXPERT, own_run), tmp_path / "out.zip")


def test_of_settings_that_are_paths_the_name_only_goes_in(unpacked: Path) -> None:
    text = (unpacked / "models" / "model.settings.json").read_text()
    assert json.loads(text)["settings"]["pretrained_weights"] == "bit.npz"
    assert "git_commit" not in text


# What can go wrong


@pytest.mark.parametrize(
    ("product", "message"),
    [
        ("models/model.pt", "train first"),
        ("evaluation/metrics.csv", "evaluate first"),
        ("data/origin.json", "--data"),
    ],
)
def test_what_is_missing_is_named_with_the_way_out(product: str, message: str, own_run: Path) -> None:
    (own_run / product).unlink()
    with pytest.raises(DataError, match=message):
        Source.of(CHEXPERT, own_run)


def test_an_evaluation_of_other_models_is_refused(own_run: Path, tmp_path: Path) -> None:
    path = own_run / "evaluation" / "metrics.csv"
    path.write_text(path.read_text().replace(METHOD, "other"))
    with pytest.raises(DataError, match="does not measure the classifier"):
        pack(Source.of(CHEXPERT, own_run), tmp_path / "out.zip")


def test_what_is_no_zip_is_never_overwritten(finished: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(DataError, match="is no zip"):
        pack(Source.of(CHEXPERT, finished), tmp_path / "notes.txt")
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_a_zip_that_was_there_stays_when_packing_fails(
    zipped: Path, finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = Path(shutil.copy(zipped, tmp_path / "out.zip"))
    monkeypatch.setattr(packing.shutil, "copyfileobj", lambda *_: os.strerror(1 / 0))
    with pytest.raises(ZeroDivisionError):
        pack(Source.of(CHEXPERT, finished), out)
    assert out.read_bytes() == zipped.read_bytes()
    assert [path.name for path in tmp_path.iterdir() if "partial" in path.name] == []
