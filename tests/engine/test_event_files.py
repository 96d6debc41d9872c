from __future__ import annotations

import socket
from pathlib import Path

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from medaug.engine.event_files import EventWriter


def test_event_files_do_not_name_the_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: "ward-7-pc")
    with EventWriter(str(tmp_path)) as writer:
        writer.add_scalar("loss", 0.5, 3)
    (file,) = tmp_path.iterdir()
    assert "ward" not in file.name
    assert b"ward" not in file.read_bytes()
    events = EventAccumulator(str(tmp_path)).Reload()
    assert [(e.step, e.value) for e in events.Scalars("loss")] == [(3, 0.5)]
    assert socket.gethostname() == "ward-7-pc"
