from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from medaug.evaluation.predictions import check_predictions
from medaug.stages.keys import key_path, told_apart, with_pseudonyms, write_key


@pytest.fixture
def predictions() -> pd.DataFrame:
    return check_predictions(
        pd.DataFrame(
            {
                "image_id": [f"doe_{n}.png" for n in range(12)] + ["", "doe_3.png"],
                "patient_id": ["Doe, Jane"] * 6 + ["Bo"] * 7 + ["Doe, Jane"],
                "method": ["a"] * 13 + ["b"],
                "score:edema": 0.5,
                "label:edema": 1,
            }
        )
    )


def test_given_predictions_are_called_by_numbers_in_the_order_of_their_names(
    predictions: pd.DataFrame,
) -> None:
    hidden, key = with_pseudonyms(predictions)

    assert "doe" not in hidden.to_csv().lower()
    assert set(hidden["patient_id"]) == {"patient 1", "patient 2"}
    for column in ("image_id", "patient_id"):
        names = dict(key.loc[key["column"] == column, ["pseudonym", "name"]].to_numpy())
        assert (
            hidden[column].map(lambda one, n=names: n.get(one, one)).tolist() == predictions[column].tolist()
        )
    # The same order, so that whatever is drawn for one patient after the other stays the same.
    assert check_predictions(hidden)["image_id"].tolist() == hidden["image_id"].tolist()


def test_images_that_were_only_counted_keep_their_number(predictions: pd.DataFrame) -> None:
    hidden, key = with_pseudonyms(predictions)
    assert (hidden["image_id"] == "row 13").sum() == 1
    assert "row 13" not in set(key["name"])


def test_an_image_of_two_methods_stays_one(predictions: pd.DataFrame) -> None:
    hidden, _ = with_pseudonyms(predictions)
    same = predictions["image_id"] == "doe_3.png"
    assert same.sum() == 2
    assert hidden.loc[same, "image_id"].nunique() == 1


def test_the_key_of_numbered_files(tmp_path: Path) -> None:
    paths = [str(tmp_path / "set" / name) for name in ("Doe/a.png", "b.png")]
    table = pd.DataFrame({"image_id": ["image 1", "image 2"], "path": paths})
    write_key(tmp_path / "run" / "data", [table], [{"reader": "folder", "folder": str(tmp_path / "set")}])

    key = pd.read_csv(key_path(tmp_path / "run" / "data"))
    assert key_path(tmp_path / "run" / "data") == tmp_path / "run" / "data.key.csv"
    assert key.to_dict("list") == {
        "column": ["image_id"] * 2,
        "pseudonym": ["image 1", "image 2"],
        "name": ["Doe/a.png", "b.png"],
    }


def test_rows_of_a_table_need_no_key(tmp_path: Path) -> None:
    table = pd.DataFrame({"image_id": ["row 2"], "path": ["a.png"]})
    write_key(tmp_path / "data", [table], [{"reader": "csv", "folder": str(tmp_path)}])
    assert not list(tmp_path.iterdir())


def test_only_a_repeated_reader_of_numbers_gets_a_prefix() -> None:
    table = pd.DataFrame({"image_id": ["row 2"], "patient_id": ["patient 1"], "domain": ["A"]})
    public, first, second = told_apart([table, table, table], ["chexpert", "csv", "csv"])
    assert public.equals(table)
    assert first.equals(table)
    assert second.iloc[0].tolist() == ["set 3 row 2", "set 3 patient 1", "A"]
    assert told_apart([table, table], ["chexpert", "chexpert"])[1].equals(table)
