import runpy
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import torch

from medaug.classification.classifier import load_classifier

SCRIPT = Path(__file__).with_name("train_and_predict.py")
TWO = Path(__file__).parents[1] / "engine" / "two_processes.py"


@pytest.fixture(scope="module")
def outputs(store, tmp_path_factory):
    alone, shared = tmp_path_factory.mktemp("alone"), tmp_path_factory.mktemp("shared")
    runpy.run_path(str(SCRIPT))["main"](store.path, alone)
    command = [sys.executable, str(TWO), str(SCRIPT), str(store.path), str(shared)]
    subprocess.run(command, check=True, capture_output=True, timeout=240)
    return alone, shared


def test_two_processes_train_the_same_network_up_to_rounding(outputs):
    alone, shared = (load_classifier(output / "model.pt")[0].state_dict() for output in outputs)
    for name, value in alone.items():
        torch.testing.assert_close(shared[name], value, rtol=1e-3, atol=1e-5)


def test_a_process_without_a_row_gets_the_prediction_of_the_other(outputs):
    alone, first, second = (
        torch.load(outputs[n] / f"one-{rank}.pt", weights_only=True) for n, rank in ((0, 0), (1, 0), (1, 1))
    )
    assert alone.shape == (1, 2)
    assert torch.equal(first, second)
    torch.testing.assert_close(first, alone, rtol=1e-3, atol=1e-5)


def test_each_of_two_processes_gets_the_whole_table(outputs):
    alone = pd.read_parquet(outputs[0] / "predictions-0.parquet")
    for rank in (0, 1):
        shared = pd.read_parquet(outputs[1] / f"predictions-{rank}.parquet")
        pd.testing.assert_frame_equal(shared, alone, check_exact=False, rtol=1e-4)
