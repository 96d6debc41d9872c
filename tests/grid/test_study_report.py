from __future__ import annotations

import base64
import re
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from medaug.analysis.looks import Looks
from medaug.errors import DataError
from medaug.evaluation import EvaluationSettings
from medaug.evaluation.predictions import read_predictions
from medaug.grid.__main__ import main
from medaug.grid.arms import arms
from medaug.grid.design import Study
from medaug.grid.first_screen import trainings_sentence
from medaug.grid.gathering import gather
from medaug.grid.study_figures import pareto_front
from medaug.grid.study_report import write_study_report
from medaug.report.style import method_styles


@pytest.fixture(scope="module")
def page(study: Study) -> str:
    return write_study_report(study).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def auc(study: Study) -> pd.Series:
    """Mean AUC over conditions of every training, out of distribution, by scikit-learn."""
    table = read_predictions(study.compared("all") / "evaluation" / "predictions.parquet")
    table = table[table["split"] == "ood_test"]

    def mean(rows: pd.DataFrame) -> float:
        return np.mean([roc_auc_score(rows[f"label:{n}"], rows[f"score:{n}"]) for n in ("edema", "effusion")])

    return table.groupby(["method", "seed"])[table.columns].apply(mean)


def test_the_first_screen_names_the_winner_with_its_lead(page, auc):
    means = auc.groupby("method").mean()
    lead = means["label_and_property"] - means["baseline"]
    said = re.search(
        r"Out of distribution, test: synthetic by label and property has the highest AUC, "
        r"([\d.]+), \+([\d.]+)",
        page,
    )
    assert said is not None
    assert float(said[1]) == pytest.approx(means["label_and_property"], abs=6e-4)
    assert float(said[2]) == pytest.approx(lead, abs=6e-4)
    assert "against baseline: better" in page
    assert "3 arms of 3 trainings each" in page


def test_the_page_calls_arms_by_names_in_words_and_files_by_their_keys(page, study):
    assert set(pd.read_csv(f"{study.output}/differences.csv")["arm"]) == {"heuristic", "label_and_property"}
    assert page.count("label_and_property") == 2  # beside its name, and in the study's settings
    figures = [base64.b64decode(code).decode() for code in re.findall(r"svg\+xml;base64,([^\"]+)", page)]
    assert any("synthetic by label and property" in figure for figure in figures)
    assert not any("label_and_property" in figure for figure in figures)


def test_results_hold_every_training(page, study, auc):
    table = pd.read_csv(f"{study.output}/results.csv", keep_default_na=False)
    rows = table[(table["metric"] == "auc") & (table["split"] == "ood_test")]
    rows = (
        rows[(rows["label"] == "") & (rows["attribute"] == "")]
        .set_index(["arm", "seed"])["value"]
        .astype(float)
    )
    for key, value in auc.items():
        assert rows[key] == pytest.approx(value, abs=1e-6)
    differences = pd.read_csv(f"{study.output}/differences.csv")
    assert {"labelled", "arm", "difference", "ci_low", "ci_high", "verdict"} <= set(differences)


def test_what_each_training_sees_in_common_is_gathered(study, tmp_path):
    own = replace(study, output=str(tmp_path))
    shutil.copytree(study.compared("all"), own.compared("all"))
    for seed in own.seeds:
        draw = np.random.default_rng(seed)
        features = {
            (arm, seed): dict(
                zip(("train", "id_test", "ood_test"), draw.normal(size=(3, 60, 4)), strict=True)
            )
            for arm in own.names
        }
        folder = own.looks("all", seed)
        folder.mkdir(parents=True)
        Looks.at(pd.DataFrame(), features, EvaluationSettings()).write(folder)

    html = write_study_report(own).read_text(encoding="utf-8")

    (part,) = gather(own)
    assert set(zip(part.distances["method"], part.distances["seed"], strict=True)) == {
        (cell.arm, cell.seed) for cell in own.cells()
    }
    assert "What the classifiers see in common" in html
    assert "between trainings p" in html
    written = pd.read_csv(tmp_path / "distances.csv")
    assert set(written["arm"]) == set(own.names)
    assert len(written) == len(part.distances)


def test_the_page_is_one_file_without_network(page):
    assert not re.findall(r"(?:src|href)=\"(?!data:)", page)
    assert page.count("<details>") >= 4
    assert "prefers-color-scheme: dark" in page


def test_fewer_than_three_trainings_say_nothing_about_arms():
    metrics = pd.DataFrame({"method": ["a", "a", "b", "b"], "seed": [0, 1, 0, 1]})
    assert "says nothing about the arms" in trainings_sentence(metrics)


def test_the_front_has_the_arms_that_none_beats_in_both():
    draw = np.random.default_rng(0)
    both = pd.DataFrame(draw.random((40, 2)), columns=["gap", "value"], index=[f"a{i}" for i in range(40)])
    for more, sign in ((True, 1), (False, -1)):
        expected = [
            a
            for a, (gap, value) in both.iterrows()
            if not any(g <= gap and sign * v >= sign * value for b, (g, v) in both.iterrows() if b != a)
        ]
        assert sorted(pareto_front(both, more)) == sorted(expected)


def test_a_study_that_has_not_run_says_so(tmp_path, study):
    empty = Study.of({"bundle": study.bundle, "output": str(tmp_path)})
    with pytest.raises(DataError, match="run the study"):
        write_study_report(empty)
    empty.save(tmp_path / "study.json")
    with pytest.raises(SystemExit, match="run the study"):
        main(["page", str(tmp_path / "study.json")])


def test_arms_are_listed(capsys):
    main(["arms"])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("  ")[0] for line in lines] == list(arms("sex"))


def test_as_many_arms_as_there_are_look_different():
    styles = method_styles([f"arm {i}" for i in range(17)]).values()
    assert len(set(styles)) == 17
