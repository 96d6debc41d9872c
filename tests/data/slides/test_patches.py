import time

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import MultiPolygon, Polygon, box

from medaug.data.slides.annotation import Annotation, rasterise
from medaug.data.slides.patches import Layout, PatchSettings, choose, every_patch, grid, label_patches
from medaug.errors import DataError, SettingsError

SMALL = PatchSettings(patch_size=6, centre=2)
NOTHING = MultiPolygon()


def tumour(*parts, uncertain=NOTHING):
    return Annotation(MultiPolygon(list(parts)), uncertain)


def label(annotation, place=(0, 0), downsample=1.0, settings=SMALL, tumour_free=False):
    return label_patches(np.array([place]), annotation, tumour_free, downsample, settings)[0]


# The grid


def test_a_grid_covers_whole_patches_only():
    assert grid((20, 13), 1.0, 6).tolist() == [[0, 0], [6, 0], [12, 0], [0, 6], [6, 6], [12, 6]]
    assert grid((24, 12), 2.0, 6).tolist() == [[0, 0], [12, 0]]
    assert grid((5, 60), 1.0, 6).shape == (0, 2)
    assert grid((600, 6), 1.0, 6).dtype == np.int64


@settings(deadline=None)
@given(st.integers(1, 4000), st.integers(1, 4000), st.floats(1, 40), st.integers(1, 300))
def test_a_grid_touches_the_last_patch_that_fits(width, height, downsample, size):
    places, extent = grid((width, height), downsample, size), size * downsample
    # With exact fractions: as many as fit within the slide and the half pixel of rounding.
    assert len(places) == int((width + 0.5) // extent) * int((height + 0.5) // extent)
    if len(places):
        assert (places + extent <= np.array([width, height]) + 1).all()
        assert (places >= 0).all()
        assert np.abs(np.diff(np.unique(places[:, 0])) - extent).max(initial=0) <= 1


def test_a_downsample_that_is_rounded_gives_the_same_grid():
    exact = grid((98304, 103936), 4.0, 96)
    for downsample in (4 - 1e-12, 4 + 1e-12):
        assert (grid((98304, 103936), downsample, 96) == exact).all()


# Labels, counted by hand: a patch is 6 x 6, its centre [2, 4) x [2, 4).


def test_tumour_in_the_centre():
    assert label(tumour(box(3, 3, 4, 4))) == 1
    assert label(tumour(box(0, 0, 6, 6))) == 1


def test_tumour_that_touches_only_the_rim_is_neither():
    assert np.isnan(label(tumour(box(0, 0, 2, 6))))
    assert np.isnan(label(tumour(box(4, 0, 9, 9))))
    # One more half pixel reaches the centres of the central square.
    assert label(tumour(box(0, 0, 2.6, 6))) == 1


def test_tumour_that_misses_every_pixels_centre_is_none():
    assert label(tumour(box(2.6, 2.6, 3.4, 3.4))) == 0
    assert label(tumour(box(-5, -5, 0.4, 9))) == 0
    assert label(tumour(box(6, 0, 9, 9))) == 0


def test_a_patch_in_the_hole_of_a_tumour_is_normal():
    ring = Polygon([(-20, -20), (26, -20), (26, 26), (-20, 26)], [[(0, 0), (6, 0), (6, 6), (0, 6)]])
    assert label(tumour(ring)) == 0
    assert label(tumour(ring), (6, 0)) == 1
    # One pixel to the right, the last column is tumour: neither. Three: the centre's last column is.
    assert np.isnan(label(tumour(ring), (1, 0)))
    assert np.isnan(label(tumour(ring), (2, 0)))
    assert label(tumour(ring), (3, 0)) == 1


def test_a_small_hole_in_the_centre_leaves_a_tumour():
    ring = Polygon([(0, 0), (6, 0), (6, 6), (0, 6)], [[(2, 2), (3, 2), (3, 3), (2, 3)]])
    assert label(tumour(ring)) == 1
    ring = Polygon([(0, 0), (6, 0), (6, 6), (0, 6)], [[(2, 2), (4, 2), (4, 4), (2, 4)]])
    assert np.isnan(label(tumour(ring)))


def test_tumour_beyond_the_slides_border():
    # A slide of 12 x 6: an outline that leaves it labels what lies on it.
    places = grid((12, 6), 1.0, 6)
    labels = label_patches(places, tumour(box(9, -50, 90, 50)), False, 1.0, SMALL)
    assert labels.tolist() == [0, 1]


def test_a_level_is_labelled_on_its_own_pixels():
    # At downsample 4 the centre is [8, 16) of level 0 and its pixels' centres lie at 10 and 14.
    assert label(tumour(box(9, 9, 11, 11)), downsample=4.0) == 1
    assert label(tumour(box(11, 11, 13, 13)), downsample=4.0) == 0
    assert np.isnan(label(tumour(box(5, 9, 7, 11)), downsample=4.0))
    assert label(tumour(box(40, 40, 43, 43)), (30, 30), downsample=4.0) == 1


def test_a_patch_that_touches_an_uncertain_region_is_neither():
    doubtful = MultiPolygon([box(5, 5, 7, 7)])
    assert np.isnan(label(tumour(uncertain=doubtful)))
    assert np.isnan(label(tumour(box(2, 2, 4, 4), uncertain=doubtful)))
    assert label(tumour(uncertain=doubtful), (7, 7)) == 0


def test_a_missing_annotation():
    assert np.isnan(label(None))
    assert label(None, tumour_free=True) == 0
    assert label(tumour(), tumour_free=True) == 0
    with pytest.raises(DataError, match="free of tumour, but its annotation"):
        label(tumour(box(0, 0, 1, 1)), tumour_free=True)


def brute_force(places, annotation, downsample, settings):
    found = []
    margin = (settings.patch_size - settings.centre) // 2
    middle = slice(margin, margin + settings.centre)
    for x, y in places:
        window = (x, y, settings.patch_size, settings.patch_size, downsample)
        pixels = rasterise(annotation.tumour, *window)
        if rasterise(annotation.uncertain, *window).any():
            found.append(np.nan)
        elif pixels[middle, middle].any():
            found.append(1.0)
        else:
            found.append(np.nan if pixels.any() else 0.0)
    return np.array(found, np.float32)


rings = st.lists(st.tuples(st.integers(0, 120), st.integers(0, 120)), min_size=3, max_size=9)


def region(corners):
    valid = shapely.make_valid(Polygon(corners), method="structure")
    return MultiPolygon([part for part in shapely.get_parts(valid) if part.geom_type == "Polygon"])


@settings(deadline=None, max_examples=60)
@given(rings, rings, st.sampled_from([1.0, 1.3, 2.0]), st.sampled_from([(6, 2), (9, 3), (8, 8)]))
def test_labels_are_those_of_full_rasterising(first, second, downsample, sizes):
    # Corners on whole and half pixels: the cases in which a shortcut could differ.
    annotation = Annotation(region(np.array(first) / 2 + 10), region(np.array(second) / 8))
    patch = PatchSettings(patch_size=sizes[0], centre=sizes[1])
    places = grid((90, 80), downsample, sizes[0])
    found = label_patches(places, annotation, False, downsample, patch)
    assert np.array_equal(found, brute_force(places, annotation, downsample, patch), equal_nan=True)


def test_a_hundred_thousand_patches_are_labelled_fast():
    angle = np.linspace(0, 2 * np.pi, 5001)[:-1]
    radius = 30000 + 800 * np.sin(40 * angle) + 100 * np.sin(900 * angle)
    lake = Polygon(np.stack([60000 + radius * np.cos(angle), 60000 + radius * np.sin(angle)], axis=1))
    places = grid((122880, 122880), 4.0, 96)
    assert len(places) >= 100_000
    began = time.process_time()
    labels = label_patches(places, tumour(lake), False, 4.0, PatchSettings())
    assert time.process_time() - began < 10
    # A patch is tumour about where its middle is, so their area is about the lake's.
    assert (labels == 1).sum() * 384**2 == pytest.approx(lake.area, rel=0.05)
    some = np.arange(0, len(places), 37)
    middle = places[some] + 192
    clear = shapely.distance(lake.boundary, shapely.points(middle)) > 300
    assert (labels[some] == shapely.contains_xy(lake, middle))[clear].all()


# The choice


def slide(split="train", name="slide 0001", **other):
    row = {"slide": name, "file": f"{name}.tif", "patient_id": "p1", "domain": "center_3", "split": split}
    return {**row, "annotation": None, "tumour_free": False, **other}


LAYOUT = Layout((600, 300), 1, 2.0, np.ones((30, 60), bool))
HALF = tumour(box(-10, -10, 120, 400))


def choice(row=None, annotation=HALF, layout=LAYOUT, **options):
    patch = PatchSettings(**{"patch_size": 6, "centre": 2, **options})
    return choose(row or slide(), layout, annotation, patch)


def test_labelled_patches_are_balanced_and_the_rest_is_unlabelled():
    rows = choice()
    labels = rows["label:tumour"]
    # 50 x 25 patches of 12 pixels; the first 10 columns are tumour.
    assert len(rows) == 50 * 25
    assert (labels == 1).sum() == (labels == 0).sum() == 250
    assert (rows["x"][labels == 1] < 120).all()
    assert (rows["x"][labels == 0] >= 120).all()
    assert (rows["split"] == np.where(labels.isna(), "unlabelled", "train")).all()
    assert rows[["y", "x"]].apply(tuple, axis=1).is_monotonic_increasing


def test_the_columns_of_a_patch():
    rows = choice()
    assert list(rows) == [
        *("image_id", "file", "patient_id", "domain", "split", "label:tumour"),
        *("slide", "x", "y", "level", "synthetic"),
    ]
    first = rows.iloc[1]
    assert first["image_id"] == "slide 0001_x12_y0"
    assert (first["file"], first["patient_id"], first["domain"]) == ("slide 0001.tif", "p1", "center_3")
    assert (first["slide"], first["level"], first["synthetic"]) == ("slide 0001", 1, False)
    assert rows["image_id"].is_unique
    assert rows[["x", "y", "level"]].dtypes.eq(np.int64).all()
    assert rows["label:tumour"].dtype == np.float32


def test_caps_cut_both_classes_alike():
    rows = choice(labelled_per_slide=41, unlabelled_per_slide=7)
    assert rows["label:tumour"].value_counts().to_dict() == {0.0: 20, 1.0: 20}
    assert rows["label:tumour"].isna().sum() == 7
    assert choice(labelled_per_slide=0, unlabelled_per_slide=0).empty


def test_the_scarcer_class_sets_the_number():
    rows = choice(annotation=tumour(box(12, 12, 24, 24)))
    assert (rows["label:tumour"] == 1).sum() == (rows["label:tumour"] == 0).sum() == 1
    assert choice(slide("id_val"), annotation=tumour(box(-10, -10, 900, 900))).empty


@pytest.mark.parametrize("split", ["id_val", "id_test", "ood_val", "ood_test"])
def test_a_held_out_slide_gives_labelled_patches_only(split):
    rows = choice(slide(split))
    assert rows["label:tumour"].notna().all()
    assert (rows["split"] == split).all()
    assert len(rows) == 500
    assert choice(slide(split), annotation=None).empty


def test_without_labels_all_are_unlabelled():
    for row, annotation in ((slide("train"), None), (slide("unlabelled"), HALF)):
        rows = choice(row, annotation)
        assert len(rows) == 50 * 25
        assert rows["label:tumour"].isna().all()
        assert (rows["split"] == "unlabelled").all()


def test_a_slide_free_of_tumour_gives_the_normal_patches_asked_for():
    rows = choice(slide(tumour_free=True), None, normal_per_negative_slide=30, unlabelled_per_slide=5)
    assert (rows["label:tumour"] == 0).sum() == 30
    assert rows["label:tumour"].isna().sum() == 5
    assert choice(slide("id_test", tumour_free=True), None).empty


def test_the_draw_depends_on_seed_and_name_alone():
    few = {"labelled_per_slide": 20, "unlabelled_per_slide": 20}
    assert choice(**few).equals(choice(**few))
    assert not choice(**few).equals(choice(**few, seed=1))
    other = choice(slide(name="slide 0002"), **few)
    assert choice(**few)["x"].tolist() != other["x"].tolist()


def test_a_smaller_number_is_part_of_a_larger_one():
    small, large = (choice(labelled_per_slide=n, unlabelled_per_slide=0)["image_id"] for n in (20, 60))
    assert set(small) < set(large)


def test_patches_lie_on_tissue():
    tissue = np.zeros((30, 60), bool)
    tissue[:, 30:] = True
    rows = choice(layout=Layout((600, 300), 1, 2.0, tissue), annotation=None)
    assert rows["x"].min() == 300
    # The mask's border at 306 halves the patch at 300: it has the half that is asked for, and not more.
    tissue = np.zeros((25, 100), bool)
    tissue[:, 51:] = True
    layout = Layout((600, 300), 1, 2.0, tissue)
    assert choice(layout=layout, annotation=None)["x"].min() == 300
    assert choice(layout=layout, annotation=None, tissue_fraction=0.51)["x"].min() == 312
    assert choice(layout=Layout((600, 300), 1, 2.0, np.zeros((3, 6), bool))).empty


def test_every_patch_for_inference():
    row = {key: value for key, value in slide().items() if key != "split"}
    rows = every_patch(row, LAYOUT, None, SMALL)
    assert len(rows) == 50 * 25
    assert rows["label:tumour"].isna().all()
    assert rows["split"].isna().all()
    assert list(rows) == list(choice())
    assert (every_patch(slide("id_test"), LAYOUT, None, SMALL)["split"] == "id_test").all()


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"level": 1}, "either mpp or level"),
        ({"mpp": None}, "either mpp or level"),
        ({"mpp": 0.0}, "mpp must be"),
        ({"mpp": float("nan")}, "mpp must be"),
        ({"mpp": None, "level": -1}, "level must"),
        ({"centre": 97}, "centre must"),
        ({"centre": 0}, "centre must"),
        ({"centre": 31}, "even margin"),
        ({"tissue_fraction": 1.5}, "tissue_fraction"),
        ({"labelled_per_slide": -2}, "labelled_per_slide"),
        ({"normal_per_negative_slide": -1}, "normal_per_negative_slide"),
        ({"unlabelled_per_slide": -1}, "unlabelled_per_slide"),
    ],
)
def test_settings_that_make_no_sense(options, reason):
    with pytest.raises(SettingsError, match=reason):
        PatchSettings(**options)
    assert PatchSettings(mpp=None, level=0).level == 0
