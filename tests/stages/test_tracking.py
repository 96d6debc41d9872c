"""What MLflow would be told; that it is told is tested on a bundle that was given away (tests/sharing)."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from medaug.evaluation.results import evaluate
from medaug.stages.tracking import track, tracked_metrics


@pytest.fixture(scope="module")
def metrics(tmp_path_factory: pytest.TempPathFactory) -> Path:
    random = np.random.default_rng(0)
    table = pd.DataFrame({"patient_id": range(80), "score:edema": random.random(80)})
    table["label:edema"] = np.arange(80) % 2
    table["attr:age"] = np.where(np.arange(80) % 4 < 2, 50.0, 70.0)
    folder = tmp_path_factory.mktemp("evaluation")
    table["method"] = "50% real + 50% synthetic"
    evaluate(table, replicates=0, metrics=["auc"], bins={"age": [40, 60, 80]}).write(folder)
    return folder / "metrics.csv"


def test_names_have_only_letters_that_mlflow_takes(metrics: Path) -> None:
    named = dict(tracked_metrics(metrics))
    prefix = "50 percent real 50 percent synthetic/unknown/unknown"
    table = pd.read_csv(metrics)
    overall = table[(table["metric"] == "auc") & table["attribute"].isna() & table["label"].isna()]
    assert named[f"{prefix}/auc"] == pytest.approx(overall["value"].item())
    assert {f"{prefix}/auc/age/40 60", f"{prefix}/auc/age/60 80", f"{prefix}/auc_gap/age/gap"} <= set(named)
    assert all(set(name) <= set("/ ._-") | {c for c in name if c.isalnum()} for name in named)


def test_without_tracking_nothing_is_told(tmp_path: Path) -> None:
    track(None, tmp_path, datetime.now(UTC), {})
