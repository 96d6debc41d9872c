import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medaug.data.slides.tissue import tissue_fraction, tissue_mask

GLASS, STAIN, PALE = (244, 242, 246), (178, 96, 160), (210, 166, 200)


def picture(colour=GLASS, shape=(40, 60), noise=2, seed=0):
    generator = np.random.default_rng(seed)
    image = np.array(colour) + generator.normal(0, noise, (*shape, 3))
    return image.clip(0, 255).round().astype(np.uint8)


def with_patch(image, colour, rows=slice(10, 30), columns=slice(20, 50)):
    image[rows, columns] = picture(colour, image[rows, columns].shape[:2])
    expected = np.zeros(image.shape[:2], bool)
    expected[rows, columns] = True
    return image, expected


@pytest.mark.parametrize("colour", [STAIN, PALE, (90, 50, 130), (235, 140, 180)])
def test_stain_on_glass(colour):
    image, expected = with_patch(picture(), colour)
    assert (tissue_mask(image) == expected).all()


@pytest.mark.parametrize("colour", [GLASS, (255, 255, 255), (0, 0, 0), (12, 3, 20), (200, 200, 200)])
@pytest.mark.parametrize("noise", [0, 2])
def test_an_empty_slide_has_no_tissue(colour, noise):
    assert not tissue_mask(picture(colour, noise=noise)).any()


def test_a_slide_full_of_tissue_is_all_tissue():
    image, _ = with_patch(picture(PALE), STAIN)
    assert tissue_mask(image).all()


@pytest.mark.parametrize("ink", [(20, 20, 22), (40, 60, 160), (30, 130, 70), (60, 170, 190), (205, 50, 45)])
def test_ink_is_no_tissue_and_hides_none(ink):
    image, expected = with_patch(picture(), STAIN)
    image[2:6] = picture(ink, (4, 60))
    image[:, 55:] = 0
    assert (tissue_mask(image) == expected).all()


def test_one_pixel():
    assert tissue_mask(np.array([[STAIN]], np.uint8)).tolist() == [[True]]


def test_shares_counted_by_hand():
    mask = np.zeros((4, 4), bool)
    mask[1, 1:3] = True
    # A mask pixel is 10 level-0 pixels wide and high.
    places = np.array([[10, 10], [15, 10], [20, 20], [5, 5], [30, 10], [-5, 10]])
    share = tissue_fraction(mask, places, 10.0, (40, 40))
    assert share.tolist() == [1.0, 1.0, 0.0, 0.25, 0.0, 0.0]
    assert tissue_fraction(mask, np.array([[0, 0]]), 40.0, (40, 40)).tolist() == [2 / 16]


def test_what_lies_beyond_the_slide_is_no_tissue():
    share = tissue_fraction(
        np.ones((2, 2), bool), np.array([[15, 0], [15, 15], [-5, -5], [30, 0]]), 10.0, (20, 20)
    )
    assert share.tolist() == [0.5, 0.25, 0.25, 0.0]


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_shares_as_counted_on_single_pixels(data):
    height, width = data.draw(st.tuples(st.integers(1, 6), st.integers(1, 6)))
    scale = data.draw(st.integers(1, 5))
    mask = np.random.default_rng(data.draw(st.integers(0, 99))).random((height, width)) < 0.5
    whole = np.pad(mask.repeat(scale, 0).repeat(scale, 1), 40)
    places = np.array(data.draw(st.lists(st.tuples(st.integers(-8, 32), st.integers(-8, 32)), min_size=1)))
    extent = data.draw(st.integers(1, 8))
    found = tissue_fraction(mask, places, float(extent), (width * scale, height * scale))
    expected = [whole[y + 40 : y + 40 + extent, x + 40 : x + 40 + extent].mean() for x, y in places]
    assert found == pytest.approx(expected, abs=1e-6)
    # A patch full of tissue passes the strictest setting.
    assert (found[np.array(expected) == 1] == 1).all()


def test_a_mask_that_does_not_divide_the_slide():
    generator = np.random.default_rng(1)
    mask = generator.random((813, 769)) < 2
    places = generator.integers(0, 90000, (500, 2))
    assert (tissue_fraction(mask, places, 384.3, (98304, 103936)) == 1).all()


def test_a_real_slide():
    if "MEDAUG_REAL_DATA" not in os.environ:
        pytest.skip("MEDAUG_REAL_DATA is not set")
    openslide = pytest.importorskip("openslide")
    with openslide.OpenSlide(
        Path(os.environ["MEDAUG_REAL_DATA"], "slides", "CMU-1-Small-Region.svs")
    ) as slide:
        thumbnail = np.asarray(slide.get_thumbnail((256, 342)).convert("RGB"))
    mask = tissue_mask(thumbnail)
    # The strip of skin covers about a third; the left and right borders above are empty glass.
    assert 0.28 < mask.mean() < 0.4
    assert not mask[20:100, :5].any()
    assert mask[100:, 225:].mean() < 0.01
    assert mask[230:330, 105:150].mean() > 0.8
