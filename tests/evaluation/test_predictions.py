from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from medaug.errors import DataError
from medaug.evaluation.groupings import find_groupings
from medaug.evaluation.predictions import (
    attribute_names,
    check_predictions,
    class_names,
    detect_kind,
    read_predictions,
    write_predictions,
)
from medaug.evaluation.settings import EvaluationSettings

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
        ("score:,label:\n0.5,1\n", "a column without a name behind the colon"),
        ("score:a,label:a,attr:\n0.5,1,x\n", "a column without a name behind the colon"),
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


def written(folder: Path, text: str, name: str = "mine.csv") -> pd.DataFrame:
    (folder / name).write_text(text, encoding="utf-8")
    return read_predictions(folder / name)


def test_names_are_kept_as_written(tmp_path: Path) -> None:
    sites = ["NA", "None", "nan", "01", "1", "1000001", "-1000600354148496558"]
    table = written(
        tmp_path, "score:a,label:a,domain,attr:site\n" + "".join(f".5,1,{s},{s}\n" for s in sites)
    )
    assert sorted(table["domain"]) == sorted(table["attr:site"]) == sorted(sites)


def test_blanks_and_words_are_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    text = "score:a,label:a,domain,patient_id,attr:sex\n.5,1,,nan,female\n.5,NA,A,nan,F\n.5,0,A,P1,O\n"
    table = written(tmp_path, text)

    assert sorted(table["domain"]) == ["A", "A", "unknown"]
    assert table["patient_id"].nunique() == 3
    assert sorted(table["attr:sex"]) == ["F", "F", "O"]
    assert table["label:a"].isna().sum() == 1
    for said in (
        "label:a: of 3 cells 1 hold a word such as NA: unknown",
        "domain: of 3 cells 1 blank, called 'unknown'",
        "patient_id: of 3 cells 2 name no patient",
        "attr:sex: of 3 cells 1 are other words for F or M",
    ):
        assert said in caplog.text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("score:a,label:a\n.5,1,\n", "row 2: 3 cells"),
        (
            "score:a,label:a\n\n.5,1\n\nhigh,1\n",
            r"row 5: column score:a is not a number \(text of the form 'aaaa'",
        ),
        ("score:a,label:a\nNA,1\n", "row 2: column score:a is not a number"),
        ("score:a,label:a\ninf,1\n", "row 2: column score:a is not a number"),
        ("score:a,label:a,seed\n.5,1,1.5\n", "row 2: column seed is not a number"),
        ("score:a,label:a,phantom\n.5,1,perhaps\n", "row 2: column phantom is neither true nor false"),
        ("score:a,label:a,domain\n.5,1,all\n.5,1,A\n", "row 2: the domain is called 'all'"),
        (
            "score:a,label:a,method,image_id,patient_id\n.5,1,x,i,P1\n.5,1,y,i,P2\n",
            "row 3: its image is of another patient",
        ),
        ("score:a,label:a,domain\n.5,1,1.2E+06\n", "domain, row 2: a long number was rounded"),
    ],
)
def test_more_faults_are_named_without_what_they_say(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DataError, match=rf"mine\.csv.*{message}"):
        written(tmp_path, text)


def test_decimal_commas_and_marks(tmp_path: Path) -> None:
    table = written(tmp_path, "score:a;label:a;phantom\n0,5;1;False\n1,000;0;false\n")
    assert sorted(table["score:a"]) == [0.5, 1.0]
    assert not table["phantom"].any()


@pytest.mark.parametrize("kind", ["int64", "Int64", "float64", "category"])
def test_typed_columns_have_the_names_of_csv(tmp_path: Path, kind: str) -> None:
    sites = pd.Series([1000001, 1000002, 1000001]).astype(kind)
    table = pd.DataFrame({"score:a": 0.5, "label:a": 1, "domain": sites, "attr:site": sites})
    table.to_parquet(tmp_path / "t.parquet")
    table.to_csv(tmp_path / "t.csv", index=False)
    for name in ("t.parquet", "t.csv"):
        found = read_predictions(tmp_path / name)
        assert sorted(found["domain"]) == ["1000001", "1000001", "1000002"]
        grouping = find_groupings(found, EvaluationSettings())[0]
        assert grouping.groups == ("1000001", "1000002")


@pytest.mark.parametrize("kind", ["bool", "boolean", "object"])
def test_truths_and_decisions_may_be_comparisons(tmp_path: Path, kind: str) -> None:
    numbers = pd.DataFrame({"score:a": [0.2, 0.7, 0.4], "label:a": [0, 1, 1], "decision:a": [0, 1, 0]})
    truths = (numbers == 1).astype(kind).assign(**{"score:a": numbers["score:a"]})
    truths.to_csv(tmp_path / "t.csv", index=False)
    for found in (check_predictions(truths), read_predictions(tmp_path / "t.csv")):
        pd.testing.assert_frame_equal(found, check_predictions(numbers))
    gaps = truths.assign(**{"label:a": pd.Series([True, None, True], dtype="object")})
    assert check_predictions(gaps)["label:a"].isna().sum() == 1


@pytest.mark.parametrize(("classes", "decimals"), [(7, 3), (27, 2), (3, 1), (7, 8)])
def test_rounded_scores_of_exclusive_classes(classes: int, decimals: int) -> None:
    generator = np.random.default_rng(classes)
    scores = generator.dirichlet(np.ones(classes), 300).round(decimals)
    truth = np.eye(classes)[generator.integers(0, classes, 300)]
    table = pd.DataFrame(
        {f"score:{i}": scores[:, i] for i in range(classes)}
        | {f"label:{i}": truth[:, i] for i in range(classes)}
    )
    assert detect_kind(table) == "multiclass"
    assert detect_kind(table.assign(**{"score:0": (table["score:0"] + 0.5).clip(0, 1)})) == "multilabel"
