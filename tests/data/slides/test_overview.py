import io

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from scipy import ndimage
from shapely import MultiPolygon, Point, Polygon, box

from medaug.data.slides.annotation import Annotation
from medaug.data.slides.overview import LARGEST_FILE, draw_overview

SIDE = 960
YELLOW, BLUE, WHITE, BLACK, GREEN = (255, 225, 0), (0, 60, 220), (255, 255, 255), (0, 0, 0), (0, 104, 76)
NONE = MultiPolygon()
RING = Point(500, 400).buffer(300, quad_segs=64)
HOLE = Point(500, 400).buffer(100, quad_segs=64)


def patches(*rows: tuple[float, float, float]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["x", "y", "label:tumour"])
    return table.astype({"x": "int64", "y": "int64", "label:tumour": "float32"})


def read(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))


def drawn(chosen, *, annotation=None, colour=(200, 150, 190), tissue=None, extent=96.0, scale=1):
    """The picture of a slide whose level-0 pixels are `scale` times finer than the picture's, no legend."""
    thumbnail = np.full((100, 100, 3), colour, np.uint8)
    tissue = np.ones((100, 100), bool) if tissue is None else tissue
    png = draw_overview(thumbnail, tissue, annotation, chosen, (SIDE * scale, SIDE * scale), extent)
    return read(png)[:SIDE], read(png)[SIDE:]


def has(picture: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    return (picture == colour).all(axis=-1)


@pytest.mark.parametrize(("label", "colour", "width"), [(1, YELLOW, 2), (0, BLUE, 2), (np.nan, WHITE, 1)])
@pytest.mark.parametrize("scale", [1, 7])
def test_box_lies_exactly_where_the_patch_was_cut(label, colour, width, scale):
    picture, _ = drawn(patches((192 * scale, 384 * scale, label)), extent=96.0 * scale, scale=scale)
    expected = np.zeros((SIDE, SIDE), bool)
    expected[384:480, 192:288] = True
    expected[384 + width : 480 - width, 192 + width : 288 - width] = False
    np.testing.assert_array_equal(has(picture, colour), expected)


def test_patches_too_small_for_a_box_are_seen():
    chosen = patches((5000, 3000, 1), (70000, 8000, 0), (50000, 50000, np.nan))
    picture, _ = drawn(chosen, extent=96, scale=100)
    assert has(picture, YELLOW)[30:34, 50:54].all()
    assert has(picture, YELLOW).sum() == 16
    assert has(picture, BLUE)[80:84, 700:704].all()
    assert has(picture, BLUE).sum() == 16
    assert has(picture, WHITE)[501, 501]


def test_labelled_patches_lie_over_unlabelled_ones():
    picture, _ = drawn(patches((96, 96, 1), (96, 96, np.nan)))
    assert has(picture, YELLOW)[96:192, 96].all()


def test_annotation_shows_rings_and_holes():
    annotation = Annotation(MultiPolygon([RING.difference(HOLE)]), NONE)
    picture, _ = drawn(patches(), annotation=annotation)
    black = has(picture, BLACK)
    to_line = ndimage.distance_transform_edt(~black)
    for radius in (300, 100):
        for angle in np.linspace(0, 2 * np.pi, 50):
            x, y = 500 + radius * np.cos(angle), 400 + radius * np.sin(angle)
            assert to_line[int(y), int(x)] <= 2
    ys, xs = np.nonzero(black)
    away = np.abs(np.hypot(xs - 500, ys - 400)[:, np.newaxis] - [300, 100]).min(axis=1)
    assert away.max() <= 3


def test_uncertain_areas_are_dashed():
    whole, _ = drawn(patches(), annotation=Annotation(MultiPolygon([RING]), NONE))
    dashed, _ = drawn(patches(), annotation=Annotation(NONE, MultiPolygon([RING])))
    share = has(dashed, BLACK).sum() / has(whole, BLACK).sum()
    assert 0.4 < share < 0.65
    assert not (has(dashed, BLACK) & ~ndimage.binary_dilation(has(whole, BLACK), iterations=2)).any()


def test_annotation_beyond_the_slide_and_many_vertices_are_drawn():
    angles = np.linspace(0, 2 * np.pi, 100_000, endpoint=False)
    outline = Polygon(np.stack([900 + 300 * np.cos(angles), 400 + 300 * np.sin(angles)], axis=1))
    picture, _ = drawn(patches(), annotation=Annotation(MultiPolygon([outline]), NONE))
    assert has(picture, BLACK)[395:405, 598:603].any()


def test_tissue_is_outlined_and_the_rest_shaded():
    tissue = np.zeros((100, 100), bool)
    tissue[20:40, 30:60] = True
    tissue[25:30, 35:40] = False
    picture, _ = drawn(patches(), tissue=tissue, colour=(240, 240, 240))
    large = np.asarray(Image.fromarray(tissue).resize((SIDE, SIDE), Image.Resampling.NEAREST))
    np.testing.assert_array_equal(has(picture, GREEN), large & ~ndimage.binary_erosion(large))
    inner = ndimage.binary_erosion(large)
    assert picture[~large].max() < picture[inner].min()


def test_legend_names_only_what_is_there():
    _, all_marks = drawn(
        patches((0, 0, 1), (96, 0, 0), (192, 0, np.nan)), annotation=Annotation(NONE, MultiPolygon([RING]))
    )
    _, bare = drawn(patches())
    _, one = drawn(patches((0, 0, 1)))
    shown = [[has(legend, c).any() for c in (YELLOW, BLUE, GREEN)] for legend in (all_marks, bare, one)]
    assert shown == [[True, True, True], [False, False, True], [True, False, True]]


def test_file_is_small_whatever_the_slide_looks_like():
    noise = np.random.default_rng(0).integers(0, 256, (1000, 1000, 3), dtype=np.uint8)
    mask = np.random.default_rng(1).random((1000, 1000)) < 0.5
    png = draw_overview(noise, mask, None, patches((0, 0, 1)), (100_000, 100_000), 400.0)
    assert len(png) < LARGEST_FILE
    assert read(png).shape[1] >= 300


def test_same_slide_gives_the_same_file():
    thumbnail, mask = np.full((50, 50, 3), 200, np.uint8), np.eye(50, dtype=bool)
    one, other = (draw_overview(thumbnail, mask, None, patches((3, 5, 1)), (500, 500), 96) for _ in range(2))
    assert one == other


@settings(max_examples=15, deadline=None)
@given(
    width=st.integers(1, 200_000),
    height=st.integers(1, 200_000),
    shape=st.tuples(st.integers(1, 60), st.integers(1, 60)),
    blank=st.booleans(),
    extent=st.floats(1, 5000),
)
def test_any_slide_can_be_drawn(width, height, shape, blank, extent):
    annotation = Annotation(MultiPolygon([box(0, 0, width, height / 2)]), NONE)
    chosen = patches((0, 0, 1), (width - 1, height - 1, 0))
    thumbnail = np.full((*shape, 3), 180, np.uint8)
    png = draw_overview(thumbnail, np.full(shape, not blank), annotation, chosen, (width, height), extent)
    rows, columns, _ = read(png).shape
    assert (rows if height >= width else columns) >= SIDE
    assert len(png) < LARGEST_FILE
