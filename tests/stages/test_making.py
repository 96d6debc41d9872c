from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from filelock import FileLock

from medaug.errors import SettingsError
from medaug.locks import lock_path
from medaug.stages import making as module
from medaug.stages.making import making
from medaug.stages.products import claim, settings_path

SETTINGS = {"learning_rate": 1e-3, "seed": 0}


def make(product: Path, **given: object) -> bool:
    with making(product, SETTINGS, **given) as missing:  # type: ignore[arg-type]
        if missing:
            product.write_text("weights")
    return missing


def test_what_is_missing_is_made_once(tmp_path: Path) -> None:
    assert make(tmp_path / "model.pt")
    assert settings_path(tmp_path / "model.pt").is_file()
    assert not make(tmp_path / "model.pt")


def test_what_is_there_takes_no_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path / "model.pt")
    lock_path(tmp_path / "model.pt").unlink()
    monkeypatch.setattr(module, "alone", None)
    assert not make(tmp_path / "model.pt")
    assert not lock_path(tmp_path / "model.pt").exists()


def after_waiting(monkeypatch: pytest.MonkeyPatch, for_what: Callable[[Path], object]) -> list[Path]:
    """Let a lock be free only after another run has done its work; return what is locked then."""
    locked = []

    @contextmanager
    def alone(thing: Path, before_waiting: object) -> Iterator[None]:
        for_what(thing)
        locked.append(thing)
        yield

    monkeypatch.setattr(module, "alone", alone)
    return locked


def test_what_another_run_made_meanwhile_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def by_another(product: Path) -> None:
        claim(product, SETTINGS)
        product.write_text("of another run")

    after_waiting(monkeypatch, by_another)
    assert not make(tmp_path / "model.pt", fresh=True)
    assert (tmp_path / "model.pt").read_text() == "of another run"


def test_what_another_run_made_otherwise_meanwhile_is_an_error_or_goes_aside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def by_another(product: Path) -> None:
        claim(product, {"seed": 1}, fresh=True)
        product.write_text("of another run")

    after_waiting(monkeypatch, by_another)
    with pytest.raises(SettingsError, match=r"seed \(there 1, now 0\)"):
        make(tmp_path / "model.pt")
    assert make(tmp_path / "model.pt", fresh=True)
    assert [path.read_text() for path in tmp_path.glob("before-*/model.pt")] == ["of another run"]


def test_a_run_that_makes_it_otherwise_is_not_waited_for(tmp_path: Path) -> None:
    claim(tmp_path / "model.pt", {"seed": 1})  # nothing more is there yet
    with FileLock(lock_path(tmp_path / "model.pt")):
        with pytest.raises(SettingsError, match=r"seed \(there 1, now 0\).*name another --output_dir"):
            make(tmp_path / "model.pt")
        claim(tmp_path / "other.pt", {"seed": 1})
        assert make(tmp_path / "other.pt")


def test_what_lies_in_a_store_is_locked_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "synthetic").mkdir()
    locked = after_waiting(monkeypatch, lambda thing: None)
    assert make(tmp_path / "synthetic" / "quality.json", within=tmp_path / "synthetic")
    assert locked == [tmp_path / "synthetic"]


def test_two_runs_in_one_folder_make_each_product_once(tmp_path: Path) -> None:
    script = Path(__file__).with_name("two_runs.py")
    command = [sys.executable, str(script), str(tmp_path / "run")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    first, second = (tmp_path / f"{name}.log" for name in ("first", "second"))
    made = [line for line in first.read_text().splitlines() if line.startswith("Prepared ")]
    assert len(made) == 1
    lines = second.read_text().splitlines()
    assert lines[0].startswith(f"Waiting for {tmp_path / 'run' / 'data'}, which another run is making (")
    assert not [line for line in lines if line.startswith("Prepared ")]
    for product in ("data", "models/diffusion.pt", "synthetic"):
        assert (tmp_path / "run" / product).exists()
        assert all(str(tmp_path / "run" / product) in log.read_text() for log in (first, second))
    assert not list((tmp_path / "run").rglob("before-*"))
