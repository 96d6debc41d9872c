from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from medaug.bundle.workflow import check_options, explain, start
from medaug.errors import DataError, SettingsError

KNOWN = {"learning_rate", "seed", "train", "prepare"}


def test_known_options_pass() -> None:
    check_options(
        ["run", "--config_file", "train.json", "--seed=3", "--train::trainer::max_epochs", "2", "-1"], KNOWN
    )


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("--learning_rat", "there is no setting 'learning_rat'; did you mean 'learning_rate'?"),
        ("--seeed=1", "there is no setting 'seeed'; did you mean 'seed'?"),
        ("--trian::trainer", "there is no setting 'trian'; did you mean 'train'?"),
        ("--zzz", "there is no setting 'zzz'; there are: learning_rate, prepare, seed, train"),
    ],
)
def test_an_unknown_option_and_the_nearest_name(option: str, message: str) -> None:
    with pytest.raises(SettingsError) as raised:
        check_options(["run", option, "1"], KNOWN)
    assert str(raised.value) == message


def caught(function: Callable[[], None]) -> BaseException:
    with pytest.raises(Exception) as raised:  # noqa: PT011  # of several types
        function()
    return raised.value


def foreseen() -> None:
    try:
        try:
            raise DataError("the folder /x is not there")
        except DataError as error:
            raise RuntimeError("Failed to evaluate $prepare") from error
    except RuntimeError as error:
        raise KeyError("Failed to evaluate $pull") from error


def implicit() -> None:
    try:
        raise SettingsError("there is no device")
    except SettingsError:
        raise RuntimeError("outer")  # noqa: B904  # without a cause, as in foreign code


def unforeseen() -> None:
    raise ZeroDivisionError("a bug")


@pytest.mark.parametrize(
    ("function", "message"),
    [(foreseen, "the folder /x is not there"), (implicit, "there is no device")],
)
def test_one_sentence_for_what_was_foreseen(
    function: Callable[[], None], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    error = caught(function)
    explain(type(error), error, error.__traceback__)
    assert capsys.readouterr().err == f"medaug: {message}\n"


def test_a_traceback_for_everything_else(capsys: pytest.CaptureFixture[str]) -> None:
    error = caught(unforeseen)
    explain(type(error), error, error.__traceback__)
    shown = capsys.readouterr().err
    assert shown.startswith("Traceback")
    assert "in unforeseen" in shown
    assert "ZeroDivisionError: a bug" in shown


@pytest.fixture
def _restored() -> Iterator[None]:
    hook = sys.excepthook
    yield
    sys.excepthook = hook
    logging.captureWarnings(False)


@pytest.mark.usefixtures("_restored")
def test_start_checks_the_command_line_of_its_own_config_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "train.json").write_text('{"seed": 0}')
    monkeypatch.setattr(sys, "argv", ["monai.bundle", "run", "--config_file", "train.json", "--sed", "1"])
    with pytest.raises(SettingsError, match="did you mean 'seed'"):
        start(tmp_path, "train")

    (tmp_path / "prepare.json").write_text('{"seed": 0}')
    start(tmp_path, "prepare")
    monkeypatch.setattr(sys, "argv", ["pytest", "--sed"])
    start(tmp_path, "train")
    assert sys.excepthook is explain
