import numpy as np
import pandas as pd
import pytest
from fairlearn import metrics as fair
from sklearn.metrics import roc_auc_score

from medaug.evaluation.metrics_table import compute_metrics
from medaug.evaluation.settings import EvaluationSettings

SETTINGS = EvaluationSettings(replicates=50, attributes=["group"], intersections=[])


def table(groups, positives=0.5, images=1, rows=300, seed=0, help_of=0.0):
    """Patients of some groups; the score helps more in the first one where `help_of` is positive."""
    generator = np.random.default_rng(seed)
    group = np.array(groups)[np.arange(rows) % len(groups)]
    truth = generator.random(rows) < positives
    score = 0.3 * truth + 0.7 * generator.random(rows)
    score = np.clip(score + help_of * (2 * truth - 1) * (group == groups[0]), 0, 1)
    people = pd.DataFrame({"patient_id": [f"p{i}" for i in range(rows)], "score:c": score})
    people = people.assign(**{"label:c": truth.astype(float), "attr:group": group})
    return people.loc[people.index.repeat(images)].reset_index(drop=True)


def gap(metrics, metric, label="c"):
    rows = metrics[(metrics["metric"] == metric) & (metrics["label"] == label)]
    return rows[(rows["attribute"] != "") & ~rows["group"].isin(["a", "b", "c"])].iloc[0]


def test_a_group_of_one_patient_decides_nothing():
    predictions = table(["a", "b"])
    lonely = pd.DataFrame(
        {"patient_id": "x", "score:c": [0.1, 0.6], "label:c": [1.0, 0.0], "attr:group": "c"}
    )
    metrics = compute_metrics(pd.concat([predictions, lonely]), SETTINGS)
    of_one = metrics[
        (metrics["group"] == "c") & (metrics["metric"] == "auc") & (metrics["label"] == "c")
    ].iloc[0]
    assert (of_one["estimable"], of_one["patients"], of_one["n"]) == (False, 1, 2)
    assert of_one["reason"] == "1 patient with the condition, fewer than 10"
    pair = metrics[(metrics["group"] != "c") & metrics["estimable"]]
    values = pair[(pair["metric"] == "auc") & (pair["label"] == "c") & (pair["attribute"] == "group")][
        "value"
    ]
    row = gap(metrics, "auc_gap")
    assert row["value"] == pytest.approx(values.max() - values.min())
    assert row["reason"] == "over 2 of 3 groups"


def test_groups_are_counted_in_patients_not_images():
    metrics = compute_metrics(table(["a", "b"], images=10, rows=30), SETTINGS)
    rows = metrics[(metrics["metric"] == "auc") & (metrics["group"] == "a") & (metrics["label"] == "c")]
    assert rows["n"].item() == 150
    assert rows["patients"].item() == 15
    assert "patients with" in rows["reason"].item()


def test_the_p_value_is_that_of_a_permutation_by_hand():
    """Groups shuffled among patients with, and among those without the condition."""
    predictions = table(["a", "b"], rows=200, seed=3)
    row = gap(compute_metrics(predictions, SETTINGS), "auc_gap")
    generator, truth = np.random.default_rng(5), predictions["label:c"].to_numpy()
    group, score = predictions["attr:group"].to_numpy(), predictions["score:c"].to_numpy()

    def size(groups):
        values = [roc_auc_score(truth[groups == g], score[groups == g]) for g in "ab"]
        return max(values) - min(values)

    shuffled = []
    for _ in range(400):
        other = group.copy()
        for value in (0, 1):
            other[truth == value] = generator.permutation(other[truth == value])
        shuffled.append(size(other))
    assert row["by_chance"] == pytest.approx(np.mean(shuffled), abs=0.006)
    assert row["p_value"] == pytest.approx(np.mean(np.array(shuffled) >= size(group)), abs=0.1)
    assert row["corrected"] == pytest.approx(row["value"] - row["by_chance"])


def test_a_true_gap_is_found_and_its_interval_begins_above_zero():
    row = gap(compute_metrics(table(["a", "b"], help_of=0.3), SETTINGS), "auc_gap")
    assert row["p_value"] == pytest.approx(1 / 200)
    assert row["ci_low"] > 0
    assert row["corrected"] > 0.1


def test_without_a_gap_its_interval_begins_at_zero():
    row = gap(compute_metrics(table([f"g{i}" for i in range(8)], rows=400, seed=3), SETTINGS), "auc_gap")
    assert row["p_value"] > 0.05
    assert row["ci_low"] == 0
    assert row["detectable"] > row["by_chance"]


def test_images_of_a_patient_move_together():
    """Ten copies of every image are no further evidence against equal groups."""
    once, copies = (
        gap(compute_metrics(table(["a", "b"], images=n, rows=120, seed=2), SETTINGS), "auc_gap")
        for n in (1, 10)
    )
    assert copies["value"] == pytest.approx(once["value"])
    assert copies["p_value"] == pytest.approx(once["p_value"])


def test_ratios_and_equalised_odds_are_those_of_fairlearn():
    predictions = table(["a", "b", "c"], help_of=0.1)
    metrics = compute_metrics(predictions, SETTINGS)
    truth, decided = predictions["label:c"], predictions["score:c"] >= 0.5
    given = {"sensitive_features": predictions["attr:group"]}
    expected = {
        "equalized_odds_gap": fair.equalized_odds_difference(truth, decided, **given),
        "equalized_odds_ratio": fair.equalized_odds_ratio(truth, decided, **given),
        "selection_rate_gap": fair.demographic_parity_difference(truth, decided, **given),
        "selection_rate_ratio": fair.demographic_parity_ratio(truth, decided, **given),
    }
    for metric, value in expected.items():
        assert gap(metrics, metric)["value"] == pytest.approx(value), metric
    assert "selection_rate_worst" not in set(metrics["metric"])


def test_means_over_conditions_are_compared_on_the_conditions_that_all_groups_have():
    """Recognition is equal; the second group has none of the hard condition."""
    generator, rows = np.random.default_rng(0), []
    for group, conditions in (("a", "xyz"), ("b", "xy")):
        for condition, share in zip("xyz", (0.9, 0.9, 0.2), strict=True):
            for number in range(40 if condition in conditions else 0):
                other = "y" if condition == "x" else "x"
                called = condition if number < 40 * share else other
                scores = {f"score:{k}": 0.8 if k == called else 0.1 for k in "xyz"}
                labels = {f"label:{k}": float(k == condition) for k in "xyz"}
                rows.append(scores | labels | {"attr:group": group})
    metrics = compute_metrics(pd.DataFrame(rows).sample(frac=1, random_state=generator), SETTINGS)
    found = metrics[(metrics["metric"] == "balanced_accuracy") & (metrics["attribute"] == "group")]
    values = found.set_index("group")["value"]
    assert (values["a"], values["b"]) == pytest.approx(((0.9 + 0.9 + 0.2) / 3, 0.9))
    row = gap(metrics, "balanced_accuracy_gap", label="")
    assert row["value"] == pytest.approx(0)
    assert row["reason"] == "on 2 of 3 conditions, those that all groups have"
    apart = pd.DataFrame(rows)[lambda t: (t["attr:group"] == "a") == (t["label:z"] == 1)]
    found = compute_metrics(apart, SETTINGS)
    assert gap(found, "balanced_accuracy_gap", label="")["reason"] == (
        "0 of 2 groups can be estimated, a gap needs two; on 0 of 3 conditions, those that all groups have"
    )
