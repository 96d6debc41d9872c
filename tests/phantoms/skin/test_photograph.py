from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import laplace
from skimage.color import rgb2lab

from medaug.phantoms.skin.camera import Camera, draw_view, expose
from medaug.phantoms.skin.canvas import Canvas, View
from medaug.phantoms.skin.colour import TONES, typology_angle
from medaug.phantoms.skin.people import CONDITIONS, SITES, SkinCase
from medaug.phantoms.skin.photograph import _pixels, draw_hair, draw_photograph

PLAIN = Camera((4, 3), 1.0, (1.0, 1.0, 1.0), 0.0, 1.0, 0.0, 0.4, 0.004, 92, (1.0, 0.0, 0.0))
HEALTHY = SkinCase(None, "II", "F", 30)


def draw(
    case: SkinCase, camera: Camera = PLAIN, size: int = 64, seed: int = 0, number: int = 0
) -> np.ndarray:
    return draw_photograph(case, camera, "CLOSE_UP", size, seed, number)


@pytest.mark.parametrize("condition", CONDITIONS)
@pytest.mark.parametrize("tone", ["I", "VI"])
def test_every_condition_is_visible_on_every_skin(condition: str, tone: str) -> None:
    bare, ill = (draw(replace(HEALTHY, tone=tone, condition=name)).astype(int) for name in (None, condition))
    changed = np.abs(ill - bare).max(axis=-1) > 12

    assert changed.mean() > 0.015


def test_the_same_numbers_give_the_same_photograph() -> None:
    case = replace(HEALTHY, condition="Melanoma")

    assert (draw(case) == draw(case)).all()
    assert (draw(case)[:64, :64] != draw(case, seed=1)[:64, :64]).any()
    assert (
        draw(case, number=0).shape != draw(case, number=2).shape or (draw(case) != draw(case, number=2)).any()
    )


def test_sides_are_those_of_the_camera() -> None:
    shapes = {draw(HEALTHY, replace(PLAIN, resolution=0.5), number=k).shape for k in range(8)}

    assert shapes == {(32, 43, 3), (43, 32, 3)}


def test_finer_drawings_show_the_same() -> None:
    case, sharp = replace(HEALTHY, condition="Psoriasis"), replace(PLAIN, shape=(1, 1))
    fine = draw(case, sharp, 128).astype(float)
    reduced = fine.reshape(64, 2, 64, 2, 3).mean(axis=(1, 3))

    assert np.abs(reduced - draw(case, sharp)).mean() < 6
    assert draw(case, sharp, 256).shape == (256, 256, 3)


def test_types_are_in_order_from_pale_to_dark() -> None:
    angles = [np.median(typology_angle(rgb2lab(draw(replace(HEALTHY, tone=tone))))) for tone in TONES]

    assert (np.diff(angles) < -8).all()


def test_men_have_more_hair() -> None:
    view = View(64, 64)
    covered = {sex: np.mean([draw_hair(Canvas(*view.grid()), replace(HEALTHY, sex=sex), view,
                                       np.random.default_rng(k)).mean() for k in range(20)])
               for sex in ("F", "M")}  # fmt: skip

    assert covered["M"] > 3 * covered["F"] > 0


def test_useless_photographs_are_blurred() -> None:
    case = replace(HEALTHY, condition="Eczema")
    detail = [laplace(draw(c).mean(axis=-1)).std() for c in (case, replace(case, blurred=True))]

    assert detail[1] < 0.5 * detail[0]


def test_pixels_are_the_inverse_of_the_grid() -> None:
    view = View(30, 50, reach=1.3, turn=0.7, tilt=0.8, shift=(0.2, -0.1))
    x, y = view.grid()
    column, row = _pixels(np.stack([x.ravel(), y.ravel()], axis=1), view).T

    assert np.allclose(row.reshape(30, 50), np.arange(30)[:, None], atol=1e-4)
    assert np.allclose(column.reshape(30, 50), np.arange(50)[None], atol=1e-4)


def test_cameras_turn_light_into_colour() -> None:
    warm = replace(PLAIN, white=(1.2, 1.0, 0.8), noise=0.0, blur=0.0)
    light = np.full((16, 16, 3), 0.3)
    red, green, blue = expose(light, warm, False, np.random.default_rng(0)).mean(axis=(0, 1))

    assert red > green + 10 > blue + 20


def test_noise_is_as_strong_as_asked_for() -> None:
    noisy = replace(PLAIN, noise=0.05, blur=0.0, quality=97)
    picture = expose(np.full((64, 64, 3), 0.2), noisy, False, np.random.default_rng(0))

    # JPEG keeps brightness, to which the channels contribute unequally.
    weights = np.array([0.299, 0.587, 0.114])

    assert (picture @ weights)[16:48, 16:48].std() == pytest.approx(12.75 * np.hypot.reduce(weights), rel=0.1)


def test_distant_views_show_more() -> None:
    reach = {shot: np.mean([draw_view(PLAIN, shot, 64, np.random.default_rng(k)).reach for k in range(50)])
             for shot in ("CLOSE_UP", "AT_AN_ANGLE", "AT_DISTANCE")}  # fmt: skip

    assert reach["CLOSE_UP"] == pytest.approx(1, abs=0.05)
    assert reach["AT_DISTANCE"] == pytest.approx(1.7, abs=0.08)


def test_sites_look_different() -> None:
    pictures = [
        draw_photograph(HEALTHY, site.camera, "CLOSE_UP", 64, seed) for site in SITES for seed in range(12)
    ]
    warmth = np.array([picture[..., 0].mean() / picture[..., 2].mean() for picture in pictures]).reshape(
        3, 12
    )

    assert warmth[2].mean() > warmth[0].mean() > warmth[1].mean()
