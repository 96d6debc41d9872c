import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

import simulate_evaluation
from simulations.worlds import Line, distance_for, scores, truths


def test_the_made_up_scores_have_the_auc_that_was_asked_for() -> None:
    generator = np.random.default_rng(0)
    truth = truths(20_000, 0.3, generator)
    shared = generator.normal(size=len(truth))
    for noise in (None, shared):
        score = scores(truth, distance_for(0.8), generator, noise)
        assert roc_auc_score(truth, score) == pytest.approx(0.8, abs=0.01)


def test_a_share_holds_within_what_so_few_runs_can_tell() -> None:
    line = {"what": "w", "case": "c", "runs": 100}
    assert Line(share=0.09, high=0.06, **line).holds  # 0.06 and two standard errors of 0.024
    assert not Line(share=0.12, high=0.06, **line).holds
    assert not Line(share=0.01, high=0.0, **line).holds


def test_lines_are_printed_and_written(monkeypatch, capsys, tmp_path) -> None:
    arguments = ["--runs", "2", "--replicates", "20", "--only", "coverage"]
    monkeypatch.setattr("sys.argv", ["simulate", *arguments, "--output", str(tmp_path / "rates.csv")])
    simulate_evaluation.main()
    written = pd.read_csv(tmp_path / "rates.csv")
    assert len(written) == len(capsys.readouterr().out.splitlines())
    assert {"coverage, auc", "coverage, sensitivity"} <= set(written["what"])
    assert written["share"].dropna().between(0, 1).all()
