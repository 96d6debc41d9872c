"""Settings of a stage: frozen dataclasses that hold each setting once, with its meaning and its default.

A config hands over every setting by name, ``null`` for those that the user has not touched: these get what
the preset says, or the default of the dataclass. What a product was made with is read off the same dataclass.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, field, fields, is_dataclass
from math import inf
from types import MappingProxyType, NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from medaug.errors import SettingsError

Settings = TypeVar("Settings")

_FREE = "free"

LIMITS: Mapping[str, tuple[float, float]] = MappingProxyType(
    {
        **dict.fromkeys(("seed", "workers", "learning_rate", "weight_decay"), (0, inf)),
        **dict.fromkeys(("image_size", "images", "steps", "batch_size"), (1, inf)),
        **dict.fromkeys(("iterations", "iterations_per_epoch"), (1, inf)),
        **dict.fromkeys(("dropout", "condition_dropout"), (0, 1)),
    }
)
"""The least and the largest value of settings that mean the same in several stages."""


def free(default: Any) -> Any:
    """Declare a setting that changes the speed of a run only, so that a product is not bound to its value."""
    return field(default=default, metadata={_FREE: True})


def chosen(kind: type[Settings], given: Mapping[str, Any], preset: Any = None) -> Settings:
    """Return settings: those given, else those of the preset, else the defaults.

    Parameters
    ----------
    kind : dataclass
        What to build.
    given : mapping
        Values by name, as a config or a command line has them; None means not given. Text that says a number
        or a switch is taken as such, a lone value as a list of one.
    preset : dataclass, optional
        A row of `medaug.presets`, whose fields are settings of `kind`.

    Raises
    ------
    SettingsError
        A value is not of the setting's type, or out of its limits; there is no such setting; one that has
        no default is not given. Names the setting.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> @dataclass(frozen=True)
    ... class Trained:
    ...     iterations: int
    ...     amp: bool = False
    >>> chosen(Trained, {"iterations": 1e3, "amp": "true"})
    Trained(iterations=1000, amp=True)
    """
    row = {} if preset is None else {f.name: getattr(preset, f.name) for f in fields(preset)}
    values = row | {name: value for name, value in given.items() if value is not None}
    hints = get_type_hints(kind)
    _check_names(kind, values)
    return kind(**{name: typed(name, value, hints[name]) for name, value in values.items()})


def record(settings: Any) -> dict[str, Any]:
    """Return what a product depends on: all settings that are not `free`, by name."""
    return {f.name: getattr(settings, f.name) for f in fields(settings) if not f.metadata.get(_FREE)}


def defaults(settings: Any) -> dict[str, Any]:
    """Return the defaults by name: what a product was made with that is older than a setting.

    The defaults of settings within settings are a dictionary of their own.
    """
    own = {f.name: f.default for f in fields(settings) if f.default is not MISSING}
    inner = {f.name: getattr(settings, f.name) for f in fields(settings)}
    return own | {name: defaults(value) for name, value in inner.items() if is_dataclass(value)}


def typed(name: str, value: Any, hint: Any) -> Any:
    """Return the value of a setting in its type; None, which means not given, stays.

    A command line hands over ``false`` as text, which Python takes for true.

    Parameters
    ----------
    name : str
        The setting.
    value : object
        As a config or a command line has it.
    hint : type
        What it is; what may be several types stays as it is.

    Raises
    ------
    SettingsError
        The value is not of the type, or out of the limits of the setting. Names the setting.

    Examples
    --------
    >>> typed("upsample", "false", bool), typed("iterations", 1e3, int)
    (False, 1000)
    """
    options = [o for o in get_args(hint) if o is not NoneType] if _is_union(hint) else [hint]
    (of_one, *others) = options
    if value is None or others:
        return value
    try:
        converted = _converted(value, of_one)
    except (KeyError, OverflowError, TypeError, ValueError):
        known = {bool: "true or false", int: "a whole number", float: "a number", Mapping: "a mapping"}
        expected = known.get(get_origin(of_one) or of_one, "text")
        raise SettingsError(f"{name} must be {expected}, not {value!r}") from None
    _check_limits(name, converted)
    return converted


def _check_names(kind: type[Any], values: Mapping[str, Any]) -> None:
    known = {f.name: f.default is MISSING and f.default_factory is MISSING for f in fields(kind)}
    if unknown := [name for name in values if name not in known]:
        there = ", ".join(known)
        raise SettingsError(f"{kind.__name__} has no setting {', '.join(unknown)}; there are: {there}")
    if missing := [name for name, needed in known.items() if needed and name not in values]:
        raise SettingsError(f"{kind.__name__} needs a value for {', '.join(missing)}")


def _check_limits(name: str, value: Any) -> None:
    least, most = LIMITS.get(name, (-inf, inf))
    if name in LIMITS and not least <= value <= most:
        allowed = f"at least {least}" if most == inf else f"between {least} and {most}"
        raise SettingsError(f"{name} must be {allowed}, not {value}")


def _converted(value: Any, kind: Any) -> Any:
    if kind is bool:
        return {"true": True, "false": False}[str(value).lower()]
    if kind is int:
        if isinstance(value, bool) or float(value) != int(float(value)):
            raise ValueError(value)
        return int(float(value))
    if kind is float:
        if isinstance(value, bool):
            raise ValueError(value)
        return float(value)
    if get_origin(kind) is Mapping and not isinstance(value, Mapping):
        raise TypeError(value)
    if get_origin(kind) is tuple:
        return tuple(value) if isinstance(value, list | tuple) else (value,)
    return value


def _is_union(hint: Any) -> bool:
    return get_origin(hint) in (Union, UnionType)
