import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medaug.data.store import ImageStore
from medaug.errors import DataError, SettingsError
from medaug.study.choice import ChoiceSettings, choose
from medaug.task import Task

CLASSES = ("acne", "eczema", "melanoma")


def unread(labels, kind="multiclass", **columns):
    """A store of which only the table is looked at."""
    count = len(labels)
    content = {
        "image_id": [f"image{i}" for i in range(count)],
        "patient_id": [f"patient{i}" for i in range(count)],
        "split": "train",
        "synthetic": False,
        **dict(zip([f"label:{c}" for c in CLASSES], np.array(labels, np.float32).T, strict=True)),
    }
    return ImageStore("store", Task(kind, CLASSES), pd.DataFrame({**content, **columns}), {}, (8,), 3)


def one_hot(*conditions):
    return [[float(c == name) for name in CLASSES] for c in conditions]


def test_every_condition_and_source_has_the_same_number(stores):
    chosen = choose(stores, ChoiceSettings(images_per_class=3))
    assert chosen.groupby(["condition", "synthetic"]).size().to_dict() == {
        (c, s): 3 for c in CLASSES for s in (False, True)
    }
    assert not chosen.duplicated(["store", "row"]).any()
    for row in chosen.to_dict("records"):
        origin = stores[row["store"]].table.iloc[row["row"]]
        assert origin[f"label:{row['condition']}"] == 1
        assert (origin["image_id"], origin["synthetic"]) == (row["image_id"], row["synthetic"])
        assert row["truth"] == (row["condition"],)


def test_the_seed_decides_images_and_order(stores):
    first, again, other = (choose(stores, ChoiceSettings(images_per_class=2, seed=s)) for s in (1, 1, 2))
    pd.testing.assert_frame_equal(first, again)
    assert first["image_id"].tolist() != other["image_id"].tolist()
    assert set(first["image_id"]) != set(other["image_id"])


def test_the_order_tells_neither_source_nor_condition(stores):
    chosen = choose(stores, ChoiceSettings(images_per_class=5, seed=4))
    assert 0 < chosen["synthetic"].head(15).sum() < 15
    assert chosen["condition"].head(6).nunique() > 1


def test_a_mixed_store_gives_both_sources():
    store = unread(one_hot("acne", "acne", "acne", "acne"), synthetic=[False, True, False, True])
    chosen = choose([store], ChoiceSettings(images_per_class=2))
    assert chosen["synthetic"].sum() == 2


def test_soft_labels_count_from_the_majority_on_and_ties_not_at_all():
    store = unread([[0.6, 0.4, 0], [0.45, 0.35, 0.2], [0.5, 0.5, 0], [0.5, 0.3, 0.2], [np.nan] * 3])
    chosen = choose([store], ChoiceSettings(images_per_class=2))
    assert set(chosen["image_id"]) == {"image0", "image3"}
    lower = choose([store], ChoiceSettings(images_per_class=3, least_label=0.4))
    assert set(lower["image_id"]) == {"image0", "image1", "image3"}


def test_an_image_of_several_findings_is_shown_once_and_keeps_them_all():
    store = unread([[1, 1, 0], [1, 0, 0], [0, 0, 1]], kind="multilabel")
    chosen = choose([store], ChoiceSettings(images_per_class=1)).set_index("image_id")
    assert chosen["condition"].to_dict() == {"image0": "eczema", "image1": "acne", "image2": "melanoma"}
    assert chosen.loc["image0", "truth"] == ("acne", "eczema")


def test_no_patient_is_shown_twice():
    labels = one_hot(*["acne"] * 6)
    store = unread(labels, patient_id=["a", "a", "a", "a", "a", "b"])
    chosen = choose([store], ChoiceSettings(images_per_class=2))
    assert set(store.table["patient_id"].iloc[chosen["row"]]) == {"a", "b"}
    with pytest.raises(SettingsError, match=r"real acne 2;"):
        choose([store], ChoiceSettings(images_per_class=3))


def test_synthetic_images_are_of_nobody():
    store = unread(one_hot(*["acne"] * 3), synthetic=True, patient_id=None)
    assert len(choose([store], ChoiceSettings(images_per_class=3))) == 3


def test_splits_hold_for_real_images_only():
    real = unread(one_hot(*["acne"] * 4), split=["train", "train", "id_test", "train"])
    synthetic = unread(one_hot("acne"), synthetic=True, image_id=["made"])
    chosen = choose([real, synthetic], ChoiceSettings(images_per_class=1, splits=("id_test",)))
    assert set(chosen["image_id"]) == {"image2", "made"}


def test_conditions_that_are_asked_for_are_shown_alone(stores):
    chosen = choose(stores, ChoiceSettings(images_per_class=2, conditions=("melanoma",)))
    assert set(chosen["condition"]) == {"melanoma"}


def test_all_that_is_too_few_is_in_one_sentence():
    real = unread(one_hot("acne", "acne", "eczema"))
    synthetic = unread(one_hot("acne"), synthetic=True)
    with pytest.raises(SettingsError, match=r"real eczema 1, synthetic acne 1, synthetic eczema 0;"):
        choose([real, synthetic], ChoiceSettings(images_per_class=2))


def test_what_cannot_be_is_said(stores):
    one = ChoiceSettings(images_per_class=1)
    with pytest.raises(SettingsError, match="at least one image store"):
        choose([], one)
    with pytest.raises(SettingsError, match=r"\['scar'\] are unknown; the task has: acne"):
        choose(stores, ChoiceSettings(images_per_class=1, conditions=("scar",)))
    with pytest.raises(DataError, match="no image of these stores shows a condition"):
        choose([unread([[np.nan] * 3])], one)
    with pytest.raises(DataError, match="other classes"):
        choose([*stores, unread(one_hot("acne"), kind="multilabel")], one)


@pytest.mark.parametrize(
    "wrong", [{"images_per_class": 0}, {"least_label": 0}, {"least_label": 1.1}, {"splits": ("test",)}]
)
def test_settings_that_make_no_sense_are_refused(wrong):
    with pytest.raises(SettingsError, match=next(iter(wrong))):
        ChoiceSettings(**{"images_per_class": 1, **wrong})


@given(
    conditions=st.lists(st.tuples(st.sampled_from(CLASSES), st.booleans(), st.integers(0, 9)), min_size=1),
    count=st.integers(1, 3),
    seed=st.integers(0, 99),
)
def test_whatever_the_store_the_study_is_balanced_or_refused(conditions, count, seed):
    names, synthetic, patients = zip(*conditions, strict=True)
    store = unread(one_hot(*names), synthetic=list(synthetic), patient_id=[f"p{p}" for p in patients])
    try:
        chosen = choose([store], ChoiceSettings(images_per_class=count, seed=seed))
    except SettingsError:
        return
    sizes = chosen.groupby(["condition", "synthetic"]).size()
    assert len(sizes) == len(set(names)) * len(set(synthetic))
    assert (sizes == count).all()
    real = chosen.loc[~chosen["synthetic"], "row"]
    assert store.table["patient_id"].iloc[real].is_unique
