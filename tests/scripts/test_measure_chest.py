from __future__ import annotations

import numpy as np
import pytest
from skimage.transform import resize
from sklearn.metrics import roc_auc_score

from measurements.chest import measure
from medaug.phantoms.chest.population import CHESTXRAY14, CHEXPERT, CONDITIONS, Patient, Site, draw_patient
from medaug.phantoms.chest.radiograph import draw_findings, draw_pose, draw_radiograph
from medaug.randomness import numpy_generator

SITES = (CHEXPERT, CHESTXRAY14)


def drawn(site: Site, count: int, size: int = 64) -> tuple[np.ndarray, list[np.ndarray]]:
    generators = [numpy_generator(11, site.name, number) for number in range(count)]
    patients = [draw_patient(site, generator) for generator in generators]
    present = np.array([[name in patient.conditions for name in CONDITIONS] for patient in patients])
    images = [draw_radiograph(p, site, size, g) for p, g in zip(patients, generators, strict=True)]
    return present, images


def separation(present: np.ndarray, images: list[np.ndarray]) -> dict[str, float]:
    measured = [measure(image) for image in images]
    return {
        name: float(roc_auc_score(present[:, k], [m[name] for m in measured]))
        for k, name in enumerate(CONDITIONS)
    }


@pytest.mark.parametrize("site", SITES, ids=lambda site: site.name)
def test_measurements_separate_present_from_absent(site: Site) -> None:
    auc = separation(*drawn(site, 300))

    assert min(auc.values()) >= 0.82, auc


def test_measurements_survive_the_resolution_of_a_small_diffusion_model() -> None:
    present, images = drawn(CHEXPERT, 300)
    small = [resize(image.astype(float), (16, 16), anti_aliasing=True) for image in images]
    auc = separation(present, [resize(image, (64, 64)).astype(np.uint8) for image in small])

    assert min(auc.values()) >= 0.78, auc


def test_grey_scale_and_size_do_not_matter_much() -> None:
    _, images = drawn(CHEXPERT, 60, size=128)
    widths = np.array([measure(image)["cardiomegaly"] for image in images])
    flat = [measure((image // 2 + 40).astype(np.uint8))["cardiomegaly"] for image in images]
    halved = [resize(image.astype(float), (64, 64), anti_aliasing=True) for image in images]
    small = [measure(image.astype(np.uint8))["cardiomegaly"] for image in halved]

    assert np.abs(widths - flat).max() < 0.05
    assert np.median(np.abs(widths - small)) < 0.02


@pytest.mark.parametrize(
    "present", [frozenset[str](), frozenset({"cardiomegaly"})], ids=["absent", "present"]
)
def test_heart_width_is_that_which_was_drawn(present: frozenset[str]) -> None:
    patient = Patient("M", 55, present)
    differences = [
        measure(draw_radiograph(patient, CHEXPERT, 64, numpy_generator(5, number)))["cardiomegaly"]
        - drawn_heart_ratio(patient, numpy_generator(5, number))
        for number in range(60)
    ]

    assert np.mean(differences) == pytest.approx(0, abs=0.03)


def drawn_heart_ratio(patient: Patient, generator: np.random.Generator) -> float:
    draw_pose(patient, generator)
    return draw_findings(patient, generator).heart_ratio


@pytest.mark.parametrize("shape", [(63, 63), (64, 65), (64, 64, 1)])
def test_other_shapes_are_an_error(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="square grey image of at least 64"):
        measure(np.zeros(shape, np.uint8))


def test_an_empty_image_gives_numbers() -> None:
    assert np.isfinite(list(measure(np.zeros((64, 64), np.uint8)).values())).all()
