from __future__ import annotations

import ast
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from medaug.data.conditions import condition_key, read_conditions
from medaug.data.raters import rater_weights
from medaug.data.readers import read_scin, read_source
from medaug.data.readers.scin import (
    NO_IMAGE,
    NOT_GRADABLE,
    NOTHING_SEEN,
    OUTSIDE,
    UNNAMED,
    scin_cases,
)
from medaug.data.readers.scin_counts import count_cases, largest_error, main
from medaug.data.readers.scin_raters import split_raters
from medaug.data.table import check_table
from medaug.errors import DataError, SettingsError
from medaug.task import Attribute, Task

TASK = Task(
    "multiclass",
    ("Eczema", "Urticaria", "other"),
    attributes=(
        Attribute("sex", ("F", "M")),
        Attribute("age", bins=(0.0, 30.0, 120.0)),
        Attribute("skin_tone", ("I", "II", "III", "IV", "V", "VI")),
    ),
)
YES, NO = "DEFAULT_YES_IMAGE_QUALITY_SUFFICIENT", "NO_IMAGE_QUALITY_INSUFFICIENT"
NORMAL = "YES_IMAGE_QUALITY_SUFFICIENT_NO_DISCERNIBLE_PATHOLOGY"

# case_id: (age, sex, own skin type, images, gradable, names, confidences, weights, skin types by raters)
CASES = {
    "-1000600354148496558": (
        *("AGE_18_TO_29", "FEMALE", "FST3", ["a", "b"], [YES, "", ""]),
        *(["Eczema", "Hives", "Leprosy"], [4, 4, 3], {"Eczema": 0.41, "Hives": 0.41, "Leprosy": 0.18}),
        ["FST2", "", ""],
    ),
    "9094416934450217084": (
        *("AGE_80_OR_ABOVE", "MALE", "", ["c"], [YES, NO, YES]),
        *(["Eczema", "Eczema", "Hives"], [5, 2, 3], {"Eczema": 0.6, "Hives": 0.43}),
        ["", "FST5", "FST2"],
    ),
    "3": ("AGE_UNKNOWN", "OTHER_OR_UNSPECIFIED", "NONE_IDENTIFIED", ["d"], [NO] * 3, [], [], {}, [""] * 3),
    "4": ("", "", "FST6", ["e"], [NORMAL, "", ""], [], [], {}, ["FST6", "", ""]),
    "5": ("AGE_40_TO_49", "FEMALE", "FST1", ["f"], [YES, NORMAL, NO], [], [], {}, ["FST1", "FST4", "FST2"]),
    "6": ("AGE_40_TO_49", "FEMALE", "FST1", [], [YES, "", ""], ["Hives"], [1], {"Hives": 1.0}, [""] * 3),
}


def write_tree(folder: Path, *, images: bool = True, names: str = "on_label_name") -> Path:
    cases, labels = [], []
    for case, (age, sex, own, files, gradable, said, sure, weights, tones) in CASES.items():
        paths = [f"dataset/images/-{file}.png" for file in files] + [""] * (3 - len(files))
        cases.append([case, "SCIN", age, sex, own, *paths])
        labels.append([case, *gradable, str(said), str(sure), str(weights), *tones])
        for path in filter(None, paths if images else []):
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (4, 4)).save(folder / path)
    condition = "dermatologist_skin_condition_" + names
    header = [f"dermatologist_gradable_for_skin_condition_{n}" for n in (1, 2, 3)]
    header += [condition, "dermatologist_skin_condition_confidence", "weighted_skin_condition_label"]
    header += [f"dermatologist_fitzpatrick_skin_type_label_{n}" for n in (1, 2, 3)]
    own_header = ["source", "age_group", "sex_at_birth", "fitzpatrick_skin_type"]
    own_header += [f"image_{n}_path" for n in (1, 2, 3)]
    (folder / "dataset").mkdir(parents=True, exist_ok=True)
    pd.DataFrame(cases, columns=["case_id", *own_header]).to_csv(
        folder / "dataset/scin_cases.csv", index=False
    )
    # The two tables need not have the same order.
    pd.DataFrame(labels[::-1], columns=["case_id", *header]).to_csv(
        folder / "dataset/scin_labels.csv", index=False
    )
    return folder


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return write_tree(tmp_path / "scin")


