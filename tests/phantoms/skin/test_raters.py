from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from operator import itemgetter

import numpy as np
import pytest

from medaug.data.raters import soft_labels
from medaug.phantoms.skin.people import CONDITIONS, SITES, SkinCase, SkinSite, draw_case
from medaug.phantoms.skin.raters import (
    INSUFFICIENT,
    NORMAL,
    Rating,
    draw_diagnoses,
    draw_ratings,
    resemblance,
)
from medaug.randomness import numpy_generator

MELANOMA = SkinCase("Melanoma", "II", "F", 60)


def rated(site: SkinSite, count: int) -> list[tuple[SkinCase, list[Rating]]]:
    found = []
    for number in range(count):
        generator = numpy_generator(4, number)
        case = draw_case(site, generator)
        found.append((case, draw_ratings(case, site, generator)))
    return found


@pytest.mark.parametrize("site", SITES, ids=lambda site: site.name)
def test_raters_are_mostly_right_but_disagree(site: SkinSite) -> None:
    right, agreed, sure = [], [], []
    for case, ratings in rated(site, 500):
        said = [rating.diagnoses for rating in ratings]
        if case.condition and (weights := soft_labels(said)):
            right.append(max(weights, key=weights.__getitem__) == case.condition)
            sure.append(max(weights.values()))
            firsts = [max(one, key=itemgetter(1))[0] for one in said if one]
            agreed += [a == b for a, b in combinations(firsts, 2)]

    assert 0.88 < np.mean(right) < 0.99
    assert 0.7 < np.mean(agreed) < 0.95
    assert 0.65 < np.mean(sure) < 0.9


def test_lists_are_as_scin_has_them() -> None:
    ratings = [rating for case, group in rated(SITES[0], 400) for rating in group if case.referred]
    named = [rating.diagnoses for rating in ratings if rating.diagnoses]
    confidences = [[confidence for _, confidence in diagnoses] for diagnoses in named]

    assert {len(group) for _, group in rated(SITES[0], 400)} == {1, 2, 3}
    assert {len(diagnoses) for diagnoses in named} == {1, 2, 3}
    assert {value for row in confidences for value in row} == {1, 2, 3, 4, 5}
    assert all(row == sorted(row, reverse=True) for row in confidences)
    assert any(len(set(row)) < len(row) for row in confidences)
    assert all(len({name for name, _ in diagnoses}) == len(diagnoses) for diagnoses in named)


def test_look_alikes_are_named_and_strangers_hardly_ever() -> None:
    lists = [draw_diagnoses(MELANOMA, SITES[0], np.random.default_rng(k)) for k in range(300)]
    others = [name for diagnoses in lists for name, _ in diagnoses if name != "Melanoma"]
    alike = [resemblance("Melanoma", name) > 0 for name in others]

    assert len(others) > 100
    assert np.mean(alike) > 0.6


def test_resemblance_is_symmetric() -> None:
    table = np.array([[resemblance(a, b) for b in CONDITIONS] for a in CONDITIONS])

    assert (table == table.T).all()
    assert (table.diagonal() > 0).all()


def test_strong_pictures_and_skilled_raters_are_right_more_often() -> None:
    def share(strength: float, skill: float) -> float:
        case = replace(MELANOMA, strength=strength)
        firsts = [
            draw_diagnoses(case, replace(SITES[0], skill=skill), np.random.default_rng(k))[0][0]
            for k in range(300)
        ]
        return float(np.mean([name == "Melanoma" for name in firsts]))

    assert share(0.5, 2.0) + 0.1 < share(1.1, 2.0) < share(1.1, 4.0)


def test_blurred_and_healthy_cases_mostly_get_no_diagnosis() -> None:
    blurred, healthy = replace(MELANOMA, blurred=True), replace(MELANOMA, condition=None)
    answers = {
        name: [r for k in range(150) for r in draw_ratings(case, SITES[0], np.random.default_rng(k))]
        for name, case in (("blurred", blurred), ("healthy", healthy))
    }

    assert np.mean([r.gradable == INSUFFICIENT for r in answers["blurred"]]) > 0.7
    assert np.mean([r.gradable == NORMAL for r in answers["healthy"]]) > 0.7
    assert not any(r.diagnoses for r in answers["blurred"] if r.gradable == INSUFFICIENT)


def test_who_is_not_seen_has_a_skin_type_and_no_diagnosis() -> None:
    ratings = draw_ratings(replace(MELANOMA, referred=False), SITES[0], np.random.default_rng(0))

    assert len(ratings) == 1
    assert (ratings[0].gradable, ratings[0].diagnoses) == ("", [])
    assert ratings[0].tone in ("I", "II", "III")


def test_skin_types_differ_by_one_at_most() -> None:
    types = [r.tone for k in range(300) for r in draw_ratings(MELANOMA, SITES[0], np.random.default_rng(k))]

    assert set(types) == {"I", "II", "III", None}
    assert np.mean([tone == "II" for tone in types if tone]) == pytest.approx(0.8, abs=0.06)
