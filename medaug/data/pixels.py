"""Pixels of one file, whatever its format, as uint8; and the same picture as a square of a given side.

Nothing here imports torch, so that decoding processes start quickly.
"""

from __future__ import annotations

import gzip
import logging
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image

from medaug.arrays import UInt8Array
from medaug.data.dicom import is_dicom, read_dicom
from medaug.data.grey import grey_of, to_uint8
from medaug.data.raster import is_raster, read_raster
from medaug.errors import DataError

Fit = Literal["pad", "crop", "stretch"]

HEAD = 1024
LARGEST_NIFTI = 2**30

_NOT_IMAGES = {
    b"<!doctype html": "an HTML page, not an image (an error page of a download?)",
    b"<html": "an HTML page, not an image (an error page of a download?)",
    b"<?xml": "an XML document, not an image",
    b"d8:announce": "a torrent, not an image",
    b"d7:comment": "a torrent, not an image",
    b"d13:announce-list": "a torrent, not an image",
    b"version https://git-lfs": "a Git LFS pointer, not an image (fetch the real files)",
    b"pk\x03\x04": "a zip archive, not an image",
    b"%pdf": "a PDF document, not an image",
}


def read_pixels(path: Path, channels: Literal[1, 3]) -> UInt8Array:
    """Read the picture in a file: PNG, JPEG, TIFF, BMP, WebP, DICOM or NIfTI.

    The content decides which it is, the name does not matter.

    Parameters
    ----------
    path : Path
        The file.
    channels : {1, 3}
        1 gives luminance, 3 colour (a grey picture three times).

    Returns
    -------
    ndarray of uint8, (H, W, channels)
        Upright as the EXIF orientation says; transparent parts are black. DICOM goes through its Modality
        LUT and its first VOI LUT or window, and MONOCHROME1 is inverted, so that air is dark. Values of
        more than 8 bits without a window are spread linearly from the least to the largest of the picture:
        12 bits in a 16-bit file would be nearly black otherwise.

    Raises
    ------
    DataError
        The file cannot be used. The message is the reason alone: no path, nothing from a header.
    """
    try:
        with path.open("rb") as file:
            head = file.read(HEAD)
    except OSError as error:
        raise DataError(f"the file cannot be read ({error.strerror})") from None
    reader, kind = _reader(head)
    with _quiet(), _reasons(kind):
        image = reader(path)
    if image.size == 0:
        raise DataError(f"the {kind} picture has no pixels")
    return image if image.shape[2] == channels else _with_channels(image, channels)


def fit_square(image: UInt8Array, size: int, fit: Fit) -> UInt8Array:
    """Scale a picture to a square, anti-aliased.

    Parameters
    ----------
    image : ndarray of uint8, (H, W, C)
        C is 1 or 3.
    size : int
        Side in pixels.
    fit : {"pad", "crop", "stretch"}
        ``pad``: the whole picture, black bars beside it. ``crop``: the largest square in its middle.
        ``stretch``: the whole picture, its proportions lost.

    Returns
    -------
    ndarray of uint8, (size, size, C)
    """
    height, width = image.shape[:2]
    if fit == "stretch":
        return _resized(image, (size, size), (0, 0, width, height))
    if fit == "crop":
        side = min(height, width)
        left, top = (width - side) / 2, (height - side) / 2
        return _resized(image, (size, size), (left, top, left + side, top + side))
    scale = size / max(height, width)
    inner = (max(1, round(width * scale)), max(1, round(height * scale)))
    left, top = (size - inner[0]) // 2, (size - inner[1]) // 2
    square = np.zeros((size, size, image.shape[2]), np.uint8)
    square[top : top + inner[1], left : left + inner[0]] = _resized(image, inner, (0, 0, width, height))
    return square


@dataclass(frozen=True)
class Recipe:
    """How files become images of a store: sides in pixels, channels (1 or 3), and `fit_square`'s `fit`."""

    sizes: tuple[int, ...]
    channels: Literal[1, 3]
    fit: Fit


def decode(paths: Sequence[Path], recipe: Recipe) -> list[dict[int, UInt8Array] | str]:
    """Read some files: for each the image at every size, (size, size, C), or the reason why there is none."""
    return [_decode_one(path, recipe) for path in paths]


def _decode_one(path: Path, recipe: Recipe) -> dict[int, UInt8Array] | str:
    try:
        image = read_pixels(path, recipe.channels)
    except DataError as error:
        return str(error)
    return {size: fit_square(image, size, recipe.fit) for size in recipe.sizes}


def _reader(head: bytes) -> tuple[Callable[[Path], UInt8Array], str]:
    """Return who reads a file that begins like this, and what the format is called."""
    if not head:
        raise DataError("the file is empty")
    if is_raster(head):
        return read_raster, "image"
    if is_dicom(head):
        return read_dicom, "DICOM"
    if _is_nifti(head) or head[:2] == b"\x1f\x8b":
        return _read_nifti, "NIfTI"
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    for beginning, what in _NOT_IMAGES.items():
        if start.startswith(beginning):
            raise DataError(what)
    raise DataError("not an image of a known format (PNG, JPEG, TIFF, BMP, WebP, DICOM, NIfTI)")


def _is_nifti(head: bytes) -> bool:
    return head[344:347] in (b"n+1", b"ni1") or head[4:7] == b"n+2"


def _read_nifti(path: Path) -> UInt8Array:
    """Read a 2-D NIfTI; its first axis runs along the rows of the picture (x), its second down (y)."""
    import nibabel

    content = path.read_bytes()
    if content[:2] == b"\x1f\x8b":
        with gzip.open(path) as file:
            content = file.read(LARGEST_NIFTI)
    if not _is_nifti(content[:HEAD]):
        raise DataError("a gzip archive, not an image")
    form = nibabel.Nifti2Image if content[4:7] == b"n+2" else nibabel.Nifti1Image
    volume = form.from_bytes(content)
    if len([side for side in volume.shape if side > 1]) > 2:
        raise DataError(f"a NIfTI volume of {len(volume.shape)} axes, not a picture")
    values = np.asanyarray(volume.dataobj)
    if values.dtype.kind not in "uif":
        raise DataError("NIfTI voxels that are no single numbers")
    return to_uint8(values.reshape(values.shape[0], -1).T)[..., np.newaxis]


def _with_channels(image: UInt8Array, channels: int) -> UInt8Array:
    return grey_of(image) if channels == 1 else np.repeat(image, channels, axis=2)


def _resized(image: UInt8Array, size: tuple[int, int], box: tuple[float, float, float, float]) -> UInt8Array:
    """Cut `box` (left, top, right, bottom) out and scale it to (width, height)."""
    picture = Image.fromarray(image[..., 0] if image.shape[2] == 1 else image)
    scaled = np.asarray(picture.resize(size, Image.Resampling.BICUBIC, box=box))
    return scaled.reshape(size[1], size[0], image.shape[2])


@contextmanager
def _reasons(kind: str) -> Iterator[None]:
    """Turn whatever a decoder raises into a reason; its own words may quote a header, so they are dropped."""
    try:
        yield
    except DataError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning, MemoryError):
        raise DataError(f"the {kind} picture is too large") from None
    except Exception as error:
        raise DataError(f"a truncated or damaged {kind} file ({type(error).__name__})") from None


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep decoders from printing: odd but readable files are common, and messages may quote a header."""
    logger = logging.getLogger("pydicom")
    before = logger.disabled
    logger.disabled = True
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            yield
    finally:
        logger.disabled = before
