from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from openslide import OpenSlide

from medaug.phantoms.slides.pyramid import TILE, Level, encode_tile, write_levels, write_pyramid


def smooth(height: int, width: int) -> np.ndarray:
    y, x = np.mgrid[:height, :width]
    return np.stack([x * 200 // width, y * 200 // height, 40 + (x + y) // 20], axis=-1).astype(np.uint8)


@pytest.mark.parametrize(("height", "width"), [(512, 512), (700, 1100), (300, 257)])
def test_openslide_reads_back_what_was_written(tmp_path: Path, height: int, width: int) -> None:
    pixels = smooth(height, width)
    write_pyramid(tmp_path / "a.tif", pixels, mpp=0.5, levels=3, quality=95)

    with OpenSlide(tmp_path / "a.tif") as slide:
        assert slide.properties["openslide.vendor"] == "generic-tiff"
        assert float(slide.properties["openslide.mpp-x"]) == pytest.approx(0.5)
        assert float(slide.properties["openslide.mpp-y"]) == pytest.approx(0.5)
        assert slide.level_dimensions[0] == (width, height)
        assert slide.level_dimensions[2] == (-(-width // 4), -(-height // 4))
        whole = np.asarray(slide.read_region((0, 0), 0, (width, height)).convert("RGB")).astype(int)
        half = np.asarray(slide.read_region((0, 0), 1, (width // 2, height // 2)).convert("RGB")).astype(int)

    assert np.abs(whole - pixels).mean() < 1.5
    even = pixels[: height // 2 * 2, : width // 2 * 2].astype(float)
    means = even.reshape(height // 2, 2, width // 2, 2, 3).mean(axis=(1, 3))
    assert np.abs(half - means).mean() < 2


def test_a_tile_is_decoded_at_its_own_place(tmp_path: Path) -> None:
    colours = [(200, 30, 30), (30, 200, 30), (30, 30, 200), (90, 90, 90), (10, 10, 10), (250, 250, 250)]
    tiles = [encode_tile(np.full((TILE, TILE, 3), colour, np.uint8), 95) for colour in colours]
    write_levels(tmp_path / "a.tif", [Level(3 * TILE, 2 * TILE, tiles)], mpp=0.25)

    with OpenSlide(tmp_path / "a.tif") as slide:
        for number, colour in enumerate(colours):
            corner = (number % 3 * TILE, number // 3 * TILE)
            region = np.asarray(slide.read_region(corner, 0, (TILE, TILE)).convert("RGB")).astype(int)
            assert np.abs(region - colour).max() <= 3


def test_expected_size_chooses_the_form(tmp_path: Path) -> None:
    tile = encode_tile(np.zeros((TILE, TILE, 3), np.uint8))
    for name, expected in (("small.tif", 0), ("big.tif", 2**32)):
        write_levels(tmp_path / name, [Level(TILE, TILE, [tile])], 0.5, expected)

    # Bytes 2 and 3 of a TIFF are its version: 42 for a classic one, 43 for a BigTIFF.
    assert (tmp_path / "small.tif").read_bytes()[2] == 42
    assert (tmp_path / "big.tif").read_bytes()[2] == 43
    with OpenSlide(tmp_path / "big.tif") as slide:
        assert slide.dimensions == (TILE, TILE)


def test_an_error_leaves_nothing(tmp_path: Path) -> None:
    def broken() -> object:
        yield encode_tile(np.zeros((TILE, TILE, 3), np.uint8))
        raise KeyError("no further tile")

    with pytest.raises(KeyError):
        write_levels(tmp_path / "a.tif", [Level(2 * TILE, TILE, broken())], 0.5)
    assert list(tmp_path.iterdir()) == []
