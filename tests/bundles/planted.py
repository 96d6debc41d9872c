"""Words that name somebody, planted in inputs, and looked for in all that a run leaves and says."""

from __future__ import annotations

import io
import logging
import socket
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

NAME, NUMBER, BORN, PLACE, HOST = "Zwetschgenbaum", "4711048213", "19510417", "klinik-ost", "planted-pc-77"
PLANTED = (NAME, NUMBER, BORN, PLACE, HOST)

SIDE = 16
GENERATOR = {"channels": [8], "head_channels": 8, "iterations": 2, "iterations_per_epoch": 1, "batch_size": 4}
TINY: dict[str, Any] = {
    "diffusion": {"image_size": SIDE, **GENERATOR},
    "generate": {"images": 8, "steps": 2},
    "evaluate": {"replicates": 0, "permutations": 0},
    "image_size": SIDE,
    "iterations": 2,
    "iterations_per_epoch": 1,
    "batch_size": 8,
    "accept_poor_synthetic": True,
}
"""The whole chain in seconds."""


def products(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Give name and content of every product, tables as text; keys stay where they are."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.name.endswith(".key.csv"):
            yield from _readable(str(path.relative_to(folder)), path.read_bytes())


def _readable(name: str, content: bytes) -> Iterator[tuple[str, bytes]]:
    if name.endswith(".parquet"):
        yield name, pd.read_parquet(io.BytesIO(content)).to_csv().encode()
    elif name.endswith((".zip", ".pt", ".npz")) and zipfile.is_zipfile(io.BytesIO(content)):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for entry in archive.namelist():
                yield from _readable(f"{name}/{entry}", archive.read(entry))
    else:
        yield name, content


def check_products(folder: Path) -> None:
    found = [
        (name, word)
        for name, content in products(folder)
        for word in (*PLANTED, str(folder))
        if word in name or word.encode() in content
    ]
    assert found == []


def check_messages(text: str, world: Path) -> None:
    """Nothing of the data; the folder itself is what the user has typed."""
    said = text.replace(str(world), "")
    assert [word for word in PLANTED if word in said] == []


@contextmanager
def planted_host() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "gethostname", lambda: HOST)
        yield


@contextmanager
def heard() -> Iterator[list[str]]:
    """Give what is logged, everything of medaug, of others what they warn of; at the end what was printed."""
    said: list[str] = []
    printed = io.StringIO()
    listener = logging.Handler()
    listener.emit = lambda record: said.append(record.getMessage())  # type: ignore[method-assign]
    ours = logging.getLogger("medaug")
    level = ours.level
    logging.getLogger().addHandler(listener)
    ours.setLevel(logging.DEBUG)
    try:
        with redirect_stdout(printed), redirect_stderr(printed):
            yield said
    finally:
        said.append(printed.getvalue())
        logging.getLogger().removeHandler(listener)
        ours.setLevel(level)
