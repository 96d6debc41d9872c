from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from openslide import OpenSlide

from benchmarks import large_slide
from benchmarks.large_slide import write_large_slide
from medaug.errors import SettingsError
from medaug.phantoms.slides.stains import STAINS


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("large") / "slide.tif"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(large_slide, "BLOCK", 512)
        write_large_slide(path, side=5000, seed=1)
    return path


def region(slide: OpenSlide, x: int, y: int, level: int, size: tuple[int, int]) -> np.ndarray:
    return np.asarray(slide.read_region((x, y), level, size).convert("RGB")).astype(float)


def test_levels_show_the_same_picture(path: Path) -> None:
    with OpenSlide(path) as slide:
        assert slide.level_dimensions == tuple((5000 >> k, 5000 >> k) for k in range(5))
        finest = squares(region(slide, 0, 0, 0, (4096, 4096)), 128)
        for level in range(1, 5):
            side = 4096 >> level
            coarse = squares(region(slide, 0, 0, level, (side, side)), 128 >> level)
            difference = np.abs(coarse - finest)
            assert difference.mean() < 1, level
            assert difference.max() < 12, level


def squares(pixels: np.ndarray, side: int) -> np.ndarray:
    """Mean colours of squares."""
    count = len(pixels) // side
    return pixels.reshape(count, side, count, side, 3).mean(axis=(1, 3))


def test_tissue_in_the_middle_on_glass(path: Path) -> None:
    with OpenSlide(path) as slide:
        corner = region(slide, 0, 0, 0, (400, 400))
        middle = region(slide, 2000, 2000, 0, (1000, 1000))

    assert np.abs(corner - np.array(STAINS[0].white)).max() <= 3
    assert middle.std() > 25


def test_seed_decides(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(large_slide, "BLOCK", 512)
    for seed in (1, 2):
        write_large_slide(tmp_path / f"{seed}.tif", side=5000, seed=seed)

    assert (tmp_path / "1.tif").read_bytes() == path.read_bytes()
    assert (tmp_path / "2.tif").read_bytes() != path.read_bytes()


def test_a_slide_smaller_than_a_tile(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="at least 256"):
        write_large_slide(tmp_path / "a.tif", side=255)
