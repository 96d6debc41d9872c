"""The model card says how the classifier does beside the one that was trained on real images only."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from finished_run import BUNDLES, METHOD, TASK, record
from sklearn.metrics import roc_auc_score

from medaug.evaluation import evaluate
from medaug.sharing.card_baseline import NONE, BesideBaseline
from medaug.sharing.card_facts import Facts
from medaug.sharing.model_card import model_card
from medaug.sharing.source import Source

REAL = "100% real"


@pytest.fixture(scope="module")
def compared(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Source, pd.DataFrame]:
    """The finished run with a baseline that was evaluated, too; women of one hospital are few."""
    run = Path(shutil.copytree(finished, tmp_path_factory.mktemp("compared") / "run"))
    own = pd.read_parquet(run / "evaluation" / "predictions.parquet")
    away = own.index[own["split"] == "ood_test"]
    own.loc[away, "attr:sex"] = np.where(np.arange(len(away)) < 6, "F", "M")
    random = np.random.default_rng(5)
    other = own.assign(**{f"score:{name}": random.random(len(own)) for name in TASK.classes}, method=REAL)
    both = pd.concat([own, other], ignore_index=True)
    evaluate(both, replicates=20, permutations=20, baseline=REAL, metrics=["auc"]).write(run / "evaluation")
    record(run / "models" / "baseline.pt", {"method": REAL, "real_fraction": 1.0})
    return Source.of(BUNDLES / "chexpert", run), both


def mean_auc(table: pd.DataFrame, method: str, split: str) -> float:
    rows = table[(table["method"] == method) & (table["split"] == split)]
    return float(np.mean([roc_auc_score(rows[f"label:{c}"], rows[f"score:{c}"]) for c in TASK.classes]))


def test_the_difference_is_that_of_the_predictions(compared: tuple[Source, pd.DataFrame]) -> None:
    source, table = compared
    card = model_card(source)
    (first,) = [line for line in card.splitlines()[:10] if line.startswith("- **Beside the baseline.**")]
    assert "AUC, minus that of the classifier trained on real images only: " in first
    assert "two trained models" in first
    rows = [line.split(" | ") for line in card.splitlines() if line.startswith("| in distribution | AUC |")]
    own, real = mean_auc(table, METHOD, "id_test"), mean_auc(table, REAL, "id_test")
    assert rows[0][2].startswith(f"{own:.3f} [")
    assert rows[0][3].startswith(f"{real:.3f} [")
    change = f"{own - real:+.3f}".replace("-", "−")
    assert rows[0][4].startswith(f"{change} [")
    assert f"{change} [" in first


def test_nothing_is_told_of_groups_of_few(compared: tuple[Source, pd.DataFrame]) -> None:
    rows = [line for line in "\n".join(BesideBaseline(compared[0]).section()).splitlines() if "gap" in line]
    (away,) = [line for line in rows if line.startswith("| out of distribution | AUC gap, sex |")]
    assert away.count("not estimable") == 3


def test_a_gap_does_not_tell_of_few_patients_what_the_evaluation_was_allowed_to(
    compared: tuple[Source, pd.DataFrame], tmp_path: Path
) -> None:
    run = Path(shutil.copytree(compared[0].run, tmp_path / "run"))
    own = compared[1].assign(**{"label:edema": 1.0, "label:effusion": 1.0})
    few = (own["split"] == "ood_test") & (own["attr:sex"] == "F")
    for name in TASK.classes:  # the few women are all missed
        own[f"score:{name}"] = np.where(few, 0.0, 1.0)
    metrics = evaluate(
        own, replicates=0, permutations=0, metrics=["accuracy"], min_group_size=2, baseline=REAL
    )
    metrics.write(run / "evaluation")
    worst = metrics.metrics.query("metric == 'accuracy_worst' and label == '' and split == 'ood_test'")
    assert set(worst["group"]) == {"F"}

    source = Source.of(BUNDLES / "chexpert", run)
    facts = Facts(source)

    assert "not estimable out of distribution" in facts.how_fairly()
    assert "0.000 [no interval] in distribution" in facts.how_fairly()
    assert "Worst group out of distribution" not in facts.where_it_fails()
    assert "Not known for want of patients out of distribution: sex F" in facts.where_it_fails()
    (gap,) = [
        line
        for line in "\n".join(BesideBaseline(source).section()).splitlines()
        if line.startswith("| out of distribution | Accuracy gap, sex |")
    ]
    assert gap.count("not estimable") == 3


def test_a_baseline_of_another_kind_is_called_by_its_name(
    compared: tuple[Source, pd.DataFrame], tmp_path: Path
) -> None:
    run = Path(shutil.copytree(compared[0].run, tmp_path / "run"))
    for name in ("comparison", "metrics"):
        path = run / "evaluation" / f"{name}.csv"
        path.write_text(path.read_text().replace(REAL, "randaugment"))
    said = BesideBaseline(Source.of(BUNDLES / "chexpert", run)).sentence()
    assert "minus that of the classifier called RandAugment: " in said


def test_without_a_baseline_there_is_a_sentence(finished: Path) -> None:
    beside = BesideBaseline(Source.of(BUNDLES / "chexpert", finished))
    assert beside.sentence() == NONE
    assert beside.section() == [NONE]


def test_the_card_leads_with_the_metric_that_the_evaluation_was_set_to(
    compared: tuple[Source, pd.DataFrame], tmp_path: Path
) -> None:
    run = Path(shutil.copytree(compared[0].run, tmp_path / "run"))
    metrics = ["auc", "accuracy"]
    evaluate(
        compared[1], replicates=20, permutations=0, baseline=REAL, metrics=metrics, headline="accuracy"
    ).write(run / "evaluation")
    source = Source.of(BUNDLES / "chexpert", run)
    assert BesideBaseline(source).sentence().startswith("AUC, ")  # nobody asked for another
    assert "in brackets its 95 % interval" in Facts(source).how_well()
    record(run / "evaluation", {"evaluation": {"headline": "accuracy", "confidence": 0.9}})
    source = Source.of(BUNDLES / "chexpert", run)
    assert BesideBaseline(source).sentence().startswith("Accuracy, minus that of ")
    own = source.metrics.query(
        "metric == 'accuracy' and label == '' and attribute == '' and split == 'id_test'"
    )
    assert f"{own['value'].iloc[0]:.3f} [" in Facts(source).how_well()
    assert "in brackets its 90 % interval" in Facts(source).how_well()
