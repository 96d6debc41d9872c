from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm
from sklearn.metrics import roc_auc_score

from medaug.phantoms.slides.anatomy import (
    FAT,
    GLASS,
    INFILTRATED,
    LESION_DEPTH,
    LYMPH,
    MPP,
    REACTIVE,
    STEP,
    STROMA,
    TUMOUR,
    Blob,
    Lesion,
    draw_anatomy,
    draw_lesion,
    draw_node,
    in_tumour,
    smooth_noise,
)
from medaug.randomness import numpy_generator


def test_a_circle_is_a_circle() -> None:
    circle = Blob(10, 20, 5)
    np.testing.assert_allclose(np.hypot(*(circle.outline(12) - (10, 20)).T), 5)
    x, y = np.array([10.0, 13.0, 10.0]), np.array([20.0, 24.0, 27.0])
    np.testing.assert_allclose(circle.depth(x, y), [5, 0, -2])


def test_outline_is_where_the_depth_is_zero() -> None:
    blob = Blob(50, 60, 30, ((0.1, 0.3), (0.05, 2.0)))
    np.testing.assert_allclose(blob.depth(*blob.outline(77).T), 0, atol=1e-9)


def test_holes_hold_no_tumour_even_where_metastases_overlap() -> None:
    lesions = [Lesion(Blob(0, 0, 10), Blob(0, 0, 4)), Lesion(Blob(8, 0, 10))]
    x = np.array([0.0, 3.0, 6.0, -6.0, 17.0, -11.0])

    np.testing.assert_array_equal(in_tumour(lesions, x, np.zeros(6)), [False, False, True, True, True, False])


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), share=st.floats(0.1, 0.65), side=st.sampled_from([512, 1024, 3072]))
def test_metastases_lie_inside_the_node(seed: int, share: float, side: int) -> None:
    generator = numpy_generator(seed)
    node = draw_node(side, generator)
    lesion = draw_lesion(node, share, True, generator)

    assert node.depth(*lesion.blob.outline(90).T).min() >= LESION_DEPTH / MPP
    assert lesion.hole is not None
    assert lesion.blob.depth(*lesion.hole.outline(40).T).min() > 0


def test_tumour_is_drawn_where_the_lesions_are() -> None:
    shares = []
    for number in range(12):
        generator = numpy_generator(number, "anatomy")
        node = draw_node(1024, generator)
        lesion = draw_lesion(node, 0.5, True, generator)
        tissue = draw_anatomy(1024, node, (lesion,), generator).tissue
        centres = (np.arange(1024 // STEP) + 0.5) * STEP
        inside = in_tumour([lesion], *np.meshgrid(centres, centres))

        assert not (tissue[~inside] == TUMOUR).any()
        assert np.isin(tissue[inside], [TUMOUR, STROMA, LYMPH]).all()
        shares.append((tissue[inside] == TUMOUR).mean())

    neither_infiltrated_nor_stroma = norm.cdf(INFILTRATED) * (1 - (norm.cdf(0.08) - norm.cdf(-0.08)))
    assert np.mean(shares) == pytest.approx(neither_infiltrated_nor_stroma, abs=0.08)


def test_the_share_of_large_cells_tells_tumour_with_an_auc_of_095() -> None:
    shares, present = [], []
    for number in range(8):
        generator = numpy_generator(number, "anatomy")
        node = draw_node(1536, generator)
        lesion = draw_lesion(node, 0.5, True, generator)
        tissue = draw_anatomy(1536, node, (lesion,), generator).tissue
        centres = (np.arange(1536 // STEP) + 0.5) * STEP
        inside = in_tumour([lesion], *np.meshgrid(centres, centres))
        for y, x in np.ndindex(12, 12):
            patch = np.s_[16 * y : 16 * y + 16, 16 * x : 16 * x + 16]
            has_centre, has_any = inside[patch][4:12, 4:12].any(), inside[patch].any()
            if (tissue[patch] != GLASS).mean() > 0.5 and has_centre == has_any:
                shares.append(np.isin(tissue[patch], [TUMOUR, REACTIVE]).mean())
                present.append(has_centre)

    assert roc_auc_score(present, shares) == pytest.approx(0.95, abs=0.03)


def test_there_is_glass_around_fat_around_the_node() -> None:
    generator = numpy_generator(1, "anatomy")
    node = draw_node(2048, generator)
    tissue = draw_anatomy(2048, node, (), generator).tissue
    centres = (np.arange(2048 // STEP) + 0.5) * STEP
    depth = node.depth(*np.meshgrid(centres, centres)) * MPP

    assert 0.2 < (tissue == GLASS).mean() < 0.6
    assert not np.isin(tissue[depth > 0], [GLASS, FAT]).any()
    assert (tissue[(depth < -8) & (depth > -20)] == FAT).mean() > 0.7


@pytest.mark.parametrize(("shape", "sigma"), [((64, 64), 3.0), ((50, 70), 7.0), ((64, 64), 14.0)])
def test_noise_has_mean_0_and_deviation_1(shape: tuple[int, int], sigma: float) -> None:
    field = smooth_noise(shape, sigma, numpy_generator(0, "noise"))

    assert field.shape == shape
    assert field.mean() == pytest.approx(0, abs=1e-4)
    assert field.std() == pytest.approx(1, abs=1e-4)
    assert np.abs(np.diff(field, axis=0)).mean() < 2 / sigma
