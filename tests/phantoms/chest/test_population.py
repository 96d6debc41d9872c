from __future__ import annotations

import numpy as np
import pytest

from medaug.phantoms.chest.population import CHESTXRAY14, CHEXPERT, CONDITIONS, Site, draw_patient
from medaug.randomness import numpy_generator

COUNT = 4000


def population(site: Site) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    generator = numpy_generator(0, site.name)
    patients = [draw_patient(site, generator) for _ in range(COUNT)]
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
