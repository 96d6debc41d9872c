from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from sklearn.metrics import roc_auc_score

from measurements.slides import measure_tumour
from medaug.phantoms.slides.anatomy import GLASS, STEP, draw_anatomy, draw_lesion, draw_node, in_tumour
from medaug.phantoms.slides.histology import draw_slide
from medaug.phantoms.slides.stains import STAINS, vary
from medaug.randomness import numpy_generator

SIDE = 1536
PATCH = 192
"""96 microns at half a micron a pixel."""


def patches(hospital: int) -> tuple[list[Image.Image], list[bool]]:
    """Tissue patches of one slide, and whether the inner third of each holds tumour; no unclear ones."""
    generator = numpy_generator(3, "measured", hospital)
    node = draw_node(SIDE, generator)
    lesion = draw_lesion(node, 0.6, False, generator)
    anatomy = draw_anatomy(SIDE, node, (lesion,), generator)
    slide = Image.fromarray(draw_slide(anatomy, vary(STAINS[hospital], generator), generator))
    centres = (np.arange(SIDE // STEP) + 0.5) * STEP
    tumour = in_tumour([lesion], *np.meshgrid(centres, centres))
    images, labels = [], []
    for y in range(0, SIDE - PATCH + 1, 96):
        for x in range(0, SIDE - PATCH + 1, 96):
            cells = np.s_[y // STEP : (y + PATCH) // STEP, x // STEP : (x + PATCH) // STEP]
            has_centre, has_any = tumour[cells][8:16, 8:16].any(), tumour[cells].any()
            if (anatomy.tissue[cells] != GLASS).mean() > 0.5 and has_centre == has_any:
                images.append(slide.crop((x, y, x + PATCH, y + PATCH)))
                labels.append(bool(has_centre))
    return images, labels


@pytest.fixture(scope="module")
def drawn() -> list[tuple[list[Image.Image], list[bool]]]:
    return [patches(hospital) for hospital in range(5)]


@pytest.mark.parametrize("factor", [2, 6])
def test_tumour_is_found_in_every_stain_at_96_and_32_pixels(
    drawn: list[tuple[list[Image.Image], list[bool]]], factor: int
) -> None:
    scores = [[measure_tumour(np.asarray(image.reduce(factor))) for image in images] for images, _ in drawn]
    labels = [present for _, present in drawn]

    for hospital in range(5):
        assert roc_auc_score(labels[hospital], scores[hospital]) > 0.8, hospital
    assert roc_auc_score(np.concatenate(labels), np.concatenate(scores)) > 0.83


@pytest.mark.parametrize("shape", [(31, 31, 3), (64, 32, 3), (64, 64), (64, 64, 4)])
def test_other_shapes_are_an_error(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="square colour image of at least 32"):
        measure_tumour(np.zeros(shape, np.uint8))


@pytest.mark.parametrize("grey", [0, 128, 255])
def test_an_empty_image_gives_a_number(grey: int) -> None:
    assert np.isfinite(measure_tumour(np.full((32, 32, 3), grey, np.uint8)))
