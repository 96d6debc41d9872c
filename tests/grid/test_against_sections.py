from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from medaug.grid.against_sections import budget_section, sampling_families, sampling_section
from medaug.grid.design import Study
from medaug.grid.gathering import Compared
from medaug.report.parts import Folded, Picture, Table
from medaug.report.style import method_styles

BUNDLE = str(Path(__file__).parents[2] / "bundles" / "chexpert")


def compared(labelled: str, values: dict[str, float]) -> Compared:
    """Two trainings of each arm, 0.01 to both sides of its AUC, and gaps of 0.1."""
    rows = [
        {
            "method": arm,
            "seed": seed,
            "split": split,
            "metric": metric,
            "attribute": attribute,
            "value": value,
        }
        for arm, mean in values.items()
        for seed in (0, 1)
        for split in ("id_test", "ood_test")
        for metric, attribute, value in (("auc", "", mean + 0.02 * seed - 0.01), ("auc_gap", "sex", 0.1))
    ]
    metrics = pd.DataFrame(rows).assign(domain="A", label="", group="", estimable=True)
    return Compared(labelled, metrics, pd.DataFrame(), pd.DataFrame())


def test_labels_that_the_baseline_needs_for_as_much_stand_beside_the_curves() -> None:
    budgets = {"few": 100, "more": 400, "most": 800}
    study = Study.of(
        {
            "bundle": BUNDLE,
            "arms": ["label"],
            "labelled": {name: {"label_budget": n, "budget_domains": ["A"]} for name, n in budgets.items()},
        }
    )
    auc = {"few": (0.6, 0.75), "more": (0.7, 0.65), "most": (0.8, 0.9)}
    parts = [compared(name, dict(zip(("baseline", "label"), auc[name], strict=True))) for name in budgets]
    styles = method_styles(["baseline", "label"])

    section = budget_section(study, parts, styles, "auc")

    assert section is not None
    table = next(part for part in section.parts if isinstance(part, Table))
    assert [[cell.text for cell in row[2:]] for row in table.rows[:3]] == [
        ["100", "0.750", "400", "4.000"],
        ["400", "0.650", "100", "0.250"],
        ["800", "0.900", "800", "1.000"],
    ]
    assert budget_section(Study.of({"bundle": BUNDLE}), parts[:1], styles, "auc") is None


@pytest.fixture
def sampled() -> Study:
    usual = {"conditioning": "label"}
    own = {
        "plain": usual,
        "half": {**usual, "weigh_by": "sex", "equality_level": 0.5},
        "left_out": {**usual, "exclude": ["edema"]},
        "half_left_out": {**usual, "weigh_by": "sex", "equality_level": 0.5, "exclude": ["edema"]},
        "augmented": {**usual, "augmentation": "randaugment"},
        "weighted": {"weigh_by": "sex"},
    }
    return Study.of({"bundle": BUNDLE, "arms": list(own), "own_arms": own})


def test_arms_that_differ_in_their_sampling_scheme_only_belong_together(sampled: Study) -> None:
    assert list(sampling_families(sampled)) == [
        {"plain": (0.0, False), "half": (0.5, False), "left_out": (0.0, True), "half_left_out": (0.5, True)}
    ]


def test_sampling_schemes_are_drawn_against_the_equality_level(sampled: Study) -> None:
    values = {name: 0.6 + 0.02 * i for i, name in enumerate(sampled.names)}

    section = sampling_section(sampled, compared("all", values), "auc")

    assert section is not None
    pictures = [part for part in section.parts if isinstance(part, Picture)]
    (numbers,) = (part for part in section.parts if isinstance(part, Folded))
    assert len(pictures) == 1
    body = {tuple(c.text for c in row[:4]): row[4].text for row in numbers.folded[0].rows}
    assert body["in distribution, test", "plain", "0.5", "True"] == f"{values['half_left_out']:.3f}"
    assert len(body) == 8
    assert sampling_section(Study.of({"bundle": BUNDLE}), compared("all", values), "auc") is None
