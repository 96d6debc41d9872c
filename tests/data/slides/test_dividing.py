from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medaug.data.slides.dividing import divide_patches, divide_slides
from medaug.data.slides.patches import TUMOUR_LABEL, PatchSettings
from medaug.data.split import BOTH_SIDES, NO_DOMAIN, SplitSettings
from medaug.errors import DataError

HOSPITALS = tuple(f"center_{number}" for number in range(5))
INSIDE = ("center_0", "center_3", "center_4")
SPLIT = SplitSettings(
    train_domains=INSIDE, val_fraction=0.2, test_fraction=0.3, ood_val_domains=("center_1",), unit="patient"
)
WITHOUT_NEGATIVES, WITH_NEGATIVES = PatchSettings(), PatchSettings(normal_per_negative_slide=5)
HELD_OUT = ["id_val", "id_test", "ood_val", "ood_test"]


def slides(patients: int = 12, nodes: int = 4) -> pd.DataFrame:
    """Of each patient's slides one is annotated, one free of tumour, and of the rest nothing is known."""
    rows = [
        {
            "slide": f"{hospital}_{patient}_{node}",
            "patient_id": f"{hospital}_{patient}",
            "domain": hospital,
            "annotation": "a.xml" if node == 0 else None,
            "tumour_free": node == 1,
        }
        for hospital in HOSPITALS
        for patient in range(patients)
        for node in range(nodes)
    ]
    return pd.DataFrame(rows)


def with_unit(unit: str, **more: object) -> SplitSettings:
    return SplitSettings(**{**vars(SPLIT), "unit": unit, **more})


@pytest.mark.parametrize("unit", ["patient", "slide", "patch"])
def test_hospitals_are_on_their_side_and_slides_keep_their_order(unit: str) -> None:
    table, left_out = divide_slides(slides(), with_unit(unit), WITHOUT_NEGATIVES)

    assert left_out.empty
    assert table["slide"].tolist() == slides()["slide"].tolist()
    inside = table["domain"].isin(INSIDE)
    assert set(table.loc[inside, "split"]) <= {"train", "unlabelled", "id_val", "id_test"}
    assert set(table.loc[table["domain"] == "center_1", "split"]) == {"ood_val"}
    assert set(table.loc[table["domain"] == "center_2", "split"]) == {"ood_test"}


def test_by_patient_no_patient_is_trained_on_and_held_out() -> None:
    table, _ = divide_slides(slides(), SPLIT, WITHOUT_NEGATIVES)

    split = table["split"].replace("unlabelled", "train")
    assert (split.groupby(table["patient_id"]).nunique() == 1).all()
    assert set(split[table["domain"].isin(INSIDE)]) == {"train", "id_val", "id_test"}


def test_by_slide_patients_are_in_several_splits_and_only_labelled_slides_are_held_out() -> None:
    table, _ = divide_slides(slides(), with_unit("slide"), WITHOUT_NEGATIVES)

    inside = table[table["domain"].isin(INSIDE)]
    assert (inside.groupby("patient_id")["split"].nunique() > 1).any()
    assert inside.loc[inside["split"].isin(HELD_OUT), "annotation"].notna().all()
    assert (inside.loc[inside["annotation"].isna(), "split"] == "unlabelled").all()
    assert (inside.loc[inside["split"] == "train", "annotation"].notna()).all()


def test_slides_free_of_tumour_are_held_out_only_if_they_give_labelled_patches() -> None:
    split = with_unit("slide")
    without, _ = divide_slides(slides(), split, WITHOUT_NEGATIVES)
    with_them, _ = divide_slides(slides(), split, WITH_NEGATIVES)

    negative = without["tumour_free"] & without["domain"].isin(INSIDE)
    assert set(without.loc[negative, "split"]) == {"unlabelled"}
    assert set(with_them.loc[negative, "split"]) == {"train", "id_val", "id_test"}
    unknown = without["annotation"].isna() & ~without["tumour_free"] & without["domain"].isin(INSIDE)
    assert set(with_them.loc[unknown, "split"]) == {"unlabelled"}


