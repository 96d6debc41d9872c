"""A synthetic image as a PNG or NIfTI file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from medaug.arrays import UInt8Array
from medaug.data.stamp import KEYWORD, NIFTI_COMMENT, Stamp

_RGB = np.dtype([("R", np.uint8), ("G", np.uint8), ("B", np.uint8)])


def write_png(path: Path, image: UInt8Array, stamp: Stamp) -> None:
    """Write uint8 (H, W, 1 or 3); the stamp stands in a text chunk before the pixels."""
    text = PngInfo()
    text.add_text("Description", stamp.sentence)
    text.add_text(KEYWORD, stamp.text)
    Image.fromarray(image[..., 0] if image.shape[2] == 1 else image).save(path, "PNG", pnginfo=text)


def write_nifti(path: Path, image: UInt8Array, stamp: Stamp) -> None:
    """Write uint8 (H, W, 1 or 3) as one slice, x along the rows; the stamp is an extension of the header.

    Colours are of NIfTI's type RGB24.
    """
    import nibabel

    turned = np.ascontiguousarray(image.transpose(1, 0, 2))
    voxels = turned[..., 0] if image.shape[2] == 1 else turned.view(_RGB)[..., 0]
    volume = nibabel.Nifti1Image(voxels[..., np.newaxis], affine=None)  # type: ignore[no-untyped-call]
    volume.header["descrip"] = b"Synthetic image, no picture of a patient"
    volume.header.extensions.append(nibabel.nifti1.Nifti1Extension(NIFTI_COMMENT, stamp.text.encode()))
    volume.to_filename(path)
