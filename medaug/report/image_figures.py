"""Single pictures for the report, as data URIs; synthetic images are marked as such."""

from __future__ import annotations

import base64
import io

from PIL import Image, ImageDraw, ImageFont

from medaug.arrays import UInt8Array

SHOWN_SIDE = 160
MARK = "SYNTHETIC"
MARK_COLOUR = "#A34700"


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
