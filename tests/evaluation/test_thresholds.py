import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_curve

from medaug.errors import DataError
from medaug.evaluation.metrics_table import compute_metrics
from medaug.evaluation.predictions import check_predictions
from medaug.evaluation.settings import EvaluationSettings
from medaug.evaluation.thresholds import chosen_thresholds, decide, threshold_table, youden_threshold


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 10)), min_size=2, max_size=40))
def test_youden_is_the_best_point_of_the_roc_curve(rows: list[tuple[bool, int]]) -> None:
    truth, score = (np.array(column) for column in zip(*rows, strict=True))
    score = score / 10
    if truth.all() or not truth.any():
        assert np.isnan(youden_threshold(truth, score))
        return
    alarms, found, _ = roc_curve(truth, score, drop_intermediate=False)
    decision = score >= youden_threshold(truth, score)
    assert decision[truth].mean() - decision[~truth].mean() == pytest.approx((found - alarms)[1:].max())


def table(**columns: list[float]) -> pd.DataFrame:
    content = {
        "split": ["id_val"] * 4 + ["id_test"] * 2,
        "score:a": [0.1, 0.2, 0.3, 0.4, 0.25, 0.35],
        "label:a": [0, 0, 1, 1, 0, 1],
    }
    return check_predictions(pd.DataFrame(content | columns))


def decisions(predictions: pd.DataFrame, threshold: float | str) -> dict[float, float]:
    return dict(zip(predictions["score:a"], decide(predictions, "a", threshold), strict=True))


def test_fixed_threshold_includes_its_own_value() -> None:
    found = decisions(table(), "0.25")
    assert found == {0.1: 0, 0.2: 0, 0.25: 1, 0.3: 1, 0.35: 1, 0.4: 1}


def test_threshold_chosen_on_id_val_for_each_method() -> None:
    other = table().assign(method="other", **{"score:a": table()["score:a"] + 0.5})
    both = check_predictions(pd.concat([table(), other]))
    found = decisions(both, "id_val")
    assert found == {s + o: float(s >= 0.3) for o in (0, 0.5) for s in (0.1, 0.2, 0.25, 0.3, 0.35, 0.4)}


def test_columns_of_decisions_win() -> None:
    given_by_user = table(**{"decision:a": [1, 0, 1, 0, 1, 0]})
    assert decide(given_by_user, "a", "id_val").tolist() == given_by_user["decision:a"].tolist()


def test_no_threshold_without_both_classes_and_an_error_without_the_split() -> None:
    assert np.isnan(decide(table(**{"label:a": [0, 0, 0, 0, 0, 1]}), "a", "id_val")).all()
    without = table().query("split == 'id_test'")
    with pytest.raises(DataError, match="needs predictions of the split id_val"):
        decide(without, "a", "id_val")


def test_a_run_without_validation_has_no_threshold_and_says_so() -> None:
    both = pd.concat([validated(40), validated(40).assign(method="other")])
    table = check_predictions(both[(both["method"] == "model") | (both["split"] == "id_test")])
    settings = EvaluationSettings(
        metrics=["sensitivity"], threshold="id_val", splits=["id_test"], replicates=20
    )
    metrics = compute_metrics(table, settings).set_index(["method", "label"])
    assert metrics.loc[("model", "a"), "estimable"]
    assert metrics.loc[("other", "a"), "reason"] == "no threshold: id_val lacks one of the two classes"
    thresholds = threshold_table(table, settings).set_index("method")
    assert (thresholds.loc["other", "n"], np.isnan(thresholds.loc["other", "threshold"])) == (0, True)
    table["label:a"] = table["label:a"].mask(table["split"] == "id_val")
    assert np.isnan(decide(table, "a", "id_val")).all()
    assert np.isnan(chosen_thresholds(table, settings)["model", 0, "a"]).all()


@given(
    st.lists(st.tuples(st.booleans(), st.integers(0, 10)), min_size=2, max_size=30), st.integers(0, 2**32 - 1)
)
def test_weights_repeat_examples(rows: list[tuple[bool, int]], draw: int) -> None:
    truth, score = (np.array(column) for column in zip(*rows, strict=True))
    weights = np.random.default_rng(draw).poisson(1, (len(truth), 3))
    together = youden_threshold(truth, score, weights=weights)
    for found, times in zip(together, weights.T, strict=True):
        repeated = np.repeat(truth, times), np.repeat(score, times)
        np.testing.assert_equal(found, youden_threshold(*repeated))


def validated(patients: int, seed: int = 0) -> pd.DataFrame:
    generator, parts = np.random.default_rng(seed), []
    for split, rows in (("id_val", patients), ("id_test", 400)):
        truth = generator.random(rows) < 0.5
        people = [f"{split}{i}" for i in range(rows)]
        scores = (0.3 * truth + 0.7 * generator.random(rows)).round(3)
        content = {"image_id": people, "patient_id": people, "split": split, "score:a": scores}
        parts.append(pd.DataFrame(content | {"label:a": truth.astype(float)}))
    return check_predictions(pd.concat(parts))


def test_thresholds_are_chosen_again_on_each_draw_of_patients_and_written() -> None:
    predictions = validated(60)
    settings = EvaluationSettings(threshold="id_val", replicates=100)
    found = chosen_thresholds(predictions, settings)["model", 0, "a"]
    val = predictions[predictions["split"] == "id_val"]
    assert found[0] == youden_threshold(val["label:a"], val["score:a"])
    assert found.shape == (101,)
    assert set(found) <= set(val["score:a"])
    assert len(set(found)) > 3
    row = threshold_table(predictions, settings).iloc[0]
    assert (row["threshold"], row["chosen_on"], row["n"]) == (found[0], "id_val", 60)
    assert row["ci_low"] == pytest.approx(np.quantile(found[1:], 0.025))
    fixed = threshold_table(predictions, EvaluationSettings(threshold=0.3)).iloc[0]
    assert (fixed["threshold"], fixed["chosen_on"]) == (0.3, "setting")
    by_user = threshold_table(predictions.assign(**{"decision:a": 1.0}), settings).iloc[0]
    assert (by_user["chosen_on"], np.isnan(by_user["threshold"])) == ("decision", True)


def test_intervals_know_that_thresholds_were_chosen_on_few_patients() -> None:
    metric = {"metrics": ["specificity"], "splits": ["id_test"], "replicates": 200}
    widths = {}
    for threshold in (0.45, "id_val"):
        settings = EvaluationSettings(threshold=threshold, **metric)
        row = compute_metrics(validated(40), settings).iloc[0]
        widths[threshold] = row["ci_high"] - row["ci_low"]
    assert widths["id_val"] > 1.5 * widths[0.45]
