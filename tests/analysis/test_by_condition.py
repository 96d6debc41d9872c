import numpy as np
import pandas as pd
import pytest
from scipy.stats import t
from sklearn.metrics import roc_auc_score

from medaug.analysis.by_condition import by_condition
from medaug.evaluation.bootstrap import weight_blocks
from medaug.evaluation.settings import EvaluationSettings
from medaug.randomness import numpy_generator

IMAGES = 80


def predictions(seeds: int) -> pd.DataFrame:
    truth = np.random.default_rng(0).random((IMAGES, 2)) < 0.4
    parts = []
    for seed in range(seeds):
        noise = np.random.default_rng(seed + 1).random((IMAGES, 2))
        table = pd.DataFrame({"image_id": [f"i{n:02d}" for n in range(IMAGES)], "seed": seed})
        for number, name in enumerate(["edema", "effusion"]):
            table[f"label:{name}"] = truth[:, number].astype(float)
            table[f"score:{name}"] = 0.4 * truth[:, number] + 0.6 * noise[:, number]
        parts.append(table)
    return pd.concat(parts, ignore_index=True)


def aucs(table: pd.DataFrame, weights: np.ndarray | None = None) -> np.ndarray:
    return np.array(
        [
            roc_auc_score(run["label:edema"], run["score:edema"], sample_weight=weights)
            for _, run in table.groupby("seed")
        ]
    )


def test_with_three_trainings_the_interval_has_both_sources_of_variation() -> None:
    table, settings = predictions(4), EvaluationSettings(replicates=60, seed=5)
    row = by_condition(table, "auc", settings).set_index("label").loc["edema"]
    found = aucs(table)
    assert row["value"] == pytest.approx(found.mean())
    assert (row["seeds"], row["covers"]) == (4, "patients and trainings")
    assert row["sd"] == pytest.approx(found.std(ddof=1))

    generator = numpy_generator(5, "bootstrap", "unknown", "unknown")
    weights = np.hstack(list(weight_blocks(IMAGES, 60, IMAGES, generator)))[:, 1:]
    over_patients = np.var([aucs(table, column).mean() for column in weights.T], ddof=1)
    over_trainings = found.var(ddof=1) / 4
    variance = over_patients + over_trainings
    degrees = variance**2 / (over_trainings**2 / 3)
    reach = t.ppf(0.975, degrees) * np.sqrt(variance)
    assert (row["ci_low"], row["ci_high"]) == pytest.approx((found.mean() - reach, found.mean() + reach))


def test_with_fewer_it_is_about_these_trained_models() -> None:
    table = by_condition(predictions(2), settings=EvaluationSettings(replicates=50))
    assert set(table["covers"]) == {"patients"}
    assert (table["ci_low"] < table["value"]).all()
    assert (table["value"] < table["ci_high"]).all()


def test_without_replicates_or_positives_there_is_no_interval_and_a_reason() -> None:
    bare = by_condition(predictions(3), settings=EvaluationSettings(replicates=0))
    assert bare["ci_low"].isna().all()
    assert (bare["covers"] == "").all()
    without = by_condition(
        predictions(3).assign(**{"label:edema": 0.0}), settings=EvaluationSettings(replicates=5)
    )
    row = without.set_index("label").loc["edema"]
    assert not row["estimable"]
    assert np.isnan(row["value"])
    assert row["reason"] == "no positive image"
