from __future__ import annotations

import numpy as np
import pytest

from medaug.quality.fidelity import kid_ratio, precision_recall


@pytest.fixture
def sets() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    return random.normal(0.3, 1, (30, 4)).astype(np.float32), random.normal(0, 1, (40, 4)).astype(np.float32)


def ones(*sets: np.ndarray) -> list[np.ndarray]:
    return [np.ones((len(s), 1)) for s in sets]


def kernel(a: np.ndarray, b: np.ndarray) -> float:
    return (float(a @ b) / len(a) + 1) ** 3


def test_kid_is_the_unbiased_discrepancy_in_units_of_chance(sets) -> None:
    made, real = sets
    of_made = np.mean([kernel(a, b) for i, a in enumerate(made) for j, b in enumerate(made) if i != j])
    of_real = np.mean([kernel(a, b) for i, a in enumerate(real) for j, b in enumerate(real) if i != j])
    kid = of_made + of_real - 2 * np.mean([kernel(a, b) for a in made for b in real])
    chance = 2 * (np.mean([kernel(a, a) for a in real]) - of_real) / 100
    found = kid_ratio(made, real, *ones(made, real))
    assert found.value == pytest.approx((kid + chance) / chance, rel=1e-3)
    assert found.n == 30


def test_weights_are_images_that_count_several_times_but_never_as_pairs_with_themselves(sets) -> None:
    made, real = sets
    weights = np.ones((len(made), 1))
    weights[0] = 0
    without = kid_ratio(made[1:], real, *ones(made[1:], real)).value
    assert kid_ratio(made, real, weights, ones(real)[0]).value == pytest.approx(without, rel=1e-4)


def test_alike_sets_have_a_ratio_of_about_one() -> None:
    random = np.random.default_rng(1)
    a, b = (random.normal(0, 1, (400, 8)).astype(np.float32) for _ in range(2))
    assert kid_ratio(a, b, *ones(a, b)).value == pytest.approx(1, abs=0.5)


def test_precision_recall_density_and_coverage_by_their_definitions(sets) -> None:
    made, real = sets[0], sets[1][:30]

    def radius(point: np.ndarray, others: np.ndarray) -> float:
        return sorted(np.linalg.norm(others - point, axis=1))[5]  # itself is the first

    within = np.array([[np.linalg.norm(m - r) < radius(r, real) for m in made] for r in real])
    around = np.array([[np.linalg.norm(m - r) < radius(m, made) for m in made] for r in real])
    found = {name: one.value for name, one in precision_recall(made, real, *ones(made, real)).items()}
    assert found == pytest.approx(
        {
            "precision": within.any(axis=0).mean(),
            "recall": around.any(axis=1).mean(),
            "density": within.sum() / (5 * len(made)),
            "coverage": within.any(axis=1).mean(),
        }
    )
