import gzip
import subprocess
import sys
from pathlib import Path

import nibabel
import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from medaug.data.pixels import Recipe, decode, fit_square, read_picture, read_pixels
from medaug.errors import DataError

RNG = np.random.default_rng(0)
GREY = RNG.integers(0, 256, (20, 30), np.uint8)
COLOUR = RNG.integers(0, 256, (20, 30, 3), np.uint8)


@pytest.fixture
def saved(tmp_path):
    def save(picture, name="image.png", **options):
        path = tmp_path / name
        (picture if isinstance(picture, Image.Image) else Image.fromarray(picture)).save(path, **options)
        return path

    return save


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.bmp", "Ärzte im Flur/Müller, Jörg – 影像.png"])
def test_grey_stays_and_becomes_three_equal_channels(saved, tmp_path, name):
    (tmp_path / name).parent.mkdir(exist_ok=True)
    path = saved(GREY, name)
    np.testing.assert_array_equal(read_pixels(path, 1)[..., 0], GREY)
    np.testing.assert_array_equal(read_pixels(path, 3), np.stack([GREY] * 3, axis=-1))


def test_colour_stays_and_becomes_luminance(saved):
    path = saved(COLOUR)
    np.testing.assert_array_equal(read_pixels(path, 3), COLOUR)
    np.testing.assert_array_equal(
        read_pixels(path, 1)[..., 0], np.asarray(Image.fromarray(COLOUR).convert("L"))
    )


def test_the_content_decides_not_the_extension(saved):
    png = saved(GREY)
    for name in ("scan.jpg", "scan.dcm", "scan"):
        np.testing.assert_array_equal(read_pixels(png.rename(png.with_name(name)), 1)[..., 0], GREY)
        png = png.with_name(name)


def test_jpeg_is_close(saved):
    smooth = np.add.outer(np.arange(40), np.arange(60)).astype(np.uint8)
    found = read_pixels(saved(smooth, "a.jpg", quality=95), 1)[..., 0]
    assert np.abs(found.astype(int) - smooth).max() <= 3


