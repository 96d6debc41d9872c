from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from medaug.errors import DataError, SettingsError
from medaug.stages.command_line import (
    check_closed,
    check_command_line,
    check_options,
    check_whole,
    explain,
)

BUNDLE = Path(__file__).parents[2] / "bundles" / "chexpert"
KNOWN: dict[str, Any] = {
    "learning_rate": None,
    "seed": 0,
    "skew": None,
    "train": {"trainer": {"_target_": "monai.engines.SupervisedTrainer", "max_epochs": 2}, "handlers": [{}]},
    "network_def": {"_target_": "medaug.classification.networks.build_classifier"},
    "optimizer": "$@stage.optimizer(@network)",
    "prepare": {},
}


@pytest.mark.parametrize(
    "option",
    [
        *("learning_rate", "seed", "config_file", "tracking", "train::trainer::max_epochs"),
        *("train::trainer::amp", "train::trainer", "network_def::dropout", "network_def#dropout"),
        *("train::handlers::0", "train::handlers::1", "optimizer::lr", "skew::caps", "+seed"),
        *("prepare::workers", "prepare::task::content", "train::trainer::_disabled_"),
    ],
)
def test_known_options_pass(option: str) -> None:
    check_options({option: 1}, KNOWN, BUNDLE)


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("learning_rat", "there is no setting 'learning_rat'; did you mean 'learning_rate'?"),
        ("seeed", "there is no setting 'seeed'; did you mean 'seed'?"),
        ("trian::trainer", "there is no setting 'trian'; did you mean 'train'?"),
        (
            "train::trainer::max_epoch",
            "there is no setting 'train::trainer::max_epoch'; did you mean 'train::trainer::max_epochs'?",
        ),
        ("train::trainr::amp", "there is no setting 'train::trainr'; did you mean 'train::trainer'?"),
        (
            "network_def::drop",
            "there is no setting 'network_def::drop'; did you mean 'network_def::dropout'?",
        ),
        ("prepare::worker", "there is no setting 'worker'; did you mean 'workers'?"),
    ],
)
def test_an_unknown_option_and_the_nearest_name(option: str, message: str) -> None:
    with pytest.raises(SettingsError) as raised:
        check_options({option: 1}, KNOWN, BUNDLE)
    assert str(raised.value) == message


def test_without_a_near_name_all_are_listed() -> None:
    with pytest.raises(SettingsError, match=r"no setting 'zzz'; there are: .*learning_rate, .*prepare, "):
        check_options({"zzz": 1}, KNOWN, BUNDLE)


def test_settings_for_another_config_are_checked_there() -> None:
    check_options({"prepare": {"workers": 0, "phantom_images": [1, 2]}}, KNOWN, BUNDLE)
    with pytest.raises(SettingsError, match="'phantom_image'; did you mean 'phantom_images'"):
        check_options({"prepare": {"phantom_image": [1, 2]}}, KNOWN, BUNDLE)
    slides = BUNDLE.with_name("camelyon17")
    check_options({"upsampler": {}}, {"upsampler": {}}, slides)
    with pytest.raises(SettingsError, match=r"train_upsampler\.json, which this bundle does not have"):
        check_options({"upsampler": {"iterations": 5}}, {"upsampler": {}}, slides)


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


def command(*arguments: str) -> list[str]:
    return ["monai.bundle", "run", *arguments]


def test_only_the_command_that_runs_the_config_is_looked_at(tmp_path: Path) -> None:
    file = tmp_path / "train.json"
    file.write_text('{"seed": 0}')
    check = lambda *arguments, stage="train": check_command_line(command(*arguments), stage, tmp_path)  # noqa: E731
    with pytest.raises(SettingsError, match="did you mean 'seed'"):
        check("--config_file", str(file), "--sed", "1")
    with pytest.raises(SettingsError, match="did you mean 'seed'"):
        check(f"--config_file={file}", "--sed=1")
    check("--config_file", str(file), "--sed", "1", stage="prepare")
    check_command_line(["pytest", "--sed"], "train", tmp_path)


@pytest.mark.parametrize("value", ["{'age': [0, 'x", "[0, 40", "['F, 'M']", '"half', "{age: [0, 65}"])
def test_a_value_that_is_not_closed_is_a_sentence(tmp_path: Path, value: str) -> None:
    file = tmp_path / "train.json"
    file.write_text('{"seed": 0}')
    for given in (("--seed", value), (f"--seed={value}",)):
        with pytest.raises(SettingsError, match=r"the value of --seed lacks a bracket or quote"):
            check_whole(command("--config_file", str(file), *given))
        check_whole(["pytest", *given])


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (("--seed", "1", "--seed=2"), "--seed is given twice"),
        (("preset", "demo"), "'preset' belongs to no option; write --name value"),
        (("--seed", "1", "2"), "'2' belongs to no option"),
        (("--seed=1", "2"), "'2' belongs to no option"),
        (("--method", "my", "best"), "'best' belongs to no option"),
    ],
)
def test_words_that_answer_to_nothing_are_a_sentence(
    tmp_path: Path, given: tuple[str, ...], message: str
) -> None:
    file = tmp_path / "train.json"
    file.write_text('{"seed": 0, "training": []}')
    with pytest.raises(SettingsError, match=message):
        check_whole(command("--config_file", str(file), *given))


@pytest.mark.parametrize(
    "given", [("--seed", "-4"), ("-seed", "1"), ("--fresh",), ("--seed=-1", "--fresh"), ("training",)]
)
def test_values_and_expressions_of_the_config_pass(tmp_path: Path, given: tuple[str, ...]) -> None:
    file = tmp_path / "train.json"
    file.write_text('{"seed": 0, "training": []}')
    check_whole(command("--config_file", str(file), *given))


def test_one_dash_is_as_good_as_two(tmp_path: Path) -> None:
    file = tmp_path / "train.json"
    file.write_text('{"seed": 0}')
    with pytest.raises(SettingsError, match="did you mean 'seed'"):
        check_command_line(command("--config_file", str(file), "-sed", "1"), "train", tmp_path)


def test_a_setting_of_another_config_comes_with_the_way_to_it() -> None:
    config = json.loads((BUNDLE / "train.json").read_text())
    with pytest.raises(SettingsError) as raised:
        check_options({"guidance_weight": 1, "guidance": 2}, config | {"guidance_weight": 0}, BUNDLE)
    assert str(raised.value).startswith("there is no setting 'guidance' here; ")
    assert str(raised.value).endswith(""".json has it: --diffusion "{'guidance': ...}\"""")


@pytest.mark.parametrize(
    "value", ["{age: [0, 65]}", "[a, b]", "'it'", "Anna's", "(draft) Bo's", "$@seed", ""]
)
def test_whole_values_pass(value: str) -> None:
    check_closed("title", value)


def test_overlays_and_files_of_arguments_count(tmp_path: Path) -> None:
    file, overlay, arguments = (tmp_path / name for name in ("train.json", "mine.json", "args.json"))
    file.write_text('{"seed": 0}')
    overlay.write_text('{"own": 0}')
    arguments.write_text(json.dumps({"config_file": str(file), "sed": 1}))
    both = f"['{file}','{overlay}']"
    check_command_line(command("--config_file", both, "--own", "1"), "train", tmp_path)
    with pytest.raises(SettingsError, match="did you mean 'seed'"):
        check_command_line(command("--config_file", both, "--sed", "1"), "train", tmp_path)
    with pytest.raises(SettingsError, match="did you mean 'seed'"):
        check_command_line(command("--args_file", str(arguments)), "train", tmp_path)
