import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medaug.data.table import canonical_age, canonical_sex, check_table, stored_columns
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
        ({"image_id": ["a", "b", "a"]}, r"image_id 'a' appears more than once.*'c.png'"),
        ({"image_id": ["a", None, "c"]}, r"image_id is missing in the row of 'b.png'"),
        ({"label:edema": [0.0, 2.0, 0.0]}, r"label:edema is 2 in the row of 'b.png'"),
        ({"label:edema": ["no", "yes", "no"]}, r"label:edema holds values that are no numbers"),
        (
            {"split": ["train", "train", "holdout"]},
            r"split is 'holdout' in the row of 'c.png'; it is one of: train",
        ),
        (
            {"split": ["train", "id_val", "id_val"]},
            r"patient '1' are in more than one split \(id_val, train\)",
        ),
        ({"split": ["unlabelled", "ood_test", "id_val"]}, r"patient '1'.*\(ood_test, unlabelled\)"),
        ({"patient_id": ["1", None, "2"]}, r"patient_id is missing in the row of 'b.png'"),
        ({"domain": ["A", "A", None]}, r"domain is missing in the row of 'c.png'"),
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


def test_sex_in_every_spelling_seen():
    spelt = pd.Series(
        ["Female", "FEMALE", "f", " F ", "Male", "M", "m", "O", "Unknown", "unknown", "", None, np.nan]
    )
    expected = ["F"] * 4 + ["M"] * 3 + [None] * 6
    assert canonical_sex(spelt).tolist() == expected


def test_age_in_every_form_seen():
    spelt = pd.Series(
        ["060Y", "013M", "001D", "026W", "411Y", "62", 62, 0, "0", -1, "", None, np.nan, "old", "1e2"]
    )
    expected = [60, 13 / 12, 1 / 365.25, 26 * 7 / 365.25, np.nan, 62, 62, 0, 0, *[np.nan] * 6]
    np.testing.assert_allclose(canonical_age(spelt).to_numpy(), expected)


@settings(deadline=None)
@given(st.lists(st.integers(-10, 200), min_size=1))
def test_plain_ages_stay_or_are_missing(ages):
    found = canonical_age(pd.Series(ages))
    expected = [float(age) if 0 <= age <= 120 else np.nan for age in ages]
    np.testing.assert_array_equal(found, expected)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.one_of(st.none(), st.text(max_size=8), st.floats(), st.integers()), min_size=1))
def test_any_value_is_an_age_or_missing(values):
    found = canonical_age(pd.Series(values, dtype=object))
    assert (found.isna() | found.between(0, 120)).all()


def test_the_index_is_kept():
    values = pd.Series(["F", "M"], index=[7, 3])
    assert canonical_sex(values).index.tolist() == [7, 3]
    assert canonical_age(values).index.tolist() == [7, 3]


def test_patches_keep_their_place():
    stored = stored_columns(table(slide="slide 1", x=np.float64(96), y=192, level=2), TASK)
    assert stored["slide"].tolist() == ["slide 1"] * 3
    assert stored[["x", "y", "level"]].dtypes.eq(np.int64).all()
    assert stored[["x", "y", "level"]].to_numpy().tolist() == [[96, 192, 2]] * 3


def test_the_unit_of_the_split_says_what_may_not_be_divided():
    patches = table(patient_id="p", slide=["a", "b", "b"], split=["train", "id_val", "id_val"])
    check_table(patches, TASK, "slide")
    check_table(patches.assign(slide="a"), TASK, "patch")
    with pytest.raises(DataError, match="images of patient 'p' are in more than one split"):
        check_table(patches, TASK)
    with pytest.raises(DataError, match="images of slide 'a' are in more than one split"):
        check_table(patches.assign(slide="a"), TASK, "slide")