def edit(folder: Path, table: str, column: str, case: str, value: str) -> None:
    path = folder / "dataset" / table
    content = pd.read_csv(path, dtype=str, keep_default_na=False)
    content.loc[content["case_id"] == case, column] = value
    content.to_csv(path, index=False)


def test_images_and_attributes(tree: Path) -> None:
    table = read_source("scin", tree, TASK)

    check_table(table, TASK)
    first, second = list(CASES)[:2]
    assert table["image_id"].tolist() == [f"{first}_1", f"{first}_2", f"{second}_1"]
    assert table["file"].tolist() == [f"dataset/images/-{file}.png" for file in "abc"]
    assert all(Path(path).is_file() for path in table["path"])
    assert table["patient_id"].tolist() == [first, first, second]
    assert set(table["domain"]) == {"SCIN"}
    assert table["official_split"].isna().all()
    assert table["attr:sex"].tolist() == ["F", "F", "M"]
    assert table["attr:age"].tolist() == [23.5, 23.5, 85.0]
    assert table["attr:skin_tone"].tolist() == ["II", "II", "II"]  # the lower of two raters
    assert table["age_group"].tolist() == ["AGE_18_TO_29"] * 2 + ["AGE_80_OR_ABOVE"]
    assert not {"case_id", "reason", "image", "images"} & set(table)


def test_published_weights_are_mapped_and_normalised(tree: Path) -> None:
    table = read_scin(tree, TASK)

    np.testing.assert_allclose(table["label:Eczema"], [0.41, 0.41, 0.6 / 1.03])
    np.testing.assert_allclose(table["label:Urticaria"], [0.41, 0.41, 0.43 / 1.03])
    np.testing.assert_allclose(table["label:other"], [0.18, 0.18, 0])


def test_labels_from_raters(tree: Path) -> None:
    table = read_scin(tree, TASK, labels="raters")

    np.testing.assert_allclose(table["label:Eczema"], [0.75 / (1.5 + 1 / 3)] * 2 + [1.5 / 2.5])
    np.testing.assert_allclose(table["label:other"], [1 / 3 / (1.5 + 1 / 3)] * 2 + [0])


def test_every_case_is_there_with_the_reason_why_it_has_no_label(tmp_path: Path) -> None:
    cases = scin_cases(write_tree(tmp_path, images=False), TASK)

    assert cases["case_id"].tolist() == list(CASES)
    assert cases["reason"].fillna("").tolist() == ["", "", NOT_GRADABLE, NOTHING_SEEN, UNNAMED, NO_IMAGE]
    assert cases["raters"].tolist() == [1, 3, 3, 1, 3, 1]
    assert cases["graders"].tolist() == [1, 2, 0, 1, 2, 1]
    assert cases["attr:sex"].tolist() == ["F", "M", None, None, "F", "F"]
    np.testing.assert_array_equal(cases["attr:age"], [23.5, 85, np.nan, np.nan, 44.5, 44.5])
    assert cases["attr:skin_tone"].tolist() == ["II", "II", None, "VI", "II", None]
    assert cases["images"].map(len).tolist() == [2, 1, 1, 1, 1, 0]


def test_skin_tone_by_self_report(tree: Path) -> None:
    assert scin_cases(tree, TASK, skin_tone="self_report")["attr:skin_tone"].tolist() == [
        *("III", None, None, "VI", "I", "I")
    ]


def test_cases_without_a_diagnosis_may_train_the_generator(tree: Path) -> None:
    table = read_scin(tree, TASK, ungradable="unlabelled")

    assert table["patient_id"].nunique() == 5
    assert table[TASK.label_columns].isna().all(axis=1).tolist() == [False, False, False, True, True, True]


def test_a_task_without_other_leaves_conditions_of_no_class_unlabelled(tree: Path) -> None:
    task = Task("multiclass", ("leprosy", "eczema"))
    cases = scin_cases(tree, task)

    assert cases["reason"].isna().tolist() == [True, True, False, False, False, False]
    np.testing.assert_allclose(cases["label:eczema"].head(2), [0.41 / 0.59, 1.0])
    assert scin_cases(tree, Task("multiclass", ("leprosy",)))["reason"].tolist()[:2] == [OUTSIDE, OUTSIDE]
    table = read_scin(tree, Task("multiclass", ("leprosy",)))
    assert len(table) == 3
    assert table["label:leprosy"].isna().all()


