from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from medaug.data.conditions import OTHER, condition_key, read_conditions
from medaug.phantoms.skin.people import CONDITIONS, SITES, SkinSite, draw_case, prevalence
from medaug.randomness import numpy_generator

# Section 3.2.3 of the paper.
HIGH_RISK = ("Basal Cell Carcinoma", "Melanoma", "SCC/SCCIS", "Urticaria")


def cases(site: SkinSite, count: int) -> list:
    return [draw_case(site, numpy_generator(1, site.name, k)) for k in range(count)]


def test_the_27_classes_of_the_paper_can_all_be_drawn() -> None:
    table = read_conditions()
    drawn = {table.get(condition_key(name), OTHER) for name in CONDITIONS}

    assert drawn == set(table.values())
    assert len(drawn) == 27
    assert set(HIGH_RISK) <= set(CONDITIONS)


@pytest.mark.parametrize("site", SITES, ids=lambda site: site.name)
def test_conditions_are_as_common_as_the_site_says(site: SkinSite) -> None:
    shares = prevalence(site)
    seen = Counter(case.condition for case in cases(site, 2000))

    assert sum(shares.values()) == pytest.approx(1)
    assert set(site.prevalence) <= set(CONDITIONS)
    assert seen[None] / 2000 == pytest.approx(0.02, abs=0.01)
    for name, share in shares.items():
        assert seen[name] / 2000 == pytest.approx(0.98 * share, abs=4 * np.sqrt(share / 2000))


def test_the_clinics_see_mostly_what_is_dangerous() -> None:
    dangerous = [sum(prevalence(site)[name] for name in HIGH_RISK) for site in SITES]

    assert dangerous[1] > 0.5
    assert max(dangerous[0], dangerous[2]) < 0.25


def test_every_type_sex_and_age_comes_and_sites_differ() -> None:
    people = [cases(site, 1500) for site in SITES]
    dark = [np.mean([case.tone in ("IV", "V", "VI") for case in group]) for group in people]

    assert {case.tone for case in people[0]} == {"I", "II", "III", "IV", "V", "VI"}
    assert {case.sex for case in people[0]} == {"F", "M"}
    assert all(18 <= case.age <= 90 for group in people for case in group)
    assert dark[1] < 0.15 < 0.25 < dark[0] < 0.4 < dark[2]


def test_what_the_sun_does_is_rare_in_dark_skin() -> None:
    shares = {}
    for sun in (True, False):
        tones = [c.tone in ("V", "VI") for c in cases(SITES[0], 4000)
                 if c.condition and CONDITIONS[c.condition].sun == sun]  # fmt: skip
        shares[sun] = np.mean(tones)

    assert shares[True] < 0.06
    assert shares[False] == pytest.approx(0.16, abs=0.03)
