import numpy as np
import openslide
import pytest
import tifffile

from medaug.data.slides.patches import PatchSettings
from medaug.data.slides.reading import Grid, Slide
from medaug.data.slides.resolution import resolution_of
from medaug.errors import DataError, SettingsError

X, Y = openslide.PROPERTY_NAME_MPP_X, openslide.PROPERTY_NAME_MPP_Y
WAY_OUT = r"give the resolution of level 0 with --level0_mpp, or choose --level"


@pytest.fixture
def scan(tmp_path, draw_scan):
    """Write a TIFF with pixels per unit across and down."""

    def write(resolution, unit="INCH"):
        path = tmp_path / "a.tif"
        options = {"resolution": resolution, "resolutionunit": unit} if resolution else {}
        tifffile.imwrite(
            path, draw_scan(256, 256), tile=(64, 64), photometric="rgb", metadata=None, **options
        )
        return path

    return write


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({X: "0.25", Y: "0.25"}, 0.25),
        ({X: "0.4537", Y: "0.4551"}, np.sqrt(0.4537 * 0.4551)),
        ({"tiff.ResolutionUnit": "inch", "tiff.XResolution": "50800", "tiff.YResolution": "50800"}, 0.5),
        ({"tiff.ResolutionUnit": "centimeter", "tiff.XResolution": "2e4", "tiff.YResolution": "2e4"}, 0.5),
    ],
)
def test_a_credible_resolution(said, expected):
    assert resolution_of(said).mpp == pytest.approx(expected)


@pytest.mark.parametrize(
    "said",
    [
        {},
        {X: "", Y: ""},
        {X: "unknown", Y: "unknown"},
        {X: "0", Y: "0"},
        {X: "nan", Y: "nan"},
        {X: "-0.5", Y: "-0.5"},
        {X: "250", Y: "250"},
        {X: "0.5", Y: "0"},
        {"tiff.ResolutionUnit": "none", "tiff.XResolution": "1", "tiff.YResolution": "1"},
        {"tiff.ResolutionUnit": "inch", "tiff.XResolution": "0", "tiff.YResolution": "0"},
        *(
            {"tiff.ResolutionUnit": "inch", "tiff.XResolution": dpi, "tiff.YResolution": dpi}
            for dpi in ("72", "96", "150", "300", "600")
        ),
    ],
)
def test_no_credible_resolution(said):
    found = resolution_of(said)
    assert found.mpp is None
    assert "no credible resolution" in found.why_none
    assert "--level0_mpp" in found.why_none


def test_72_dots_per_inch_are_refused_and_the_advice_can_be_followed(scan):
    with Slide(scan((72, 72))) as slide:
        assert slide.mpp is None
        with pytest.raises(DataError, match=r"no credible resolution \(its file says 352.8 .*" + WAY_OUT):
            slide.grid_level(mpp=1.0)
        assert slide.grid_level(mpp=1.0, level0_mpp=0.5) == Grid(0, 2.0, 2.0)
        assert slide.grid_level(level=0) == Grid(0, 1.0)


def test_pixels_that_are_not_square_are_a_sentence(scan):
    with Slide(scan((10_000, 20_000), "CENTIMETER")) as slide:
        with pytest.raises(DataError, match=r"pixels are not square \(1 by 0.5 microns\): " + WAY_OUT):
            slide.grid_level(mpp=1.0)
        assert slide.grid_level(level=0) == Grid(0, 1.0)


def test_what_the_user_says_goes_before_what_the_file_says(scan):
    with Slide(scan((50_800, 50_800))) as slide:
        assert slide.grid_level(mpp=1.0).downsample == pytest.approx(2.0)
        assert slide.grid_level(mpp=1.0, level0_mpp=0.25).downsample == pytest.approx(4.0)
        with pytest.raises(DataError, match="2 microns per pixel at best"):
            slide.grid_level(mpp=1.0, level0_mpp=2.0)


@pytest.mark.parametrize("wrong", [0.0, -1.0, np.inf, np.nan])
def test_a_resolution_is_above_nothing(wrong):
    with pytest.raises(SettingsError, match="level0_mpp must be above 0"):
        PatchSettings(level0_mpp=wrong)