def test_a_palette_gives_its_colours(saved):
    picture = Image.fromarray(GREY // 64).convert("P")
    picture.putpalette([0, 0, 0, 250, 10, 20, 30, 240, 50, 255, 255, 255])
    expected = np.array([[0, 0, 0], [250, 10, 20], [30, 240, 50], [255, 255, 255]], np.uint8)[GREY // 64]
    np.testing.assert_array_equal(read_pixels(saved(picture), 3), expected)


def test_transparent_parts_are_black(saved):
    alpha = np.where(np.arange(30) < 10, 0, 255).astype(np.uint8) * np.ones((20, 1), np.uint8)
    expected = np.where(alpha == 0, 0, GREY)
    grey_alpha = Image.merge("LA", [Image.fromarray(GREY), Image.fromarray(alpha)])
    np.testing.assert_array_equal(read_pixels(saved(grey_alpha), 1)[..., 0], expected)
    colour_alpha = Image.fromarray(np.dstack([COLOUR, alpha]))
    np.testing.assert_array_equal(
        read_pixels(saved(colour_alpha), 3), np.where(alpha[..., None] == 0, 0, COLOUR)
    )


def test_a_palette_with_transparent_bytes_is_read(saved):
    picture = Image.fromarray(GREY // 128).convert("P")
    picture.putpalette([200, 200, 200, 90, 90, 90])
    path = saved(picture, transparency=b"\x00\xff")
    np.testing.assert_array_equal(read_pixels(path, 1)[..., 0], np.where(GREY < 128, 0, 90))


def test_one_bit_is_black_and_white(saved):
    path = saved(Image.fromarray(GREY).point(lambda v: 255 * (v > 99), "1"))
    np.testing.assert_array_equal(read_pixels(path, 1)[..., 0], np.where(GREY > 99, 255, 0))


@pytest.mark.parametrize("name", ["a.png", "a.tif"])
@pytest.mark.parametrize("highest", [1023, 4095, 65535])
def test_sixteen_bits_are_spread_from_least_to_largest(saved, name, highest):
    deep = RNG.integers(100, highest + 1, (20, 30), np.uint16)
    deep[0, :2] = 100, highest
    expected = np.rint((deep - 100.0) / (highest - 100.0) * 255)
    np.testing.assert_array_equal(read_pixels(saved(deep, name), 1)[..., 0], expected)


def test_a_float_tiff_is_spread_and_one_with_nan_refused(saved):
    values = np.linspace(-1, 3, 600, dtype=np.float32).reshape(20, 30)
    found = read_pixels(saved(values, "a.tif"), 1)[..., 0]
    np.testing.assert_allclose(found, (values + 1) / 4 * 255, atol=0.51)
    values[3, 3] = np.nan
    with pytest.raises(DataError, match="not finite"):
        read_pixels(saved(values, "b.tif"), 1)


def test_deep_tiff_where_white_is_zero_is_inverted(tmp_path):
    import tifffile

    deep = np.arange(600, dtype=np.uint16).reshape(20, 30)
    tifffile.imwrite(tmp_path / "a.tif", deep, photometric="miniswhite")
    expected = 255 - np.rint(deep / 599 * 255)
    np.testing.assert_array_equal(read_pixels(tmp_path / "a.tif", 1)[..., 0], expected)


def test_a_constant_deep_picture_is_black(saved):
    assert not read_pixels(saved(np.full((4, 4), 900, np.uint16)), 1).any()


TURNED = {
    2: np.fliplr,
    3: lambda a: np.rot90(a, 2),
    4: np.flipud,
    5: lambda a: np.transpose(a, (1, 0)),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: np.rot90(np.transpose(a, (1, 0)), 2),
    8: lambda a: np.rot90(a, 1),
}


@pytest.mark.parametrize("orientation", TURNED)
@pytest.mark.parametrize("name", ["a.png", "a.tif"])
@pytest.mark.parametrize("values", [GREY, GREY.astype(np.uint16) * 257])
def test_exif_orientation_is_applied(saved, orientation, name, values):
    exif = Image.Exif()
    exif[0x0112] = orientation
    shown = read_pixels(saved(values, name, exif=exif), 1)[..., 0]
    low, high = int(GREY.min()), int(GREY.max())
    expected = GREY if values.dtype == np.uint8 else np.rint((GREY.astype(float) - low) / (high - low) * 255)
    np.testing.assert_array_equal(shown, TURNED[orientation](expected))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "the file is empty"),
        (b"\n  <!DOCTYPE html><html>Jane Doe</html>", "an HTML page"),
        (b"<HTML><body>404</body>", "an HTML page"),
        (b"d8:announce41:http://tracker", "a torrent"),
        (b"version https://git-lfs.github.com/spec/v1", "a Git LFS pointer"),
        (b"just some words", "not an image of a known format"),
        (gzip.compress(b"some text", mtime=0), "a gzip archive, not an image"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 50, "truncated or damaged image"),
        (b"\xff\xd8\xff\xe0" + b"\1" * 50, "truncated or damaged image"),
    ],
)
@pytest.mark.parametrize("name", ["a.png", "a.dcm", "a.nii.gz"])
def test_what_is_no_image_has_a_reason(tmp_path, content, reason, name):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(DataError, match=reason) as caught:
        read_pixels(path, 1)
    assert "Doe" not in str(caught.value)
    assert str(tmp_path) not in str(caught.value)


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.tif"])
def test_truncated_files_have_a_reason(saved, name):
    path = saved(RNG.integers(0, 256, (300, 300), np.uint8), name)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(DataError, match="truncated or damaged"):
        read_pixels(path, 1)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(st.sampled_from(["PNG", "JPEG", "TIFF"]), st.integers(0, 10**6), st.binary(min_size=1, max_size=8))
def test_damage_anywhere_gives_pixels_or_a_reason(saved, form, place, damage):
    path = saved(GREY, "x", format=form)
    content = bytearray(path.read_bytes())
    place %= len(content)
    content[place : place + len(damage)] = damage
    path.write_bytes(content)
    found = decode(path, Recipe((8,), 1, "pad"))
    assert str(path) not in found if isinstance(found, str) else found[8].shape == (8, 8, 1)


def test_missing_files_and_folders_have_a_reason(tmp_path):
    with pytest.raises(DataError, match=r"cannot be read \(No such file"):
        read_pixels(tmp_path / "Jane Doe.png", 1)
    with pytest.raises(DataError, match=r"cannot be read \(Is a directory"):
        read_pixels(tmp_path, 1)


@pytest.mark.parametrize("values", [GREY, GREY.astype(np.uint16) * 257])
def test_of_several_pages_the_first_is_shown_and_it_is_said(saved, values):
    pages = [Image.fromarray(values), Image.fromarray(values[::-1].copy())]
    picture = read_picture(saved(pages[0], "a.tif", save_all=True, append_images=pages[1:]), 1)
    alone = read_picture(saved(pages[0], "b.tif"), 1)
    np.testing.assert_array_equal(picture.pixels, alone.pixels)
    assert picture.remarks == ("there are several pages, and the first was taken",)
    assert alone.remarks == ()


