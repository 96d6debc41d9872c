"""Pickles read without being run: which names they would import, by their opcodes.

Reading a pickle calls what it names, so one that names more than the parts of tensors can do anything. See
https://docs.python.org/3/library/pickletools.html.
"""

from __future__ import annotations

import io
import pickletools
import zipfile
from collections.abc import Iterator
from typing import IO

_STORAGES = ("Float", "Double", "Half", "BFloat16", "Long", "Int", "Short", "Char", "Byte", "Bool")

TENSORS = frozenset(
    {
        "collections OrderedDict",
        "torch Size",
        "torch._utils _rebuild_parameter",
        "torch._utils _rebuild_tensor_v2",
        *(f"torch {name}Storage" for name in _STORAGES),
    }
)
"""What a file of tensors and plain values names."""

_BY_NAME = frozenset({"GLOBAL", "INST"})
_UNNAMED = frozenset({"STACK_GLOBAL", "EXT1", "EXT2", "EXT4"})

_LEGACY_PICKLES = 5
"""Pickles that the form of ``torch.save`` before its zip begins with; bare tensors follow."""


def is_model(head: bytes) -> bool:
    """Tell from its first bytes whether a file may be a pickle, or a zip of one."""
    return head[:2] == b"PK" or head[:1] == b"\x80"


def code_in_model(file: IO[bytes]) -> Iterator[str]:
    """Give what is more than tensors in a file of ``torch.save``.

    Parameters
    ----------
    file : binary file
        Open for reading, in which one can go back.
    """
    if not zipfile.is_zipfile(file):
        file.seek(0)
        yield "a pickle, not the zip that torch writes today"
        yield from _names(file.read(), _LEGACY_PICKLES)
        return
    with zipfile.ZipFile(file) as archive:
        names = archive.namelist()
        if len(set(names)) < len(names):
            yield "parts that are there more than once"
        if any("/code/" in f"/{name}" or name.endswith("constants.pkl") for name in names):
            yield "TorchScript, which is a program"
        pickles = [name for name in names if name.endswith(".pkl")]
        if not any(name.endswith("data.pkl") for name in pickles):
            yield "no data.pkl, so it is no file of torch"
        for name in pickles:
            yield from _names(archive.read(name), 1)


def _names(data: bytes, most: int) -> Iterator[str]:
    """Give the names that up to `most` pickles in a row would import, but those of tensors."""
    stream = io.BytesIO(data)
    try:
        for _ in range(most):
            for opcode, argument, _ in pickletools.genops(stream):
                if opcode.name in _BY_NAME and argument not in TENSORS:
                    yield f"calls {str(argument).replace(' ', '.')}"
                elif opcode.name in _UNNAMED:
                    yield f"a name that is put together only when it is read ({opcode.name})"
            if stream.tell() >= len(data):
                return
    except ValueError:
        yield "a pickle that is damaged, or made to look so"
