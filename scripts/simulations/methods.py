"""A method against itself: how often two sets of trainings are called different."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from medaug.evaluation.binary import auc
from medaug.evaluation.bootstrap import weight_blocks
from medaug.evaluation.comparison import compare_methods
from medaug.evaluation.settings import EvaluationSettings
from medaug.evaluation.verdict import UNCLEAR, UNKNOWN, difference_between, verdict
from simulations.worlds import Line, distance_for, scores, table, truths

AUC = 0.8
BETWEEN_TRAININGS = 0.012
CASES = [(300, 1), (300, 3), (300, 5), (1000, 1), (1000, 3), (1000, 5)]


def simulate(runs: int, replicates: int, generator: np.random.Generator) -> Iterator[Line]:
    """Yield the share of runs with a verdict, and of intervals of trained models that exclude 0."""
    for patients, trainings in CASES:
        found = [_one(patients, trainings, replicates, generator) for _ in range(runs)]
        case = f"{patients} patients, {trainings} training{'s' * (trainings > 1)} each"
        highest = 0.06 if trainings > 2 else 0.0
        yield Line("a method against itself: called different", case, np.mean(found), runs, 0, highest)
    few = max(10, runs // 8)
    different = [_with_thresholds(replicates, generator) for _ in range(few)]
    case = "100 validation and 1,000 test patients, 3 trainings each"
    for metric, share in zip(("sensitivity", "specificity"), np.mean(different, axis=0), strict=True):
        what = f"a method against itself: {metric} called different, thresholds chosen"
        yield Line(what, case, share, few, 0, 0.1)


def _one(patients: int, trainings: int, replicates: int, generator: np.random.Generator) -> bool:
    truth = truths(patients, 0.4, generator)
    shared = generator.normal(size=patients)
    weights = np.concatenate(list(weight_blocks(patients, replicates, patients, generator)), axis=1)
    methods = []
    for _ in range(2):
        values = generator.normal(AUC, BETWEEN_TRAININGS, trainings)
        runs = [scores(truth, distance_for(value), generator, shared) for value in values]
        methods.append(np.stack([auc(truth, run, weights=weights) for run in runs]))
    found = difference_between(*methods)
    return verdict(found.difference, found.p_value, "auc") not in (UNCLEAR, UNKNOWN)


def _with_thresholds(replicates: int, generator: np.random.Generator) -> list[bool]:
    """Whether sensitivity and specificity of a method and itself are called different."""
    parts = []
    for split, patients in (("id_val", 100), ("id_test", 1000)):
        truth, shared = truths(patients, 0.4, generator), generator.normal(size=patients)
        for method in ("one", "other"):
            for seed in range(3):
                run = scores(truth, distance_for(AUC), generator, shared)
                made = table(truth, run, split=split, method=method, seed=seed)
                parts.append(
                    made.assign(image_id=split + made["image_id"], patient_id=split + made["patient_id"])
                )
    settings = EvaluationSettings(
        metrics=["sensitivity", "specificity"],
        splits=["id_test"],
        threshold="id_val",
        replicates=replicates,
        permutations=0,
    )
    compared = compare_methods(pd.concat(parts), "one", settings)
    compared = compared[compared["label"] == "c"].set_index("metric")["verdict"]
    return [compared[metric] not in (UNCLEAR, UNKNOWN) for metric in ("sensitivity", "specificity")]
