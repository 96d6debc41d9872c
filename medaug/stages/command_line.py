"""The command ``python -m monai.bundle run``: which settings it names, and how its errors are told.

MONAI takes any option. One that no part of a config answers to would change nothing without a word, so the
options are compared with what the config has before any work is done.
"""

from __future__ import annotations

import ast
import difflib
import json
import re
import sys
import traceback
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from inspect import Parameter, signature
from itertools import pairwise
from pathlib import Path
from pydoc import locate
from types import TracebackType
from typing import Any

from fire.parser import DefaultParseValue

from medaug.errors import MedaugError, SettingsError
from medaug.stages.location import config_path

MONAI_OPTIONS = {
    "args_file",
    "config_file",
    "final_id",
    "init_id",
    "logging_file",
    "meta_file",
    "run_id",
    "save_execute_config",
    "tracking",
    "tracking_uri",
    "experiment_name",
    "run_name",
    "workflow_name",
    "workflow_type",
}
"""Options of MONAI itself, those of its experiment tracking among them."""

ANY = "*"

PARTS = {
    "prepare": "prepare",
    "diffusion": "train_diffusion",
    "upsampler": "train_upsampler",
    "generate": "generate",
    "quality": "quality",
    "baseline": "train",
    "evaluate": "evaluate",
}
"""Which config gets the settings that another one hands over under a name."""


def check_whole(argv: Sequence[str]) -> None:
    """Check the form of a command line of ``monai.bundle run``; others are not looked at.

    Raises
    ------
    SettingsError
        A value has no end, an option comes twice, or a word belongs to no option.
    """
    files = [file for file in _config_files(argv) if file.is_file()]
    if "run" not in argv or not files:
        return
    for name, text in _given(argv):
        check_closed(name, text)
    counts = Counter(name for name, _ in _given(argv))
    if twice := [name for name, count in counts.items() if count > 1]:
        raise SettingsError(f"--{twice[0]} is given twice; only one of the values can be meant")
    if lost := [word for word in _bare_words(argv) if word not in _content(files)]:
        raise SettingsError(
            f"{lost[0]!r} belongs to no option; write --name value, a value with blanks in quotes"
        )


def check_command_line(argv: Sequence[str], stage: str, folder: Path) -> None:
    """Check the options of a command line that runs a config of a bundle; others are not looked at.

    Parameters
    ----------
    argv : sequence of str
        ``sys.argv``.
    stage : str
        Name of the config without ``.json``.
    folder : Path
        Folder of the bundle.

    Raises
    ------
    SettingsError
        An option, on the command line or in its ``--args_file``, answers to nothing in the config.
    """
    files = [file for file in _config_files(argv) if file.is_file()]
    if "run" not in argv or not any(file.name == f"{stage}.json" for file in files):
        return
    check_options(_options(argv), _content(files), folder)


def check_options(options: Mapping[str, Any], config: Mapping[str, Any], folder: Path) -> None:
    """Raise a SettingsError for an option that no part of a config answers to, and suggest the nearest one.

    Parameters
    ----------
    options : mapping
        Values by name; ``a::b`` is ``b`` in ``a``.
    config : mapping
        The config as it stands in the file.
    folder : Path
        Folder of the bundle, for settings that are handed to another config.

    Examples
    --------
    >>> check_options({"learning_rat": 1e-4}, {"learning_rate": None}, Path())
    Traceback (most recent call last):
    ...
    medaug.errors.SettingsError: there is no setting 'learning_rat'; did you mean 'learning_rate'?
    """
    for option, value in options.items():
        first, *rest = option.lstrip("+").replace("#", "::").split("::")
        if first in MONAI_OPTIONS:
            continue
        if first not in config and (place := _elsewhere(first, config, folder)):
            raise SettingsError(f"there is no setting {first!r} here; {place}")
        _check_known(first, first, {*config, *MONAI_OPTIONS})
        if first in PARTS and not rest and isinstance(value, Mapping):
            check_part(first, value, folder)
        elif first in PARTS and rest:
            check_part(first, {"::".join(rest): value}, folder)
        else:
            _check_inside(option, rest, config[first])


def check_closed(name: str, text: str) -> None:
    """Raise a SettingsError for a list, mapping or quoted text without an end, which would pass as text.

    Examples
    --------
    >>> check_closed("bins", "{age: [0, 65]}")
    >>> check_closed("bins", "{age: [0, 65}")
    Traceback (most recent call last):
    ...
    medaug.errors.SettingsError: the value of --bins lacks a bracket or quote, or has one too many
    """
    if text[:1] not in ("[", "{", "'", '"') or not isinstance(DefaultParseValue(text), str):
        return
    open_brackets = any(text.count(first) != text.count(last) for first, last in ("[]", "{}", "()"))
    if open_brackets or text.count("'") % 2 or text.count('"') % 2:
        raise SettingsError(f"the value of --{name} lacks a bracket or quote, or has one too many")


