from __future__ import annotations

import numpy as np
import pytest

from medaug.phantoms.slides.stains import STAINS, UNIT, Stain, colour_table, vary
from medaug.randomness import numpy_generator


def test_colours_follow_beer_and_lambert() -> None:
    stain = Stain((3, 4, 0), (0, 0, 1), (1.0, 2.0), (250, 240, 230))
    table = colour_table(stain)

    np.testing.assert_array_equal(table[0, 0], [250, 240, 230])
    light = np.exp([-0.6, -0.8, -2 * 0.5])
    np.testing.assert_allclose(table[int(UNIT), 50], np.array([250, 240, 230]) * light, atol=0.5)


def test_gamma_acts_on_the_light() -> None:
    stain = Stain((1, 0, 0), (0, 0, 1), (1.0, 1.0), (200, 200, 200), 2.0)
    assert colour_table(stain)[int(UNIT), 0, 0] == pytest.approx(200 * np.exp(-1) ** 2, abs=0.5)


def colours(stain: Stain) -> np.ndarray:
    """Lymphocyte, fibre and tumour cytoplasm."""
    return colour_table(stain)[[170, 8, 25], [45, 90, 76]].astype(float)


def test_0_2_and_4_look_alike_3_lies_away_from_them_and_1_further() -> None:
    distance = np.array([[np.linalg.norm(colours(a) - colours(b)) for b in STAINS] for a in STAINS])
    alike = [0, 2, 4]
    assert distance[np.ix_(alike, alike)].max() < distance[3, alike].min()
    assert distance[1, alike].min() > 1.5 * distance[3, alike].max()


def test_slides_of_a_hospital_differ_less_than_hospitals() -> None:
    spread = [
        np.linalg.norm(colours(vary(STAINS[0], numpy_generator(0, k))) - colours(STAINS[0]))
        for k in range(50)
    ]

    assert 2 < np.mean(spread) < np.linalg.norm(colours(STAINS[1]) - colours(STAINS[0])) / 2
