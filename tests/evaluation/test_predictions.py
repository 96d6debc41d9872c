from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from medaug.errors import DataError
from medaug.evaluation.predictions import (
    attribute_names,
    check_predictions,
    class_names,
    detect_kind,
    read_predictions,
    write_predictions,
)

Predictions = Callable[..., pd.DataFrame]


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_both_formats_come_back_as_they_were(predictions: Predictions, tmp_path: Path, suffix: str) -> None:
    table = check_predictions(predictions())
    path = tmp_path / f"predictions.{suffix}"
    write_predictions(table, path)
    pd.testing.assert_frame_equal(read_predictions(path), table, check_dtype=False)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_a_strangers_table_is_completed(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("image_id,score:mass,label:mass,attr:race\n007,0.2,0,\n008,0.4,,B\n")
    table = read_predictions(path)
    assert (class_names(table), attribute_names(table)) == (["mass"], ["race"])
    assert table["image_id"].tolist() == ["007", "008"]
    assert table["patient_id"].nunique() == 2
    filled = table[["method", "split", "domain", "seed", "phantom"]].drop_duplicates()
    assert filled.iloc[0].tolist() == ["model", "unknown", "unknown", 0, False]
    assert len(filled) == 1


def test_row_order_is_forgotten(predictions: Predictions) -> None:
    table = pd.concat([predictions(method="b"), predictions(method="a")])
    shuffled = table.sample(frac=1, random_state=3)
    pd.testing.assert_frame_equal(check_predictions(table), check_predictions(shuffled))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("image_id,label:a\n1,0\n", "no column score:<class>"),
        ("score:a\n0.5\n", "lacks the columns label:a"),
        ("score:a,label:a,decision:b\n0.5,1,1\n", "lacks the columns score:b"),
        ("score:a,label:a\n", "has no rows"),
        ("score:a,label:a\n0.5,1\n1.5,1\n", "row 3: column score:a is outside 0 to 1"),
        ("score:a,label:a\n0.5,1\n,1\n", "row 3: column score:a is empty"),
        ("score:a,label:a\n0.5,1\n0.1,yes\n", "row 3: column label:a is not a number"),
        ("score:a,label:a,decision:a\n0.5,1,0.5\n", "row 2: column decision:a is neither 0 nor 1"),
        ("score:a,label:a,seed\n0.5,1,x\n", "row 2: column seed is not a number"),
        ("image_id,score:a,label:a\n7,0.5,1\n7,0.6,1\n", "row 3: its image_id occurs twice"),
        ("", "is not a CSV table"),
    ],
)
def test_faults_are_named(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "faulty.csv"
    path.write_text(text)
    with pytest.raises(DataError, match=r"faulty\.csv") as caught:
        read_predictions(path)
    assert message in str(caught.value)


def test_missing_and_foreign_files(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="there is no file"):
        read_predictions(tmp_path / "none.csv")
    (tmp_path / "not.parquet").write_text("text")
    with pytest.raises(DataError, match="cannot be read as a Parquet table"):
        read_predictions(tmp_path / "not.parquet")


def test_kind_follows_from_the_sums() -> None:
    scores = {"score:a": [0.2, 0.6], "score:b": [0.8, 0.4]}
    exclusive = {"label:a": [0, np.nan], "label:b": [1, np.nan]}
    assert detect_kind(pd.DataFrame(scores | exclusive)) == "multiclass"
    assert detect_kind(pd.DataFrame(scores | {"label:a": [0, 1], "label:b": [0, 1]})) == "multilabel"
    assert detect_kind(pd.DataFrame({"score:a": [1.0], "label:a": [1]})) == "multilabel"


def test_rounding_beyond_one_is_forgiven() -> None:
    table = check_predictions(pd.DataFrame({"score:a": [1 + 1e-7, -1e-8], "label:a": [1, 0]}))
    assert sorted(table["score:a"]) == [0.0, 1.0]
