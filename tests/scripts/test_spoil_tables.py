import importlib.util
from pathlib import Path
from types import ModuleType

import pandas as pd
import pytest

from medaug.errors import DataError
from spoiling import trial
from spoiling.trial import spoil_and_read
from spoiling.world import World
from spoiling.worlds import WORLDS

SCRIPT = Path(__file__).parents[2] / "scripts" / "spoil_tables.py"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("spoil_tables", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_counts_and_no_fault(script: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    assert script.main(["--tables", "20", "--seed", "5"]) == 0
    last = capsys.readouterr().out.strip().splitlines()[-1].split()
    assert last[0] == "together"
    assert sum(map(int, last[1:])) == 20
    assert last[3:] == ["0", "0"]


def reading(world: str, monkeypatch: pytest.MonkeyPatch, change) -> None:
    """Let a world be read wrongly when its table is not the good one."""
    good = WORLDS[world]
    calls = []

    def read(folder: Path) -> pd.DataFrame:
        calls.append(folder)
        return good.read(folder) if len(calls) == 1 else change(good.read(folder))

    wrong = World(**{**vars(good), "read": read})
    monkeypatch.setattr(trial, "WORLDS", {**WORLDS, world: wrong})


def crash(table: pd.DataFrame) -> pd.DataFrame:
    raise KeyError("oh")


def gossip(table: pd.DataFrame) -> pd.DataFrame:
    raise DataError("Doe Jane is not understood")


@pytest.mark.parametrize(
    ("change", "outcome"),
    [
        (lambda table: table, "right"),
        (lambda table: table.assign(domain="East"), "silent"),
        (lambda table: table.iloc[1:], "silent"),
        (lambda table: table.assign(patient_id="patient 1"), "silent"),
        (crash, "crash"),
        (gossip, "silent"),
    ],
)
def test_the_judge_sees_what_is_wrong(monkeypatch: pytest.MonkeyPatch, change, outcome: str) -> None:
    reading("csv", monkeypatch, change)
    assert spoil_and_read("csv", "semicolons", 0).outcome == outcome
