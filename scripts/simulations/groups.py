"""Groups that do not differ: gaps, their part beyond chance, and how often a test rejects."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from medaug.evaluation.effective_share import effective_share
from medaug.evaluation.metrics_table import compute_metrics
from medaug.evaluation.posterior import difference_posterior
from medaug.evaluation.settings import EvaluationSettings
from simulations.worlds import Line, distance_for, scores, table, truths

PATIENTS = 200
GROUPS = (2, 3, 8)
CLUSTERS = [(200, 5, 0.6), (20, 300, 0.3)]  # patients, images of each, likeness within a patient


def simulate(runs: int, replicates: int, generator: np.random.Generator) -> Iterator[Line]:
    """Yield how often gaps without a true gap are significant, and how often F.2's interval covers 0."""
    del replicates
    for groups in GROUPS:
        rows = _gaps(groups, runs, generator)
        share = float((rows["p_value"] <= 0.05).mean())
        case = (
            f"{groups} groups, {PATIENTS} patients; mean gap {rows['value'].mean():.3f}, "
            f"beyond chance {rows['corrected'].mean():+.3f}"
        )
        yield Line("no gap: the permutation test rejects", case, share, len(rows), 0, 0.06)
    for patients, images, likeness in CLUSTERS:
        covered = [_covers(patients, images, likeness, generator) for _ in range(4 * runs)]
        case = f"{patients} patients with {images} images, correlation {likeness}"
        yield Line(
            "posterior difference (F.2) covers 0", case, float(np.mean(covered)), 4 * runs, 0.92, 0.985
        )


def _gaps(groups: int, runs: int, generator: np.random.Generator) -> pd.DataFrame:
    """Gaps of AUC; every run is a seed of one table, so that its form is checked once."""
    names = [f"g{i % groups}" for i in range(PATIENTS)]
    parts = []
    for seed in range(runs):
        truth = truths(PATIENTS, 0.4, generator)
        score = scores(truth, distance_for(0.8), generator)
        parts.append(table(truth, score, seed=seed, **{"attr:group": generator.permutation(names)}))
    settings = EvaluationSettings(metrics=["auc"], replicates=0, min_group_size=2)
    rows = [compute_metrics(part, settings) for part in parts]
    found = pd.concat(rows)
    return found[(found["metric"] == "auc_gap") & (found["label"] == "c") & found["estimable"]]


def _covers(patients: int, images: int, likeness: float, generator: np.random.Generator) -> bool:
    """Whether the interval of the difference of two equal groups of half of the patients covers 0."""
    of, shares = np.repeat(np.arange(patients // 2), images), []
    for _ in range(2):
        strength = 1 / likeness - 1  # of the Beta distribution with this intraclass correlation
        own = generator.beta(0.8 * strength, 0.2 * strength, patients // 2)
        shares.append(effective_share(generator.random(len(of)) < own[of], of))
    _, samples = difference_posterior(*shares, generator, 2_000)
    low, high = np.quantile(samples, [0.025, 0.975])
    return bool(low <= 0 <= high)
