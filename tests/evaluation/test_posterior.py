import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import beta
from sklearn.metrics import top_k_accuracy_score

from medaug.errors import SettingsError
from medaug.evaluation.effective_share import Share
from medaug.evaluation.metrics_table import METRIC_COLUMNS, compute_metrics
from medaug.evaluation.posterior import (
    POSTERIOR_COLUMNS,
    difference_posterior,
    group_posteriors,
    spread_metrics,
)
from medaug.evaluation.settings import EvaluationSettings

CLASSES = [f"c{i}" for i in range(5)]


def density(d, group, outgroup, cells=4001):
    """Posterior of a difference by the trapezoidal rule: the product of both densities along a line."""
    low, high = max(0.0, d), min(1.0, 1.0 + d)
    x = np.linspace(low, high, cells)
    one = beta.pdf(x, 1 + group.right, 1 + group.n - group.right)
    other = beta.pdf(x - d, 1 + outgroup.right, 1 + outgroup.n - outgroup.right)
    return np.trapezoid(one * other, x)


def brute_force_mode(group, outgroup):
    grid = np.linspace(-0.999, 0.999, 1999)
    best = grid[np.argmax([density(d, group, outgroup, 801) for d in grid])]
    fine = np.linspace(max(best - 0.002, -0.9999), min(best + 0.002, 0.9999), 81)
    return fine[np.argmax([density(d, group, outgroup) for d in fine])]


@pytest.mark.parametrize(
    ("group", "outgroup"),
    [
        (Share(3, 3), Share(2, 5)),
        (Share(0, 2), Share(4, 4)),
        (Share(7, 10), Share(5, 10)),
        (Share(5, 5), Share(30, 30)),
        (Share(40, 60), Share(9, 12)),
    ],
)
def test_the_mode_is_that_of_brute_force_on_small_counts(group, outgroup):
    mode, samples = difference_posterior(group, outgroup, np.random.default_rng(0))
    assert mode == pytest.approx(brute_force_mode(group, outgroup), abs=0.02 * samples.std())


def test_the_triangle_of_two_uniform_shares_in_closed_form():
    # 0 of 0 on both sides: the difference of two uniform numbers, 1 - |d|, with its peak at 0.
    mode, samples = difference_posterior(Share(0, 0), Share(0, 0), np.random.default_rng(0))
    assert mode == pytest.approx(0, abs=0.01)
    assert samples.std() == pytest.approx(math.sqrt(1 / 6), rel=0.01)


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 200), st.integers(0, 200), st.integers(0, 50), st.integers(0, 50))
def test_samples_have_the_moments_of_the_posterior(right, wrong, right_out, wrong_out):
    shares = Share(right, right + wrong), Share(right_out, right_out + wrong_out)
    mode, samples = difference_posterior(*shares, np.random.default_rng(1))
    exact = [beta(1 + s.right, 1 + s.n - s.right) for s in shares]
    deviation = math.sqrt(exact[0].var() + exact[1].var())
    assert len(samples) == 100_000
    assert samples.mean() == pytest.approx(exact[0].mean() - exact[1].mean(), abs=deviation / 50)
    assert samples.std() == pytest.approx(deviation, rel=0.02)
    assert abs(mode - samples.mean()) < math.sqrt(3) * samples.std()  # a unimodal density


def test_with_many_images_the_mode_is_the_observed_difference():
    mode, _ = difference_posterior(Share(7_000, 10_000), Share(63_000, 90_000), np.random.default_rng(0))
    assert mode == pytest.approx(0.0, abs=2e-4)


def predictions(rows=120, seed=0, **columns):
    generator = np.random.default_rng(seed)
    labels, scores = generator.dirichlet(np.ones(5), rows), generator.dirichlet(np.ones(5), rows)
    labels[:4] = np.nan
    table = pd.DataFrame({f"label:{c}": labels[:, i] for i, c in enumerate(CLASSES)})
    table = table.assign(**{f"score:{c}": scores[:, i] for i, c in enumerate(CLASSES)})
    sex = [(None, "F", "F", "M")[n % 4] for n in range(rows)]
    content = {"image_id": [f"i{n}" for n in range(rows)], "attr:sex": sex, "method": "a", "split": "id_test"}
    return table.assign(**{**content, **columns})


def test_counts_of_group_and_outgroup_are_those_of_scikit_learn():
    table = predictions()
    found = group_posteriors(table, draws=1000)
    assert list(found) == list(POSTERIOR_COLUMNS)
    assert found["group"].tolist() == ["F", "M"]
    known = table[table["label:c0"].notna()]
    for row, sex in zip(found.itertuples(), ("F", "M"), strict=True):
        own = known[known["attr:sex"] == sex]
        hits = top_k_accuracy_score(
            own.filter(like="label:").to_numpy().argmax(axis=1),
            own.filter(like="score:").to_numpy(),
            k=3,
            labels=range(5),
            normalize=False,
        )
        assert (row.right, row.n) == (hits, len(own))
    assert found["right"].tolist() == found["right_outgroup"].tolist()[::-1]
    assert found["n"].tolist() == found["n_outgroup"].tolist()[::-1]
    assert found["difference"].tolist() == pytest.approx((-found["difference"]).tolist()[::-1])
    assert (found["ci_low"] < found["map_difference"]).all()
    assert (found["map_difference"] < found["ci_high"]).all()


