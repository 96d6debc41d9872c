import pandas as pd
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from medaug.evaluation.metrics_table import compute_metrics
from medaug.evaluation.settings import EvaluationSettings
from medaug.report.tensorboard_metrics import write_tensorboard


@pytest.fixture
def predictions() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "method": ["50% real + 50% synthetic"] * 8,
            "label:edema": [0, 1, 0, 1, 0, 1, 0, 1],
            "score:edema": [0.1, 0.9, 0.2, 0.8, 0.6, 0.4, 0.3, 0.7],
            "attr:sex": ["F"] * 4 + ["M"] * 4,
        }
    )


def read(folder) -> EventAccumulator:
    events = EventAccumulator(str(folder))
    events.Reload()
    return events


def test_groups_and_gap_are_shown_and_an_old_board_is_replaced(tmp_path, predictions) -> None:
    metrics = compute_metrics(
        predictions, EvaluationSettings(replicates=10, intersections=[], min_group_size=1)
    )
    for _ in range(2):
        write_tensorboard(tmp_path / "board", metrics, predictions)
    events = read(tmp_path / "board" / "50_real_50_synthetic")
    values = {tag: [e.value for e in events.Scalars(tag)] for tag in events.Tags()["scalars"]}
    # F: both positives above both negatives; M: 3 of the 4 pairs are in order.
    assert values["unknown unknown/auc/sex/F"] == [1.0]
    assert values["unknown unknown/auc/sex/M"] == [0.75]
    assert values["unknown unknown/auc_gap/sex/gap"] == [0.25]
    assert read(tmp_path / "board").Tags()["images"] == ["ROC curves"]


def test_what_is_not_estimable_is_not_shown(tmp_path, predictions) -> None:
    one_class = predictions.assign(**{"label:edema": [0, 1, 0, 1, 0, 0, 0, 0]})
    metrics = compute_metrics(
        one_class, EvaluationSettings(replicates=10, intersections=[], min_group_size=1)
    )
    write_tensorboard(tmp_path / "board", metrics, one_class)
    tags = read(tmp_path / "board" / "50_real_50_synthetic").Tags()["scalars"]
    assert "unknown unknown/auc/sex/F" in tags
    assert "unknown unknown/auc/sex/M" not in tags
