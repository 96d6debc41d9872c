"""A .npy file of images that is written row by row, by several processes, and may be interrupted."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from math import prod
from pathlib import Path

import numpy as np

from medaug.arrays import IntArray, UInt8Array
from medaug.files import write_aside

BYTES_AT_ONCE = 32 * 2**20


@dataclass(frozen=True)
class PixelFile:
    """Room for images of uint8, (N, H, W, C), at `path`.

    Pixels are written with plain writes, not through a memory map: on a full disk a write is an error that
    can be explained, while a memory map kills the process.
    """

    path: Path
    shape: tuple[int, ...]

    def create(self) -> None:
        """Make the file at its full length; a disk that supports it spends no space yet."""
        with self.path.open("wb") as file:
            header = _header(self.shape)
            file.write(header)
            file.truncate(len(header) + prod(self.shape))

    def write(self, rows: Sequence[int], images: UInt8Array) -> None:
        """Write images to their rows and wait until the disk has them."""
        start, length = len(_header(self.shape)), prod(self.shape[1:])
        with self.path.open("r+b") as file:
            for row, image in zip(rows, images, strict=True):
                file.seek(start + row * length)
                file.write(np.ascontiguousarray(image).tobytes())
            file.flush()
            os.fsync(file.fileno())

    def keep(self, rows: IntArray, target: Path) -> None:
        """Move the file to `target` with some rows only, a few at a time; what is done stays done."""
        if not target.exists():
            if len(rows) == self.shape[0]:
                self.path.rename(target)
                return
            with write_aside(target) as temporary:
                self._copy(rows, temporary)
        self.path.unlink(missing_ok=True)

    def _copy(self, rows: IntArray, target: Path) -> None:
        start, length = len(_header(self.shape)), prod(self.shape[1:])
        with self.path.open("rb") as source, target.open("wb") as file:
            file.write(_header((len(rows), *self.shape[1:])))
            for first, last in _runs(rows, max(1, BYTES_AT_ONCE // length)):
                source.seek(start + first * length)
                file.write(source.read((last - first + 1) * length))


def _header(shape: tuple[int, ...]) -> bytes:
    buffer = BytesIO()
    np.lib.format.write_array_header_1_0(
        buffer, {"descr": "|u1", "fortran_order": False, "shape": tuple(int(side) for side in shape)}
    )
    return buffer.getvalue()


def _runs(rows: IntArray, longest: int) -> list[tuple[int, int]]:
    """Split increasing rows into runs (first, last) of neighbours, none longer than `longest`."""
    starts = np.flatnonzero(np.diff(rows, prepend=rows[0] - 2) != 1)
    ends = np.append(starts[1:], len(rows))
    return [
        (int(rows[begin]), int(rows[min(begin + longest, end) - 1]))
        for start, end in zip(starts, ends, strict=True)
        for begin in range(start, end, longest)
    ]
