from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from medaug.data.readers import read_chexpert, read_source
from medaug.data.table import check_table
from medaug.errors import DataError, SettingsError
from medaug.task import CHEST_RADIOGRAPHS, Task

HEADER = (
    "Path,Sex,Age,Frontal/Lateral,AP/PA,No Finding,Enlarged Cardiomediastinum,Cardiomegaly,Lung Opacity,"
    "Lung Lesion,Edema,Consolidation,Pneumonia,Atelectasis,Pneumothorax,Pleural Effusion,Pleural Other,"
    "Fracture,Support Devices"
)
FRONTAL = "train/patient00001/study1/view1_frontal.jpg"
LATERAL = "train/patient00001/study1/view2_lateral.jpg"
UNKNOWN_SEX = "train/patient00002/study1/view1_frontal.jpg"
VALID = "valid/patient64541/study1/view1_frontal.jpg"


def write_tree(tree: Path, prefix: str, label: str = "-1.0") -> Path:
    train = [
        f"{prefix}/{FRONTAL},Female,68,Frontal,AP,,,1.0,,,{label},0.0,,,,,,,",
        f"{prefix}/{LATERAL},Female,68,Lateral,,,,1.0,,,,,,,,1.0,,,",
        f"{prefix}/{UNKNOWN_SEX},Unknown,0,Frontal,PA,1.0,,,,,,,,,,,,,",
    ]
    valid = [f"{prefix}/{VALID},Male,73,Frontal,AP,0.0,1.0,1.0,1.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0"]
    for file in (FRONTAL, LATERAL, UNKNOWN_SEX, VALID):
        (tree / file).parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (8, 8)).save(tree / file)
    (tree / "train.csv").write_text("\n".join([HEADER, *train]) + "\n")
    (tree / "valid.csv").write_text("\n".join([HEADER, *valid]) + "\n")
    return tree


@pytest.mark.parametrize("prefix", ["CheXpert-v1.0", "CheXpert-v1.0-small"])
@pytest.mark.parametrize("from_parent", [True, False])
def test_both_trees_from_themselves_and_from_their_parent(
    tmp_path: Path, prefix: str, from_parent: bool
) -> None:
    tree = write_tree(tmp_path / prefix, prefix)
    table = read_chexpert(tmp_path if from_parent else tree, CHEST_RADIOGRAPHS)

    assert table["file"].tolist() == [FRONTAL, LATERAL, UNKNOWN_SEX, VALID]
    assert all(Path(path).is_file() for path in table["path"])
    assert table["patient_id"].tolist() == ["patient00001", "patient00001", "patient00002", "patient64541"]
    assert table["official_split"].tolist() == [None, None, None, "val"]
    assert table["domain"].unique().tolist() == ["CheXpert"]
    assert table["attr:sex"].tolist() == ["F", "F", None, "M"]
    np.testing.assert_array_equal(table["attr:age"], [68, 68, np.nan, 73])
    assert table["view"].tolist() == ["frontal", "lateral", "frontal", "frontal"]


@pytest.mark.parametrize(
    ("uncertain", "unmentioned", "edema", "effusion"),
    [
        ("unknown", "negative", [np.nan, 0, 0, 0], [0, 1, 0, 0]),
        ("positive", "negative", [1, 0, 0, 0], [0, 1, 0, 0]),
        ("negative", "unknown", [0, np.nan, np.nan, 0], [np.nan, 1, np.nan, 0]),
    ],
)
def test_label_policies(
    tmp_path: Path, uncertain: str, unmentioned: str, edema: list[float], effusion: list[float]
) -> None:
    tree = write_tree(tmp_path, "CheXpert-v1.0-small")
    table = read_source("chexpert", tree, CHEST_RADIOGRAPHS, uncertain=uncertain, unmentioned=unmentioned)

    np.testing.assert_array_equal(table["label:edema"], edema)
    np.testing.assert_array_equal(table["label:effusion"], effusion)


def test_views(tmp_path: Path) -> None:
    tree = write_tree(tmp_path, "CheXpert-v1.0")

    assert read_chexpert(tree, CHEST_RADIOGRAPHS, views=("lateral",))["file"].tolist() == [LATERAL]
    assert len(read_chexpert(tree, CHEST_RADIOGRAPHS, views=("frontal",))) == 3


def test_other_observations_may_be_classes(tmp_path: Path) -> None:
    tree = write_tree(tmp_path, "CheXpert-v1.0")
    table = read_chexpert(tree, Task("multilabel", ("enlarged_cardiomediastinum", "No Finding")))

    assert table["label:enlarged_cardiomediastinum"].tolist() == [0, 0, 0, 1]
    assert table["label:No Finding"].tolist() == [0, 0, 1, 0]


def test_a_label_that_is_not_understood_names_row_and_column(tmp_path: Path) -> None:
    tree = write_tree(tmp_path, "CheXpert-v1.0", label="maybe")

    with pytest.raises(DataError, match=r"train\.csv, row 2, column 'Edema': 'maybe'"):
        read_chexpert(tree, CHEST_RADIOGRAPHS)


def test_missing_columns_are_named(tmp_path: Path) -> None:
    tree = write_tree(tmp_path, "CheXpert-v1.0")
    for gone in (["Sex", "Age"], ["Edema", "Pleural Effusion"]):
        write_tree(tmp_path, "CheXpert-v1.0")
        pd.read_csv(tree / "train.csv").drop(columns=gone).to_csv(tree / "train.csv", index=False)
        with pytest.raises(DataError, match=f"{gone[0]}.*{gone[1]}"):
            read_chexpert(tree, CHEST_RADIOGRAPHS)


@pytest.mark.parametrize("option", [{"uncertain": "maybe"}, {"unmentioned": "positive"}, {"views": ["PA"]}])
def test_options_that_are_not_understood(tmp_path: Path, option: dict[str, object]) -> None:
    with pytest.raises(SettingsError, match="it is one of"):
        read_source("chexpert", write_tree(tmp_path, "CheXpert-v1.0"), CHEST_RADIOGRAPHS, **option)


def test_a_folder_without_a_tree_and_a_tree_without_images(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"holds no train\.csv"):
        read_chexpert(tmp_path, CHEST_RADIOGRAPHS)
    (tmp_path / "train.csv").write_text(f"{HEADER}\n{FRONTAL},Female,68,Frontal,AP{',' * 14}\n")
    with pytest.raises(DataError, match="are not there"):
        read_chexpert(tmp_path, CHEST_RADIOGRAPHS)


def test_phantoms_read_like_the_real_thing(phantoms: Path) -> None:
    table = read_chexpert(phantoms, CHEST_RADIOGRAPHS)
    raw = pd.read_csv(phantoms / "CheXpert-v1.0-small" / "train.csv")

    assert len(table) == 300
    assert table["label:edema"].sum() >= (raw["Edema"] == 1).sum() > 0
    assert table.loc[table["official_split"].isna(), "label:edema"].isna().sum() == (raw["Edema"] == -1).sum()
    check_table(table, CHEST_RADIOGRAPHS)
