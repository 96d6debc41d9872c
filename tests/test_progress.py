import logging

import medaug.progress
from medaug.progress import Progress, plural, progress


def test_lines_without_a_terminal(caplog, monkeypatch) -> None:
    seconds = iter([0.0, 1.0, 12.0, 12.0, 12.0, 15.0, 15.0])
    monkeypatch.setattr(medaug.progress.time, "monotonic", lambda: next(seconds))
    with caplog.at_level(logging.INFO), Progress("Decoding", 100, done=40) as shown:
        shown.update(10)  # one second later: too early for a line
        assert not caplog.messages
        shown.update(20, "loss 0.5")
        assert caplog.messages == ["Decoding: 70 of 100 (2.5 images/s) loss 0.5"]
    assert caplog.messages[-1] == "Decoding: 70 of 100 (2.0 images/s)"


def test_quick_work_goes_without_a_line(caplog, monkeypatch) -> None:
    monkeypatch.setattr(medaug.progress.time, "monotonic", lambda: 5.0)
    with caplog.at_level(logging.INFO):
        assert list(progress(iter("abc"), "Reading", total=3)) == ["a", "b", "c"]
    assert not caplog.messages


def test_units_have_their_plural() -> None:
    units = ("slide", "patch", "box", "process", "dash")
    assert [plural(unit) for unit in units] == ["slides", "patches", "boxes", "processes", "dashes"]
