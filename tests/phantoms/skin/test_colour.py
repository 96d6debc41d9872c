from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skimage.color import rgb2lab

from medaug.phantoms.skin.colour import BASE_LAB, TONES, base_tone, encoded, linear, typology_angle

# Classes of the individual typology angle by Del Bino et al. 2006, in degrees.
ANGLES = {"I": (55, 90), "II": (41, 55), "III": (28, 41), "IV": (10, 28), "V": (-30, 10), "VI": (-90, -30)}


@pytest.mark.parametrize("tone", TONES)
def test_base_tones_lie_in_the_published_classes_of_skin(tone: str) -> None:
    lightness, _, yellowness = BASE_LAB[tone]
    low, high = ANGLES[tone]

    assert low < np.degrees(np.arctan((lightness - 50) / yellowness)) < high
    assert low < typology_angle(np.array(BASE_LAB[tone])) < high


@pytest.mark.parametrize("tone", TONES)
def test_people_of_a_type_differ_a_little(tone: str) -> None:
    skins = np.stack([base_tone(tone, np.random.default_rng(k)) for k in range(200)])
    lab = rgb2lab(encoded(skins))

    assert lab.mean(axis=0) == pytest.approx(BASE_LAB[tone], abs=0.4)
    assert (lab.std(axis=0) > 0.5).all()
    assert (lab.std(axis=0) < 2).all()


@given(st.floats(0, 1))
def test_encoding_is_undone(value: float) -> None:
    assert linear(encoded(np.array([value]))) == pytest.approx([value], abs=2e-6)


def test_middle_grey_by_the_standard() -> None:
    assert linear(np.array([0.5])) == pytest.approx([0.214041], abs=1e-6)
    assert encoded(np.array([-1.0, 0.0, 1.0, 7.0])).tolist() == [0, 0, 1, 1]
