"""Intervals of one model: how often they cover its true value."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from scipy.stats import norm

from medaug.evaluation.binary import auc, balanced_accuracy, sensitivity
from medaug.evaluation.bootstrap import weight_blocks
from medaug.evaluation.calibration_error import ece, ece_debiased
from medaug.evaluation.intervals import normal_interval, wilson_interval
from simulations.worlds import Line, distance_for, scores, truths

CASES = [(50, 0.2), (50, 0.5), (200, 0.2), (200, 0.5), (1000, 0.2), (1000, 0.5)]
FEWEST = 10
AUC = 0.85


def simulate(runs: int, replicates: int, generator: np.random.Generator) -> Iterator[Line]:
    """Yield the coverage of AUC, sensitivity and balanced accuracy, and of no calibration error."""
    for patients, prevalence in CASES:
        number = 10 * runs  # they cost little; of few runs, half without an interval, no rate could be told
        found = pd.DataFrame([_one(patients, prevalence, replicates, generator) for _ in range(number)])
        for metric in found:
            covered = found[metric].dropna()
            case = f"{patients} patients, prevalence {prevalence}"
            if len(covered) < number:
                case += (
                    f"; no interval in {1 - len(covered) / number:.0%} of runs: too few with the condition"
                )
            if len(covered):
                share = float(covered.mean())
                yield Line(f"coverage, {metric}", case, share, len(covered), 0.92, 0.97)
    for patients in (50, 200, 1000):
        found = pd.DataFrame([_calibrated(patients, replicates, generator) for _ in range(runs)])
        for metric, low in (("ece", 0.0), ("ece_debiased", 0.92)):
            what = f"a calibrated model: interval of {metric} covers 0"
            yield Line(what, f"{patients} patients", float(found[metric].mean()), runs, low, 1.0)


def _one(
    patients: int, prevalence: float, replicates: int, generator: np.random.Generator
) -> dict[str, float]:
    """Whether each interval covers; NaN where there is none, as in the report."""
    truth, distance = truths(patients, prevalence, generator), distance_for(AUC)
    score = scores(truth, distance, generator)
    weights = np.concatenate(list(weight_blocks(patients, replicates, patients, generator)), axis=1)
    fewest = min(truth.sum(), patients - truth.sum())
    rate = norm.cdf(distance / 2)
    cases = {
        "auc": (auc(truth, score, weights=weights), AUC, fewest),
        "sensitivity": (sensitivity(truth, score >= 0.5, weights=weights), rate, truth.sum()),
        "balanced accuracy": (balanced_accuracy(truth, score >= 0.5, weights=weights), rate, fewest),
    }
    covered = {}
    for metric, (values, true, support) in cases.items():
        interval = wilson_interval(float(values[0]), values[1:], int(support), 0.95)
        shown = interval is not None and (metric == "sensitivity" or fewest >= FEWEST)
        covered[metric] = float(interval[0] <= true <= interval[1]) if shown and interval else np.nan
    return covered


def _calibrated(patients: int, replicates: int, generator: np.random.Generator) -> dict[str, bool]:
    score = generator.beta(1, 2, patients)
    truth = generator.random(patients) < score
    weights = np.concatenate(list(weight_blocks(patients, replicates, patients, generator)), axis=1)
    covers = {}
    for name, function in (("ece", ece), ("ece_debiased", ece_debiased)):
        values = function(truth, score, weights=weights)
        interval = normal_interval(float(values[0]), values[1:], patients, 0.95)
        covers[name] = interval is not None and interval[0] <= 0
    return covers
