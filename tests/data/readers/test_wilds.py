from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from medaug.data.readers import read_source, read_wilds, wilds
from medaug.data.split import SplitSettings, assign_splits
from medaug.data.table import check_table
from medaug.errors import DataError, SettingsError
from medaug.task import Attribute, Task

TASK = Task("multilabel", ("tumour",), attributes=(Attribute("domain", groups=wilds.TRAIN),))

# patient, node, x_coord, y_coord, tumor, slide, center, split
LABELLED = [
    ("004", 4, 3328, 21792, 1, 0, 0, 0),
    ("004", 4, 3200, 22272, 0, 0, 0, 1),
    ("020", 4, 160, 160, 0, 10, 1, 1),
    ("042", 3, 4000, 4032, 1, 23, 2, 0),
    ("067", 4, 512, 1024, 0, 33, 3, 0),
    ("099", 4, 1024, 512, 1, 49, 4, 1),
]
UNLABELLED = [
    ("000", 0, 6016, 19072, 0, 0, 0, 10),
    ("039", 1, 6016, 19072, 0, 199, 1, 10),
    ("059", 0, 6016, 19072, 0, 299, 2, 10),
    ("080", 2, 704, 160, 0, 402, 4, 10),
]
COLUMNS = ["patient", "node", "x_coord", "y_coord", "tumor", "slide", "center", "split"]


def write_tree(tree: Path, rows: list[tuple[object, ...]]) -> Path:
    """Write a folder of WILDS: the first column of its table has no name."""
    tree.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(rows, columns=COLUMNS).to_csv(tree / "metadata.csv")
    for patient, node, x, y, *_ in rows:
        slide = f"patient_{patient}_node_{node}"
        path = tree / "patches" / slide / f"patch_{slide}_x_{x}_y_{y}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGBA", (96, 96)).save(path)
    return tree


@pytest.fixture
def both(tmp_path: Path) -> Path:
    write_tree(tmp_path / wilds.LABELLED, LABELLED)
    write_tree(tmp_path / wilds.UNLABELLED, UNLABELLED)
    return tmp_path


def test_labelled_and_unlabelled_patches(both: Path) -> None:
    table = read_source("wilds", both, TASK)

    assert table["patient_id"].str[-3:].tolist() == ["004", "004", "020", "042", "067", "099", "000", "080"]
    hospitals = [0, 0, 1, 2, 3, 4, 0, 4]
    assert table["domain"].tolist() == [f"center_{hospital}" for hospital in hospitals]
    np.testing.assert_array_equal(table["label:tumour"], [1, 0, 0, 1, 0, 1, np.nan, np.nan])
    official = ["train", "val", None, None, "train", "val", None, None]
    assert [None if pd.isna(split) else split for split in table["official_split"]] == official
    assert all(Path(path).is_file() for path in table["path"])
    assert table["file"].tolist() == [Path(path).relative_to(both).as_posix() for path in table["path"]]
    assert table["slide"].iloc[0] == "patient_004_node_4"
    check_table(table, TASK)


def test_places_are_the_upper_left_corner_in_pixels_of_level_0(both: Path) -> None:
    # WILDS gives the corner of the central 32 x 32 at level 2.
    first = read_wilds(both, TASK).iloc[0]

    assert (first["x"], first["y"], first["level"]) == (4 * (3328 - 32), 4 * (21792 - 32), 2)
    assert first["image_id"] == "patient_004_node_4_x13184_y87040"
    assert read_wilds(both, TASK)[["x", "y", "level"]].dtypes.eq(np.int64).all()


@pytest.mark.parametrize("name", [wilds.LABELLED, wilds.UNLABELLED])
def test_either_folder_alone(both: Path, name: str) -> None:
    table = read_wilds(both / name, TASK)

    assert len(table) == {wilds.LABELLED: 6, wilds.UNLABELLED: 2}[name]
    assert table["label:tumour"].isna().all() == (name == wilds.UNLABELLED)
    assert all((both / name / file).is_file() for file in table["file"])


