"""Killed while it makes a product anew, medaug loses nothing of what was there."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).with_name("kill_moments.py")


def test_kills_of_a_second_evaluation_and_while_packing_lose_nothing(tmp_path: Path) -> None:
    """Of a zip, which is replaced, the older one or the new one is there; both works need one start."""
    command = [sys.executable, str(SCRIPT), str(tmp_path / "runs"), "evaluate=6", "pack=4"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    told = [line for line in done.stdout.splitlines() if "nothing of" in line]
    assert [line.split(", ")[0] for line in told] == ["evaluate", "pack_run"]
