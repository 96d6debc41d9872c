import dataclasses

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medaug.data.row_groups import row_groups
from medaug.data.skew import Skew, group_counts, label_budget, skew_counts, skewed
from medaug.data.store import ImageStore, StoreWriter
from medaug.errors import SettingsError
from medaug.task import Attribute, Task

TASK = Task(
    "multiclass",
    ("naevus", "melanoma"),
    attributes=(Attribute("sex", ("F", "M")), Attribute("age", bins=(0, 50, 90))),
)
COUNTS = {"train": 60, "id_val": 20, "id_test": 20, "unlabelled": 10}


def table():
    splits = [split for split, count in COUNTS.items() for _ in range(count)]
    number = np.arange(len(splits))
    labelled = np.array(splits) != "unlabelled"
    labelled[0] = False  # a training image whose label nobody knows
    melanoma = np.where(labelled, number % 5 == 0, np.nan)
    return pd.DataFrame(
        {
            "image_id": [f"i{n}" for n in number],
            "file": [f"{n}.png" for n in number],
            "patient_id": [f"p{n}" for n in number],
            "domain": np.where(number % 2, "A", "B"),
            "split": splits,
            "label:naevus": 1 - melanoma,
            "label:melanoma": melanoma,
            "attr:sex": [("F", "M", "M", None)[n % 4] for n in number],
            "attr:age": np.where(number % 3 == 0, 30.0, 70.0),
            "synthetic": False,
        }
    )


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> ImageStore:
    rows = table()
    writer = StoreWriter(tmp_path_factory.mktemp("skew") / "data", TASK, rows, (2,), 1)
    writer.write(range(len(rows)), {2: np.zeros((len(rows), 2, 2, 1), np.uint8)})
    return writer.finish({})


def men(store):
    rows = store.table
    known = (rows["split"] == "train") & rows["label:naevus"].notna() & (rows["attr:sex"] == "M")
    return set(rows.loc[known, "image_id"])


def test_without_a_skew_the_store_is_itself(store):
    assert skewed(store, None) is store


@pytest.mark.parametrize("surplus", ["unlabelled", "left_out"])
def test_exactly_the_cap_is_kept_and_the_rest_goes_where_it_is_told(store, surplus):
    view = skewed(store, Skew("sex", {"M": 7}, surplus))
    lost = men(store) - men(view)
    assert len(men(view)) == 7
    assert men(view) < men(store)
    gone = view.table[view.table["image_id"].isin(lost)]
    assert (gone["split"] == surplus).all()
    labels = gone[TASK.label_columns].isna()
    assert labels.all(axis=None) if surplus == "unlabelled" else not labels.any(axis=None)


def test_every_other_row_and_the_pixels_are_untouched(store):
    before = store.table.copy()
    view = skewed(store, Skew("sex", {"M": 3}))
    others = ~store.table["image_id"].isin(men(store) - men(view))
    pd.testing.assert_frame_equal(view.table[others], store.table[others])
    pd.testing.assert_frame_equal(store.table, before)
    kept = [c for c in store.table if c != "split" and not c.startswith("label:")]
    pd.testing.assert_frame_equal(view.table[kept], store.table[kept])
    assert view.table.dtypes.equals(store.table.dtypes)
    np.testing.assert_array_equal(view.images(2), store.images(2))
    assert view.fingerprint == store.fingerprint


@given(st.integers(0, 40), st.integers(0, 40), st.integers(0, 5))
@settings(deadline=None, max_examples=30)
def test_images_under_a_smaller_cap_are_among_those_under_a_larger_one(store, one, two, seed):
    small, large = sorted((one, two))
    few, many = (men(skewed(store, Skew("sex", {"M": cap}, seed=seed))) for cap in (small, large))
    assert few <= many
    assert len(few) == min(small, len(men(store)))
    assert len(many) == min(large, len(men(store)))


def test_the_seed_chooses_and_the_order_of_rows_does_not(store):
    chosen = [men(skewed(store, Skew("sex", {"M": 10}, seed=seed))) for seed in (0, 1)]
    assert chosen[0] != chosen[1]
    reversed_rows = dataclasses.replace(store, table=store.table.iloc[::-1].reset_index(drop=True))
    assert men(skewed(reversed_rows, Skew("sex", {"M": 10}))) == chosen[0]


def test_hospitals_and_bins_of_numbers_can_be_capped(store):
    assert group_counts(skewed(store, Skew("domain", {"B": 4})), "domain").tolist() == [30, 4, 0]
    assert group_counts(skewed(store, Skew("age", {"(0, 50]": 0})), "age").tolist() == [0, 40, 0]


def test_counts_have_the_form_of_table_a2_and_are_exact(store):
    # Of 60 training rows 15 are women, one of them (row 0) without a label, 30 men and 15 unknown.
    counts = skew_counts(store, Skew("sex", {"M": 7}))
    assert counts.to_dict("index") == {
        "all": {"F": 14, "M": 30, "unknown": 15},
        "skewed": {"F": 14, "M": 7, "unknown": 15},
    }
    assert (counts.dtypes == np.int64).all()
    assert skew_counts(store, Skew("domain", {"A": 0}, "left_out")).loc["skewed"].to_dict() == {
        "A": 0,
        "B": 29,
        "unknown": 0,
    }


def test_two_groups_are_capped_each_by_itself(store):
    view = skewed(store, Skew("sex", {"M": 2, "F": 5}))
    assert group_counts(view, "sex").to_dict() == {"F": 5, "M": 2, "unknown": 15}


def test_unknown_attributes_and_groups_are_named_beside_those_there_are(store):
    with pytest.raises(SettingsError, match=r"no attribute 'skin_tone'; there are: sex, age, domain"):
        skewed(store, Skew("skin_tone", {"I": 1}))
    with pytest.raises(SettingsError, match=r"sex has no group 'X' to cap; there are: F, M"):
        skewed(store, Skew("sex", {"X": 1}))
    with pytest.raises(SettingsError, match=r"domain has no group 'C' to cap; there are: A, B"):
        skewed(store, Skew("domain", {"C": 1}))


def test_settings_that_mean_nothing_are_refused():
    with pytest.raises(SettingsError, match=r"needs caps"):
        Skew("sex", {})
    for cap in (-1, 1.5, True, "10"):
        with pytest.raises(SettingsError, match=r"cap of group 'M' must be a whole number from 0 on"):
            Skew("sex", {"M": cap})
    with pytest.raises(SettingsError, match=r"surplus must be unlabelled or left_out, not 'gone'"):
        Skew("sex", {"M": 1}, "gone")


def test_without_training_images_there_is_no_hospital_to_group_by(store):
    nobody = dataclasses.replace(store, table=store.table.assign(split="id_test"))
    with pytest.raises(SettingsError, match=r"no images in the split 'train'"):
        row_groups(nobody, "domain")


def test_a_label_budget_is_a_skew_of_hospitals() -> None:
    assert label_budget(100, ["center_3", "center_4"]) == {
        "attribute": "domain",
        "caps": {"center_3": 100, "center_4": 100},
        "surplus": "unlabelled",
    }
    with pytest.raises(SettingsError, match="--budget_domains"):
        label_budget(100, [])
