from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from medaug.errors import DataError, SettingsError
from medaug.quality.judgement import Judgement
from medaug.quality.limits import Check
from medaug.quality.resampling import COLUMNS
from medaug.stages import ClassifierTraining, QualitySettings, Run
from medaug.stages.quality import demand_quality, judgement_of, judgement_path, left_out


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run.of(bundle_root=".", modality="radiology", output_dir=str(tmp_path), data_dir="data")


def judged(run: Run, outcome: str) -> Judgement:
    images = pd.DataFrame({"image_id": ["a", "b", "c"], "copy": [False, True, False]})
    check = Check("likeness", outcome, "They are noisy.")
    judgement = Judgement([check], pd.DataFrame([], columns=list(COLUMNS)), images, {})
    judgement.write(judgement_path(run))
    return judgement


def test_poor_images_are_refused_with_what_is_wrong_and_the_way_out(run: Run) -> None:
    demand_quality(run)  # not judged yet
    for outcome in ("passed", "undecided"):
        judged(run, outcome)
        demand_quality(run)
    judged(run, "failed")
    with pytest.raises(DataError, match=r"not good enough\. They are noisy\. .*--accept_poor_synthetic true"):
        demand_quality(run)


def test_copies_are_not_used_and_a_classifier_depends_on_that(run: Run) -> None:
    stage = ClassifierTraining.of(run, "model", None)
    assert stage.used.rows is None
    assert judgement_of(run) is None
    judged(run, "passed")
    assert stage.used.rows.tolist() == [True, False, True]
    assert left_out(stage.used.rows).startswith("1 (")
    assert left_out(stage.used.rows) != left_out(np.array([False, True, True]))
    assert left_out(None) == left_out(np.ones(3, bool)) == "none"
    assert ClassifierTraining.of(run, "model", None, real_fraction=1.0).used.rows is None


def test_intervals_need_replicates() -> None:
    with pytest.raises(SettingsError, match=r"at least 20 replicates"):
        QualitySettings(replicates=5)
