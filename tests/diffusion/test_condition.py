from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from medaug.diffusion.condition import ConditionEncoder
from medaug.errors import DataError, SettingsError
from medaug.task import Attribute, Task


def table(**columns):
    return pd.DataFrame({name.replace("_", ":"): values for name, values in columns.items()})


def test_binary_conditions_have_a_slot_for_absent_and_one_for_present(task):
    vectors = ConditionEncoder(task).encode(
        table(label_edema=[0.0, 1.0, 0.25, np.nan], label_effusion=[1.0, np.nan, 0.0, np.nan])
    )
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(vectors, [[1, 0, 0, 1], [0, 1, 0, 0], [0.75, 0.25, 1, 0], [0, 0, 0, 0]])


def test_properties_have_a_slot_a_group(task):
    encoder = ConditionEncoder(task, ("age", "sex"))
    vectors = encoder.encode(
        table(
            label_edema=[0.0] * 4,
            label_effusion=[0.0] * 4,
            attr_age=[40.0, 60.5, np.nan, 0.0],
            attr_sex=["M", None, "F", "X"],
        )
    )
    expected = [[1, 0, 0, 0, 1], [0, 0, 1, 0, 0], [0, 0, 0, 1, 0], [0, 0, 0, 0, 0]]
    np.testing.assert_array_equal(vectors[:, 4:], expected)
    assert encoder.slots[4:] == ("age:(0, 40]", "age:(40, 60]", "age:(60, inf]", "sex:F", "sex:M")
    assert encoder.size == vectors.shape[1] == len(encoder.slots)


def test_multiclass_labels_have_a_slot_a_class_and_stay_soft():
    encoder = ConditionEncoder(Task("multiclass", ("a", "b", "c")), ("domain",), ("here", "there"))
    labels = {"label_a": [0.5, np.nan], "label_b": [0.2, 1.0], "label_c": [0.3, 0.0]}
    vectors = encoder.encode(table(**labels, domain=["there", "elsewhere"]))
    np.testing.assert_allclose(vectors, [[0.5, 0.2, 0.3, 0, 1], [0, 0, 0, 0, 0]])
    assert encoder.slots == ("a", "b", "c", "domain:here", "domain:there")


def test_known_property_of_an_unlabelled_image_is_kept(task):
    vectors = ConditionEncoder(task, ("sex",)).encode(
        table(label_edema=[np.nan], label_effusion=[np.nan], attr_sex=["M"])
    )
    np.testing.assert_array_equal(vectors, [[0, 0, 0, 0, 0, 1]])


def test_encoders_survive_a_round_trip_through_plain_types():
    task = Task("multilabel", ("x",), attributes=(Attribute("age", bins=(0.0, 40.0, math.inf)),))
    encoder = ConditionEncoder(task, ("domain", "age"), ("A", "B"))
    assert ConditionEncoder.from_dict(encoder.to_dict()) == encoder


def test_a_missing_column_is_named(task):
    with pytest.raises(DataError, match="no column 'attr:sex'"):
        ConditionEncoder(task, ("sex",)).encode(table(label_edema=[0.0], label_effusion=[0.0]))


@pytest.mark.parametrize(
    ("properties", "domains", "match"),
    [
        (("height",), (), "cannot condition on"),
        (("sex", "sex"), (), "listed twice"),
        (("domain",), (), "go together"),
        ((), ("A",), "go together"),
    ],
)
def test_settings_that_do_not_fit_are_refused(task, properties, domains, match):
    with pytest.raises(SettingsError, match=match):
        ConditionEncoder(task, properties, domains)