def test_a_table_of_conditions_of_ones_own_and_a_domain(tree: Path) -> None:
    (tree / "mine.csv").write_text("condition,class\nHives,itchy\nEczema,itchy\n")
    table = read_source(
        "scin", tree, Task("multiclass", ("itchy", "other")), conditions="mine.csv", domain="site 1"
    )

    np.testing.assert_allclose(table["label:itchy"], [0.82, 0.82, 1.0])
    assert set(table["domain"]) == {"site 1"}


def test_cases_that_share_an_image_are_one_patient(tree: Path) -> None:
    ids = list(CASES)
    edit(tree, "scin_cases.csv", "image_2_path", ids[4], "dataset/images/-c.png")
    edit(tree, "scin_cases.csv", "image_3_path", ids[4], "dataset/images/-e.png")
    patients = scin_cases(tree, TASK)["patient_id"].tolist()

    assert patients[1] == patients[3] == patients[4]
    assert len(set(patients)) == 4


def test_two_images_of_one_name_are_told_with_the_row(tree: Path) -> None:
    edit(tree, "scin_cases.csv", "image_1_path", list(CASES)[1], "dataset/elsewhere/-a.png")
    with pytest.raises(DataError, match=r"scin_cases\.csv, row 2: another row names the same file"):
        read_scin(tree, TASK)


def test_the_documented_name_of_the_column_is_understood(tmp_path: Path) -> None:
    tree = write_tree(tmp_path, names="label_name")

    np.testing.assert_allclose(read_scin(tree, TASK, labels="raters")["label:Eczema"].iloc[-1], 0.6)


def test_tables_without_images(tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match=r"none of the 3 images that .*scin_cases\.csv lists is below .*; unpack them there"
    ):
        read_scin(write_tree(tmp_path, images=False), TASK)


def test_a_missing_image_keeps_its_place(tree: Path) -> None:
    (tree / "dataset/images/-a.png").unlink()
    table = read_scin(tree, TASK)

    assert [Path(path).is_file() for path in table["path"]] == [False, True, True]
    assert table["file"].iloc[0] == "dataset/images/-a.png"


def test_no_tables(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"holds no scin_cases\.csv"):
        read_scin(tmp_path, TASK)


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("weighted_skin_condition_label", "{'Eczema': 'much'}", "is not a dict as SCIN writes it"),
        ("weighted_skin_condition_label", "<html>", "text of the form '<aaaa>' is not a dict"),
        ("dermatologist_skin_condition_confidence", "[1, 'x', 2]", r"is not a list .*\[4, 3\]"),
        ("dermatologist_skin_condition_confidence", "[1, 2]", "3 conditions and 2 confidences by 1 raters"),
        ("dermatologist_gradable_for_skin_condition_1", NO, "3 confidences by 0 raters"),
    ],
)
def test_cells_that_are_not_understood(tree: Path, column: str, value: str, message: str) -> None:
    edit(tree, "scin_labels.csv", column, "-1000600354148496558", value)
    with pytest.raises(DataError, match=f"case 1 in the order of scin_cases.csv.*{message}") as refused:
        scin_cases(tree, TASK, labels="raters" if "weighted" not in column else "weighted")
    assert "-1000600354148496558" not in str(refused.value)


@pytest.mark.parametrize("case", ["-1.0006E+18", "", "3"])
def test_a_case_id_that_is_no_whole_number_or_twice(tree: Path, case: str) -> None:
    edit(tree, "scin_cases.csv", "case_id", "4", case)
    with pytest.raises(DataError, match=r"scin_cases\.csv, row 5: the case_id .* spreadsheet"):
        scin_cases(tree, TASK)


def test_unknown_options(tree: Path) -> None:
    for options in ({"labels": "mean"}, {"skin_tone": "monk"}, {"ungradable": "kept"}):
        with pytest.raises(SettingsError, match="it is one of"):
            read_scin(tree, TASK, **options)