def test_unlabelled_patches_of_other_hospitals_are_read_when_asked_for(both: Path) -> None:
    table = read_wilds(both, TASK, unlabelled_domains=wilds.HOSPITALS)
    unlabelled = table[table["label:tumour"].isna()]

    assert unlabelled["domain"].tolist() == ["center_0", "center_1", "center_2", "center_4"]
    with pytest.raises(DataError, match=r"no patch of center_3"):
        read_wilds(both / wilds.UNLABELLED, TASK, unlabelled_domains=("center_3",))


@pytest.mark.parametrize("unit", ["slide", "patient"])
def test_validation_by_slide_or_patient_drops_that_by_patch(both: Path, unit: str) -> None:
    assert read_wilds(both, TASK, id_validation=unit)["official_split"].isna().all()


def test_table_a1_follows(both: Path) -> None:
    settings = SplitSettings(
        train_domains=wilds.TRAIN,
        ood_val_domains=(wilds.OOD_VAL,),
        test_fraction=0,
        val_fraction=0,
        unit="patch",
    )
    table, left_out = assign_splits(read_wilds(both, TASK), settings)

    expected = ["train", "id_val", "ood_val", "ood_test", "train", "id_val", "unlabelled", "unlabelled"]
    assert table["split"].tolist() == expected
    assert left_out.empty


def test_portions_make_one_table(both: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = read_wilds(both, TASK)
    monkeypatch.setattr(wilds, "_ROWS_AT_ONCE", 2)
    pd.testing.assert_frame_equal(read_wilds(both, TASK), whole)


@pytest.mark.parametrize("rows_at_once", [2, 100])
@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        (4, -1, r"row 5, column 'tumor': '-1' is not understood; it is one of: 0, 1"),
        (7, 2, r"row 5, column 'split': a number above 1 is not understood; it is one of: 0, 1"),
        (6, 1, r"row 5: the patient is not of center 1"),
        (6, 7, r"row 5: the patient is not of center 7"),
        (0, "abc", r"row 5: the patient is not of center 2"),
        (2, "", r"not a whole table of WILDS"),
        (2, "12.5", r"not a whole table of WILDS"),
    ],
)
def test_values_that_are_not_understood_name_the_row(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    rows_at_once: int,
    column: int,
    value: object,
    message: str,
) -> None:
    monkeypatch.setattr(wilds, "_ROWS_AT_ONCE", rows_at_once)
    rows = [list(row) for row in LABELLED]
    rows[3][column] = value
    tree = write_tree(tmp_path / wilds.LABELLED, [tuple(row) for row in rows])
    with pytest.raises(DataError, match=message):
        read_wilds(tree, TASK)


@pytest.mark.parametrize("content", ["", "<!DOCTYPE html>\n<p>Not found</p>\n", "patient,node\n004,4\n"])
def test_something_else_under_the_name_of_the_table(both: Path, content: str) -> None:
    (both / wilds.UNLABELLED / "metadata.csv").write_text(content)
    with pytest.raises(DataError, match=r"lacks the column|not a whole table"):
        read_wilds(both, TASK)


def test_a_table_that_was_cut_off(both: Path) -> None:
    path = both / wilds.LABELLED / "metadata.csv"
    path.write_text(path.read_text()[:-12])
    with pytest.raises(DataError, match="download it again"):
        read_wilds(both, TASK)


def test_missing_folders_and_patches(both: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"holds neither camelyon17_v1\.0 nor camelyon17_unlabeled_v1\.0"):
        read_wilds(both / wilds.LABELLED / "patches", TASK)
    (both / wilds.UNLABELLED / "patches").rename(tmp_path / "elsewhere")
    with pytest.raises(DataError, match=r"camelyon17_unlabeled_v1\.0.* are not there"):
        read_wilds(both, TASK)


def test_settings_that_are_not_understood(both: Path) -> None:
    with pytest.raises(SettingsError, match="id_validation is 'node'; it is one of: patient, slide, patch"):
        read_wilds(both, TASK, id_validation="node")
    with pytest.raises(SettingsError, match="unlabelled_domains is '0'"):
        read_wilds(both, TASK, unlabelled_domains=("0",))
    with pytest.raises(SettingsError, match="class 'tumour' only"):
        read_wilds(both, Task("multilabel", ("edema",)))
