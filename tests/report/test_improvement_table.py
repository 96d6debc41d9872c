import pandas as pd

from medaug.evaluation.improvement import improvement_over_baseline
from medaug.evaluation.metrics_table import compute_metrics
from medaug.evaluation.posterior import group_posteriors, spread_metrics
from medaug.evaluation.settings import EvaluationSettings
from medaug.report.improvement_table import improved_measures, improvement_table
from medaug.report.words import number, signed

SETTINGS = EvaluationSettings(replicates=0, metrics=["top3_accuracy"])


def test_the_improvement_table_shows_accuracy_and_fairness(soft_predictions):
    posterior = group_posteriors(soft_predictions, SETTINGS, draws=2000)
    metrics = pd.concat([compute_metrics(soft_predictions, SETTINGS), spread_metrics(posterior)])
    found = improvement_over_baseline(metrics, "baseline")
    shown = [("top3_accuracy", ""), ("top3_accuracy_spread", "sex"), ("auc", "")]
    table = improvement_table(found, shown, [("unknown", "unknown")])
    assert list(table.head) == ["Where", "Metric", "baseline (baseline)", "label"]
    assert [row[1].note for row in table.rows] == ["more is better", "less is better"]
    runs = metrics[(metrics["metric"] == "top3_accuracy") & (metrics["attribute"] == "")]
    values = runs.groupby("method")["value"]
    assert table.rows[0][2].text == number(values.mean()["baseline"])
    assert table.rows[0][3].text == signed(values.mean()["label"] - values.mean()["baseline"])
    assert table.rows[0][3].note == f"± {number(values.std()['label'])}, 2 seeds"


def test_what_leads_comes_first_then_other_accuracies_then_fairness():
    columns = {"label": "", "attribute": ["", "", "", "", "sex", "sex", "sex & age", "sex"]}
    metrics = [
        "balanced_accuracy",
        "auc",
        "accuracy",
        "fpr",
        "auc_gap",
        "auc_spread",
        "auc_gap",
        "accuracy_gap",
    ]
    table = pd.DataFrame({"metric": metrics, **columns})
    assert improved_measures(table, "accuracy") == [
        ("accuracy", ""),
        ("auc", ""),
        ("balanced_accuracy", ""),
        ("accuracy_gap", "sex"),
    ]
    assert improved_measures(table, "auc")[-2:] == [("auc_gap", "sex"), ("auc_spread", "sex")]
    assert improved_measures(table, "fpr")[0] == ("fpr", "")