@pytest.mark.parametrize("unit", ["patient", "slide"])
def test_slides_out_of_distribution_that_are_set_apart_lose_their_labels(unit: str) -> None:
    table, _ = divide_slides(slides(), with_unit(unit, unlabelled_fraction=0.5), WITH_NEGATIVES)

    outside = table[~table["domain"].isin(INSIDE)]
    assert set(outside["split"]) == {"unlabelled", "ood_val", "ood_test"}
    assert outside.loc[outside["split"] == "unlabelled", TUMOUR_LABEL].isna().all()


def test_slides_of_no_hospital_and_patients_of_both_kinds_are_left_out_with_the_reason() -> None:
    source = slides()
    source.loc[source["patient_id"] == "center_0_0", "domain"] = None
    source.loc[source["slide"] == "center_3_0_0", "domain"] = "center_2"
    table, left_out = divide_slides(source, SPLIT, WITHOUT_NEGATIVES)

    assert len(table) + len(left_out) == len(source)
    counts = left_out["reason"].value_counts().to_dict()
    assert counts[NO_DOMAIN] == 4
    assert counts[BOTH_SIDES] in (1, 3)
    assert set(left_out["patient_id"]) == {"center_0_0", "center_3_0"}


def test_by_patch_every_slide_in_distribution_is_for_training() -> None:
    table, _ = divide_slides(slides(), with_unit("patch"), WITHOUT_NEGATIVES)

    inside = table[table["domain"].isin(INSIDE)]
    assert (inside["split"] == np.where(inside["annotation"].notna(), "train", "unlabelled")).all()


def test_by_patch_one_annotated_slide_is_enough() -> None:
    one = slides(1, 1)
    table, _ = divide_slides(one, with_unit("patch"), WITHOUT_NEGATIVES)
    assert (table["split"] == "train").sum() == 3
    with pytest.raises(DataError, match="no image is left for the split train"):
        divide_slides(one.assign(annotation=None), with_unit("patch"), WITHOUT_NEGATIVES)


# Patches


def patches(counts: dict[tuple[str, str], int]) -> pd.DataFrame:
    """Patches of slides that were divided: so many of each hospital and split, in an order of chance."""
    rows = [
        {"image_id": f"{domain}_{split}_{number}", "slide": domain, "patient_id": domain, "domain": domain}
        | {"split": split, TUMOUR_LABEL: np.nan if split == "unlabelled" else float(number % 2)}
        for (domain, split), count in counts.items()
        for number in range(count)
    ]
    return pd.DataFrame(rows).sample(frac=1, random_state=0, ignore_index=True)


def test_only_labelled_training_patches_are_divided_by_patch() -> None:
    before = patches(
        {
            ("center_0", "train"): 400,
            ("center_3", "train"): 300,
            ("center_0", "unlabelled"): 50,
            ("center_1", "ood_val"): 40,
            ("center_1", "unlabelled"): 30,
            ("center_2", "ood_test"): 40,
        }
    )
    split = with_unit("patch", unlabelled_fraction=0.3, domain_column="stage", ood_val_domains=())
    after = divide_patches(before, split)

    pd.testing.assert_frame_equal(after.drop(columns="split"), before.drop(columns="split"))
    trained = before["split"] == "train"
    assert after.loc[~trained, "split"].equals(before.loc[~trained, "split"])
    shares = after.loc[trained, "split"].value_counts(normalize=True)
    for name, share in {"train": 0.5, "id_val": 0.2, "id_test": 0.3}.items():
        # Four standard deviations of a share of 700 patches.
        assert shares[name] == pytest.approx(share, abs=4 * np.sqrt(share * (1 - share) / 700))


@settings(deadline=None, max_examples=20)
@given(st.permutations(range(200)), st.integers(150, 200))
def test_what_becomes_of_a_patch_depends_on_no_other_patch(order: list[int], count: int) -> None:
    whole = patches({("center_0", "train"): 200})
    part = whole.iloc[order[:count]].reset_index(drop=True)
    expected = divide_patches(whole, with_unit("patch")).set_index("image_id")["split"]
    found = divide_patches(part, with_unit("patch")).set_index("image_id")["split"]
    assert found.equals(expected[found.index])
