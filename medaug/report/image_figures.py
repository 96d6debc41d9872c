"""Pictures of images: grids for TensorBoard, and single pictures for the report, synthetic ones marked."""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from PIL import Image, ImageDraw, ImageFont

from medaug.report.style import grid, shortened

SHOWN_SIDE = 160
MARK = "SYNTHETIC"
MARK_COLOUR = "#A34700"

UInt8Array = np.ndarray[Any, np.dtype[np.uint8]]


def image_grid(images: UInt8Array, captions: Sequence[str], columns: int | None = None) -> Figure:
    """Draw images in a grid with a caption above each.

    Parameters
    ----------
    images : array of uint8, shape (N, H, W, C)
        C is 1 (grey) or 3 (RGB).
    captions : sequence of str
        One for each image.
    columns : int, optional
        By default the grid is as square as can be.
    """
    columns = columns or math.ceil(math.sqrt(len(images)))
    figure, panels = grid(len(images), 1.5, 1.7, columns=columns)
    for axes, image, caption in zip(panels, images, captions, strict=True):
        grey = image.shape[-1] == 1
        axes.imshow(image[..., 0] if grey else image, cmap="gray", vmin=0, vmax=255)
        axes.set_title(shortened(caption, 24), fontsize=8)
        axes.set_axis_off()
    return figure


def real_picture(image: UInt8Array) -> str:
    """Return a real image, uint8 (H, W, C), as a data URI of a PNG."""
    return _png_uri(_enlarged(image))


def synthetic_picture(image: UInt8Array) -> str:
    """Return a synthetic image as a PNG that says so wherever it is copied to, in a band below the image."""
    picture = _enlarged(image).convert("RGB")
    width, height = picture.size
    band = max(14, height // 8)
    marked = Image.new("RGB", (width, height + band), MARK_COLOUR)
    marked.paste(picture)
    font = ImageFont.load_default(band * 0.72)
    middle = (width / 2, height + band / 2)
    ImageDraw.Draw(marked).text(middle, MARK, fill="white", font=font, anchor="mm")
    return _png_uri(marked)


def _enlarged(image: UInt8Array) -> Image.Image:
    """Bring the short side between `SHOWN_SIDE` and twice that."""
    picture = Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image)
    side = min(picture.size)
    wanted = min(max(side, SHOWN_SIDE), 2 * SHOWN_SIDE)
    size = (round(picture.width * wanted / side), round(picture.height * wanted / side))
    return picture.resize(size, Image.Resampling.BICUBIC)


def _png_uri(picture: Image.Image) -> str:
    buffer = io.BytesIO()
    picture.save(buffer, format="PNG")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
