from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib import colormaps
from PIL import Image

from medaug.errors import DataError
from medaug.phantoms.slides.pyramid import write_pyramid
from medaug.report.heatmap import COLOURS, probability_map, write_heatmaps
from medaug.report.image_figures import MARK_COLOUR

WIDTH, HEIGHT, EXTENT = 512, 384, 64


@pytest.fixture(scope="module")
def slide(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("slides") / "slide.tif"
    write_pyramid(path, np.full((HEIGHT, WIDTH, 3), 235, np.uint8), mpp=0.5, levels=2)
    return path


def predictions(name: str = "one", score: float = 1.0) -> pd.DataFrame:
    rows = [(128, 64, score), (64, 64, 0.25), (0, 0, 0.5)]
    return pd.DataFrame(rows, columns=["x", "y", "score:tumour"]).assign(slide=name, level=0)


def read(path: Path) -> np.ndarray:
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"))


def heat_colours(path: Path) -> np.ndarray:
    """Pixels that are clearly of the scale's upper end: brown, as nothing else is in the picture."""
    red, green, blue = np.moveaxis(read(path).astype(int), -1, 0)
    return (red > blue + 60) & (red > green + 30)


def test_table_has_place_and_probability_in_order(slide, tmp_path):
    (picture,) = write_heatmaps(predictions(), {"one": slide}, EXTENT, tmp_path)
    assert picture == tmp_path / "one.png"
    table = pd.read_csv(tmp_path / "one.csv")
    expected = {"x": [0, 64, 128], "y": [0, 64, 64], "probability": [0.5, 0.25, 1.0]}
    pd.testing.assert_frame_equal(table, pd.DataFrame(expected))


def test_probable_tumour_is_coloured_at_its_place(slide, tmp_path):
    left, right = predictions("left"), predictions("right").assign(x=lambda t: t["x"] + 320)
    both = pd.concat([left, right])[lambda t: t["score:tumour"] == 1]
    paths = write_heatmaps(both, {"left": slide, "right": slide}, {"left": 64, "right": 64}, tmp_path)
    one, other = map(heat_colours, paths)
    (row, column), (other_row, other_column) = (np.nonzero(found) for found in (one & ~other, other & ~one))
    assert len(row) == pytest.approx(len(other_row), rel=0.05)
    assert row.mean() == pytest.approx(other_row.mean(), abs=1)
    # A patch is as wide as 64 of the slide's pixels, and these two are 320 of them apart.
    scale = np.sqrt(len(row)) / EXTENT
    assert other_column.mean() - column.mean() == pytest.approx(320 * scale, rel=0.03)


def test_scale_can_be_read_by_lightness_alone():
    steps = colormaps[COLOURS](np.linspace(0, 1, 64))[:, :3]
    luminance = np.where(steps <= 0.04045, steps / 12.92, ((steps + 0.055) / 1.055) ** 2.4)
    assert (np.diff(luminance @ [0.2126, 0.7152, 0.0722]) < 0).all()


@pytest.mark.parametrize("phantom", [True, False])
def test_phantoms_are_marked(slide, tmp_path, phantom):
    (path,) = write_heatmaps(predictions().assign(phantom=phantom), {"one": slide}, EXTENT, tmp_path)
    pixels = read(path)
    mark = [int(MARK_COLOUR[i : i + 2], 16) for i in (1, 3, 5)]
    assert ((pixels == mark).all(axis=-1).sum() > 1000) == phantom


def test_unknown_scores_leave_no_colour(slide, tmp_path):
    write_heatmaps(predictions(score=np.nan), {"one": slide}, EXTENT, tmp_path)
    assert pd.read_csv(tmp_path / "one.csv")["probability"].isna().tolist() == [False, False, True]


@pytest.mark.parametrize(
    ("table", "slides", "extent", "words"),
    [
        (predictions().drop(columns="y"), {"one": "x"}, 64, "column y"),
        (predictions().rename(columns={"score:tumour": "score:other"}), {"one": "x"}, 64, "score:tumour"),
        (predictions(), {"two": "x"}, 64, "no file was given for the slide 'one'"),
        (predictions(), {"one": "x"}, {"two": 64}, "no extent .* slide 'one'"),
        (predictions("../one"), {"../one": "x"}, 64, "name that cannot be that of a file"),
        (predictions(".."), {"..": "x"}, 64, "name that cannot be that of a file"),
        (pd.concat([predictions()] * 2), {"one": "x"}, 64, "several predictions for one place"),
    ],
)
def test_clear_errors_before_anything_is_written(table, slides, extent, words, tmp_path):
    with pytest.raises(DataError, match=words):
        write_heatmaps(table, slides, extent, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_unreadable_slide_leaves_nothing(tmp_path):
    (tmp_path / "bad.tif").write_text("<html>")
    with pytest.raises(DataError, match=r"bad\.tif"):
        write_heatmaps(predictions(), {"one": tmp_path / "bad.tif"}, EXTENT, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@given(
    places=st.lists(st.tuples(st.integers(0, 90), st.integers(0, 70), st.floats(0, 1)), max_size=12),
    extent=st.integers(1, 40),
)
def test_map_is_the_mean_over_the_patches_that_cover_a_pixel(places, extent):
    table = pd.DataFrame(places, columns=["x", "y", "probability"])
    found = probability_map(table, (100, 80), extent, (80, 100))
    expected = np.full((80, 100), np.nan)
    for y in range(80):
        for x in range(100):
            over = [p for left, top, p in places if left <= x < left + extent and top <= y < top + extent]
            if over:
                expected[y, x] = sum(over) / len(over)
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_patches_smaller_than_a_pixel_and_at_the_border_count():
    table = pd.DataFrame({"x": [9_999, 0], "y": [9_999, 5_000], "probability": [1.0, 0.5]})
    found = probability_map(table, (10_000, 10_000), 1, (4, 4))
    expected = np.full((4, 4), np.nan)
    expected[3, 3], expected[2, 0] = 1.0, 0.5
    np.testing.assert_array_equal(found, expected)
