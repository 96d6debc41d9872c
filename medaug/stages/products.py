"""Products and the settings they were made with.

A product (image store, model, predictions) has a file ``<name>.settings.json`` beside it. A product whose
settings match is reused, an unfinished one is continued, and one that differs is an error, unless the user
says ``--fresh true``: then the old one is set aside, never deleted. An unfinished one is also continued where
only the `CONTENTS` of its inputs differ, since each of its parts knows what it was made of. Settings that
nothing was made with yet (a folder that was misspelt, say) bind nobody.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import platform
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path, PurePath
from typing import Any

from medaug.engine.distributed import barrier, is_first, of_first
from medaug.errors import SettingsError
from medaug.files import write_aside
from medaug.task import Task

logger = logging.getLogger(__name__)

CONTENTS = "contents"
"""Setting that says what the inputs of a product hold."""

_PLACE = re.compile(r"place [0-9a-f]{8}")

PACKAGES = ("medaug", "torch", "monai", "pytorch-ignite", "numpy", "pandas", "scikit-image", "pydicom")


def settings_path(product: Path | str) -> Path:
    """Return where the settings of a product lie: ``data`` has ``data.settings.json``."""
    product = Path(product)
    return product.with_name(f"{product.stem}.settings.json")


def is_made(product: Path | str) -> bool:
    """Tell whether a product is there, whole."""
    return Path(product).exists()


def identity(product: Path | str) -> str:
    """Return a digest of the settings that a product was made with, which hold those of its inputs.

    Raises
    ------
    SettingsError
        If the product has no settings beside it.
    """
    path = settings_path(product)
    try:
        settings = json.loads(path.read_text(encoding="utf-8"))["settings"]
    except FileNotFoundError:
        raise SettingsError(
            f"{path} is missing: run the stage that makes {Path(product).name} first"
        ) from None
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:16]


def check_writable(folder: Path) -> None:
    """Raise a SettingsError where a run folder cannot be made or written to; nothing is made yet."""
    nearest = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not nearest.is_dir():
        raise SettingsError(f"{nearest} is a file, not a folder; name another --output_dir")
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise SettingsError(f"you may not write to {nearest}; name another --output_dir, or mend its rights")


def claim(
    product: Path | str,
    settings: Mapping[str, Any],
    fresh: bool = False,
    defaults: Mapping[str, Any] | None = None,
    computed: Mapping[str, Any] | None = None,
) -> None:
    """Make sure that a product, whole or half made, belongs to these settings, and record them.

    Parameters
    ----------
    product : Path
        File or folder that a stage makes.
    settings : mapping
        Every setting that the product depends on, and the `identity` of each input.
    fresh : bool
        Set a product with other settings aside and start anew, instead of raising an error.
    defaults : mapping, optional
        What a product was made with where its record is older than a setting. What is a default, but no
        setting that the product depends on, is not compared in an older record either.
    computed : mapping, optional
        How it is computed: recorded, but never compared.

    Raises
    ------
    SettingsError
        If the recorded settings differ; names the keys and the way out.
    """
    product = Path(product)
    if is_first():
        known = _recorded(defaults or {})
        _claim(product, _recorded(settings), fresh, known, plain(computed or {}))
    barrier()


def is_current(
    product: Path | str,
    settings: Mapping[str, Any],
    fresh: bool = False,
    defaults: Mapping[str, Any] | None = None,
) -> bool:
    """Tell whether a product is there, whole, with these settings.

    Raises
    ------
    SettingsError
        As `claim`.
    """
    known = _recorded(settings), fresh, _recorded(defaults or {})
    return of_first(is_first() and _matches(Path(product), *known) and is_made(product))


def check_begun(
    product: Path | str, settings: Mapping[str, Any], fresh: bool, defaults: Mapping[str, Any]
) -> None:
    """Raise a SettingsError as `claim`, also where nothing but settings is there of what somebody makes."""
    _matches(Path(product), _recorded(settings), fresh, _recorded(defaults), begun=True)


@contextmanager
def renewed(product: Path, settings: Mapping[str, Any], *beside: Path) -> Iterator[Path]:
    """Give an empty folder to make a product in; when it is whole, it takes the place of an older one.

    Until then the older one stays where it is, after that it is set aside.

    Parameters
    ----------
    product : Path
        A folder; it is made under its name.
    settings : mapping
        As for `claim`.
    *beside : Path
        What else may be made, in or below the folder of the product; under its path from there.
    """
    temporary = product.with_name(f".{product.name}.{os.getpid()}.partial")
    # A process with the same number, in a container that started again, may have been killed here.
    shutil.rmtree(temporary, ignore_errors=True)
    try:
        temporary.mkdir(parents=True)
        yield temporary
        older = [path for path in (settings_path(product), *beside, product) if path.exists()]
        if older:
            set_aside(product, *beside)
        _record(product, _recorded(settings), {})
        for path in (*beside, product):
            if (made := temporary / path.relative_to(product.parent)).exists():
                path.parent.mkdir(parents=True, exist_ok=True)
                made.rename(path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _claim(
    product: Path,
    settings: dict[str, Any],
    fresh: bool,
    defaults: dict[str, Any],
    computed: dict[str, Any],
) -> None:
    if _matches(product, settings, fresh, defaults):
        return
    if (written := _written(product)) is not None and not _goes_on(product, written, settings, defaults):
        set_aside(product)
    _record(product, settings, computed)


def _goes_on(
    product: Path, written: Mapping[str, Any], settings: dict[str, Any], defaults: dict[str, Any]
) -> bool:
    """Tell whether a half-made product differs in what its inputs hold alone: its parts know theirs."""
    return not is_made(product) and _differences(written, settings, defaults)[1] == [CONTENTS]


def _matches(
    product: Path, settings: dict[str, Any], fresh: bool, defaults: dict[str, Any], begun: bool = False
) -> bool:
    """Tell whether these settings are recorded; an error where others are that bind, or none of medaug's."""
    if (written := _written(product)) is not None:
        recorded, differing = _differences(written, settings, defaults)
        binds = (begun or _begun(product)) and not _goes_on(product, written, settings, defaults)
        if differing and binds and not fresh:
            raise SettingsError(_difference(product, recorded, settings, differing))
        return not differing
    if product.exists():
        raise SettingsError(
            f"{product} was not made by medaug (no {settings_path(product).name} beside it); name another "
            "--output_dir"
        )
    return False


