from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr
from sklearn.metrics import roc_auc_score

from measurements.skin import measure_skin
from medaug.data.pixels import fit_square
from medaug.phantoms.skin.camera import SHOTS
from medaug.phantoms.skin.colour import TONES
from medaug.phantoms.skin.people import SITES, SkinCase, SkinSite, draw_case
from medaug.phantoms.skin.photograph import draw_photograph
from medaug.randomness import numpy_generator

RED = {"Urticaria", "Psoriasis", "SCC/SCCIS", "Basal Cell Carcinoma", "Tinea"}
BROWN = {"Melanocytic Nevus", "Melanoma"}
NEITHER = {"Vitiligo"}


def drawn(site: SkinSite, count: int, size: int = 64) -> list[tuple[SkinCase, np.ndarray]]:
    found = []
    for number in range(count):
        generator = numpy_generator(8, site.name, number)
        case = draw_case(site, generator)
        shot = SHOTS[generator.choice(3, p=site.camera.shots)]
        found.append((case, fit_square(draw_photograph(case, site.camera, shot, size, number), size, "crop")))
    return found


def separation(
    rows: list[tuple[SkinCase, dict[str, float]]], name: str, inside: set[str], outside: set[str]
) -> float:
    told = [(case.condition in inside, row[name]) for case, row in rows if case.condition in inside | outside]
    return float(roc_auc_score(*zip(*told, strict=True)))


@pytest.mark.parametrize("site", [SITES[0], SITES[2]], ids=lambda site: site.name)
def test_tone_redness_and_pigment_are_recovered(site: SkinSite) -> None:
    rows = [(case, measure_skin(image)) for case, image in drawn(site, 260)]
    order = spearmanr([TONES.index(case.tone) for case, _ in rows], [row["tone"] for _, row in rows])

    assert order.statistic < -0.85
    assert separation(rows, "redness", RED, NEITHER) > 0.8
    assert separation(rows, "pigment", BROWN, RED | NEITHER) > 0.8


def test_measurements_survive_the_resolution_of_a_small_diffusion_model() -> None:
    images = [image for _, image in drawn(SITES[0], 80)]
    small = [measure_skin(fit_square(image, 32, "crop"))["tone"] for image in images]
    large = [measure_skin(image)["tone"] for image in images]

    assert np.median(np.abs(np.array(small) - large)) < 1


def test_black_bars_do_not_count() -> None:
    image = drawn(SITES[0], 1)[0][1]
    barred = np.zeros((96, 96, 3), np.uint8)
    barred[:, 16:80] = np.concatenate([image[:16], image, image[-16:]])

    assert measure_skin(barred)["tone"] == pytest.approx(measure_skin(image)["tone"], abs=4)


@pytest.mark.parametrize("shape", [(31, 31, 3), (64, 65, 3), (64, 64)])
def test_other_shapes_are_an_error(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="square colour image of at least 32"):
        measure_skin(np.zeros(shape, np.uint8))


@pytest.mark.parametrize("grey", [0, 255])
def test_an_empty_image_gives_numbers(grey: int) -> None:
    assert np.isfinite(list(measure_skin(np.full((32, 32, 3), grey, np.uint8)).values())).all()
