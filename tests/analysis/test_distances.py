import logging
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import mannwhitneyu, ttest_ind
from sklearn.metrics.pairwise import polynomial_kernel
from torchmetrics.image.kid import poly_mmd

from medaug.analysis.distances import compare_distances, distances, mmd
from medaug.errors import DataError


def sample(seed: int, images: int = 40, features: int = 7, shift: float = 0.0) -> np.ndarray:
    return np.random.default_rng(seed).normal(shift, 1.0, (images, features))


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 10_000), images=st.integers(2, 30), features=st.integers(1, 12))
def test_the_unbiased_reading_is_that_of_torchmetrics(seed: int, images: int, features: int) -> None:
    u, z = sample(seed, images, features), sample(seed + 1, images, features, 0.5)
    expected = poly_mmd(torch.from_numpy(u), torch.from_numpy(z))
    assert mmd(u, z) == pytest.approx(expected.item(), rel=1e-9, abs=1e-9)
    plain = poly_mmd(torch.from_numpy(u), torch.from_numpy(z), gamma=1.0)
    assert mmd(u, z, "unscaled") == pytest.approx(plain.item(), rel=1e-9, abs=1e-6)


def test_the_printed_reading_has_the_diagonal_in_the_sums() -> None:
    u, z = sample(0), sample(1, shift=0.5)
    n = len(u)
    own = polynomial_kernel(u, degree=3).sum() + polynomial_kernel(z, degree=3).sum()
    across = polynomial_kernel(u, z, degree=3).sum()
    assert mmd(u, z, "printed") == pytest.approx(own / (n * (n - 1)) - 2 * across / n**2)


def test_samples_of_one_distribution_are_0_apart_on_average_unless_read_as_printed() -> None:
    pairs = [(sample(2 * i), sample(2 * i + 1)) for i in range(300)]
    values = np.array([mmd(u, z) for u, z in pairs])
    assert abs(values.mean()) < 3 * values.std() / np.sqrt(len(values))
    printed = np.array([mmd(u, z, "printed") for u, z in pairs])
    itself = np.mean([((u * u).sum(axis=1) / 7 + 1) ** 3 for u, _ in pairs])
    assert (printed - values).mean() == pytest.approx(2 * itself / 39, rel=0.02)


@pytest.mark.parametrize("shapes", [((4, 2), (5, 2)), ((4, 2), (4, 3)), ((1, 2), (1, 2)), ((4,), (4,))])
def test_samples_must_be_alike(shapes: tuple[tuple[int, ...], tuple[int, ...]]) -> None:
    with pytest.raises(DataError, match="two samples of the same size and features"):
        mmd(np.ones(shapes[0]), np.ones(shapes[1]))


def test_every_pair_is_measured_on_subsets_that_differ(caplog: pytest.LogCaptureFixture) -> None:
    sets = {
        "train": sample(0, 60),
        "id_test": sample(1, 50),
        "synthetic": sample(2, 80),
        "few": sample(3, 39),
    }
    with caplog.at_level(logging.INFO):
        table = distances(sets, subsets=4, size=300, seed=1)

    pairs = [("train", "id_test"), ("train", "synthetic"), ("id_test", "synthetic")]
    assert list(dict.fromkeys(zip(table["first"], table["second"], strict=True))) == pairs
    assert set(table["reading"]) == {"unbiased", "printed", "unscaled"}
    assert (table["size"] == 25).all()
    assert "few (39)" in caplog.text
    assert table.groupby(["first", "second", "reading"])["value"].nunique().eq(4).all()
    pd.testing.assert_frame_equal(table, distances(sets, subsets=4, seed=1))
    only = distances({name: sets[name] for name in ("train", "id_test")}, subsets=4, size=25, seed=1)
    same = table[(table["first"] == "train") & (table["second"] == "id_test")].reset_index(drop=True)
    pd.testing.assert_frame_equal(only, same)
    assert distances({"train": sets["train"]}).empty
    assert distances({}).empty


def test_two_methods_are_compared_as_scipy_does() -> None:
    parts = []
    for method, scale in (("real", 1.0), ("both", 1.3)):
        for seed in range(3):
            sets = {"train": scale * sample(seed, 60), "ood_test": scale * sample(seed + 9, 60, shift=0.6)}
            parts.append(distances(sets, subsets=5).assign(method=method, seed=seed))
    table = pd.concat(parts, ignore_index=True)
    compared = compare_distances(table, "real")

    assert list(compared["method"]) == ["real", "both"] * 3
    row = compared[(compared["reading"] == "unbiased") & (compared["method"] == "both")].iloc[0]
    values = dict(iter(table[table["reading"] == "unbiased"].groupby("method")))
    test = mannwhitneyu(values["both"]["value"], values["real"]["value"])
    assert (row["u"], row["p"]) == (test.statistic, test.pvalue)
    means = [values[m].groupby("seed")["value"].mean() for m in ("both", "real")]
    assert row["p_trainings"] == pytest.approx(ttest_ind(*means).pvalue)
    assert row["trainings"] == 3
    assert row["relative"] == pytest.approx(
        values["both"]["value"].mean() / values["real"]["value"].mean() - 1
    )
    once = compare_distances(table[table["seed"] == 0], "real")
    assert once["p_trainings"].isna().all()
    with pytest.raises(DataError, match="no baseline 'other' among the distances; there are: real, both"):
        compare_distances(table, "other")


def test_a_set_is_not_compared_with_a_part_of_it() -> None:
    draw = np.random.default_rng(0)
    names = ["train", "ood_test", "ood_test: clinic", "ood_test: scans", "synthetic"]
    found = distances({name: draw.normal(size=(40, 3)) for name in names}, subsets=2)
    pairs = set(zip(found["first"], found["second"], strict=True))
    wholes = {("ood_test", name) for name in names if name.startswith("ood_test: ")}
    assert pairs == set(combinations(names, 2)) - wholes