def check_part(part: str, settings: Mapping[str, Any], folder: Path) -> None:
    """Check the settings that a config hands to another one, as `check_options` does."""
    file = config_path(folder, PARTS[part])
    if file.is_file():
        check_options(settings, json.loads(file.read_text(encoding="utf-8")), folder)
    elif settings:
        raise SettingsError(f"{part!r} has settings for {file.name}, which this bundle does not have")


def explain(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Print one sentence for an error that medaug foresaw, the whole traceback for any other."""
    if (cause := foreseen(error)) is None:
        traceback.print_exception(kind, error, trace)
    else:
        print(f"medaug: {cause}", file=sys.stderr)


def foreseen(error: BaseException) -> MedaugError | None:
    """Return medaug's error behind one that MONAI made of it, None where there is none."""
    return next((cause for cause in _chain(error) if isinstance(cause, MedaugError)), None)


def _elsewhere(name: str, config: Mapping[str, Any], folder: Path) -> str:
    """Say how a setting is handed to another config that has it, if there is one."""
    for part, stage in PARTS.items():
        file = config_path(folder, stage)
        if part in config and file.is_file() and name in _content([file]):
            return f"{file.name} has it: --{part} \"{{'{name}': ...}}\""
    return ""


def _check_inside(option: str, path: Sequence[str], content: Any) -> None:
    """Follow ``a::b::c`` through a config; what is behind a reference or an expression is not known."""
    walked = option.split("::")[: -len(path)] if path else []
    for name in path:
        if isinstance(content, list):
            content = dict(enumerate(content)) | {len(content): None}  # one more may be added
            content = {str(number): item for number, item in content.items()}
        if not isinstance(content, Mapping):
            return
        known = {*content, *_parameters(content)}
        if ANY not in known:
            _check_known("::".join([*walked, name]), name, known)
        content = content.get(name)
        walked.append(name)


def _parameters(component: Mapping[str, Any]) -> set[str]:
    """Return the parameters of what a component makes, `ANY` among them where it takes all; else nothing."""
    if "_target_" not in component:
        return set()
    from monai.bundle.config_item import ConfigComponent  # takes seconds, which planning needs not

    target = component["_target_"]
    made: Any = locate(target) if "$" not in target else None
    if made is None:
        return {ANY}
    parameters = signature(made).parameters.values()
    names = {ANY if p.kind is Parameter.VAR_KEYWORD else p.name for p in parameters}
    return names | ConfigComponent.non_arg_keys


def _check_known(option: str, name: str, known: Iterable[str]) -> None:
    if name in known:
        return
    nearest = difflib.get_close_matches(name, known, n=1)
    place = option[: len(option) - len(name)]
    hint = f"did you mean {place + nearest[0]!r}?" if nearest else f"there are: {', '.join(sorted(known))}"
    raise SettingsError(f"there is no setting {option!r}; {hint}")


def _options(argv: Sequence[str]) -> dict[str, Any]:
    """Return the options of a command line, those of its ``--args_file`` among them."""
    found = {name: _literal(text) for name, text in _given(argv)}
    file = found.get("args_file")
    if isinstance(file, str) and Path(file).is_file() and file.endswith(".json"):
        found = {**json.loads(Path(file).read_text(encoding="utf-8")), **found}
    return found


def _given(argv: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Give names and values of options as they were typed."""
    for place, argument in enumerate(argv):
        if _is_option(argument):
            name, equals, value = argument.lstrip("-").partition("=")
            yield name, value if equals else "".join(argv[place + 1 : place + 2])


def _bare_words(argv: Sequence[str]) -> Iterator[str]:
    """Give what is no option and no value of one; MONAI would take it for the name of an expression."""
    behind = argv[argv.index("run") + 1 :]
    for before, word in pairwise(["", *behind]):
        takes_a_value = _is_option(before) and "=" not in before
        if not _is_option(word) and not takes_a_value:
            yield word


def _is_option(argument: str) -> bool:
    """One dash is as good as two, but ``-4`` is a number."""
    return re.match(r"--?[^\W\d]|--?\+", argument) is not None


def _content(files: Sequence[Path]) -> dict[str, Any]:
    """Return what config files say together."""
    config: dict[str, Any] = {}
    for file in files:
        config |= json.loads(file.read_text(encoding="utf-8"))
    return config


def _config_files(argv: Sequence[str]) -> list[Path]:
    """Return the config files that a command line names: one, or a list in brackets."""
    given = _options(argv).get("config_file")
    files = given if isinstance(given, list | tuple) else [given]
    return [Path(file) for file in files if isinstance(file, str)]


def _literal(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
