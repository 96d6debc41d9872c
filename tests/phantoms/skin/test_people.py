from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from medaug.data.conditions import OTHER, condition_key, read_conditions
from medaug.phantoms.skin.people import (
    CONDITIONS,
    DARK,
    SITES,
    Referral,
    SkinCase,
    SkinSite,
    draw_case,
    prevalence,
)
from medaug.randomness import numpy_generator

# Section 3.2.3 of the paper.
HIGH_RISK = ("Basal Cell Carcinoma", "Melanoma", "SCC/SCCIS", "Urticaria")


def cases(site: SkinSite, count: int) -> list[SkinCase]:
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

    assert dangerous[1] > 0.6
    assert max(dangerous[0], dangerous[2]) < 0.45


def test_every_type_sex_and_age_comes_and_sites_differ() -> None:
    people = [cases(site, 1500) for site in SITES]
    dark = [np.mean([case.tone in ("IV", "V", "VI") for case in group]) for group in people]

    assert {case.tone for case in people[0]} == {"I", "II", "III", "IV", "V", "VI"}
    assert {case.sex for case in people[0]} == {"F", "M"}
    assert all(18 <= case.age <= 90 for group in people for case in group)
    assert dark[1] < 0.15 < 0.25 < dark[0] < 0.45 < dark[2]


def test_growths_in_dark_skin_are_seen_as_rarely_as_the_referral_says() -> None:
    site = SITES[0]
    missed = [case.referred for case in cases(site, 4000)
              if case.condition and CONDITIONS[case.condition].growth and case.tone in DARK]  # fmt: skip
    rest = [case.referred for case in cases(site, 4000)
            if case.condition and not (CONDITIONS[case.condition].growth and case.tone in DARK)]  # fmt: skip

    assert 0 < np.mean(missed) < 0.08
    assert np.mean(rest) == pytest.approx(site.referral.usual, abs=0.04)
    assert len(missed) / 4000 == pytest.approx(0.5 * 0.36, abs=0.03)


@pytest.mark.parametrize("site", SITES[1:], ids=lambda site: site.name)
def test_elsewhere_everybody_is_seen(site: SkinSite) -> None:
    assert site.referral == Referral()
    assert all(case.referred for case in cases(site, 300))


@pytest.mark.parametrize("site", SITES, ids=lambda site: site.name)
def test_what_is_had_does_not_depend_on_the_skin(site: SkinSite) -> None:
    growths = {dark: np.mean([CONDITIONS[case.condition].growth for case in cases(site, 3000)
                              if case.condition and (case.tone in DARK) == dark])
               for dark in (True, False)}  # fmt: skip

    assert growths[True] == pytest.approx(growths[False], abs=0.09)


def test_amounts_tell_having_from_resembling_with_an_auc_of_095() -> None:
    ill = [case for case in cases(SITES[0], 2000) if case.condition]
    for name in prevalence(SITES[0]):
        had = [case.strength for case in ill if case.condition == name]
        resembled = [case.resemblance for case in ill if case.resembled == name]
        labels = [1] * len(had) + [0] * len(resembled)

        assert roc_auc_score(labels, had + resembled) == pytest.approx(0.95, abs=0.045)
