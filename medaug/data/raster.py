"""Pictures in the usual formats: PNG, JPEG, TIFF, BMP, WebP.

Pillow reads samples of 8 bits in any colours. Deeper, signed and real samples it cuts down, wraps around or
does not know, so these are read by tifffile and imagecodecs.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import imagecodecs
import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from medaug.arrays import UInt8Array
from medaug.data.deep import show_deep
from medaug.data.picture import SEVERAL_PAGES, Picture, check_pixel_count
from medaug.data.tiff import read_deep_tiff
from medaug.errors import DataError

FORMATS = ("PNG", "JPEG", "TIFF", "BMP", "WEBP")

_PNG, _JPEG = b"\x89PNG\r\n", b"\xff\xd8\xff"
_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_DEPTH_OF_PNG = 24
_END_OF_JPEG = b"\xff\xd9"
_ORIENTATION = 0x0112
_TOO_EARLY = "a truncated or damaged image file: it ends too early"


def is_raster(head: bytes) -> bool:
    """Whether a file that begins like this is one of the formats."""
    return head.startswith((_PNG, _JPEG, *_TIFF, b"BM")) or (head[:4] == b"RIFF" and head[8:12] == b"WEBP")


def read_raster(path: Path) -> Picture:
    """Read a picture upright as uint8 (H, W, 1 or 3); see `medaug.data.pixels.read_picture`."""
    # Not by name: then Pillow maps the file, and turned, uncompressed TIFFs come out scrambled.
    with path.open("rb") as file, _refusals():
        head = file.read(_DEPTH_OF_PNG + 1)
        if head.startswith(_TIFF) and (deep := read_deep_tiff(path)) is not None:
            return deep
        try:
            file.seek(0)
            opened = Image.open(file, formats=FORMATS)
        except UnidentifiedImageError:
            if head.startswith(_JPEG):
                return _deep_jpeg(path)
            raise
        with opened:
            check_pixel_count(opened.width * opened.height)
            pages = (SEVERAL_PAGES,) if getattr(opened, "n_frames", 1) > 1 else ()
            if head.startswith(_PNG) and head[_DEPTH_OF_PNG:] == b"\x10":
                return Picture(_deep_png(path, opened), pages)
            return Picture(_eight_bits(ImageOps.exif_transpose(opened)), pages)


def _eight_bits(picture: Image.Image) -> UInt8Array:
    if picture.has_transparency_data:
        black = Image.new("RGBA", picture.size, (0, 0, 0, 255))
        picture = Image.alpha_composite(black, picture.convert("RGBA")).convert("RGB")
    if picture.mode in ("1", "L"):
        return np.array(picture.convert("L"))[..., np.newaxis]
    return np.array(picture.convert("RGB"))


def _deep_png(path: Path, opened: Image.Image) -> UInt8Array:
    """Read 16 bits a sample; a colour that stands for transparency has become opacity in the last channel."""
    samples = np.atleast_3d(imagecodecs.png_decode(path.read_bytes()))
    channels = samples.shape[2]
    opacity = samples[..., -1] / 65535.0 if channels in (2, 4) else None
    return show_deep(samples[..., : 3 if channels > 2 else 1], opacity, opened.getexif().get(_ORIENTATION, 1))


def _deep_jpeg(path: Path) -> Picture:
    """Read 12 bits a sample, or a lossless JPEG; its decoder would fill up one that is cut off."""
    content = path.read_bytes()
    if not content.rstrip(b"\0").endswith(_END_OF_JPEG):
        raise DataError(_TOO_EARLY)
    samples = np.atleast_3d(imagecodecs.jpeg_decode(content))
    if samples.shape[2] not in (1, 3):
        raise DataError(f"a JPEG of {samples.shape[2]} channels that are not plain bytes")
    return Picture(show_deep(samples, None, 1))


@contextmanager
def _refusals() -> Iterator[None]:
    """Say what Pillow found where it is certain."""
    try:
        yield
    except Image.DecompressionBombError:
        largest = Image.MAX_IMAGE_PIXELS or 0
        raise DataError(f"the picture is too large: at most {largest:,} pixels are read") from None
    except OSError as error:
        if "truncated" in str(error).lower():
            raise DataError(_TOO_EARLY) from None
        raise
