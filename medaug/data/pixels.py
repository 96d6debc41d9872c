"""Pixels of one file, whatever its format, as uint8; and the same picture as a square of a given side.

Nothing here imports torch, so that decoding processes start quickly.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image

from medaug.arrays import Array, UInt8Array
from medaug.data.dicom import has_preamble, is_dicom, read_dicom
from medaug.data.grey import grey_of, to_uint8
from medaug.data.picture import Picture, check_pixel_count
from medaug.data.quiet import quiet
from medaug.data.raster import is_raster, read_raster
from medaug.errors import DataError

Fit = Literal["pad", "crop", "stretch"]

HEAD = 1024
LARGEST_NIFTI = 2**30

_HTML = "an HTML page under the name of an image (an error page of a download?)"
_NOT_IMAGES = {
    b"<!doctype html": _HTML,
    b"<html": _HTML,
    b"<head": _HTML,
    b"<!-- ": _HTML,
    b"<?xml": "an XML document, not an image",
    b"d8:announce": "a torrent, not an image",
    b"d7:comment": "a torrent, not an image",
    b"d13:announce-list": "a torrent, not an image",
    b"version https://git-lfs": "a Git LFS pointer, not an image (fetch the real files)",
    b"pk\x03\x04": "a zip archive, not an image",
    b"%pdf": "a PDF document, not an image",
}


def read_pixels(path: Path, channels: Literal[1, 3]) -> UInt8Array:
    """Read the picture in a file as uint8 (H, W, channels); see `read_picture`."""
    return read_picture(path, channels).pixels


def read_picture(path: Path, channels: Literal[1, 3]) -> Picture:
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
    Picture
        Pixels of uint8, (H, W, channels), and remarks on what was left out or taken for granted.

        Upright as the EXIF orientation says; what is transparent is laid on black. Of several pages the
        first. DICOM goes through its Modality LUT or rescaling and its first VOI LUT or window, those of the
        first frame before those of the file, and MONOCHROME1 is inverted, so that air is dark.

        Without a window, up to 8 bits are shown as they are, all bits set in white. Deeper, signed and real
        values are spread linearly from the least to the largest of the picture, of all colours together: 12
        bits in a 16-bit file would be nearly black otherwise. DICOM's padding counts for neither end and is
        black.

    Raises
    ------
    DataError
        The file cannot be used. The message is the reason alone: no path, nothing from a header that could
        name a person.
    """
    try:
        with path.open("rb") as file:
            head = file.read(HEAD)
    except OSError as error:
        raise DataError(f"the file cannot be read ({error.strerror})") from None
    except ValueError:
        raise DataError("the file cannot be read (no file can have such a name)") from None
    reader, kind = _reader(head)
    with quiet(), _reasons(kind):
        picture = reader(path)
    if picture.pixels.size == 0:
        raise DataError(f"the {kind} picture has no pixels")
    if picture.pixels.shape[2] == channels:
        return picture
    return Picture(_with_channels(picture.pixels, channels), picture.remarks)


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


class Images(dict[int, UInt8Array]):
    """The picture of a file at every size, (size, size, C), with the `remarks` on it."""

    def __init__(self, images: Mapping[int, UInt8Array], remarks: tuple[str, ...] = ()) -> None:
        super().__init__(images)
        self.remarks = remarks


def decode(path: Path, recipe: Recipe) -> Images | str:
    """Return the images of a file, or the reason why there are none."""
    try:
        picture = read_picture(path, recipe.channels)
    except DataError as error:
        return str(error)
    return Images({s: fit_square(picture.pixels, s, recipe.fit) for s in recipe.sizes}, picture.remarks)


def _reader(head: bytes) -> tuple[Callable[[Path], Picture], str]:
    """Return who reads a file that begins like this, and what the format is called."""
    if not head:
        raise DataError("the file is empty")
    if is_raster(head) and not has_preamble(head):  # a preamble may begin like a TIFF
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


def _read_nifti(path: Path) -> Picture:
    """Read a NIfTI of one slice; its first axis runs along the rows of the picture (x), its second down (y).

    A slice across any axis of a volume has an axis of one voxel, which is left out.
    """
    import nibabel

    content = path.read_bytes()
    if content[:2] == b"\x1f\x8b":
        with gzip.open(path) as file:
            content = file.read(LARGEST_NIFTI)
    if not _is_nifti(content[:HEAD]):
        raise DataError("a gzip archive, not an image")
    form = nibabel.Nifti2Image if content[4:7] == b"n+2" else nibabel.Nifti1Image
    volume = form.from_bytes(content)
    sides = [side for side in volume.shape if side > 1]
    if len(sides) > 2:
        raise DataError(f"a NIfTI volume of {len(volume.shape)} axes, not a picture")
    check_pixel_count(prod(volume.shape))
    width = sides[0] if len(sides) == 2 else volume.shape[0]
    voxels = np.asanyarray(volume.dataobj).reshape(width, -1).T
    if voxels.dtype.names == ("R", "G", "B"):
        return Picture(_colours(voxels))
    if voxels.dtype.kind not in "uif":
        raise DataError("NIfTI voxels that are no single numbers")
    return Picture(to_uint8(voxels)[..., np.newaxis])


def _colours(voxels: Array) -> UInt8Array:
    """Return (H, W, 3) of voxels (H, W) of three bytes each."""
    return np.stack([voxels[name] for name in ("R", "G", "B")], axis=2)


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
    except MemoryError:
        raise DataError(f"the {kind} picture is too large for the memory") from None
    except Exception:
        raise DataError(f"a truncated or damaged {kind} file") from None
