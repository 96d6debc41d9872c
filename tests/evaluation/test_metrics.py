from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import brier_score_loss

from medaug.errors import SettingsError
from medaug.evaluation import metrics
from medaug.evaluation.comparison import compare_methods
from medaug.evaluation.metrics import (
    DERIVED,
    GAP,
    METRICS,
    WORST,
    Estimator,
    Metric,
    headline_metrics,
    higher_is_better,
    in_words,
    is_derived,
    multiclass_estimators,
    one_against_rest_estimators,
    parse,
    shares_of_right_answers,
)
from medaug.evaluation.metrics_table import compute_metrics, read_metrics, write_table
from medaug.evaluation.results import evaluate
from medaug.evaluation.settings import EvaluationSettings
from medaug.report.answer import answer_sentences, answer_table
from medaug.report.html import write_report
from medaug.report.performance_figures import gap_figure
from medaug.report.style import method_styles
from medaug.report.tidy import tidied
from medaug.report.verdict_words import MODELS_BETTER, READINGS, reading


def test_every_metric_is_computed_in_some_way_under_a_name_of_its_own() -> None:
    without = {name for name, entry in METRICS.items() if not (entry.binary or entry.multiclass)}
    assert without == {"calibration_intercept", "calibration_slope", "equalized_odds"}  # in their own way
    assert all(name == entry.name for name, entry in METRICS.items())
    assert not any(is_derived(name) for name in METRICS)
    ranks = [entry.headline_rank for entry in METRICS.values() if entry.headline_rank]
    assert sorted(ranks) == list(range(1, len(ranks) + 1))


RANKED = [n for n, m in METRICS.items() if (m.binary or m.multiclass) and n != "selection_rate"]


@pytest.mark.parametrize("name", RANKED)
def test_errors_fall_and_everything_else_rises(name: str) -> None:
    """A perfect answer has the best value that there is: 1, or 0 for an error."""
    entry = METRICS[name]
    options = {"high_risk": [0]} if entry.of_high_risk else {}
    truth = np.arange(5) if entry.binary is None else np.array([0, 0, 1, 1])
    scores = np.eye(5) if entry.binary is None else truth.astype(float)
    estimator = entry.binary or entry.multiclass
    answers = scores if estimator.uses == "score" else truth
    assert estimator.function(truth, answers, **options) == float(higher_is_better(name))


@pytest.mark.parametrize("name", METRICS)
def test_derived_quantities_follow_from_the_metric(name: str) -> None:
    words = {quantity.of(name): in_words(quantity.of(name)) for quantity in DERIVED}
    assert words == {
        f"{name}_gap": f"{in_words(name)} gap",
        f"{name}_worst": f"{in_words(name)}, worst group",
        f"{name}_ratio": f"{in_words(name)} ratio",
        f"{name}_spread": f"{in_words(name)}, spread over groups",
        f"{name}_difference": f"{in_words(name)}, difference to all others",
    }
    assert not higher_is_better(f"{name}_gap")
    assert not higher_is_better(f"{name}_spread")
    for quantity in ("worst", "difference"):
        assert higher_is_better(f"{name}_{quantity}") == higher_is_better(name)
    assert parse(f"{name}_gap") == (METRICS[name], GAP)
    assert WORST.names(f"{name}_worst")
    assert not WORST.names(name)


@pytest.mark.parametrize("name", ["f1", "f1_gap", "_gap", ""])
def test_an_unknown_metric_has_no_direction(name: str) -> None:
    with pytest.raises(SettingsError, match=f"no metric '{name}'; there are: auc, average_precision"):
        higher_is_better(name)


def test_what_applies_to_classes_that_exclude_one_another() -> None:
    many, few = multiclass_estimators(4), multiclass_estimators(3)
    assert set(many) - set(few) == {"top3_accuracy", "balanced_top3_accuracy"}
    assert set(multiclass_estimators(3, high_risk=[1])) - set(few) == {"high_risk_sensitivity"}
    assert set(one_against_rest_estimators()).isdisjoint(multiclass_estimators(4, high_risk=[1]))


