from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from medaug.phantoms.chest.population import CHESTXRAY14, CHEXPERT, CONDITIONS, Patient, Site
from medaug.phantoms.chest.radiograph import (
    Findings,
    Pose,
    bump,
    draw_findings,
    draw_pose,
    draw_radiograph,
    heart,
    lungs,
    soft,
    thorax_frame,
)
from medaug.randomness import numpy_generator

EVERYTHING = frozenset(CONDITIONS)


@pytest.mark.parametrize("size", [16, 64, 100, 256])
def test_form_and_determinism(size: int) -> None:
    first, second = (
        draw_radiograph(Patient("F", 70, EVERYTHING), CHEXPERT, size, numpy_generator(0, "x"))
        for _ in range(2)
    )

    assert first.dtype == np.uint8
    assert first.shape == (size, size)
    np.testing.assert_array_equal(first, second)


def test_heart_area_gives_back_its_width() -> None:
    patient = Patient("M", 55)
    findings = draw_findings(patient, numpy_generator(0, "findings"))
    u, v = thorax_frame(256, Pose(0.7, 0.0, -0.7, 1.9, 0.0))
    widest = heart(u, v, findings).sum(axis=1).max()
    thorax = (np.abs(u[0]) <= 1).sum()

    assert widest / thorax == pytest.approx(findings.heart_ratio, abs=0.02)


def features(findings: Findings) -> dict[str, float]:
    return {
        "atelectasis": abs(findings.raised[0] - findings.raised[1]),
        "cardiomegaly": findings.heart_ratio,
        "consolidation": max(findings.patch),
        "edema": findings.haze,
        "effusion": max(findings.fluid),
    }


def test_what_is_drawn_separates_present_from_absent_by_degrees() -> None:
    count = 1500
    for name in CONDITIONS:
        values = [
            features(draw_findings(Patient("M", 55, present), numpy_generator(4, len(present), number)))[name]
            for present in (frozenset[str](), frozenset({name}))
            for number in range(count)
        ]
        auc = roc_auc_score([0] * count + [1] * count, values)
        assert auc == pytest.approx(0.95, abs=0.02), name


@pytest.mark.parametrize("condition", ["atelectasis", "effusion"])
def test_what_takes_lung_away_makes_lungs_smaller(condition: str) -> None:
    u, v = thorax_frame(64, Pose(0.7, 0.0, -0.7, 1.9, 0.0))
    areas = [
        lungs(u, v, draw_findings(Patient("M", 55, present), numpy_generator(0, "same"))).sum()
        for present in (frozenset[str](), frozenset({condition}))
    ]

    assert areas[1] < 0.95 * areas[0]


def test_women_have_smaller_thoraces() -> None:
    widths = {
        sex: np.mean([draw_pose(Patient(sex, 50), numpy_generator(1, k)).half_width for k in range(100)])
        for sex in ("F", "M")
    }

    assert widths["F"] < widths["M"] - 0.04


def test_age_widens_the_heart_a_little() -> None:
    ratios = [draw_findings(Patient("M", age), numpy_generator(2, "f")).heart_ratio for age in (30, 80)]

    assert 0 < ratios[1] - ratios[0] < 0.03


def test_sites_differ_in_contrast_noise_and_border() -> None:
    def look(site: Site) -> tuple[float, float, float]:
        images = [draw_radiograph(Patient("M", 50), site, 128, numpy_generator(3, k)) for k in range(40)]
        grain = np.mean(
            [np.abs(np.diff(image[40:60, 40:90].astype(float), axis=0)).mean() for image in images]
        )
        black = np.mean([(image[:, 0] < 10).mean() for image in images])
        spread = np.mean([np.subtract(*np.percentile(image[20:100, 20:108], [90, 10])) for image in images])
        return float(spread), float(grain), float(black)

    (spread, grain, black), (other_spread, other_grain, other_black) = look(CHEXPERT), look(CHESTXRAY14)
    assert spread > other_spread
    assert grain < other_grain
    assert black < other_black


def test_frame_is_undone_by_hand() -> None:
    u, v = thorax_frame(10, Pose(0.5, 0.1, -0.6, 2.0, 0.0))

    # The pixel in column 7, row 2 has its centre at (0.5, -0.5) in half sides.
    assert u[2, 7] == pytest.approx((0.5 - 0.1) / 0.5, abs=1e-6)
    assert v[2, 7] == pytest.approx((-0.5 + 0.6) / (0.5 * 2.0), abs=1e-6)


def test_soft_and_bump() -> None:
    np.testing.assert_allclose(
        soft(np.array([-1.0, -0.05, 0.0, 0.05, 1.0]), 0.2), [0, 0.25, 0.5, 0.75, 1], atol=1e-6
    )
    np.testing.assert_allclose(bump(np.array([2.0, 3.0]), 2.0, 1.0), [1.0, np.exp(-1)], atol=1e-6)
