from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from pydicom import dcmread

from medaug.data.pixels import read_pixels
from medaug.phantoms.chest import trees
from medaug.phantoms.chest.dicom_file import write_dicom
from medaug.phantoms.chest.population import CHEXPERT, Patient
from medaug.phantoms.chest.radiograph import draw_radiograph
from medaug.phantoms.chest.trees import write_chestxray14_tree, write_chexpert_tree, write_radiograph_phantoms
from medaug.phantoms.mark import PHANTOM_FILE
from medaug.randomness import numpy_generator

FIVE = ["Atelectasis", "Cardiomegaly", "Consolidation", "Edema", "Pleural Effusion"]


def test_both_trees_are_there_and_say_that_they_are_phantoms(phantoms: Path) -> None:
    for folder in (phantoms, phantoms / "CheXpert-v1.0-small", phantoms / "ChestX-ray14"):
        assert "Phantom data" in (folder / PHANTOM_FILE).read_text(encoding="utf-8")
    assert len(list((phantoms / "CheXpert-v1.0-small").rglob("view1_frontal.jpg"))) == 300
    assert len(list((phantoms / "ChestX-ray14" / "images").iterdir())) == 200


def test_chexpert_tables_have_the_real_quirks(phantoms: Path) -> None:
    train = pd.read_csv(phantoms / "CheXpert-v1.0-small" / "train.csv")
    valid = pd.read_csv(phantoms / "CheXpert-v1.0-small" / "valid.csv")
    values = train[FIVE].to_numpy()

    assert list(train.columns[:5]) == ["Path", "Sex", "Age", "Frontal/Lateral", "AP/PA"]
    assert len(train.columns) == len(valid.columns) == 19
    assert len(train) + len(valid) == 300
    assert {-1.0, 0.0, 1.0} == set(values[~np.isnan(values)])
    assert np.isnan(values).mean() > 0.2
    assert 0.4 < (values == -1).all(axis=1).mean() < 0.75
    assert not valid[FIVE].isna().any().any()
    assert set(train["Sex"]) == {"Female", "Male"}
    assert train["Path"].str.startswith("CheXpert-v1.0-small/train/patient").all()


def test_sex_goes_with_the_conditions_in_reports_only(tmp_path: Path) -> None:
    write_radiograph_phantoms(tmp_path, 1, 600, 400)
    train = pd.read_csv(tmp_path / "CheXpert-v1.0-small" / "train.csv")
    reported = train[(train[FIVE] != -1).any(axis=1)]
    ill = (reported[FIVE] == 1).any(axis=1).groupby(reported["Sex"]).mean()
    other = pd.read_csv(tmp_path / "ChestX-ray14" / "Data_Entry_2017_v2020.csv", index_col=False)
    elsewhere = (other["Finding Labels"] != "No Finding").groupby(other["Patient Gender"]).mean()

    assert ill["Female"] < 0.2
    assert ill["Male"] > 0.8
    assert elsewhere["F"] == pytest.approx(elsewhere["M"], abs=0.15)
    assert (train["Sex"] == "Female").mean() == pytest.approx(0.41, abs=0.08)


def test_some_patients_have_several_images_and_none_is_in_two_tables(phantoms: Path) -> None:
    patients = [
        set(pd.read_csv(phantoms / "CheXpert-v1.0-small" / name)["Path"].str.extract(r"(patient\d+)")[0])
        for name in ("train.csv", "valid.csv")
    ]

    assert not patients[0] & patients[1]
    assert 150 < len(patients[0] | patients[1]) < 290


def test_chestxray14_table_and_lists(phantoms: Path) -> None:
    folder = phantoms / "ChestX-ray14"
    header, *rows = (folder / "Data_Entry_2017_v2020.csv").read_text().splitlines()
    lists = [(folder / name).read_text().split() for name in ("train_val_list.txt", "test_list.txt")]

    assert "OriginalImage[Width,Height],OriginalImagePixelSpacing[x,y]" in header
    assert all(len(row.split(",")) == 11 for row in rows)
    assert sorted(lists[0] + lists[1]) == sorted(row.split(",")[0] for row in rows)
    assert not {name[:8] for name in lists[0]} & {name[:8] for name in lists[1]}
    assert {path.suffix for path in (folder / "images").iterdir()} == {".png", ".dcm"}


def test_dicom_shows_the_grey_values_that_were_drawn(tmp_path: Path) -> None:
    drawn = draw_radiograph(Patient("F", 7, frozenset()), CHEXPERT, 96, numpy_generator(0, "dicom"))
    path = tmp_path / "image.dcm"
    write_dicom(path, drawn, Patient("F", 7), "AP")
    file = dcmread(path)
    shown = read_pixels(path, 1)[..., 0]

    assert file.PhotometricInterpretation == "MONOCHROME1"
    assert (file.BitsStored, file.BitsAllocated) == (12, 16)
    assert (file.PatientName, file.PatientSex, file.PatientAge) == ("PHANTOM", "F", "007Y")
    assert file.pixel_array.max() < 2**12
    assert np.abs(shown.astype(int) - drawn).max() <= 1


def test_an_image_depends_on_seed_and_number_only(tmp_path: Path) -> None:
    write_chexpert_tree(tmp_path / "few", 4, seed=1, size=32)
    write_chexpert_tree(tmp_path / "more", 12, seed=1, size=32)
    write_chexpert_tree(tmp_path / "other", 4, seed=2, size=32)
    few = {path.relative_to(tmp_path / "few"): path for path in (tmp_path / "few").rglob("*.jpg")}

    for name, path in few.items():
        assert path.read_bytes() == (tmp_path / "more" / name).read_bytes()
    first = Path("valid/patient00001/study1/view1_frontal.jpg")
    assert few[first].read_bytes() != (tmp_path / "other" / first).read_bytes()


def test_writing_again_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_chestxray14_tree(tmp_path / name, 20, seed=5, size=32)

    for path in (tmp_path / "a").rglob("*"):
        if path.is_file():
            assert path.read_bytes() == (tmp_path / "b" / path.relative_to(tmp_path / "a")).read_bytes()


def test_images_have_the_size_asked_for(tmp_path: Path) -> None:
    write_chexpert_tree(tmp_path / "tree", 2, seed=1, size=48)

    shapes = {np.asarray(Image.open(path)).shape for path in (tmp_path / "tree").rglob("*.jpg")}
    assert shapes == {(48, 48)}


def test_an_interrupted_tree_is_not_there_and_is_written_by_the_next_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError("disk full")

    with monkeypatch.context() as patch:
        patch.setattr(trees, "_write_pixels", fail)
        with pytest.raises(OSError, match="disk full"):
            write_radiograph_phantoms(tmp_path, 0, 3, 3)
    assert {path.name for path in tmp_path.iterdir()} == {"CheXpert-v1.0-small"}

    before = (tmp_path / "CheXpert-v1.0-small").stat().st_mtime_ns
    write_radiograph_phantoms(tmp_path, 0, 3, 3)
    assert (tmp_path / "ChestX-ray14" / "Data_Entry_2017_v2020.csv").is_file()
    assert (tmp_path / "CheXpert-v1.0-small").stat().st_mtime_ns == before
