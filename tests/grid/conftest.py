from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from medaug.evaluation import EvaluationSettings, evaluate
from medaug.grid.design import Study

ROOT = Path(__file__).parents[2]
BUNDLE = str(ROOT / "bundles" / "chexpert")
ARMS = ("baseline", "heuristic", "label_and_property")
SKILL = {"baseline": 0.6, "heuristic": 0.7, "label_and_property": 2.2}
"""How far images with a condition score above others; the last arm is far better, on purpose."""

IMAGES = {"id_val": 80, "id_test": 240, "ood_test": 240}


def population() -> pd.DataFrame:
    """Images of patients with two conditions; all arms see the same."""
    draw = np.random.default_rng(0)
    parts = []
    for split, n in IMAGES.items():
        table = pd.DataFrame({"image_id": [f"{split}-{i}" for i in range(n)], "split": split})
        table["patient_id"] = table["image_id"]
        table["domain"] = "away" if split == "ood_test" else "home"
        table["attr:sex"] = draw.choice(["F", "M"], n)
        for name in ("edema", "effusion"):
            table[f"label:{name}"] = (draw.random(n) < 0.4).astype(float)
        parts.append(table)
    return pd.concat(parts, ignore_index=True)


def predictions(arm: str, seed: int) -> pd.DataFrame:
    """Scores of a training: women are recognised worse by all arms but the last."""
    table = population()
    draw = np.random.default_rng([seed, ARMS.index(arm)])
    worse = np.where((table["attr:sex"] == "F") & (arm != ARMS[-1]), 0.4, 1.0)
    for name in ("edema", "effusion"):
        logit = SKILL[arm] * worse * (2 * table[f"label:{name}"] - 1) + draw.normal(size=len(table))
        table[f"score:{name}"] = 1 / (1 + np.exp(-logit))
    return table.assign(method=arm, seed=seed, phantom=True)


@pytest.fixture(scope="session")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """A study whose trainings have predicted and were evaluated."""
    folder = tmp_path_factory.mktemp("study")
    made = Study.of({"bundle": BUNDLE, "output": str(folder), "arms": ARMS, "seeds": [0, 1, 2]})
    table = pd.concat([predictions(cell.arm, cell.seed) for cell in made.cells()], ignore_index=True)
    settings = EvaluationSettings(metrics=["auc", "accuracy"], replicates=60, threshold="id_val")
    evaluation = made.compared("all") / "evaluation"
    evaluation.mkdir(parents=True)
    evaluate(table, settings, baseline="baseline").write(evaluation)
    return made
