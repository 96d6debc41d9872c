from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from medaug.data.readers import read_camelyon17, read_slide_source
from medaug.errors import DataError, SettingsError
from medaug.task import CHEST_RADIOGRAPHS, Task

TASK = Task("multilabel", ("tumour",))
STAGES = """patient,stage
patient_004.zip,pN1mi
patient_004_node_0.tif,negative
patient_004_node_4.tif,macro
patient_021_node_1.tif,itc
patient_059_node_2.tif,negative
patient_099_node_4.tif,micro
"""


def touch(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def write_tree(folder: Path, stages: str = STAGES) -> Path:
    """The challenge's tree, its oldest layout; the folder's name is not plain letters."""
    training = folder / "CAMELYON17 höhe" / "training"
    touch(
        training / "center_0" / "patient_004_node_0.tif",
        training / "center_0" / "patient_004_node_4.tif",
        training / "center_1" / "patient_021_node_1.tif",
        training / "center_2" / "patient_059_node_2.tif",
        training / "center_4" / "patient_099_node_4.tif",
        training / "lesion_annotations" / "patient_004_node_4.xml",
        training / "lesion_annotations" / "patient_059_node_2.xml",
        training / "lesion_annotations" / "._patient_099_node_4.xml",  # left by a Mac
        folder / "testing" / "patient_100_node_0.tif",
        folder / "masks" / "patient_004_node_4_mask.tif",
        folder / "patient_004.zip",
        folder / "notes.xml",
    )
    (training / "stage_labels.csv").write_text(stages)
    return folder


def test_slides_with_hospital_annotation_and_stage(tmp_path: Path) -> None:
    table = read_slide_source("camelyon17", write_tree(tmp_path), TASK)

    names = ["004_node_0", "004_node_4", "021_node_1", "059_node_2", "099_node_4", "100_node_0"]
    assert table["slide"].tolist() == [f"patient_{name}" for name in names]
    assert table["patient_id"].tolist() == [f"patient_{name[:3]}" for name in names]
    assert table["domain"].tolist() == ["center_0", "center_0", "center_1", "center_2", "center_4", None]
    assert table["stage"].tolist() == ["negative", "macro", "itc", "negative", "micro", None]
    # A negative slide with an annotation is described by its annotation.
    assert table["tumour_free"].tolist() == [True, False, False, False, False, False]
    assert table["tumour_free"].dtype == bool
    annotated = table.set_index("slide")["annotation"].dropna()
    assert {name: Path(path).name for name, path in annotated.items()} == {
        "patient_004_node_4": "patient_004_node_4.xml",
        "patient_059_node_2": "patient_059_node_2.xml",
    }
    assert all(Path(path).is_absolute() and Path(path).is_file() for path in [*table["path"], *annotated])
    assert table["file"].iloc[0] == "CAMELYON17 höhe/training/center_0/patient_004_node_0.tif"


def test_the_layout_of_the_cloud_bucket(tmp_path: Path) -> None:
    touch(tmp_path / "images" / "patient_010_node_1.tif", tmp_path / "annotations" / "patient_010_node_1.xml")
    (tmp_path / "stages.csv").write_text("patient,stage\npatient_010_node_1.tif,micro\n")
    [row] = read_camelyon17(tmp_path, TASK).to_dict("records")

    assert (row["domain"], row["stage"], row["tumour_free"]) == ("center_0", "micro", False)
    assert row["annotation"] == str(tmp_path / "annotations" / "patient_010_node_1.xml")


def test_without_a_stage_table_no_slide_is_known_to_be_free_of_tumour(tmp_path: Path) -> None:
    touch(tmp_path / "patient_000_node_0.tif")
    [row] = read_camelyon17(tmp_path, TASK).to_dict("records")

    assert (row["annotation"], row["stage"], row["tumour_free"]) == (None, None, False)


def test_no_slides(tmp_path: Path) -> None:
    touch(tmp_path / "patient_000.zip", tmp_path / "tumor_001.tif")
    with pytest.raises(DataError, match=r"no patient_000_node_0\.tif.*unpack its \.zip files"):
        read_camelyon17(tmp_path, TASK)


@pytest.mark.parametrize("ending", ["tif", "xml"])
def test_a_slide_or_annotation_that_is_there_twice(tmp_path: Path, ending: str) -> None:
    write_tree(tmp_path)
    touch(tmp_path / "copy" / f"patient_004_node_4.{ending}")
    with pytest.raises(DataError, match=rf"patient_004_node_4\.{ending} is there twice"):
        read_camelyon17(tmp_path, TASK)


def test_stages_that_are_not_understood_or_contradict(tmp_path: Path) -> None:
    tree = write_tree(tmp_path, STAGES.replace("node_4.tif,macro", "node_4.tif,pN2"))
    with pytest.raises(
        DataError, match=r"stage_labels\.csv, row 4, column 'stage': text of the form 'aA9'.*negative, itc"
    ):
        read_camelyon17(tree, TASK)
    (write_tree(tmp_path) / "stages.csv").write_text("patient,stage\npatient_021_node_1.tif,macro\n")
    with pytest.raises(DataError, match=r"calls patient_021_node_1 '(macro|itc)', another table"):
        read_camelyon17(tree, TASK)
    (tmp_path / "stages.csv").write_text("<html>Not found</html>\n")
    with pytest.raises(DataError, match="lacks the column"):
        read_camelyon17(tree, TASK)


def test_other_classes_and_options_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="class 'tumour' only"):
        read_camelyon17(write_tree(tmp_path), CHEST_RADIOGRAPHS)
    with pytest.raises(SettingsError, match="no option views; it has: none"):
        read_slide_source("camelyon17", tmp_path, TASK, views=())
    with pytest.raises(SettingsError, match="no reader 'chexpert'; there are: camelyon17, slides"):
        read_slide_source("chexpert", tmp_path, TASK)


@pytest.mark.skipif("MEDAUG_REAL_DATA" not in os.environ, reason="needs the real stage table")
def test_the_real_stage_table_and_annotation(tmp_path: Path) -> None:
    real = Path(os.environ["MEDAUG_REAL_DATA"]) / "slides"
    lines = (real / "stage_labels.csv").read_text().split()
    slides = [line.split(",")[0] for line in lines if ".tif," in line]
    touch(*(tmp_path / "training" / slide for slide in slides))
    shutil.copy(real / "stage_labels.csv", tmp_path)
    (tmp_path / "patient_004_node_4.xml").symlink_to(real / "patient_004_node_4.xml")
    table = read_camelyon17(tmp_path, TASK)

    assert len(table) == 500
    assert table.groupby("domain")["patient_id"].nunique().tolist() == [20] * 5
    counts = {"negative": 313, "macro": 88, "micro": 64, "itc": 35}
    assert table["stage"].value_counts().to_dict() == counts
    assert table["tumour_free"].sum() == 313
    assert table.loc[table["annotation"].notna(), "slide"].tolist() == ["patient_004_node_4"]
