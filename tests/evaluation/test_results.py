import doctest
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pandas as pd
import pytest

import medaug.evaluation
from medaug.errors import DataError, SettingsError
from medaug.evaluation import evaluate, metrics, metrics_table, results
from medaug.evaluation.calibration import calibration_metrics
from medaug.evaluation.comparison import compare_methods
from medaug.evaluation.improvement import improvement_over_baseline
from medaug.evaluation.metrics_table import compute_metrics, read_metrics
from medaug.evaluation.posterior import central_estimate, spread_metrics
from medaug.evaluation.predictions import read_predictions
from medaug.evaluation.results import Results
from medaug.evaluation.settings import EvaluationSettings
from medaug.evaluation.thresholds import threshold_table

SETTINGS = EvaluationSettings(replicates=20, intersections=[], min_group_size=2)


@pytest.fixture(scope="module")
def two_methods(predictions: Callable[..., pd.DataFrame]) -> pd.DataFrame:
    first = predictions(80, labels=1)
    other = first.assign(method="synthetic", **{"score:c0": predictions(80, labels=1, seed=1)["score:c0"]})
    return pd.concat([first, other]).assign(domain=["A", "B"] * 80)


@pytest.fixture(scope="module")
def alone(two_methods: pd.DataFrame) -> Results:
    return evaluate(two_methods, SETTINGS)


@pytest.fixture(scope="module")
def compared(two_methods: pd.DataFrame) -> Results:
    return evaluate(two_methods, SETTINGS, baseline="real")


def test_all_tables_are_those_of_their_own_functions(two_methods: pd.DataFrame, compared: Results) -> None:
    results = compared
    posterior = central_estimate(two_methods, SETTINGS)
    metrics = pd.concat(
        [compute_metrics(two_methods, SETTINGS), spread_metrics(posterior)], ignore_index=True
    )
    improvement = improvement_over_baseline(metrics, "real")
    calibration = calibration_metrics(results.predictions, SETTINGS)
    metrics = pd.concat([metrics, calibration], ignore_index=True)
    pd.testing.assert_frame_equal(results.metrics, metrics)
    assert {"calibration_intercept", "calibration_slope"} <= set(results.metrics["metric"])
    thresholds = threshold_table(results.predictions, SETTINGS)
    pd.testing.assert_frame_equal(results.thresholds, thresholds)
    pd.testing.assert_frame_equal(results.posterior, posterior)
    pd.testing.assert_frame_equal(results.comparison, compare_methods(two_methods, "real", SETTINGS))
    pd.testing.assert_frame_equal(results.improvement, improvement)


def test_without_a_baseline_and_an_outcome_there_are_metrics_alone(predictions) -> None:
    results = evaluate(predictions(60), SETTINGS)
    assert (results.comparison, results.improvement, results.posterior) == (None, None, None)
    assert not results.metrics.empty


def test_a_file_and_settings_by_name_give_the_same(
    two_methods: pd.DataFrame, alone: Results, tmp_path: Path
) -> None:
    two_methods.to_csv(tmp_path / "mine.csv", index=False)
    by_name = evaluate(tmp_path / "mine.csv", replicates=20, intersections=[], min_group_size=2)
    pd.testing.assert_frame_equal(by_name.metrics, alone.metrics)
    changed = evaluate(two_methods, SETTINGS, metrics=["auc"])
    assert set(changed.metrics["metric"]) == {"auc", "auc_gap", "auc_worst"}


def test_the_summary_shows_the_leading_metric_and_its_gaps(two_methods: pd.DataFrame) -> None:
    results = evaluate(two_methods.assign(phantom=True), SETTINGS, metrics=["auc", "ece"])
    head, *lines, remark = str(results).splitlines()
    assert head.split()[:4] == ["method", "seed", "split", "domain"]
    assert head.split()[4:] == ["n", "metric", "attribute", "value", "ci_low", "ci_high"]
    assert remark == "(phantom data)"
    assert len(lines) == 2 * 3  # both methods: overall, gap by sex, gap by age; domains together
    assert all(" all " in line for line in lines)
    rows = results.metrics.query("metric == 'auc' and label == '' and attribute == '' and domain == 'all'")
    for method, value in zip(rows["method"], rows["value"], strict=True):
        (line,) = [line for line in lines if line.split()[0] == method and "gap" not in line]
        assert f" {value:.3f} " in line
    assert "Calibration error gap" in results.summary("ece")
    with pytest.raises(SettingsError, match="no metric 'f1' was measured; there are: auc, ece"):
        results.summary("f1")


def test_written_tables_come_back(compared: Results, alone: Results, tmp_path: Path) -> None:
    results = compared
    results.write(tmp_path / "new" / "folder")
    tables = ["metrics.csv", "comparison.csv", "improvement.csv", "posterior.csv", "thresholds.csv"]
    written = {path.name for path in (tmp_path / "new" / "folder").iterdir()}
    assert written == {"predictions.parquet", *tables}
    metrics = read_metrics(tmp_path / "new" / "folder" / "metrics.csv")
    pd.testing.assert_frame_equal(metrics, results.metrics, rtol=1e-11)
    predictions = read_predictions(tmp_path / "new" / "folder" / "predictions.parquet")
    pd.testing.assert_frame_equal(predictions, results.predictions)
    alone.write(tmp_path / "alone")
    assert not (tmp_path / "alone" / "comparison.csv").exists()


@pytest.mark.parametrize("module", [metrics, metrics_table, results])
def test_examples_say_what_they_show(module: ModuleType) -> None:
    outcome = doctest.testmod(module)
    assert outcome.attempted > 0
    assert outcome.failed == 0


def test_what_is_wrong_is_said(two_methods: pd.DataFrame, tmp_path: Path) -> None:
    with pytest.raises(
        SettingsError, match=r"no setting 'replicate'; there are: kind, metrics, headline, .*replicates"
    ):
        evaluate(two_methods, replicate=5)
    with pytest.raises(DataError, match="there is no file of predictions at"):
        evaluate(tmp_path / "none.csv")
    with pytest.raises(DataError, match="no baseline 'other' among the methods; there are: real, synthetic"):
        evaluate(two_methods, SETTINGS, baseline="other")


def test_the_room_opens_without_torch() -> None:
    code = "import sys, medaug.evaluation, medaug.evaluation.settings; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
    assert "evaluate" in dir(medaug.evaluation)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        medaug.evaluation.nothing  # noqa: B018
