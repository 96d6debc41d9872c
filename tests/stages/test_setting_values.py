from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from medaug.errors import SettingsError
from medaug.stages.setting_values import chosen, defaults, free, record, typed


@dataclass(frozen=True)
class Row:
    iterations: int
    learning_rate: float


@dataclass(frozen=True, kw_only=True)
class Training(Row):
    amp: bool = False
    dropout: float = 0.0
    method: str | None = None
    exclude: tuple[str, ...] = ()
    workers: int = free(0)
    caps: Mapping[str, int] | None = free(None)


def test_what_is_not_given_is_the_preset_or_the_default() -> None:
    found = chosen(Training, {"iterations": None, "learning_rate": 0.5, "method": None}, Row(10, 0.1))
    assert found == Training(iterations=10, learning_rate=0.5)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("iterations", "20", 20),
        ("iterations", 1e3, 1000),
        ("learning_rate", "1e-4", 1e-4),
        ("learning_rate", 1, 1.0),
        ("amp", "true", True),
        ("amp", "False", False),
        ("exclude", "melanoma", ("melanoma",)),
        ("exclude", ["a", "b"], ("a", "b")),
        ("method", "mine", "mine"),
    ],
)
def test_a_command_line_gives_text_and_the_setting_its_type(name: str, value: Any, expected: Any) -> None:
    found = getattr(chosen(Training, {name: value}, Row(10, 0.1)), name)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("iterations", 1.5, "iterations must be a whole number, not 1.5"),
        ("iterations", True, "iterations must be a whole number, not True"),
        ("iterations", "inf", "iterations must be a whole number, not 'inf'"),
        ("learning_rate", "fast", "learning_rate must be a number, not 'fast'"),
        ("amp", "maybe", "amp must be true or false, not 'maybe'"),
        ("caps", "F", "caps must be a mapping, not 'F'"),
        ("iterations", -5, "iterations must be at least 1, not -5"),
        ("learning_rate", "-1", "learning_rate must be at least 0, not -1.0"),
        ("learning_rate", "nan", "learning_rate must be at least 0, not nan"),
        ("dropout", 2, "dropout must be between 0 and 1, not 2.0"),
        ("workers", -1, "workers must be at least 0, not -1"),
        ("cups", 1, "Training has no setting cups; there are: iterations, learning_rate, amp, "),
    ],
)
def test_another_type_is_a_sentence(name: str, value: Any, message: str) -> None:
    with pytest.raises(SettingsError) as raised:
        chosen(Training, {name: value}, Row(10, 0.1))
    assert message in str(raised.value)


def test_a_setting_without_a_default_must_be_given() -> None:
    with pytest.raises(SettingsError, match="Training needs a value for learning_rate"):
        chosen(Training, {"iterations": 1, "learning_rate": None})


def test_the_record_leaves_out_what_changes_the_speed_only() -> None:
    how = Training(iterations=10, learning_rate=0.1, workers=8)
    assert record(how) == {
        "iterations": 10,
        "learning_rate": 0.1,
        "amp": False,
        "dropout": 0.0,
        "method": None,
        "exclude": (),
    }
    assert defaults(how).keys() == {"amp", "dropout", "method", "exclude", "workers", "caps"}


@hypothesis_settings(deadline=None)
@given(st.integers(1, 2**40))
def test_whole_numbers_survive_as_text_and_as_floats(number: int) -> None:
    for value in (number, str(number), float(number)):
        assert chosen(Training, {"iterations": value}, Row(1, 0.1)).iterations == number


def test_a_switch_given_as_text() -> None:
    given_and_meant = {"true": True, "True": True, "false": False}
    assert {text: typed("upsample", text, bool) for text in given_and_meant} == given_and_meant
    assert typed("upsample", True, bool) is True
    assert typed("upsample", None, bool) is None
    with pytest.raises(SettingsError, match=r"^upsample must be true or false, not 'maybe'$"):
        typed("upsample", "maybe", bool)