def test_counts(tree: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    counts = count_cases(scin_cases(tree, TASK)).set_index(["by", "value"])

    assert counts.groupby("by")["cases"].sum().eq(6).all()
    assert counts.groupby("by")["labelled"].sum().eq(2).all()
    assert counts.loc[("sex", "F"), ["cases", "labelled"]].tolist() == [3, 1]
    assert counts.loc[("skin tone", "unknown"), "cases"] == 2
    assert counts.loc[("usable", NO_IMAGE), "cases"] == 1
    assert main([str(tree), "--unusable", str(tmp_path / "left.csv")]) == 0
    assert "6 cases, 2 with soft labels over 27 classes" in capsys.readouterr().out
    assert pd.read_csv(tmp_path / "left.csv", dtype=str)["case_id"].tolist() == list(CASES)[2:]
    assert main([str(tmp_path / "nowhere")]) == 1
    assert "holds no scin_cases.csv" in capsys.readouterr().err


def test_raters_are_told_apart_by_the_published_weights() -> None:
    # A real case: of the cuts into three lists only this one gives the published weights.
    names, sure = ["Tinea", "Tinea", "Eczema", "Eczema"], [5, 4, 3, 5]
    found = split_raters(names, sure, 3, {"Tinea": 0.57, "Eczema": 0.43})

    assert found == [[("Tinea", 5)], [("Tinea", 4), ("Eczema", 3)], [("Eczema", 5)]]
    assert split_raters([], [], 2, {}) == [[], []]


REAL = pytest.mark.skipif("MEDAUG_REAL_DATA" not in os.environ, reason="needs the real tables of SCIN")
ALL = Task("multiclass", tuple(dict.fromkeys(read_conditions().values())), attributes=TASK.attributes)


@pytest.fixture(scope="module", params=["weighted", "raters"])
def real(request: pytest.FixtureRequest) -> pd.DataFrame:
    return scin_cases(Path(os.environ["MEDAUG_REAL_DATA"]) / "scin", ALL, labels=request.param)


@REAL
def test_the_real_tables_give_5033_cases_and_labels_that_sum_to_one(real: pd.DataFrame) -> None:
    labelled = real[real["reason"].isna()]

    assert len(real) == 5033
    assert len(labelled) == 3061
    assert largest_error(real) < 1e-6
    np.testing.assert_allclose(labelled[ALL.label_columns].sum(axis=1), 1, atol=1e-6)
    assert real.loc[real["reason"].notna(), ALL.label_columns].isna().all(axis=None)
    assert real["reason"].value_counts().to_dict() == {NOT_GRADABLE: 1862, NOTHING_SEEN: 62, UNNAMED: 48}
    assert real["images"].map(len).sum() == 10407
    assert real["patient_id"].nunique() < 5033


@REAL
def test_the_counts_of_the_real_tables(real: pd.DataFrame) -> None:
    counts = count_cases(real).set_index(["by", "value"])["cases"]

    tones = {"I": 351, "II": 1465, "III": 1397, "IV": 725, "V": 365, "VI": 67, "unknown": 663}
    assert counts["skin tone"].to_dict() == tones
    assert counts["sex"].to_dict() == {"F": 1666, "M": 807, "unknown": 2560}
    assert counts["raters"].to_dict() == {"1": 4317, "3": 716}


@REAL
def test_raters_and_published_weights_are_the_same_in_the_real_tables() -> None:
    folder = Path(os.environ["MEDAUG_REAL_DATA"]) / "scin"
    weighted, computed = (
        scin_cases(folder, ALL, labels=labels)[ALL.label_columns].to_numpy()
        for labels in ("weighted", "raters")
    )

    assert np.nanmax(np.abs(weighted - computed)) < 0.02  # two decimals, of up to nine conditions
    np.testing.assert_array_equal(np.isnan(weighted), np.isnan(computed))


@REAL
def test_the_labels_of_real_cases_recomputed_from_one_rater() -> None:
    """Where one rater judged, his list alone decides: ranks, then classes, then a sum of one."""
    folder = Path(os.environ["MEDAUG_REAL_DATA"]) / "scin"
    cases = scin_cases(folder, ALL, labels="raters").set_index("case_id")
    labels = pd.read_csv(folder / "scin_labels.csv", dtype=str).set_index("case_id")
    conditions = read_conditions()
    alone = cases[cases["reason"].isna() & (cases["raters"] == 1)].head(300)
    for case, row in alone.iterrows():
        names = ast.literal_eval(labels.loc[case, "dermatologist_skin_condition_on_label_name"])
        sure = ast.literal_eval(labels.loc[case, "dermatologist_skin_condition_confidence"])
        weights = rater_weights(list(zip(names, sure, strict=True)))
        expected = dict.fromkeys(ALL.classes, 0.0)
        for name, weight in weights.items():
            expected[conditions.get(condition_key(name), "other")] += weight / sum(weights.values())
        assert row[ALL.label_columns].tolist() == pytest.approx(list(expected.values()))
