import numpy as np
import pandas as pd
import pytest

from medaug.data.table import check_table, stored_columns
from medaug.errors import DataError
from medaug.task import Attribute, Task

TASK = Task(
    "multilabel", ("edema",), attributes=(Attribute("sex", ("F", "M")), Attribute("age", bins=(0, 50, 90)))
)


def table(**columns):
    content = {
        "image_id": ["a", "b", "c"],
        "file": ["a.png", "b.png", "c.png"],
        "patient_id": ["1", "1", "2"],
        "domain": "A",
        "label:edema": [0.0, 1.0, np.nan],
        "attr:sex": ["F", "M", None],
        "attr:age": [20.0, np.nan, 70.0],
        "split": ["train", "train", "id_val"],
    }
    return pd.DataFrame({**content, **columns})


def test_a_good_table_passes():
    check_table(table(), TASK)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"image_id": ["a", "b", "a"]}, r"the image_id of row 3 is that of row 1"),
        ({"image_id": ["a", "1", 1]}, r"the image_id of row 3 is that of row 2"),
        ({"image_id": ["a", None, "c"]}, r"image_id is missing in row 2"),
        ({"label:edema": [0.0, 2.0, 0.0]}, r"label:edema is outside \[0, 1\] in row 2"),
        ({"label:edema": ["no", "yes", "no"]}, r"label:edema holds values that are no numbers"),
        (
            {"split": ["train", "train", "holdout"]},
            r"split is unknown in row 3; it is one of: train",
        ),
        (
            {"split": ["train", "id_val", "id_val"]},
            r"one patient are in more than one split \(id_val, train: row 1, row 2",
        ),
        ({"split": ["unlabelled", "ood_test", "id_val"]}, r"patient.*\(ood_test, unlabelled: row 1, row 2"),
        ({"patient_id": ["1", None, "2"]}, r"patient_id is missing in row 2"),
        (
            {"patient_id": [None, None, "2"], "synthetic": [True, False, False]},
            r"patient_id is missing in row 2",
        ),
        ({"domain": ["A", "A", None]}, r"domain is missing in row 3"),
    ],
)
def test_errors_name_row_and_column(columns, message):
    with pytest.raises(DataError, match=message):
        check_table(table(**columns), TASK)


def test_missing_columns_are_all_named():
    with pytest.raises(DataError, match="label:edema, attr:sex"):
        check_table(table().drop(columns=["label:edema", "attr:sex"]), TASK)


def test_an_empty_table_is_an_error():
    with pytest.raises(DataError, match="no rows"):
        check_table(table().iloc[:0], TASK)


def test_train_and_unlabelled_are_one_side():
    check_table(table(split=["train", "unlabelled", "id_val"]), TASK)


def test_synthetic_rows_need_no_file_and_no_patient():
    synthetic = table(synthetic=True, split="train").drop(columns=["file", "patient_id"])
    check_table(synthetic, TASK)
    with pytest.raises(DataError, match="file, patient_id"):
        check_table(synthetic.assign(synthetic=[True, True, False]), TASK)


def test_only_columns_of_the_contract_are_stored():
    stored = stored_columns(table(path="/home/Jane Doe/x.png", name="Jane Doe", view="PA"), TASK)
    assert list(stored) == [
        *(
            "image_id",
            "file",
            "patient_id",
            "domain",
            "split",
            "label:edema",
            "attr:sex",
            "attr:age",
            "synthetic",
        )
    ]
    assert stored["label:edema"].dtype == np.float32
    assert stored["attr:age"].dtype == np.float64
    assert not stored["synthetic"].any()
    assert "Doe" not in stored.to_csv()


def test_patches_keep_their_place():
    stored = stored_columns(table(slide="slide 1", x=np.float64(96), y=192, level=2), TASK)
    assert stored["slide"].tolist() == ["slide 1"] * 3
    assert stored[["x", "y", "level"]].dtypes.eq(np.int64).all()
    assert stored[["x", "y", "level"]].to_numpy().tolist() == [[96, 192, 2]] * 3


def test_the_unit_of_the_split_says_what_may_not_be_divided():
    patches = table(patient_id="p", slide=["a", "b", "b"], split=["train", "id_val", "id_val"])
    check_table(patches, TASK, "slide")
    check_table(patches.assign(slide="a"), TASK, "patch")
    with pytest.raises(
        DataError, match="images of one patient are in more than one split \\(id_val, train: row 1, row 2"
    ):
        check_table(patches, TASK)
    with pytest.raises(DataError, match="images of one slide are in more than one split"):
        check_table(patches.assign(slide="a"), TASK, "slide")
