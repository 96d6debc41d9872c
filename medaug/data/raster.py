"""Pictures that Pillow reads: PNG, JPEG, TIFF, BMP, WebP."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from medaug.arrays import UInt8Array
from medaug.data.grey import to_uint8
from medaug.errors import DataError

FORMATS = ("PNG", "JPEG", "TIFF", "BMP", "WEBP")

_BEGINNINGS = (b"\x89PNG\r\n", b"\xff\xd8\xff", b"II*\0", b"MM\0*", b"II+\0", b"MM\0+", b"BM")
_PHOTOMETRIC = 262
_WHITE_IS_ZERO = 0


def is_raster(head: bytes) -> bool:
    """Whether a file that begins like this is one of the formats."""
    return head.startswith(_BEGINNINGS) or (head[:4] == b"RIFF" and head[8:12] == b"WEBP")


def read_raster(path: Path) -> UInt8Array:
    """Read a picture upright as uint8 (H, W, 1 or 3); see `medaug.data.pixels.read_pixels`."""
    # Not by name: then Pillow maps the file, and turned, uncompressed TIFFs come out scrambled.
    with path.open("rb") as file, Image.open(file, formats=FORMATS) as opened:
        if opened.format == "TIFF" and getattr(opened, "n_frames", 1) > 1:
            raise DataError("a TIFF of several pages, not one picture")
        white_is_zero = _is_deep(opened) and _photometric(opened) == _WHITE_IS_ZERO
        opened.load()
        picture = ImageOps.exif_transpose(opened)
    if _is_deep(picture):
        values = to_uint8(np.asarray(picture))[..., np.newaxis]
        # Pillow inverts 8-bit TIFF of this kind itself, but not deeper ones.
        return 255 - values if white_is_zero else values
    return _eight_bits(picture)


def _is_deep(picture: Image.Image) -> bool:
    """Whether pixels are numbers of more than 8 bits."""
    return picture.mode in ("I", "F") or picture.mode.startswith("I;16")


def _photometric(picture: Image.Image) -> int | None:
    return getattr(picture, "tag_v2", {}).get(_PHOTOMETRIC)


def _eight_bits(picture: Image.Image) -> UInt8Array:
    if picture.has_transparency_data:
        black = Image.new("RGBA", picture.size, (0, 0, 0, 255))
        picture = Image.alpha_composite(black, picture.convert("RGBA")).convert("RGB")
    if picture.mode in ("1", "L"):
        return np.array(picture.convert("L"))[..., np.newaxis]
    return np.array(picture.convert("RGB"))
