from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.stats import entropy
from sklearn.metrics import accuracy_score

import simplified_settings
from simplified import bernoulli, gaussian_mixture, hidden_attribute

CHANCES = st.integers(1, 49).map(lambda n: n / 50)


@settings(deadline=None, max_examples=60)
@given(p=CHANCES, p_hat=CHANCES, k=st.integers(0, 6))
def test_the_closed_form_is_the_best_of_all_shares(p: float, p_hat: float, k: int) -> None:
    t = k / 6
    share = float(bernoulli.optimal_share(p, p_hat, t))
    grid = np.linspace(0, 1, 2001)
    with np.errstate(divide="ignore"):
        mixed = (1 - grid) * t + grid * p_hat
        found = entropy([[p] * len(grid), [1 - p] * len(grid)], [mixed, 1 - mixed], axis=0)
    if np.isnan(share):
        assert t == p_hat
        assert np.ptp(found) < 1e-12
    else:
        assert bernoulli.divergence(p, (1 - share) * t + share * p_hat) <= found.min() + 1e-12


def test_the_run_of_the_paper_has_its_share_and_matches_the_truth() -> None:
    found = bernoulli.single_run().set_index("distribution")
    assert found["alpha"].iloc[0] == pytest.approx(0.1)
    assert found.loc["combined", "y=0"] == pytest.approx(0.2)
    assert found.loc["combined", "kl_from_p"] == pytest.approx(0, abs=1e-12)


def test_less_is_generated_for_more_data_and_most_where_it_is_true() -> None:
    table = bernoulli.curves(resamples=400)
    by_size = table[table["varied"] == "N"].set_index("n")["exact"]
    assert (by_size.loc[[1, 2, 4, 8, 16, 32, 64, 100]].diff().dropna() < 0).all()
    limit = np.sqrt(0.2 * 0.8 / (2 * np.pi * 2000)) / (0.5 - 0.2)  # E of the positive part of a normal error
    assert bernoulli.expected_share(2000, 0.2, 0.5) == pytest.approx(limit, rel=0.05)
    for varied, truth in (("p_hat", 0.2), ("p", 0.5)):
        curve = table[table["varied"] == varied].set_index("x")["exact"]
        assert curve.idxmax() == truth
        assert curve.max() == 1
    inside = table["exact"].between(table["ci_low"] - 1e-9, table["ci_high"] + 1e-9)
    assert inside.mean() > 0.85


@pytest.mark.parametrize("direction", hidden_attribute.DIRECTIONS)
def test_two_variables_have_a_closed_optimum_too(direction: hidden_attribute.Direction) -> None:
    truth, generator = hidden_attribute.TRUTH, hidden_attribute.GENERATOR
    draws = np.random.default_rng(3).multinomial(12, truth.ravel(), 6).reshape(-1, 2, 2) + 1
    found = hidden_attribute.best_divergence(truth, generator, draws, direction)
    for training, least in zip(draws, found, strict=True):
        parts = np.stack(
            [training / training.sum(1, keepdims=True), generator / generator.sum(1, keepdims=True)]
        )

        def mixed(logits: np.ndarray, parts: np.ndarray = parts) -> float:
            weights = np.exp(logits - logits.max())
            cells = np.einsum("sy,sya->ya", (weights / weights.sum()).reshape(2, 2), parts).ravel()
            pair = (truth.ravel(), cells) if direction == "KL(p||p')" else (cells, truth.ravel())
            return float(entropy(*pair))

        best = min(
            minimize(mixed, start, method="BFGS").fun for start in (np.zeros(4), np.array([2, 2, -2, -2]))
        )
        assert least == pytest.approx(best, abs=2e-5)


def test_an_empty_cell_is_infinite_in_one_direction_only_and_only_without_generated_data() -> None:
    truth, generator = hidden_attribute.TRUTH, hidden_attribute.GENERATOR
    empty = np.array([[[5, 5], [0, 2]], [[5, 5], [0, 0]]])
    first, second = hidden_attribute.DIRECTIONS
    assert np.isinf(hidden_attribute.best_divergence(truth, None, empty, first)).all()
    assert np.isfinite(hidden_attribute.best_divergence(truth, None, empty, second)).all()
    assert np.isfinite(hidden_attribute.best_divergence(truth, generator, empty, first)).all()
    table = hidden_attribute.sweep(resamples=200)
    means = table.pivot(index=["direction", "n"], columns="generated", values="mean")
    assert (means[True] < means[False]).all()


def test_components_get_the_classes_of_their_labelled_points() -> None:
    draw = np.random.default_rng(0)
    world = gaussian_mixture.World(np.array([[0.0, 0], [5, 5], [9, 0]]), np.tile(0.1 * np.eye(2), (3, 1, 1)))
    points, classes = world.draw(600, draw)
    model = gaussian_mixture.fit(points, 3, seed=1)
    assigned = gaussian_mixture.class_of_components(model, points[:30], classes[:30])
    assert accuracy_score(classes, assigned[model.predict(points)]) == 1
    assert np.cov(points[classes == 0].T) == pytest.approx(0.01 * np.eye(2), abs=0.002)
    assert world.log_density(points).mean() == pytest.approx(model.score(points), abs=0.05)


def test_generated_points_help_where_labelled_ones_are_few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gaussian_mixture, "UNLABELLED", 4000)
    monkeypatch.setattr(gaussian_mixture, "CASES", {(8, 6): "few labels"})
    monkeypatch.setattr(gaussian_mixture, "LABELLED", (20, 50))
    table = gaussian_mixture.gains(worlds=3).set_index(["labelled", "generated"])
    assert table.loc[(20, 1000), "gain"] > 0.1
    assert table.loc[(20, 1000), "ci_low"] > 0
    assert (table.loc[(slice(None), 0), "gain"] == 0).all()


def test_figures_and_numbers_are_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gaussian_mixture, "UNLABELLED", 300)
    monkeypatch.setattr(gaussian_mixture, "CASES", {(2, 2): "small"})
    monkeypatch.setattr(gaussian_mixture, "FIT_SIZES", (50, 100))
    arguments = ["simplified_settings.py", str(tmp_path), "--resamples", "20", "--worlds", "2"]
    monkeypatch.setattr("sys.argv", arguments)
    simplified_settings.main()
    drawn = {f"d{n}.{kind}" for n in (1, 2, 3, 4) for kind in ("png", "svg")}
    tables = {"d1_single.csv", "d1_curves.csv", "d2_divergences.csv", "d3_fits.csv", "d4_gains.csv"}
    assert {path.name for path in tmp_path.iterdir()} == drawn | tables
    assert len(pd.read_csv(tmp_path / "d1_curves.csv")) == 100 + 2 * 49
