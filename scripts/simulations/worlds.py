"""Made-up predictions of a condition by a score that is normal given the truth (the binormal model)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import norm

LIKENESS = 0.8
"""Share of the noise of a score that comes from the image, not from the training."""


@dataclass(frozen=True)
class Line:
    """A result: what was simulated, the share of runs, and between which bounds it should lie."""

    what: str
    case: str
    share: float
    runs: int
    low: float = 0.0
    high: float = 1.0

    @property
    def holds(self) -> bool:
        """Whether the share is within the bounds, or two standard errors of so many runs beyond them."""
        slack = [2 * np.sqrt(bound * (1 - bound) / self.runs) for bound in (self.low, self.high)]
        return bool(self.low - slack[0] <= self.share <= self.high + slack[1])


def distance_for(auc: float) -> float:
    """Return the distance of the means of both truths that gives an AUC."""
    return float(np.sqrt(2) * norm.ppf(auc))


def truths(patients: int, prevalence: float, generator: np.random.Generator) -> np.ndarray:
    """Return who has the condition (bool), at least one with and one without."""
    while True:
        truth = generator.random(patients) < prevalence
        if 0 < truth.sum() < patients:
            return truth


def scores(
    truth: np.ndarray, distance: float, generator: np.random.Generator, shared: np.ndarray | None = None
):
    """Return probabilities; `shared` is the noise of the images, the same for all trainings."""
    own = generator.normal(size=len(truth))
    noise = own if shared is None else np.sqrt(LIKENESS) * shared + np.sqrt(1 - LIKENESS) * own
    return norm.cdf(distance * (truth - 0.5) + noise)


def table(truth: np.ndarray, score: np.ndarray, **columns: object) -> pd.DataFrame:
    """Return a table of predictions of the patients 0, 1, ..., an image each."""
    people = [f"p{i}" for i in range(len(truth))]
    content = {"image_id": people, "patient_id": people, "score:c": score, "label:c": truth.astype(float)}
    return pd.DataFrame(content | {"split": "id_test", "domain": "A"} | columns)