def test_pages_that_only_tifffile_reads_are_told_too(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", np.stack([GREY, GREY[::-1]]).astype(np.float64))
    picture = read_picture(tmp_path / "a.tif", 1)
    spread = (GREY - GREY.min()) / (GREY.max() - GREY.min())
    np.testing.assert_array_equal(picture.pixels[..., 0], np.rint(255 * spread))
    assert picture.remarks == ("there are several pages, and the first was taken",)


@pytest.mark.parametrize("most", [200, 500])
@pytest.mark.parametrize("values", [GREY, GREY.astype(np.uint16), GREY.astype(np.int32)])
def test_a_bomb_is_refused(saved, monkeypatch, most, values):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", most)
    with pytest.raises(DataError, match=f"too large: .*at most {most}"):
        read_pixels(saved(values, "a.tif"), 1)


def test_a_name_that_no_file_can_have_is_a_reason():
    with pytest.raises(DataError, match="no file can have such a name"):
        read_pixels(Path("a\0b.png"), 1)


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
@pytest.mark.parametrize("form", [nibabel.Nifti1Image, nibabel.Nifti2Image])
def test_nifti_rows_run_along_the_first_axis(tmp_path, name, form):
    nibabel.save(form(GREY.T[..., None], np.eye(4)), tmp_path / name)
    np.testing.assert_array_equal(read_pixels(tmp_path / name, 1)[..., 0], GREY)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_nifti_slice_across_any_axis_is_the_picture(tmp_path, axis):
    nibabel.save(nibabel.Nifti1Image(np.expand_dims(GREY.T, axis), np.eye(4)), tmp_path / "a.nii")
    np.testing.assert_array_equal(read_pixels(tmp_path / "a.nii", 1)[..., 0], GREY)


@pytest.mark.parametrize("shape", [(1, 9), (1, 9, 1), (9, 1), (9, 1, 1), (1, 1)])
def test_a_nifti_line_stays_a_line(tmp_path, shape):
    nibabel.save(nibabel.Nifti1Image(np.ones(shape, np.uint8), np.eye(4)), tmp_path / "a.nii")
    assert read_pixels(tmp_path / "a.nii", 1).shape == (*shape[1::-1], 1)


def test_deep_nifti_is_spread_and_a_volume_refused(tmp_path):
    values = np.arange(600, dtype=np.int16).reshape(20, 30) - 300
    nibabel.save(nibabel.Nifti1Image(values.T, np.eye(4)), tmp_path / "a.nii")
    expected = np.rint((values + 300) / 599 * 255)
    np.testing.assert_array_equal(read_pixels(tmp_path / "a.nii", 1)[..., 0], expected)
    nibabel.save(nibabel.Nifti1Image(np.zeros((4, 5, 6), np.int16), np.eye(4)), tmp_path / "b.nii")
    with pytest.raises(DataError, match="a NIfTI volume"):
        read_pixels(tmp_path / "b.nii", 1)


def test_pad_keeps_everything_between_black_bars():
    wide = np.full((10, 20, 1), 200, np.uint8)
    square = fit_square(wide, 40, "pad")[..., 0]
    assert (square[10:30] == 200).all()
    assert not square[:10].any()
    assert not square[30:].any()


def test_crop_keeps_the_middle():
    wide = np.zeros((10, 20, 3), np.uint8)
    wide[:, 5:15] = 100
    assert (fit_square(wide, 10, "crop") == 100).all()


def test_stretch_shows_all():
    halves = np.repeat(np.array([0, 200], np.uint8), 20)[None, :, None] * np.ones((10, 1, 1), np.uint8)
    square = fit_square(halves, 16, "stretch")[..., 0]
    assert (square[:, :6] == 0).all()
    assert (square[:, -6:] == 200).all()


def test_reduction_is_anti_aliased():
    stripes = np.tile(np.array([0, 255], np.uint8), (64, 32))[..., None]
    assert np.abs(fit_square(stripes, 8, "stretch").astype(float) - 127.5).max() < 12


@settings(deadline=None)
@given(
    st.integers(1, 50),
    st.integers(1, 50),
    st.integers(1, 40),
    st.sampled_from(["pad", "crop", "stretch"]),
    st.sampled_from([1, 3]),
)
def test_any_shape_fits(height, width, size, fit, channels):
    image = np.full((height, width, channels), 77, np.uint8)
    square = fit_square(image, size, fit)
    assert square.shape == (size, size, channels)
    assert set(np.unique(square)) <= {0, 77}
    assert fit == "pad" or (square == 77).all()


def test_the_right_size_is_left_alone():
    image = COLOUR[:, :20]
    for fit in ("pad", "crop", "stretch"):
        np.testing.assert_array_equal(fit_square(image, 20, fit), image)


def test_decode_gives_images_or_a_reason(saved, tmp_path):
    recipe = Recipe((16, 8), 3, "pad")
    found = decode(saved(GREY), recipe)
    assert {size: image.shape for size, image in found.items()} == {16: (16, 16, 3), 8: (8, 8, 3)}
    assert decode(tmp_path / "none.png", recipe) == "the file cannot be read (No such file or directory)"


def test_decoding_needs_no_torch():
    command = "import sys, medaug.data.pixels; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", command], check=True, cwd=Path(__file__).parents[2])
