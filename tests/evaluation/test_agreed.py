import math

import numpy as np
import pandas as pd

from medaug.evaluation.agreed import agreed, rejected_table
from medaug.task import Attribute, Task

NAN = math.nan
CHEST = Task("multilabel", ("edema", "effusion"), attributes=(Attribute("sex", ("F", "M")),))
SKIN = Task("multiclass", ("naevus", "melanoma", "wart"))


def predictions(task, rows):
    """A table from (split, scores, labels) triples."""
    split, scores, labels = zip(*rows, strict=True)
    table = pd.DataFrame({"split": split, "method": "m", "seed": 0})
    scores, labels = np.array(scores, float), np.array(labels, float)
    for place, name in enumerate(task.classes):
        table[f"score:{name}"], table[f"label:{name}"] = scores[:, place], labels[:, place]
    return table


def test_every_known_condition_must_be_on_its_side_of_its_threshold():
    validation = [  # the best thresholds are 0.3 and 0.8
        ("id_val", (0.1, 0.5), (0, 0)),
        ("id_val", (0.3, 0.6), (1, 0)),
        ("id_val", (0.9, 0.8), (1, 1)),
    ]
    asked = [
        (("train", (0.4, 0.7), (1, 0)), True),
        (("train", (0.3, 0.8), (1, 1)), True),  # at the threshold is present
        (("train", (0.2, 0.7), (1, 0)), False),
        (("train", (0.4, 0.9), (1, 0)), False),
        (("train", (0.4, 0.9), (1, NAN)), True),
        (("train", (0.0, 0.9), (NAN, NAN)), True),
    ]
    found = agreed(predictions(CHEST, validation + [row for row, _ in asked]), CHEST)
    assert found[3:].tolist() == [expected for _, expected in asked]


def test_a_condition_that_validation_shows_on_one_side_only_rejects_nothing():
    rows = [("id_val", (0.1, 0.5), (0, 0)), ("id_val", (0.9, 0.5), (1, 0)), ("train", (0.9, 0.0), (1, 1))]
    assert agreed(predictions(CHEST, rows), CHEST).tolist() == [True, True, True]


def test_of_exclusive_classes_the_largest_score_must_be_the_class_that_was_asked_for():
    rows = [
        ("train", (0.2, 0.5, 0.3), (0, 1, 0)),
        ("train", (0.5, 0.2, 0.3), (0, 1, 0)),
        ("train", (0.2, 0.5, 0.3), (0.3, 0.6, 0.1)),
        ("train", (0.2, 0.5, 0.3), (NAN, NAN, NAN)),
    ]
    assert agreed(predictions(SKIN, rows), SKIN).tolist() == [True, False, True, True]


def test_rejected_images_are_counted_by_condition_and_group():
    asked = pd.DataFrame(
        {
            "label:edema": [1.0, 1.0, 0.0, 0.0],
            "label:effusion": [1.0, 0.0, 1.0, NAN],
            "attr:sex": ["F", "M", "F", None],
            "domain": ["A", "A", "A", "B"],
        }
    )
    table = rejected_table(asked, np.array([True, False, False, False]), CHEST)
    found = table.set_index(["by", "name"])[["rejected", "images"]].apply(tuple, axis=1).to_dict()
    assert found == {
        ("all", "all"): (3, 4),
        ("class", "edema"): (1, 2),
        ("class", "effusion"): (1, 2),
        ("sex", "F"): (1, 2),
        ("sex", "M"): (1, 1),
        ("domain", "A"): (2, 3),
        ("domain", "B"): (1, 1),
    }
    np.testing.assert_allclose(table["share"], table["rejected"] / table["images"])


def test_an_image_counts_for_its_most_weighted_class_and_empty_classes_are_left_out():
    table = pd.DataFrame([(0.4, 0.6, 0.0), (1.0, 0.0, 0.0), (NAN, NAN, NAN)], columns=SKIN.label_columns)
    counted = rejected_table(table.assign(domain="A"), np.array([False, True, True]), SKIN)
    classes = counted[counted["by"] == "class"]
    assert classes[["name", "images", "rejected"]].to_numpy().tolist() == [
        ["naevus", 1, 0],
        ["melanoma", 1, 1],
    ]
