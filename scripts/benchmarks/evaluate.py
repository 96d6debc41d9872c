"""Bootstrap intervals of the AUC of two groups against fairlearn's MetricFrame and a loop with MONAI's AUC.

The peers compute fewer replicates, because they take long, and their time is scaled up linearly.
"""

from __future__ import annotations

from argparse import Namespace, _ArgumentGroup
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from monai.metrics import compute_roc_auc
from sklearn.metrics import roc_auc_score

from benchmarks.contest import Contest, Timed, clocked, missing
from medaug.evaluation.metrics_table import compute_metrics
from medaug.evaluation.settings import EvaluationSettings

TARGET = "1,000 replicates of a group AUC at least 50 times as fast as fairlearn"
INTERVAL = (0.025, 0.975)


def add_options(parser: _ArgumentGroup) -> None:
    """Add the settings of this benchmark."""
    parser.add_argument("--rows", type=int, nargs="+", default=[1000, 10_000], help="images, one a patient")
    parser.add_argument("--replicates", type=int, default=1000, help="bootstrap replicates")
    parser.add_argument("--peer_replicates", type=int, default=10, help="replicates that the peers compute")


def contests(settings: Namespace, folder: Path) -> Iterator[Contest]:
    """Yield a contest for each number of rows."""
    wanted, computed = settings.replicates, settings.peer_replicates
    for rows in settings.rows:
        table = _predictions(rows)
        runs: dict[str, Timed] = {"medaug evaluate": clocked(lambda table=table: _medaug(table, wanted))}
        remarks = missing("fairlearn", "MetricFrame")
        if not remarks:
            runs["fairlearn MetricFrame (scikit-learn's AUC)"] = _scaled(_fairlearn, table, wanted, computed)
        runs["MONAI compute_roc_auc in a loop"] = _scaled(_monai, table, wanted, computed)
        remarks += (
            f"the peers computed {computed:,} replicates; their time is scaled linearly to {wanted:,}",
        )
        title = f"{rows:,} images, AUC of two groups with intervals from {wanted:,} replicates"
        yield Contest(title, "replicates/s", wanted, runs, remarks)


def _predictions(rows: int) -> pd.DataFrame:
    random = np.random.default_rng(0)
    truth = random.integers(2, size=rows)
    return pd.DataFrame(
        {
            "patient_id": [f"patient{i}" for i in range(rows)],
            "score:edema": 1 / (1 + np.exp(-random.normal(truth, 1.5))),
            "label:edema": truth.astype(float),
            "attr:sex": random.choice(["F", "M"], size=rows),
        }
    )


def _medaug(table: pd.DataFrame, replicates: int) -> pd.DataFrame:
    return compute_metrics(
        table, EvaluationSettings(metrics=["auc"], attributes=["sex"], replicates=replicates)
    )


def _scaled(
    work: Callable[[pd.DataFrame, int], object], table: pd.DataFrame, wanted: int, computed: int
) -> Timed:
    """Time fewer replicates; with the estimate itself they are one more."""
    timed = clocked(lambda: work(table, computed))
    return lambda: timed() * (wanted + 1) / (computed + 1)


def _fairlearn(table: pd.DataFrame, replicates: int) -> object:
    from fairlearn.metrics import MetricFrame

    frame = MetricFrame(
        metrics=roc_auc_score,
        y_true=table["label:edema"],
        y_pred=table["score:edema"],
        sensitive_features=table["attr:sex"],
        n_boot=replicates,
        ci_quantiles=INTERVAL,
        random_state=0,
    )
    return frame.by_group_ci, frame.difference()


def _monai(table: pd.DataFrame, replicates: int) -> object:
    """Overall and by group, as `MetricFrame` does it: the data, then resampled rows."""
    score, truth = torch.tensor(table["score:edema"]), torch.tensor(table["label:edema"])
    group = torch.tensor((table["attr:sex"] == "F").to_numpy())
    random = torch.Generator().manual_seed(0)
    draws = [torch.arange(len(table))]
    draws += [torch.randint(len(table), (len(table),), generator=random) for _ in range(replicates)]
    parts = [[rows, rows[group[rows]], rows[~group[rows]]] for rows in draws]
    values = [[compute_roc_auc(score[rows], truth[rows]) for rows in three] for three in parts]
    return np.quantile(values[1:], INTERVAL, axis=0)