def test_the_spread_of_two_groups_is_the_size_of_their_difference():
    posterior = group_posteriors(predictions())
    row = spread_metrics(posterior).iloc[0]
    assert list(spread_metrics(posterior)) == list(METRIC_COLUMNS)
    assert (row["metric"], row["attribute"], row["group"]) == ("top3_accuracy_spread", "sex", "")
    assert row["value"] == pytest.approx(posterior["map_difference"].abs().mean(), abs=1e-3)
    assert row["n"] == posterior["n"].sum()
    assert pd.isna(row["ci_low"])


def test_the_spread_is_the_standard_deviation_over_groups():
    tones = [("I", "II", "III", "IV")[n % 4] for n in range(120)]
    posterior = group_posteriors(predictions(**{"attr:sex": None, "attr:tone": tones}))
    values = posterior.loc[posterior["attribute"] == "tone", "map_difference"]
    spread = spread_metrics(posterior).set_index("attribute")["value"]
    assert spread["tone"] == pytest.approx(math.sqrt(((values - values.mean()) ** 2).mean()))


def test_a_group_that_is_too_small_has_a_reason_and_no_part_in_the_spread():
    sex = ["F"] * 60 + ["M"] * 59 + ["X"]
    found = group_posteriors(predictions(**{"attr:sex": sex}), draws=1000).set_index("group")
    assert found["estimable"].to_dict() == {"F": True, "M": True, "X": False}
    assert found.loc["X", "reason"] == "group: 1 patient, fewer than 10"
    assert math.isnan(found.loc["X", "map_difference"])
    row = spread_metrics(found.reset_index()).iloc[0]
    assert (row["estimable"], row["reason"]) == (True, "without X")
    alone = group_posteriors(predictions(**{"attr:sex": ["F"] * 119 + ["X"]}), draws=1000)
    row = spread_metrics(alone).iloc[0]
    assert (row["estimable"], row["reason"]) == (False, "fewer than two groups; without F, X")
    assert math.isnan(row["value"])


def test_hospitals_of_another_split_are_no_groups_of_this_one():
    hospitals = [("A", "B", "C", "D")[n % 4] for n in range(120)]
    splits = ["id_test" if name in "AB" else "ood_test" for name in hospitals]
    how = EvaluationSettings(attributes=["domain"])
    found = group_posteriors(predictions(domain=hospitals, split=splits), how, draws=1000)
    groups = found.groupby("split")["group"].agg(list).to_dict()
    assert groups == {"id_test": ["A", "B"], "ood_test": ["C", "D"]}
    assert set(found["domain"]) == {"all"}
    assert set(spread_metrics(found)["reason"]) == {""}


def test_a_method_does_not_depend_on_its_neighbours_nor_on_the_order_of_rows():
    a, b = predictions(seed=0), predictions(seed=1, method="b")
    both = group_posteriors(pd.concat([b, a]).sample(frac=1, random_state=0), draws=1000)
    alone = group_posteriors(a, draws=1000)
    pd.testing.assert_frame_equal(both[both["method"] == "a"].reset_index(drop=True), alone)


def test_accuracy_of_each_condition_agrees_with_the_metrics():
    generator = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "label:edema": generator.integers(0, 2, 50),
            "score:edema": generator.random(50),
            "attr:age": generator.uniform(0, 90, 50),
            "phantom": True,
        }
    )
    how = EvaluationSettings(replicates=0, metrics=["accuracy"], min_group_size=1)
    metrics = compute_metrics(table, how).query("metric == 'accuracy' and label == 'edema' and group != ''")
    found = group_posteriors(table, how, metric="accuracy", draws=1000)
    shares = (found["right"] / found["n"]).tolist()
    assert dict(zip(found["group"], shares, strict=True)) == pytest.approx(
        metrics.set_index("group")["value"].to_dict()
    )
    assert (found["source"] == "phantom data").all()


def test_an_outcome_that_is_not_there_or_does_not_apply_is_refused():
    with pytest.raises(SettingsError, match=r"no outcome 'auc'; there are: top3_accuracy, accuracy"):
        group_posteriors(predictions(), metric="auc")
    binary = pd.DataFrame({"label:a": [0, 1], "score:a": [0.2, 0.9], "attr:sex": ["F", "M"]})
    with pytest.raises(SettingsError, match=r"no metric 'top3_accuracy' for these multilabel predictions"):
        group_posteriors(binary)
