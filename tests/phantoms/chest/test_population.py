from __future__ import annotations

import numpy as np
import pytest

from medaug.phantoms.chest.population import (
    CHESTXRAY14,
    CHEXPERT,
    CONDITIONS,
    Patient,
    Referral,
    Site,
    draw_follow_up,
    draw_patient,
)
from medaug.randomness import numpy_generator

COUNT = 4000


def population(site: Site, referral: Referral | None = None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    generator = numpy_generator(0, site.name)
    patients = [draw_patient(site, generator, referral) for _ in range(COUNT)]
    present = np.array([[name in patient.conditions for name in CONDITIONS] for patient in patients])
    return present, np.array([p.sex for p in patients]), np.array([p.age for p in patients])


@pytest.mark.parametrize("site", [CHEXPERT, CHESTXRAY14], ids=lambda site: site.name)
def test_shares_are_those_of_the_site(site: Site) -> None:
    present, sex, age = population(site)

    for share, name in zip(present.mean(axis=0), CONDITIONS, strict=True):
        expected = site.prevalence[name]
        assert share == pytest.approx(expected, abs=4 * np.sqrt(expected * (1 - expected) / COUNT))
    assert (sex == "F").mean() == pytest.approx(site.female, abs=0.03)
    assert age.mean() == pytest.approx(site.age_mean, abs=1.5)
    assert age.min() >= 18
    assert age.max() <= 90


def test_conditions_come_together_more_at_chexpert() -> None:
    def together(site: Site) -> float:
        return float(np.corrcoef(population(site)[0].T)[np.triu_indices(len(CONDITIONS), 1)].mean())

    assert together(CHEXPERT) > 0.2
    assert together(CHESTXRAY14) < 0.1


def test_without_referral_sex_tells_nothing() -> None:
    present, sex, _ = population(CHEXPERT)
    ill = present.any(axis=1)

    assert ill[sex == "F"].mean() == pytest.approx(ill[sex == "M"].mean(), abs=0.05)


@pytest.mark.parametrize("exceptions", [0.0, 0.04, 0.3, 1.0])
def test_referral_makes_the_sex_tell_who_is_ill(exceptions: float) -> None:
    natural = population(CHEXPERT)[0].any(axis=1).mean()
    present, sex, _ = population(CHEXPERT, Referral(reported=0.5, exceptions=exceptions))
    ill = present.any(axis=1)

    # Bayes: the chance of being ill, given that one was sent.
    women = natural * exceptions / (natural * exceptions + 1 - natural)
    men = natural / (natural + (1 - natural) * exceptions)
    assert ill[sex == "F"].mean() == pytest.approx(women, abs=0.03)
    assert ill[sex == "M"].mean() == pytest.approx(men, abs=0.03)
    assert (sex == "F").mean() == pytest.approx(CHEXPERT.female, abs=0.03)


def test_a_follow_up_is_of_the_same_person_and_referral() -> None:
    strict, generator = Referral(reported=0.5, exceptions=0.0), numpy_generator(0, "follow-up")
    for first in (Patient("F", 44), Patient("M", 71)):
        later = [draw_follow_up(first, CHEXPERT, generator, strict) for _ in range(20)]
        assert {(p.sex, p.age) for p in later} == {(first.sex, first.age)}
        assert {bool(p.conditions) for p in later} == {first.sex == "M"}
