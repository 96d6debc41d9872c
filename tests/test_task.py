import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medaug.errors import SettingsError
from medaug.task import CHEST_RADIOGRAPHS, Attribute, Task, attribute_column, label_column


def test_columns() -> None:
    assert label_column("edema") == "label:edema"
    assert attribute_column("sex") == "attr:sex"
    assert attribute_column("domain") == "domain"


@given(st.floats(-10, 150))
def test_age_falls_into_the_bin_that_is_open_left_and_closed_right(age: float) -> None:
    attribute = Attribute("age", bins=(0, 40, 60, math.inf))
    group = attribute.group_of(pd.Series([age])).iloc[0]
    if age <= 0:
        assert pd.isna(group)
    else:
        assert group == ("(0, 40]" if age <= 40 else "(40, 60]" if age <= 60 else "(60, inf]")


def test_unknown_categories_are_in_no_group() -> None:
    groups = Attribute("sex", groups=("F", "M")).group_of(pd.Series(["M", "F", "O", None]))
    assert groups.iloc[:2].tolist() == ["M", "F"]
    assert groups.isna().tolist() == [False, False, True, True]
    assert list(groups.cat.categories) == ["F", "M"]


@pytest.mark.parametrize(
    "attribute", [Attribute("age", bins=(0, 40, math.inf)), Attribute("sex", groups=("F", "M"))]
)
def test_a_representative_belongs_to_its_group(attribute: Attribute) -> None:
    values = pd.Series([attribute.representative(group) for group in attribute.group_names])
    assert attribute.group_of(values).tolist() == list(attribute.group_names)


def test_attribute_needs_groups_or_increasing_bins() -> None:
    with pytest.raises(ValueError, match="'sex' needs either groups or bins"):
        Attribute("sex")
    with pytest.raises(ValueError, match="'age' do not increase"):
        Attribute("age", bins=(0, 40, 40))
    with pytest.raises(SettingsError, match="'age' do not increase"):
        Attribute("age", bins=(0, math.nan, 40))
    with pytest.raises(SettingsError, match=r"at least two, for example \(0, 65, 'inf'\), not \(65,\)"):
        Attribute("age", bins=(65,))
    with pytest.raises(SettingsError, match=r"a group of attribute 'sex' is there twice: \('F', 'F'\)"):
        Attribute("sex", groups=("F", "F"))


def test_task_refuses_what_makes_no_sense() -> None:
    with pytest.raises(ValueError, match="kind"):
        Task("binary", ("a",))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="distinct"):
        Task("multilabel", ("a", "a"))
    with pytest.raises(ValueError, match=r"high-risk.*\['b'\]"):
        Task("multiclass", ("a",), high_risk=("b",))
    with pytest.raises(SettingsError, match="names of their own, not sex, sex"):
        Task("multilabel", ("a",), attributes=(Attribute("sex", ("F",)), Attribute("sex", ("M",))))
    with pytest.raises(KeyError, match="this task has: sex, age"):
        CHEST_RADIOGRAPHS.attribute("height")


def test_labels_keep_the_order_of_the_classes_and_what_is_unknown() -> None:
    table = pd.DataFrame({"label:b": [1.0, None], "label:a": [0.0, 0.5]})
    labels = Task("multilabel", ("a", "b")).labels(table)
    np.testing.assert_array_equal(labels, np.array([[0, 1], [0.5, np.nan]], np.float32))
    assert labels.dtype == np.float32


def test_task_survives_a_file(tmp_path) -> None:
    CHEST_RADIOGRAPHS.save(tmp_path / "task.json")
    assert Task.load(tmp_path / "task.json") == CHEST_RADIOGRAPHS


def test_the_dominant_class_is_the_largest_or_each_that_is_present() -> None:
    labels = np.array([[0.2, 0.5, 0.3], [0.0, 0.0, 1.0], [np.nan, np.nan, np.nan]], np.float32)
    one = Task("multiclass", ("a", "b", "c"))
    assert one.dominated_by(["b", "c"], labels).tolist() == [True, True, False]
    assert not one.dominated_by([], labels).any()
    several = Task("multilabel", ("a", "b", "c"))
    assert several.dominated_by(["b"], labels).tolist() == [True, False, False]
    assert several.dominated_by(["a"], labels).tolist() == [False, False, False]
    with pytest.raises(SettingsError, match="cannot exclude"):
        one.dominated_by(["d"], labels)


def test_a_lone_class_of_a_command_line_is_a_list_of_one() -> None:
    assert Task.from_dict({"kind": "multilabel", "classes": "edema"}) == Task("multilabel", ("edema",))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"kind": "multi"}, "kind must be 'multilabel' or 'multiclass', not 'multi'"),
        ({"classes": []}, "classes must be distinct and at least one"),
        ({"attributes": ["sex"]}, r"an attribute is a mapping with name and groups or bins, .*, not 'sex'"),
        ({"attributes": [{"groups": ["F"]}]}, "an attribute is a mapping with name"),
        ({"attributes": [{"name": "age", "bins": ["old"]}]}, "an attribute is a mapping with name"),
        ({"attributes": [{"name": "age", "bins": [9, 3]}]}, "do not increase"),
    ],
)
def test_what_a_task_cannot_be_is_a_sentence(content: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        Task.from_dict({"kind": "multilabel", "classes": ["edema"], **content})