def _written(product: Path) -> Mapping[str, Any] | None:
    """Read the settings beside a product; None where there are none, or another run has set them aside."""
    try:
        record = json.loads(settings_path(product).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return dict(without_places(record["settings"]))


def _recorded(settings: Mapping[str, Any]) -> dict[str, Any]:
    return dict(without_places(plain(settings)))


def _record(product: Path, settings: dict[str, Any], computed: dict[str, Any]) -> None:
    record = {"settings": settings, **({"computed": computed} if computed else {}), **_circumstances()}
    with write_aside(settings_path(product)) as temporary:
        temporary.write_text(json.dumps(record, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def _differences(
    written: Mapping[str, Any], settings: Mapping[str, Any], defaults: Mapping[str, Any]
) -> tuple[dict[str, Any], list[str]]:
    """Return what is recorded, completed, and the names of what differs from it."""
    recorded = _completed(written, settings, defaults)
    names = sorted(recorded.keys() | settings.keys())
    return recorded, [name for name in names if recorded.get(name) != settings.get(name)]


def _completed(
    recorded: Mapping[str, Any], settings: Mapping[str, Any], defaults: Mapping[str, Any]
) -> dict[str, Any]:
    """Return what is recorded, with the defaults of newer settings, also of settings within settings."""
    bound = {name: value for name, value in recorded.items() if name in settings or name not in defaults}
    whole = {name: value for name, value in defaults.items() if name in settings} | bound
    for name, inner in defaults.items():
        if all(isinstance(value, Mapping) for value in (inner, recorded.get(name), settings.get(name))):
            whole[name] = _completed(recorded[name], settings[name], inner)
    return whole


def _difference(
    product: Path, recorded: Mapping[str, Any], settings: Mapping[str, Any], keys: list[str]
) -> str:
    differences = [text for key in keys for text in _differing(key, recorded.get(key), settings.get(key))]
    return (
        f"{product} was made with other settings: {', '.join(differences)}. Add --fresh true to set it aside "
        "and make it anew, or name another --output_dir"
    )


def _differing(name: str, there: Any, now: Any) -> Iterator[str]:
    """Give what differs, of settings within settings only those that do."""
    if isinstance(there, Mapping) and isinstance(now, Mapping):
        for key in sorted(there.keys() | now.keys()):
            if there.get(key) != now.get(key):
                yield from _differing(f"{name}::{key}", there.get(key), now.get(key))
    else:
        yield f"{name} (there {there!r}, now {now!r})"


def set_aside(product: Path | str, *beside: Path) -> None:
    """Move a product and all that belongs to it to ``before-<time>/``, so that the name is free.

    Nothing is lost, and nothing that looks for products finds the old one. What lies `beside` it, in or below
    its folder, goes along.
    """
    product = Path(product)
    aside = product.parent / f"before-{datetime.now(UTC).strftime('%Y%m%dT%H%M%S.%fZ')}"
    for path in dict.fromkeys((*_begun(product), *beside, settings_path(product))):
        if path.exists():
            target = aside / path.relative_to(product.parent)
            target.parent.mkdir(parents=True, exist_ok=True)
            path.rename(target)
    logger.info("%s had other settings and was set aside in %s", product, aside)


def _begun(product: Path) -> list[Path]:
    """Return what is there of a product: whole, half written, and what a training leaves beside it."""
    names = (
        product.name,
        f"{product.name}.partial",
        f"{product.name}.slides",
        f"{product.stem}.resume.pt",
        f"{product.stem}.rejected.csv",
        f"{product.stem}.early.pt",
        f"{product.stem}.key.csv",
    )
    return [path for path in map(product.with_name, names) if path.exists()]


def plain(value: Any) -> Any:
    """Turn dataclasses, tuples and paths into what JSON holds, so that what is read back compares equal."""
    return json.loads(json.dumps(value, default=_plain))


def without_places(value: Any) -> Any:
    """Return plain settings whose folders and absolute paths are digests: they may name people and hosts.

    Examples
    --------
    >>> without_places({"folder": "DOE_JANE", "table": "/home/doe/cases.csv", "column": "sex"})
    {'folder': 'place ccde0451', 'table': 'place 7dd832f8', 'column': 'sex'}
    """
    if isinstance(value, Mapping):
        return {k: _place(v) if k == "folder" else without_places(v) for k, v in value.items()}
    if isinstance(value, list):
        return [without_places(item) for item in value]
    return _place(value) if isinstance(value, str) and PurePath(value).is_absolute() else value


def _place(path: Any) -> Any:
    if not isinstance(path, str) or _PLACE.fullmatch(path):
        return path
    return f"place {hashlib.sha256(path.encode()).hexdigest()[:8]}"


def _plain(value: Any) -> Any:
    if isinstance(value, Task):
        return value.to_dict()
    return asdict(value) if is_dataclass(value) and not isinstance(value, type) else str(value)


def _circumstances() -> dict[str, Any]:
    return {
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": {name: version(name) for name in PACKAGES} | {"python": platform.python_version()},
        "git_commit": _git_commit(),
    }


def _git_commit() -> str | None:
    """Commit of the source tree that medaug runs from, if it runs from one."""
    command = ["git", "-C", str(Path(__file__).parent), "rev-parse", "HEAD"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None
