from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import grey_opening
from skimage.morphology import disk

from medaug.phantoms.slides.anatomy import FAT, GLASS, LYMPH, STEP, STROMA, TUMOUR, Anatomy
from medaug.phantoms.slides.histology import draw_slide
from medaug.phantoms.slides.stains import STAINS, Stain
from medaug.randomness import numpy_generator

HAEMATOXYLIN_ONLY = Stain((1, 1, 1), (0, 0, 0.0001), (1.0, 0.0), (255, 255, 255))


def slide(tissue: int, stain: Stain = STAINS[0], side: int = 512, seed: int = 0) -> np.ndarray:
    cells = (side // STEP, side // STEP)
    anatomy = Anatomy(np.full(cells, tissue, np.uint8), np.zeros(cells, np.float32))
    return draw_slide(anatomy, stain, numpy_generator(seed, "slide"))


def test_form_and_determinism() -> None:
    first, second, other = slide(LYMPH), slide(LYMPH), slide(LYMPH, seed=1)

    assert first.dtype == np.uint8
    assert first.shape == (512, 512, 3)
    np.testing.assert_array_equal(first, second)
    assert (first != other).mean() > 0.5


def test_glass_has_the_colour_of_the_white_point() -> None:
    assert (slide(GLASS, STAINS[2]) == np.array(STAINS[2].white, np.uint8)).all()


def darkness_kept(tissue: int, radius: int) -> float:
    """Share of the nuclei's darkness in structures that a disc of a radius in pixels fits into."""
    darkness = 255.0 - slide(tissue, HAEMATOXYLIN_ONLY)[..., 0]
    darkness = (darkness - np.quantile(darkness, 0.05)).clip(0)
    return float(grey_opening(darkness, footprint=disk(radius)).mean() / darkness.mean())


def test_nuclei_have_their_sizes() -> None:
    # Lymphocytes are 6 to 8 microns across, so discs of 4 microns fit and discs of 9 do not.
    assert darkness_kept(LYMPH, 4) > 0.8
    assert darkness_kept(LYMPH, 9) < 0.15
    assert darkness_kept(TUMOUR, 9) > 2 * darkness_kept(LYMPH, 9)


def test_fat_is_mostly_empty_and_fibres_are_pink() -> None:
    fat, fibres = slide(FAT).astype(int), slide(STROMA).astype(int)

    assert ((np.array(STAINS[0].white) - fat).max(axis=-1) < 10).mean() > 0.4
    assert np.median(fibres[..., 0]) > np.median(fibres[..., 1]) + 40


@pytest.mark.parametrize("hospital", range(5))
def test_lymphocytes_are_darker_than_stroma_in_every_stain(hospital: int) -> None:
    stain = STAINS[hospital]
    assert slide(LYMPH, stain)[..., 0].mean() < slide(STROMA, stain)[..., 0].mean() - 25
