from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medaug.data.conditions import class_labels, class_of, condition_key, read_conditions
from medaug.errors import DataError, SettingsError
from medaug.task import Task

# The 26 conditions of Liu et al. 2020 and "other".
LIU = (
    *("Acne", "Actinic Keratosis", "Allergic Contact Dermatitis", "Alopecia Areata", "Androgenetic Alopecia"),
    *("Basal Cell Carcinoma", "Cyst", "Eczema", "Folliculitis", "Hidradenitis", "Lentigo"),
    *("Melanocytic Nevus", "Melanoma", "Post-Inflammatory hyperpigmentation", "Psoriasis", "SCC/SCCIS"),
    *("SK/ISK", "Scar Condition", "Seborrheic Dermatitis", "Skin Tag", "Stasis Dermatitis", "Tinea"),
    *("Tinea Versicolor", "Urticaria", "Verruca vulgaris", "Vitiligo", "Other"),
)


def write(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_the_built_in_table_has_the_27_classes() -> None:
    classes = set(read_conditions().values())

    assert {condition_key(name) for name in classes} == {condition_key(name) for name in LIU}
    assert len(classes) == 27


@pytest.mark.parametrize("spelling", [str, str.upper, lambda name: name.replace(" ", "_").lower()])
def test_a_task_may_spell_its_classes_as_it_likes(spelling: type[str]) -> None:
    task = Task("multiclass", tuple(spelling(name) for name in LIU))

    assert [class_of(name, task, read_conditions()) for name in LIU] == list(task.classes)


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("basal-cell-carcinoma-superficial", "basal cell carcinoma"),  # DDI
        ("superficial spreading melanoma ssm", "melanoma"),  # Fitzpatrick17k
        ("nodular-melanoma-(nm)", "melanoma"),
        ("SEK", "SK/ISK"),  # PAD-UFES-20
        ("bkl", "SK/ISK"),  # HAM10000
        ("akiec", "actinic keratosis"),
        ("SCC", "SCC/SCCIS"),  # ISIC 2019
        ("Bowen's disease", "SCC/SCCIS"),
        ("Acute-on-chronic dyshidrotic eczema of hands", "eczema"),  # SCIN
        ("urticaria pigmentosa", "other"),
        ("Irritant Contact Dermatitis", "other"),
        ("no such thing", "other"),
    ],
)
def test_conditions_of_the_public_sets(condition: str, expected: str) -> None:
    task = Task("multiclass", tuple(dict.fromkeys(read_conditions().values())))

    assert class_of(condition, task, read_conditions()) == expected


def test_own_names_come_before_the_table_and_other_is_last() -> None:
    conditions = read_conditions()

    assert class_of("mel", Task("multiclass", ("mel", "melanoma")), conditions) == "mel"
    assert class_of("leprosy", Task("multiclass", ("leprosy", "other")), conditions) == "leprosy"
    assert class_of("leprosy", Task("multiclass", ("acne", "Other")), conditions) == "Other"
    assert class_of("leprosy", Task("multiclass", ("acne",)), conditions) is None


def test_weight_outside_the_classes_is_left_out_as_long_as_half_remains() -> None:
    weights = [{"Acne": 0.5, "Leprosy": 0.5}, {"Acne": 0.4, "Leprosy": 0.6}, {"Acne": 2, "Tinea": 1}, {}]
    labels = class_labels(weights, Task("multiclass", ("acne", "tinea")), read_conditions())

    np.testing.assert_allclose(labels["label:acne"], [1, np.nan, 2 / 3, np.nan])
    np.testing.assert_allclose(labels["label:tinea"], [0, np.nan, 1 / 3, np.nan])


@given(st.lists(st.dictionaries(st.sampled_from([*LIU, "Leprosy", "hives"]), st.floats(0.01, 1)), min_size=1))
def test_with_other_nothing_is_lost(weights: list[dict[str, float]]) -> None:
    task = Task("multiclass", ("urticaria", "other"))
    labels = class_labels(weights, task, read_conditions())
    known = [bool(one) for one in weights]
    urticaria = [sum(one.get(name, 0) for name in ("Urticaria", "hives")) for one in weights]
    expected = [u / sum(one.values()) if one else np.nan for u, one in zip(urticaria, weights, strict=True)]

    np.testing.assert_allclose(labels["label:urticaria"], expected, atol=1e-12)
    np.testing.assert_allclose(sum(labels.values()), np.where(known, 1, np.nan))


def test_a_task_that_fits_nothing_is_an_error() -> None:
    with pytest.raises(SettingsError, match=r"no condition belongs to .* \(effusion\); .* Acne"):
        class_labels([{"Acne": 1.0}], Task("multiclass", ("effusion",)), read_conditions())
    with pytest.raises(SettingsError, match="must be 'multiclass'"):
        class_labels([{"Acne": 1.0}], Task("multilabel", ("acne",)), read_conditions())


def test_a_table_of_ones_own(tmp_path: Path) -> None:
    rows = ("condition,class,note", "Mel, malignant,x", "NV,benign,", "mel,malignant,")
    path = write(tmp_path / "mine.csv", *rows)

    assert read_conditions(path) == {
        "mel": "malignant",
        "nv": "benign",
        "malignant": "malignant",
        "benign": "benign",
    }


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (("condition,class", "a,x", "A,y"), r"row 3: the condition has another class elsewhere"),
        (("condition,class", "x,y", "a,x"), r"row 2: the condition has another class elsewhere"),
        (("condition,class", "a,"), "row 2: the condition or its class is blank"),
        (("condition,class", "-,x"), "row 2: the condition or its class is blank"),
        (("condition,klass", "a,x"), r"lacks the column\(s\) 'class'"),
        (("condition,class", "a,x,y,z"), "row 2: 4 cells, but the header has 2"),
    ],
)
def test_what_a_table_of_conditions_must_not_be(tmp_path: Path, lines: tuple[str, ...], message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_conditions(write(tmp_path / "mine.csv", *lines))


def test_a_table_of_conditions_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none\.csv is not there"):
        read_conditions(tmp_path / "none.csv")
