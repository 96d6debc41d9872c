import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medaug.data.split import BOTH_SIDES, NO_DOMAIN, SplitSettings, assign_splits, split_settings
from medaug.errors import DataError, SettingsError


def source(patients=400, **columns):
    number = np.arange(patients * 2)
    content = {
        "image_id": [f"i{i}" for i in number],
        "patient_id": [f"p{i // 2}" for i in number],
        "domain": np.where(number // 2 % 2 == 0, "in", "out"),
        "label:edema": (number % 3 == 0).astype(float),
    }
    return pd.DataFrame({**content, **columns})


SETTINGS = SplitSettings(train_domains=("in",), val_fraction=0.2, test_fraction=0.3, unlabelled_fraction=0.25)


def test_shares_are_about_right_and_a_patient_is_in_one_split():
    table, left_out = assign_splits(source(), SETTINGS)
    assert left_out.empty
    assert (table.groupby("patient_id")["split"].nunique() == 1).all()
    share = table.groupby("domain")["split"].value_counts(normalize=True)
    expected = {("in", "train"): 0.5, ("in", "id_val"): 0.2, ("in", "id_test"): 0.3}
    expected |= {("out", "unlabelled"): 0.25, ("out", "ood_val"): 0.2, ("out", "ood_test"): 0.55}
    assert set(share.index) == set(expected)
    for key, value in expected.items():
        # Four standard deviations of a share of 200 patients.
        assert share[key] == pytest.approx(value, abs=4 * np.sqrt(value * (1 - value) / 200))


@settings(deadline=None, max_examples=20)
@given(st.permutations(range(60)), st.integers(30, 60))
def test_a_patients_split_depends_on_nobody_else(order, count):
    whole, _ = assign_splits(source(30), SETTINGS)
    part, _ = assign_splits(source(30).iloc[order], SETTINGS)
    expected = whole.set_index("image_id")["split"]
    found = part.set_index("image_id")["split"]
    assert found.equals(expected[found.index])
    assert part["image_id"].tolist() == [f"i{i}" for i in order]


def test_another_seed_is_another_split():
    other = SplitSettings(train_domains=("in",), val_fraction=0.2, test_fraction=0.3, seed=1)
    same = SplitSettings(train_domains=("in",), val_fraction=0.2, test_fraction=0.3)
    assert not assign_splits(source(), other)[0]["split"].equals(assign_splits(source(), same)[0]["split"])


def test_official_splits_are_kept_in_distribution():
    official = np.tile(["train", "train", "val", "val", "test", "test", "train", "train"], 100)
    table, _ = assign_splits(source(400, domain="in", official_split=official), SETTINGS)
    expected = pd.Series(official).map({"train": "train", "val": "id_val", "test": "id_test"})
    assert table["split"].tolist() == expected.tolist()


def test_what_official_splits_lack_is_drawn_from_their_training_patients():
    official = np.where(np.arange(800) // 2 % 4 == 0, "val", "train")
    table, _ = assign_splits(source(400, domain="in", official_split=official), SETTINGS)
    assert (table.loc[official == "val", "split"] == "id_val").all()
    assert set(table.loc[official == "train", "split"]) == {"train", "id_test"}


def test_an_official_test_outside_stays_test_and_the_rest_validates():
    outside = np.arange(400) // 2 % 2 == 1
    official = np.where(outside & (np.arange(400) // 2 % 4 == 1), "test", None)
    table, _ = assign_splits(source(200, official_split=official), SplitSettings(train_domains=("in",)))
    assert (table.loc[official == "test", "split"] == "ood_test").all()
    assert set(table.loc[outside & (official != "test"), "split"]) == {"ood_val"}


def test_labels_of_unlabelled_patients_are_removed_and_others_stay():
    before = source()
    table, _ = assign_splits(before, SETTINGS)
    unlabelled = table["split"] == "unlabelled"
    assert unlabelled.any()
    assert table.loc[unlabelled, "label:edema"].isna().all()
    assert table.loc[~unlabelled, "label:edema"].equals(before.loc[~unlabelled, "label:edema"])


def test_a_training_row_without_any_label_is_unlabelled():
    before = source()
    before.loc[::3, "label:edema"] = np.nan
    split = assign_splits(before, SplitSettings(train_domains=("in",)))[0]["split"]
    known = assign_splits(source(), SplitSettings(train_domains=("in",)))[0]["split"]
    without = before["label:edema"].isna() & (known == "train")
    assert (split[without] == "unlabelled").all()
    assert split[~without].equals(known[~without])


def test_a_patient_on_both_sides_is_put_on_one_by_a_coin(caplog):
    view = np.where(np.arange(800) % 2 == 0, "PA", "AP")
    settings_ = SplitSettings(train_domains=("PA",), domain_column="view")
    table, left_out = assign_splits(source(view=view), settings_)
    assert len(table) == len(left_out) == 400
    assert set(left_out["reason"]) == {BOTH_SIDES}
    assert set(table["patient_id"]) == set(left_out["patient_id"])
    assert f"400 of 800 rows are left out: {BOTH_SIDES}" in caplog.text
    assert table["domain"].equals(table["view"])
    assert 150 < (table["view"] == "PA").sum() < 250
    inside = table["split"].isin(("train", "id_val", "id_test"))
    assert (inside == (table["view"] == "PA")).all()


def test_rows_without_a_domain_are_left_out_with_a_reason():
    view = np.array(["PA", "AP"], object)[np.arange(800) // 2 % 2]
    view[5] = None
    table, left_out = assign_splits(
        source(view=view), SplitSettings(train_domains=("PA",), domain_column="view")
    )
    assert left_out["image_id"].tolist() == ["i5"]
    assert left_out["reason"].tolist() == [NO_DOMAIN]
    assert len(table) == 799


@pytest.mark.parametrize(
    ("columns", "options", "message"),
    [
        ({}, {"train_domains": ("mars",)}, r"train_domains \['mars'\] .* there are: in, out"),
        (
            {},
            {"train_domains": ("in",), "domain_column": "site"},
            "no column 'site' for the domain; there are: image_id",
        ),
        ({"official_split": "dev"}, {"train_domains": ("in",)}, "official_split is not understood in row 1"),
        ({"patient_id": None}, {"train_domains": ("in",)}, "patient_id is missing in row 1"),
        ({}, {"train_domains": ("in",), "test_fraction": 1e-9}, "no image is left for the split id_test"),
        (
            {},
            {"train_domains": ("in",), "ood_val_domains": ("mars",)},
            r"ood_val_domains \['mars'\] .* there",
        ),
        ({}, {"train_domains": ("in",), "unit": "slide"}, "splitting by slide needs a column 'slide'"),
        ({}, {"train_domains": ("in",), "val_fraction": 0.0}, "no image is left for the split id_val"),
        ({"label:edema": np.nan}, {"train_domains": ("in",)}, "for the split train; none has a label"),
    ],
)
def test_errors_say_what_to_do(columns, options, message):
    with pytest.raises(DataError, match=message):
        assign_splits(source(**columns), SplitSettings(**options))


@pytest.mark.parametrize(
    ("given", "domains"),
    [("site", ("site",)), (0, ("0",)), ([1, "b"], ("1", "b")), (None, ()), ([], ()), ("", ())],
)
def test_a_lone_domain_is_a_list_of_one(given, domains):
    content = {"domain_column": "domain", "train_domains": None, "ood_val_domains": given}
    found = split_settings(content, [source()])
    assert found.ood_val_domains == domains
    again = split_settings({**content, "train_domains": given}, [source()])
    assert again.train_domains == (domains or ("in", "out"))


def test_an_external_data_set_is_not_taken_for_a_part_of_the_first():
    content = {"domain_column": "domain", "train_domains": None}
    home, same, other = source(domain="own data"), source(domain="own data"), source(domain="B")
    with pytest.raises(DataError, match=r"the domain 'own data' is both .* external_options"):
        split_settings(content, [home, other, same])
    assert split_settings(content, [home, other]).train_domains == ("own data",)
    both = split_settings({**content, "train_domains": ["own data"]}, [home, same])
    assert both.train_domains == ("own data",)


@pytest.mark.parametrize("shares", [{"val_fraction": 0.6, "test_fraction": 0.4}, {"ood_val_fraction": -0.1}])
def test_impossible_fractions_are_an_error(shares):
    with pytest.raises(SettingsError, match="must not be negative"):
        SplitSettings(train_domains=("in",), **shares)


def test_the_source_table_is_not_changed():
    before = source()
    assign_splits(before, SETTINGS)
    assert before.equals(source())


def test_domains_can_be_named_for_validation_out_of_distribution():
    domain = np.array(["in", "near", "far"], object)[np.arange(800) // 2 % 3]
    chosen = SplitSettings(train_domains=("in",), ood_val_domains=("near",), test_fraction=0.0)
    table, left_out = assign_splits(source(domain=domain), chosen)
    assert left_out.empty
    assert set(table.loc[table["domain"] == "near", "split"]) == {"ood_val"}
    assert set(table.loc[table["domain"] == "far", "split"]) == {"ood_test"}
    assert set(table.loc[table["domain"] == "in", "split"]) == {"train", "id_val"}


@pytest.mark.parametrize(("unit", "column"), [("slide", "slide"), ("patch", "image_id")])
def test_finer_units_split_patients(unit, column):
    slides = source(domain="in", slide=[f"s{i // 2 % 400}" for i in range(800)])
    slides["patient_id"] = [f"p{i // 20}" for i in range(800)]
    table, _ = assign_splits(slides, SplitSettings(train_domains=("in",), unit=unit))
    assert (table.groupby(column)["split"].nunique() == 1).all()
    assert (table.groupby("patient_id")["split"].nunique() > 1).any()


def test_patients_without_a_label_are_never_held_out():
    before = source(domain="in")
    before.loc[before["patient_id"].isin([f"p{i}" for i in range(0, 400, 4)]), "label:edema"] = np.nan
    table, _ = assign_splits(before, SplitSettings(train_domains=("in",), test_fraction=0.3))
    nothing_known = table["label:edema"].isna().groupby(table["patient_id"]).transform("all")
    assert set(table.loc[nothing_known, "split"]) == {"unlabelled"}
    assert "unlabelled" not in set(table.loc[~nothing_known, "split"])


def test_a_table_of_slides_has_no_labels_and_is_divided_all_the_same():
    slides = source().drop(columns="label:edema")
    table, _ = assign_splits(slides, SETTINGS)
    with_labels, _ = assign_splits(source(), SETTINGS)
    assert table["split"].equals(with_labels["split"])


def test_an_unknown_unit_is_an_error():
    with pytest.raises(SettingsError, match="one of patient, slide, patch, not 'case'"):
        SplitSettings(train_domains=("in",), unit="case")