def test_top3_accuracy_leads_then_auc() -> None:
    assert headline_metrics(["accuracy", "fpr", "auc", "unknown", "top3_accuracy"]) == [
        "top3_accuracy",
        "auc",
        "accuracy",
    ]
    assert list(shares_of_right_answers()) == ["top3_accuracy", "accuracy"]


def squared_error(y_true, y_score, *, weights=None):
    error = (np.asarray(y_true, float) - np.asarray(y_score)) ** 2
    weights = np.ones(len(error)) if weights is None else weights
    return error @ weights / np.sum(weights, axis=0)


@pytest.fixture
def with_squared_error(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = Metric(
        "squared_error", "Squared error", Estimator(squared_error, "score"), higher_is_better=False
    )
    monkeypatch.setitem(metrics.METRICS, "squared_error", entry)


@pytest.fixture
def two_methods(predictions: Callable[..., pd.DataFrame]) -> pd.DataFrame:
    """Scores of the new method lie nearer to the truth, and equally near for both sexes."""
    old = predictions(300, labels=1, method="old")
    error = np.where(old["attr:sex"] == "F", 0.45, 0.25)
    scores = {"old": error, "new": 0.1 + 0.05 * (old["attr:sex"] == "F")}
    runs = []
    for method, distance in scores.items():
        score = (old["label:c0"].fillna(0.0) - distance).abs()
        runs.append(old.assign(method=method, **{"score:c0": score}))
    return pd.concat(runs, ignore_index=True)


@pytest.mark.usefixtures("with_squared_error")
def test_one_entry_adds_an_error_that_falls_everywhere(two_methods, tmp_path) -> None:
    settings = EvaluationSettings(metrics=["squared_error"], attributes=["sex"], replicates=100)
    write_table(compute_metrics(two_methods, settings), tmp_path / "metrics.csv")
    keys = ["method", "metric", "label", "attribute", "group"]
    table = read_metrics(tmp_path / "metrics.csv").set_index(keys)
    known = two_methods[two_methods["label:c0"].notna()]
    for method, rows in known.groupby("method"):
        women = rows[rows["attr:sex"] == "F"]
        found = table.loc[method]
        expected = brier_score_loss(rows["label:c0"], rows["score:c0"])
        assert found.loc[("squared_error", "c0", "", ""), "value"] == pytest.approx(expected)
        expected = brier_score_loss(women["label:c0"], women["score:c0"])
        assert found.loc[("squared_error_worst", "c0", "sex", "F"), "value"] == pytest.approx(expected)

    comparison = compare_methods(two_methods, "old", settings)
    for metric, attribute in (
        ("squared_error", ""),
        ("squared_error_gap", "sex"),
        ("squared_error_worst", "sex"),
    ):
        chosen = (comparison["metric"] == metric) & (comparison["attribute"] == attribute)
        rows = comparison[chosen & (comparison["group"] == "")]
        assert (rows["difference"] < 0).all()
        assert {reading(row, metric) for _, row in rows.iterrows()} == {MODELS_BETTER}

    shown = tidied(compute_metrics(two_methods, settings))
    changes = tidied(comparison.rename(columns={"difference": "value"}).assign(estimable=True))
    compared, accurate, fair = answer_sentences(shown, changes, ["old", "new"], "squared_error")
    assert accurate.startswith(
        "Mean squared error, compared with old: in distribution, smaller for this trained model with new (−0."
    )
    assert compared.startswith("This report compares trained models, not methods")
    assert "The squared error gap between groups of sex" in fair
    assert "smaller for this trained model with new (−0." in fair
    readings = [row[-1].text for row in answer_table(shown, changes, ["old", "new"], "squared_error").rows]
    assert readings == ["baseline", READINGS[MODELS_BETTER]] * 2
    results = evaluate(two_methods, settings, baseline="old")
    write_report(tmp_path / "report.html", results, title="Brier")
    report = (tmp_path / "report.html").read_text()
    assert "less is better" in report
    assert "more is better" not in report
    assert "best is at the bottom left" in report
    axes = gap_figure(shown, method_styles(["old", "new"]), "squared_error", "sex", ["id_test"]).axes[0]
    assert axes.get_ylabel() == "Mean Squared error (smaller is better)"
    assert axes.get_xlabel() == "Squared error gap, sex (smaller is fairer)"
