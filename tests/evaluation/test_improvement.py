import math
import statistics

import numpy as np
import pandas as pd
import pytest

from medaug.errors import DataError
from medaug.evaluation.comparison import compare_methods
from medaug.evaluation.improvement import IMPROVEMENT_COLUMNS, improvement_over_baseline
from medaug.evaluation.metrics_table import METRIC_COLUMNS, compute_metrics
from medaug.evaluation.posterior import group_posteriors, spread_metrics
from medaug.evaluation.settings import EvaluationSettings


def row(method, seed, value, metric="top3_accuracy", **columns):
    content = dict.fromkeys(METRIC_COLUMNS, "") | {"split": "id_test", "domain": "A", "n": 10}
    given = {"method": method, "seed": seed, "value": value, "metric": metric, "estimable": True}
    return content | given | columns


def test_improvement_by_hand():
    base, ours = [0.5, 0.7, 0.6], [0.8, 0.7]
    rows = [row("base", s, v) for s, v in enumerate(base)] + [row("ours", s, v) for s, v in enumerate(ours)]
    found = improvement_over_baseline(pd.DataFrame(rows), "base").set_index("method")
    assert list(found.reset_index()[list(IMPROVEMENT_COLUMNS)]) == list(IMPROVEMENT_COLUMNS)
    assert found.loc["ours", "improvement"] == pytest.approx(0.75 - 0.6)
    assert found.loc["ours", "relative"] == pytest.approx(0.25)
    assert found.loc["ours", "value_sd"] == pytest.approx(statistics.stdev(ours))
    assert found["seeds"].to_dict() == {"base": 3, "ours": 2}
    assert found.loc["base", "improvement"] == 0
    assert found.loc["base", "value_sd"] == pytest.approx(statistics.stdev(base))


def test_one_seed_has_no_deviation_and_a_baseline_of_zero_no_ratio():
    rows = [row("base", 0, 0.0, "auc_gap", attribute="sex"), row("ours", 0, 0.1, "auc_gap", attribute="sex")]
    ours = improvement_over_baseline(pd.DataFrame(rows), "base").iloc[1]
    assert ours["improvement"] == pytest.approx(0.1)
    assert math.isnan(ours["value_sd"])
    assert math.isnan(ours["relative"])


def test_what_is_not_estimable_for_both_has_no_row():
    missing = {"estimable": False, "value": math.nan}
    rows = [row("base", 0, 0.5), row("base", 1, **missing), row("ours", 0, **missing), row("ours", 1, 0.9)]
    rows += [row("base", 0, metric="auc", **missing), row("ours", 0, 0.7, "auc")]
    found = improvement_over_baseline(pd.DataFrame(rows), "base")
    assert found["metric"].unique().tolist() == ["top3_accuracy"]
    assert found["seeds"].tolist() == [1, 1]
    assert found["improvement"].tolist() == pytest.approx([0, 0.4])


def test_the_worst_group_is_compared_whoever_it_is():
    columns = {"metric": "auc_worst", "attribute": "sex"}
    rows = [row("base", 0, 0.5, group="F", **columns), row("ours", 0, 0.6, group="M", **columns)]
    found = improvement_over_baseline(pd.DataFrame(rows), "base")
    assert found["group"].tolist() == ["", ""]
    assert found["improvement"].tolist() == pytest.approx([0, 0.1])


def test_an_unknown_baseline_and_a_run_that_comes_twice_are_refused():
    metrics = pd.DataFrame([row("base", 0, 0.5), row("ours", 0, 0.6), row("ours", 0, 0.6)])
    with pytest.raises(DataError, match=r"no baseline 'JFT' among the metrics; they have: base, ours"):
        improvement_over_baseline(metrics, "JFT")
    with pytest.raises(DataError, match=r"method 'ours', seed 0, more than once \(top3_accuracy, id_test\)"):
        improvement_over_baseline(metrics, "base")


def test_real_metrics_and_spreads_agree_with_the_paired_comparison():
    generator = np.random.default_rng(0)
    runs = []
    for method, seed in (("base", 0), ("base", 1), ("ours", 0), ("ours", 1)):
        run = pd.DataFrame({"image_id": [f"i{n}" for n in range(60)], "attr:sex": ["F", "M"] * 30})
        run["label:edema"] = [0, 1, 1] * 20
        run["score:edema"] = generator.random(60)
        runs.append(run.assign(method=method, seed=seed))
    predictions = pd.concat(runs)
    settings = EvaluationSettings(replicates=0, metrics=["accuracy"])
    spreads = spread_metrics(group_posteriors(predictions, settings, metric="accuracy", draws=1000))
    found = improvement_over_baseline(pd.concat([compute_metrics(predictions, settings), spreads]), "base")
    assert "accuracy_spread" in set(found["metric"])
    keys = ["metric", "label", "attribute", "group"]
    expected = compare_methods(predictions, "base", settings).set_index(keys)["difference"]
    own = found[(found["method"] == "ours") & (found["metric"] != "accuracy_spread")].set_index(keys)
    assert own["improvement"].to_dict() == pytest.approx(expected.to_dict())
