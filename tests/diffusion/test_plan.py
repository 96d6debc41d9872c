from __future__ import annotations

from fractions import Fraction
from itertools import product
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medaug.data.table import check_table
from medaug.diffusion.condition import ConditionEncoder
from medaug.diffusion.plan import fair_plan, largest_remainder, uniform_groups
from medaug.errors import DataError, SettingsError
from medaug.task import Attribute, Task

TASK = Task(
    "multilabel",
    ("edema", "effusion"),
    attributes=(Attribute("sex", groups=("F", "M")), Attribute("age", bins=(0.0, 40.0, 60.0, 80.0))),
)
SOFT = Task("multiclass", ("mole", "acne", "scar"))


def store(labels, task=TASK, split="train"):
    """What a plan needs of a store: labels and splits."""
    table = pd.DataFrame(np.asarray(labels, np.float32), columns=task.label_columns)
    table["split"] = split
    rows = {"train": np.flatnonzero(table["split"] == "train")}
    return SimpleNamespace(path=Path("data"), table=table, rows=lambda name: rows[name])


def spread(values, groups):
    counts = [int((values == group).sum()) for group in groups]
    return max(counts) - min(counts)


@settings(deadline=None)
@given(st.lists(st.integers(1, 10**6), min_size=1, max_size=12), st.integers(0, 10**6))
def test_largest_remainder_is_exact_and_within_one_of_the_share(weights, total):
    shares = largest_remainder(np.array(weights), total)
    exact = [Fraction(weight * total, sum(weights)) for weight in weights]
    assert shares.sum() == total
    assert all(abs(share - e) < 1 for share, e in zip(shares.tolist(), exact, strict=True))
    up = [e % 1 for e, share in zip(exact, shares.tolist(), strict=True) if share > e]
    down = [e % 1 for e, share in zip(exact, shares.tolist(), strict=True) if share <= e and e % 1]
    assert not up or not down or min(up) >= max(down)


@settings(deadline=None)
@given(
    st.lists(st.integers(1, 5), min_size=1, max_size=3),
    st.integers(0, 300),
    st.integers(0, 300),
)
def test_groups_are_uniform_together_and_alone_in_any_stretch(sizes, one, two):
    groups = uniform_groups(sizes, max(one, two))
    cells = list(product(*map(range, sizes)))
    counts = [int((groups == cell).all(axis=1).sum()) for cell in cells]
    assert max(counts) - min(counts) <= 1
    stretch = groups[min(one, two) :]
    for column, size in enumerate(sizes):
        assert spread(groups[:, column], range(size)) <= 1
        assert spread(stretch[:, column], range(size)) <= (1 if column == 0 else 2)


label_rows = st.lists(
    st.tuples(*[st.sampled_from([0.0, 1.0, 0.5, float("nan")])] * 2).filter(
        lambda row: not all(np.isnan(row))
    ),
    min_size=1,
    max_size=30,
)


@settings(deadline=None)
@given(label_rows, st.integers(1, 120), st.integers(0, 5))
def test_plans_keep_the_label_distribution_and_make_groups_uniform(labels, images, seed):
    plan = fair_plan(store(labels), ConditionEncoder(TASK, ("sex", "age")), images, seed)
    assert len(plan) == images
    check_table(plan, TASK)
    ages = TASK.attribute("age")
    groups = ages.group_of(plan["attr:age"]).astype(str)
    assert spread(plan["attr:sex"], ("F", "M")) <= 1
    assert spread(groups, ages.group_names) <= 1
    assert spread(plan["attr:sex"] + groups, [s + g for s in ("F", "M") for g in ages.group_names]) <= 1
    wanted, planned = (counted(rows) for rows in (labels, plan[TASK.label_columns].to_numpy()))
    assert set(planned) <= set(wanted)
    for vector, count in wanted.items():
        assert abs(planned.get(vector, 0) - Fraction(count * images, len(labels))) < 1
        block = plan[[tuple_of(row) == vector for row in plan[TASK.label_columns].to_numpy()]]
        assert spread(block["attr:sex"], ("F", "M")) <= 1


def tuple_of(row):
    return tuple(-1.0 if np.isnan(v) else float(v) for v in row)


def counted(rows):
    vectors = [tuple_of(row) for row in rows]
    return {vector: vectors.count(vector) for vector in vectors}


