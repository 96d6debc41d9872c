import logging

import numpy as np
import pandas as pd
import pytest

from medaug.errors import DataError, SettingsError
from medaug.evaluation.kinds import with_kind
from medaug.evaluation.results import evaluate
from medaug.evaluation.settings import EvaluationSettings
from medaug.task import Task


def exclusive(classes: int = 4, images: int = 80) -> pd.DataFrame:
    generator = np.random.default_rng(3)
    scores = generator.dirichlet(np.ones(classes), images)
    truth = np.eye(classes)[generator.integers(0, classes, images)]
    columns = {f"score:{i}": scores[:, i] for i in range(classes)}
    return pd.DataFrame(columns | {f"label:{i}": truth[:, i] for i in range(classes)})


def test_a_guess_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        results = evaluate(exclusive(), EvaluationSettings(replicates=0))
    said = [record.getMessage() for record in caplog.records if "taken as" in record.getMessage()]
    assert said == [
        "The 4 classes are taken as multiclass, because the scores of every image sum to one, and so do its "
        "labels; set kind if not"
    ]
    assert results.kind == "multiclass"


def test_what_the_user_says_counts(caplog: pytest.LogCaptureFixture) -> None:
    table = exclusive()
    said = evaluate(table.assign(**{"score:0": 0.0}), EvaluationSettings(replicates=0, kind="multiclass"))
    top = table.assign(**{"score:0": 0.0}).filter(like="score:").to_numpy().argmax(1)
    expected = (top == table.filter(like="label:").to_numpy().argmax(1)).mean()
    overall = said.metrics.query("metric == 'accuracy' and label == '' and attribute == ''")
    assert overall["value"].tolist() == [pytest.approx(expected)]
    several = evaluate(table, EvaluationSettings(replicates=0, kind="multilabel"))
    assert several.posterior is None
    assert set(several.metrics.query("metric == 'accuracy'")["label"]) == {"", "0", "1", "2", "3"}
    assert "taken as" not in caplog.text
    of_task = Task("multiclass", ("0", "1", "2", "3"))  # the user's own word counts more
    again = evaluate(table, EvaluationSettings(replicates=0, kind="multilabel"), task=of_task)
    pd.testing.assert_frame_equal(again.metrics, several.metrics)


def test_what_the_user_says_is_checked() -> None:
    table = exclusive().assign(**{"label:0": 1.0})
    with pytest.raises(
        DataError, match="kind is 'multiclass', but the labels of some images do not sum to one"
    ):
        with_kind(table, EvaluationSettings(kind="multiclass"))
    with pytest.raises(SettingsError, match="have one class"):
        with_kind(table[["score:0", "label:0"]], EvaluationSettings(kind="multiclass"))
    with pytest.raises(SettingsError, match="kind must be 'multilabel' or 'multiclass', not 'binary'"):
        EvaluationSettings(kind="binary")


def test_the_task_says_it_too() -> None:
    task = Task("multilabel", ("0", "1", "2", "3"))
    assert with_kind(exclusive(), EvaluationSettings(), task).kind == "multilabel"
