import os
from pathlib import Path

import numpy as np
import openslide
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st

from medaug.data.slides import reading, tiles
from medaug.data.slides.reading import Grid, Slide
from medaug.errors import DataError, SettingsError

FORMS = {
    "YCbCr": {},
    "RGB": {"colours": "rgb"},
    "Deflate": {"compression": "zlib"},
}
WIDTH, HEIGHT = 420, 356


@pytest.fixture(scope="module", params=FORMS)
def pyramid(request, tmp_path_factory, draw_scan, write_slide):
    """Three levels whose sizes divide, with tiles that do not fill the last row and column."""
    scan = draw_scan(WIDTH, HEIGHT)
    path = tmp_path_factory.mktemp("slides") / f"{request.param}.tif"
    return write_slide(path, [scan, scan[::2, ::2], scan[::4, ::4]], **FORMS[request.param])


@pytest.fixture
def plain(tmp_path, draw_scan, write_slide):
    scan = draw_scan(WIDTH, HEIGHT)
    return write_slide(tmp_path / "plain.tif", [scan, scan[::2, ::2]])


def patches_of(path, positions, grid, size):
    """All patches, in the order of the positions."""
    found = np.zeros((len(positions), size, size, 3), np.uint8)
    seen = []
    with Slide(path) as slide:
        for numbers, pixels in slide.read_patches(np.array(positions, np.int64), grid, size):
            found[numbers] = pixels
            seen += numbers.tolist()
    assert sorted(seen) == list(range(len(positions)))
    return found


places = st.lists(st.tuples(st.integers(-90, WIDTH + 20), st.integers(-90, HEIGHT + 20)), max_size=12)


@settings(max_examples=25, deadline=None)
@given(places, st.sampled_from([0, 1, 2]), st.sampled_from([1, 33, 96, 150]))
def test_pixels_are_those_of_openslide_anywhere(pyramid, read_alone, corners, level, size):
    found = patches_of(pyramid, corners, Grid(level, 2.0**level), size)
    for (x, y), patch in zip(corners, found, strict=True):
        np.testing.assert_array_equal(patch, read_alone(pyramid, x, y, level, size))


@settings(max_examples=25, deadline=None)
@given(places, st.sampled_from([0, 1, 2]))
def test_whole_pixels_of_a_level_are_those_of_openslide(pyramid, read_alone, corners, level):
    corners = [(x * 2**level, y * 2**level) for x, y in corners]
    found = patches_of(pyramid, corners, Grid(level, 2.0**level), 96)
    for (x, y), patch in zip(corners, found, strict=True):
        np.testing.assert_array_equal(patch, read_alone(pyramid, x, y, level, 96))


def test_levels_that_do_not_divide_are_read_as_openslide_interpolates_them(
    tmp_path, draw_scan, write_slide, read_alone
):
    scan = draw_scan(413, 357)
    path = write_slide(tmp_path / "odd.tif", [scan, scan[::4, ::4][:89, :103]])
    with Slide(path) as slide:
        assert slide.level_downsamples[1] % 1 != 0
        grid = slide.grid_level(level=1)
    corners = [(0, 0), (129, 64), (200, 201)]
    found = patches_of(path, corners, grid, 32)
    for (x, y), patch in zip(corners, found, strict=True):
        np.testing.assert_array_equal(patch, read_alone(path, x, y, 1, 32))


@pytest.fixture
def counted(monkeypatch):
    """Counts of decoded tiles and of regions that OpenSlide composed."""
    counts = {"tiles": 0, "regions": 0}
    decode, compose = tiles.imagecodecs.jpeg8_decode, openslide.OpenSlide.read_region

    def count(name, function):
        def counting(*arguments, **options):
            counts[name] += 1
            return function(*arguments, **options)

        return counting

    monkeypatch.setattr(tiles.imagecodecs, "jpeg8_decode", count("tiles", decode))
    monkeypatch.setattr(openslide.OpenSlide, "read_region", count("regions", compose))
    return counts


