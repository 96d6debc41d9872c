from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medaug.phantoms.skin.canvas import Canvas, View, disc, oval, scatter, soft, spots
from medaug.phantoms.skin.colour import CRUST, UNPIGMENTED, base_tone


def canvas(view: View | None = None) -> Canvas:
    return Canvas(*(view or View(40, 40)).grid())


def test_a_close_up_shows_one_unit_in_each_direction() -> None:
    x, y = View(20, 40).grid()

    assert x.shape == y.shape == (20, 40)
    assert (y[0, 0], y[-1, 0]) == pytest.approx((-0.95, 0.95))
    assert (x[0, 0], x[0, -1]) == pytest.approx((-1.95, 1.95))


def test_a_turned_view_is_moved_and_turned() -> None:
    x, y = View(2, 2, reach=2.0, turn=np.pi / 2, shift=(5.0, 0.0)).grid()

    assert np.allclose(x, [[6, 6], [4, 4]])
    assert np.allclose(y, [[-1, 1], [-1, 1]])


def test_a_tilted_view_shows_more_of_the_skin_from_top_to_bottom() -> None:
    plain, tilted = View(10, 10).grid(), View(10, 10, tilt=0.5).grid()

    assert np.allclose(tilted[1], 2 * plain[1])
    assert np.allclose(tilted[0], plain[0])


def test_a_texture_belongs_to_the_skin_and_not_to_the_view() -> None:
    whole, part = canvas(View(40, 40)), canvas(View(20, 20, reach=0.5))
    textures = [one.noise(0.2, np.random.default_rng(3), stretch=2) for one in (whole, part)]

    assert np.allclose(textures[0][10:30, 10:30], textures[1], atol=1e-3)


def test_noise_is_about_within_one() -> None:
    noise = np.stack([canvas().noise(0.1, np.random.default_rng(k)) for k in range(20)])

    assert abs(noise.mean()) < 0.05
    assert 0.3 < noise.std() < 0.6


def test_empty_skin_has_its_base_tone() -> None:
    base = base_tone("IV", np.random.default_rng(0))

    assert np.allclose(canvas().reflectance(base), base)


def test_layers_cover_and_absorb() -> None:
    base = base_tone("II", np.random.default_rng(0))
    skin = canvas()
    skin.blood += 1
    reddened = skin.reflectance(base)[0, 0] / base
    skin.crust += 2

    assert reddened[0] > 0.8
    assert (reddened[1:] < 0.5).all()
    assert np.allclose(skin.reflectance(base), CRUST)


def test_skin_without_pigment_is_nearly_the_same_in_all_people() -> None:
    skin = canvas()
    skin.pale += 1
    tones = [skin.reflectance(base_tone(tone, np.random.default_rng(0)))[0, 0] for tone in ("I", "VI")]

    assert np.abs(tones[0] - tones[1]).max() < 0.06
    assert np.allclose(tones[1], UNPIGMENTED, atol=0.06)


def test_a_condition_is_added_in_its_amount() -> None:
    skin, other = canvas(), canvas()
    skin.melanin += 0.5
    other.melanin += 1
    other.crust += 0.8
    other.hair *= 0
    skin.add(other, 0.25)

    assert np.allclose(skin.melanin, 0.75)
    assert np.allclose(skin.crust, 0.2)
    assert np.allclose(skin.hair, 0.75)
    assert np.allclose(skin.pale, 0)


def test_depth_in_disc_and_oval() -> None:
    at = (np.array([0.0, 0.5, 1.0, 2.0]), np.zeros(4))

    assert disc(at, 1.0).tolist() == [1, 0.5, 0, -1]
    assert oval(at, 1.0, 4.0, 0.0) == pytest.approx([1, 0.75, 0.5, 0])
    assert oval(at, 1.0, 4.0, np.pi / 2) == pytest.approx([1, 0, -1, -3])


@given(st.integers(1, 12), st.integers(0, 1000))
def test_spots_are_the_deepest_of_many_discs(count: int, seed: int) -> None:
    at = canvas(View(9, 9)).x, canvas(View(9, 9)).y
    places = scatter(count, 1.0, (0.1, 0.3), np.random.default_rng(seed))
    deepest = np.max([disc(at, radius, (x, y)) for x, y, radius in places], axis=0)

    assert len(places) == count
    assert np.allclose(spots(at, places), deepest, atol=1e-4)
    assert all(abs(x) <= 1 and abs(y) <= 1 and 0.1 <= radius <= 0.3 for x, y, radius in places)


def test_a_soft_border_is_half_way_at_the_border() -> None:
    steps = soft(np.array([-1.0, -0.1, 0.0, 0.1, 1.0]), 0.2)

    assert steps.tolist() == pytest.approx([0, 0, 0.5, 1, 1])