def test_only_labelled_training_rows_count():
    labels = [[1, 0], [1, 0], [np.nan, np.nan], [0, 1]]
    plan = fair_plan(
        store(labels, split=["train", "train", "train", "ood_test"]), ConditionEncoder(TASK), 4, seed=0
    )
    assert plan["label:edema"].tolist() == [1, 1, 1, 1]
    assert plan["label:effusion"].tolist() == [0, 0, 0, 0]


def test_what_is_not_asked_for_is_missing_and_the_domain_says_synthetic():
    plan = fair_plan(store([[1, 0]]), ConditionEncoder(TASK, ("sex",)), 3, seed=0)
    assert plan["attr:age"].isna().all()
    assert plan["domain"].unique().tolist() == ["synthetic"]
    assert plan["split"].unique().tolist() == ["train"]
    assert plan["synthetic"].all()
    assert plan["image_id"].is_unique


def test_hospitals_asked_for_are_uniform_and_reach_the_condition():
    encoder = ConditionEncoder(TASK, ("domain",), ("A", "B"))
    plan = fair_plan(store([[1, 0], [0, 1]]), encoder, 10, seed=0)
    assert plan["domain"].value_counts().to_dict() == {"A": 5, "B": 5}
    np.testing.assert_array_equal(encoder.encode(plan)[:, 4:].sum(0), [5, 5])


def test_encoded_plans_ask_for_a_group_of_every_property():
    encoder = ConditionEncoder(TASK, ("sex", "age"))
    vectors = encoder.encode(fair_plan(store([[1, 0], [0, np.nan]]), encoder, 12, seed=3))
    np.testing.assert_array_equal(vectors[:, 4:6].sum(1), np.ones(12))
    np.testing.assert_array_equal(vectors[:, 6:].sum(0), [4, 4, 4])


def test_a_seed_decides_the_order_and_no_count():
    encoder = ConditionEncoder(TASK, ("sex",))
    real = store([[1, 0]] * 3 + [[0, 1]] * 7)
    first, again, other = (fair_plan(real, encoder, 100, seed) for seed in (0, 0, 1))
    pd.testing.assert_frame_equal(first, again)
    assert not first["label:edema"].equals(other["label:edema"])
    for plan in (first, other):
        assert plan.groupby(["label:edema", "attr:sex"]).size().tolist() == [35, 35, 15, 15]


def test_dominant_classes_are_left_out():
    labels = [[0.6, 0.4, 0], [0.1, 0.5, 0.4], [0, 0, 1], [0, 0, 1]]
    plan = fair_plan(store(labels, SOFT), ConditionEncoder(SOFT), 9, seed=0, exclude=["mole"])
    assert sorted(plan["label:scar"]) == pytest.approx([0.4] * 3 + [1.0] * 6)
    both = fair_plan(store([[1, 1], [0, 1], [0.4, 0]]), ConditionEncoder(TASK), 2, 0, ["effusion"])
    assert both["label:edema"].tolist() == pytest.approx([0.4, 0.4])


def test_impossible_plans_are_refused():
    encoder = ConditionEncoder(TASK)
    with pytest.raises(SettingsError, match="at least one image"):
        fair_plan(store([[1, 0]]), encoder, 0, seed=0)
    with pytest.raises(SettingsError, match=r"cannot exclude \['cold'\]"):
        fair_plan(store([[1, 0]]), encoder, 1, seed=0, exclude=["cold"])
    with pytest.raises(DataError, match="no labelled training image"):
        fair_plan(store([[1, 0]]), encoder, 1, seed=0, exclude=["edema"])


def test_without_images_each_condition_by_itself_is_as_frequent_as_none():
    task = Task("multilabel", ("edema", "effusion"), attributes=(Attribute("sex", ("F", "M")),))
    plan = fair_plan(None, ConditionEncoder(task, ("sex",)), 12, seed=0)
    counts = plan[["label:edema", "label:effusion"]].value_counts().to_dict()
    assert counts == {(0.0, 0.0): 4, (1.0, 0.0): 4, (0.0, 1.0): 4}
    assert plan["attr:sex"].value_counts().to_dict() == {"F": 6, "M": 6}


def test_without_images_exclusive_classes_are_equally_frequent():
    task = Task("multiclass", ("acne", "cyst", "other"))
    plan = fair_plan(None, ConditionEncoder(task), 8, seed=0, exclude=("other",))
    assert plan[task.label_columns].sum().tolist() == [4.0, 4.0, 0.0]


def test_images_of_other_classes_than_the_generators_are_refused():
    with pytest.raises(DataError, match="no labels for edema, effusion, which"):
        fair_plan(store([[1, 0, 0]], SOFT), ConditionEncoder(TASK), 2, seed=0)