def test_each_tile_is_decoded_once(plain, counted):
    corners = [(x, y) for y in range(0, 250, 7) for x in range(0, 310, 11)]
    np.random.default_rng(0).shuffle(corners)
    patches_of(plain, corners, Grid(0, 1.0), 96)
    across, down = (309 // 11 * 11 + 95) // 64 + 1, (249 // 7 * 7 + 95) // 64 + 1
    assert counted["tiles"] <= across * down + 2 * reading.PROBES  # where the probes need other tiles
    assert counted["regions"] <= 2 * reading.PROBES


def test_tiles_are_forgotten_but_seldom_decoded_again(plain, counted, monkeypatch):
    monkeypatch.setattr(tiles, "CACHE_BYTES", 18 * 64 * 64 * 4)  # strips of three columns
    corners = [(x, y) for y in range(0, 260, 32) for x in range(0, 320, 32)]
    patches_of(plain, corners, Grid(0, 1.0), 96)
    assert counted["tiles"] <= 2 * 7 * 6  # at most twice, where strips meet


def test_only_what_is_asked_for_is_decoded(plain, counted):
    patches_of(plain, [(0, 0)], Grid(0, 1.0), 64)
    assert counted["tiles"] == 1


def test_a_decoder_that_differs_is_not_used(plain, read_alone, monkeypatch):
    monkeypatch.setattr(tiles.imagecodecs, "jpeg8_decode", lambda data, out, **_: out.fill(7))
    found = patches_of(plain, [(0, 0), (64, 128)], Grid(0, 1.0), 96)
    np.testing.assert_array_equal(found[1], read_alone(plain, 64, 128, 0, 96))


def test_a_tile_that_is_not_there_is_background(plain, read_alone):
    with tifffile.TiffFile(plain, mode="r+") as file:
        lengths = list(file.pages[0].databytecounts)
        lengths[8] = 0
        file.pages[0].tags["TileByteCounts"].overwrite(lengths)
    corners = [(0, 0), (32, 32), (64, 64), (200, 100)]
    expected = [read_alone(plain, x, y, 0, 96) for x, y in corners]
    assert (expected[2][:64, :64] == 255).all()
    np.testing.assert_array_equal(patches_of(plain, corners, Grid(0, 1.0), 96), expected)


def test_no_patches(plain):
    assert patches_of(plain, np.empty((0, 2)), Grid(0, 1.0), 96).shape == (0, 96, 96, 3)


@pytest.mark.parametrize(
    ("mpp", "expected"),
    [
        (0.5, Grid(0, 1.0)),
        (0.53, Grid(0, 1.0)),
        (0.46, Grid(0, 1.0)),
        (0.92, Grid(1, 2.0)),
        (1.09, Grid(1, 2.0)),
        (2.0, Grid(2, 4.0)),
        (0.75, Grid(0, 1.5, 1.5)),
        (1.5, Grid(1, 3.0, 1.5)),
        (4.0, Grid(2, 8.0, 2.0)),
    ],
)
def test_level_for_a_resolution(pyramid, mpp, expected):
    with Slide(pyramid) as slide:
        assert slide.mpp == pytest.approx(0.5)
        found = slide.grid_level(mpp=mpp)
    assert found.level == expected.level
    assert found.downsample == pytest.approx(expected.downsample)
    assert found.reduction == pytest.approx(expected.reduction)


def test_a_level_by_its_number_needs_no_resolution(tmp_path, draw_scan, write_slide):
    path = write_slide(tmp_path / "bare.tif", [draw_scan(200, 200)], mpp=None)
    with Slide(path) as slide:
        assert slide.mpp is None
        assert slide.grid_level(level=0) == Grid(0, 1.0)
        with pytest.raises(DataError, match=r"no credible resolution: .*--level0_mpp"):
            slide.grid_level(mpp=1.0)


@pytest.mark.parametrize(
    ("choice", "error", "sentence"),
    [
        ({"mpp": 0.4}, DataError, "0.5 microns per pixel at best; give a larger mpp than 0.4"),
        ({"level": 3}, DataError, "has no level 3, only 0 to 2"),
        ({"level": -1}, DataError, "has no level -1"),
        ({}, SettingsError, "give either mpp or level"),
        ({"mpp": 1.0, "level": 0}, SettingsError, "give either mpp or level"),
    ],
)
def test_grids_that_cannot_be(pyramid, choice, error, sentence):
    with Slide(pyramid) as slide, pytest.raises(error, match=sentence):
        slide.grid_level(**choice)


def test_a_resolution_in_inches(tmp_path, draw_scan):
    path = tmp_path / "inch.tif"
    tifffile.imwrite(
        path, draw_scan(128, 128), tile=(64, 64), resolution=(50_800, 50_800), resolutionunit="INCH"
    )
    with Slide(path) as slide:
        assert slide.mpp == pytest.approx(0.5)


@pytest.mark.parametrize("reduction", [1.5, 2.0, 3.3])
def test_reduced_patches_keep_brightness_and_place(tmp_path, write_slide, reduction):
    ramp = np.rint(np.linspace(10, 240, 512)).astype(np.uint8)
    scan = np.broadcast_to(ramp[:, None], (512, 512, 3)).copy()
    path = write_slide(tmp_path / "ramp.tif", [scan], compression="zlib")
    found = patches_of(path, [(40, 60), (101, 33)], Grid(0, reduction, reduction), 32)
    slope = 230 / 511
    for x, patch in zip((40, 101), found, strict=True):
        centres = x + (np.arange(32) + 0.5) * reduction - 0.5
        inner = slice(2, -2)
        np.testing.assert_allclose(patch[16, inner, 0], (10 + slope * centres)[inner], atol=1.2)


def test_reducing_averages_fine_detail(tmp_path, write_slide):
    checks = (np.indices((256, 256)).sum(axis=0) % 2 * 255).astype(np.uint8)
    scan = np.repeat(checks[..., None], 3, axis=2)
    path = write_slide(tmp_path / "checks.tif", [scan], compression="zlib")
    found = patches_of(path, [(64, 64)], Grid(0, 2.0, 2.0), 32)
    assert np.abs(found[0, 2:-2, 2:-2].astype(int) - 127).max() <= 2


@pytest.mark.parametrize(("side", "step"), [(105, 4), (210, 2), (1000, 1)])
def test_thumbnail_is_the_mean_of_what_it_covers(tmp_path, draw_scan, write_slide, side, step, monkeypatch):
    monkeypatch.setattr(reading, "_BLOCK", 100)
    scan = draw_scan(WIDTH, HEIGHT)
    path = write_slide(tmp_path / "lossless.tif", [scan], compression="zlib")
    with Slide(path) as slide:
        found = slide.thumbnail(side)
    blocks = scan.reshape(HEIGHT // step, step, WIDTH // step, step, 3)
    assert np.abs(found - blocks.mean(axis=(1, 3))).max() <= 1  # rounded once across and once down


@pytest.mark.parametrize("side", [7, 50, 89, 333])
def test_thumbnail_of_any_size_covers_the_whole_slide_evenly(tmp_path, write_slide, side, monkeypatch):
    monkeypatch.setattr(reading, "_BLOCK", 100)
    ramp = np.linspace(0, 255, WIDTH)
    scan = np.stack([np.tile(values, (HEIGHT, 1)) for values in (ramp, ramp[::-1], 0 * ramp)], axis=-1)
    path = write_slide(tmp_path / "r.tif", [scan.astype(np.uint8)], compression="zlib")
    with Slide(path) as slide:
        found = slide.thumbnail(side)
    assert found.shape == (round(HEIGHT * side / WIDTH), side, 3)
    centres = (np.arange(side) + 0.5) * WIDTH / side - 0.5
    assert np.abs(found[..., 0] - centres * 255 / (WIDTH - 1)).max() < 2
    assert np.abs(found[..., 1] - (255 - centres * 255 / (WIDTH - 1))).max() < 2


def test_thumbnail_through_tiles_equals_the_one_through_openslide(pyramid, monkeypatch):
    with Slide(pyramid) as slide:
        found = slide.thumbnail(100)
    monkeypatch.setattr(reading, "PLAIN_VENDORS", ())
    with Slide(pyramid) as slide:
        np.testing.assert_array_equal(found, slide.thumbnail(100))


@pytest.mark.parametrize("content", [b"<!DOCTYPE html><html></html>", b"", b"II*\0\x08\0\0\0"])
def test_files_that_are_no_slides(tmp_path, content):
    path = tmp_path / "patient Smith.tif"
    path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        Slide(path)
    assert "Smith" not in str(caught.value)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(DataError, match="not a slide that OpenSlide can read"):
        Slide(tmp_path / "nowhere.tif")


@pytest.mark.parametrize("direct", [True, False])
def test_a_truncated_slide(tmp_path, draw_scan, direct):
    # The directory of this file comes first, so that it opens.
    form = {"tile": (64, 64), "compression": "jpeg" if direct else "zlib", "photometric": "rgb"}
    path = tmp_path / "Smith.tif"
    tifffile.imwrite(path, draw_scan(512, 512), **form)
    path.write_bytes(path.read_bytes()[:-5000])
    corners = [(x, y) for y in range(0, 416, 96) for x in range(0, 416, 96)]
    with pytest.raises(DataError, match=r"truncated") as caught:
        patches_of(path, corners, Grid(0, 1.0), 96)
    assert "Smith" not in str(caught.value)


@given(
    st.lists(st.tuples(st.integers(-500, 10_000), st.integers(-500, 10_000)), min_size=1, max_size=50),
    st.sampled_from([(64, 64), (240, 128), (4096, 4096)]),
)
def test_reading_order_has_every_place_once(corners, tile):
    order = tiles.reading_order(np.array(corners, float), 96, tile)
    assert sorted(order.tolist()) == list(range(len(corners)))


@pytest.mark.skipif("MEDAUG_REAL_DATA" not in os.environ, reason="needs real files")
def test_a_real_slide(read_alone, counted):
    path = Path(os.environ["MEDAUG_REAL_DATA"]) / "slides" / "CMU-1-Small-Region.svs"
    with Slide(path) as slide:
        assert slide.mpp == pytest.approx(0.499)
        assert slide.thumbnail(500).shape == (500, 374, 3)
    corners = [(x, y) for y in range(0, 2900, 96) for x in range(0, 2150, 96)]
    found = patches_of(path, corners, Grid(0, 1.0), 96)
    assert counted["regions"] < 20
    for number in range(0, len(corners), 5):
        np.testing.assert_array_equal(found[number], read_alone(path, *corners[number], 0, 96))
