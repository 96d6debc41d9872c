from pathlib import Path

import numpy as np
import pandas as pd

from medaug.analysis.looks import Looks
from medaug.evaluation.settings import EvaluationSettings


def features(seed: int) -> dict[str, np.ndarray]:
    draw = np.random.default_rng(seed)
    return {name: draw.normal(size=(45, 4)) for name in ("train", "synthetic")}


def test_tables_of_all_trainings_stand_below_one_another(tmp_path: Path) -> None:
    predictions = pd.DataFrame({"score:a": [0.9, 0.1], "label:a": [1, 1]})
    looks = Looks.at(
        predictions, {("label", 0): features(0), ("label", 1): features(1)}, EvaluationSettings()
    )
    looks.write(tmp_path)
    assert {path.stem for path in tmp_path.iterdir()} == {"distances", "components", "missed", "overlaps"}
    written = pd.read_csv(tmp_path / "distances.csv")
    assert written.groupby(["method", "seed"]).size().tolist() == [90, 90]
    assert written["value"].to_list() == [float(f"{value:.12g}") for value in looks.distances["value"]]
    assert pd.read_csv(tmp_path / "missed.csv")["missed"].tolist() == [1]


def test_what_there_is_nothing_of_has_no_file(tmp_path: Path) -> None:
    looks = Looks.at(pd.DataFrame({"score:a": [0.9], "label:a": [0]}), {}, EvaluationSettings())
    looks.write(tmp_path)
    assert looks.cases is None
    assert list(tmp_path.iterdir()) == []


def test_a_network_that_gives_all_images_the_same_features_stops_nothing(caplog) -> None:
    draw = np.random.default_rng(0)
    features = {
        ("collapsed", 0): {"train": np.zeros((60, 4)), "id_test": np.zeros((60, 4))},
        ("sound", 0): {"train": draw.normal(size=(60, 4)), "id_test": draw.normal(size=(60, 4))},
    }
    looks = Looks.at(pd.DataFrame(), features, EvaluationSettings())

    assert set(looks.components["method"]) == {"sound"}
    assert "collapsed, seed 0: principal components need" in caplog.text
