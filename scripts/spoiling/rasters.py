"""Pictures in the usual formats of many kinds, with what a viewer shows of them."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import tifffile
from PIL import Image

from spoiling.images import Case, Kind, eight_bits, random_values, spread

Generator = np.random.Generator
_TURNS = {
    2: np.fliplr,
    3: lambda image: np.rot90(image, 2),
    4: np.flipud,
    5: lambda image: image.swapaxes(0, 1),
    6: lambda image: np.rot90(image, -1),
    7: lambda image: np.rot90(image.swapaxes(0, 1), 2),
    8: np.rot90,
}


def _deep(rng: Generator) -> Any:
    """Return grey values of 9 to 16 bits."""
    return random_values(rng, 0, 2 ** int(rng.integers(9, 17)) - 1).astype(np.uint16)


def _bytes(rng: Generator) -> Any:
    return random_values(rng, 0, 255).astype(np.uint8)


def _colours(grey: Any) -> Any:
    return np.dstack([grey, grey[::-1], grey[:, ::-1]])


def _tiff(folder: Path, values: Any, **options: Any) -> Path:
    tifffile.imwrite(folder / "x.tif", values, metadata=None, **options)
    return folder / "x.tif"


def _png(folder: Path, values: Any, colour_type: int, bits: int = 16, transparent: bytes = b"") -> Path:
    """Write a PNG chunk by chunk from values, (H, W) or (H, W, channels), of few bits or 16."""
    height, width = values.shape[:2]
    if bits == 16:
        rows = [row.astype(">u2").tobytes() for row in values]
    else:
        rows = [_packed(row, bits) for row in values]
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour_type, 0, 0, 0))]
    chunks += [(b"tRNS", transparent)] if transparent else []
    chunks += [(b"IDAT", zlib.compress(b"".join(b"\0" + row for row in rows))), (b"IEND", b"")]
    packed = (struct.pack(">I", len(c)) + n + c + struct.pack(">I", zlib.crc32(n + c)) for n, c in chunks)
    (folder / "x.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(packed))
    return folder / "x.png"


def _packed(row: Any, bits: int) -> bytes:
    digits = (row[:, np.newaxis] >> np.arange(bits - 1, -1, -1)) & 1
    return np.packbits(digits.astype(np.uint8).ravel()).tobytes()


def _saved(folder: Path, picture: Image.Image, form: str, **options: Any) -> Path:
    picture.save(folder / "x", format=form, **options)
    return folder / "x"


def deep_grey_png(rng: Generator, folder: Path) -> Case:
    """Write up to 16 bits of grey."""
    values = _deep(rng)
    return Case(_png(folder, values, 0), spread(values))


def deep_colour_png(rng: Generator, folder: Path) -> Case:
    """Write up to 16 bits of RGB: all colours on one scale."""
    values = _colours(_deep(rng))
    return Case(_png(folder, values, 2), spread(values))


def deep_grey_in_colours(rng: Generator, folder: Path) -> Case:
    """Write grey of 12 bits, written three times, as PNG or TIFF."""
    values = _deep(rng)
    thrice = np.dstack([values] * 3)
    path = _png(folder, thrice, 2) if rng.random() < 0.5 else _tiff(folder, thrice, photometric="rgb")
    return Case(path, spread(values))


def deep_png_with_opacity(rng: Generator, folder: Path) -> Case:
    """Write 16 bits with opacity: laid on black, and what is transparent does not count for the range."""
    grey = _deep(rng)
    values = _colours(grey) if rng.random() < 0.5 else grey[..., np.newaxis]
    opacity = np.where(rng.random(grey.shape) < 0.3, 0, 65535)
    opacity.flat[:2] = 65535
    samples = np.concatenate([values, opacity[..., np.newaxis]], axis=-1)
    seen = opacity[..., np.newaxis] > 0
    shown = np.where(seen, spread(values, np.broadcast_to(seen, values.shape)), 0)
    return Case(
        _png(folder, samples, 4 if values.shape[2] == 1 else 6), np.broadcast_to(shown, (*grey.shape, 3))
    )


def deep_png_with_a_key(rng: Generator, folder: Path) -> Case:
    """Write 16 bits of grey of which one value means transparent."""
    values = random_values(rng, 0, 5).astype(np.uint16) * 700
    seen = values != 1400
    return Case(
        _png(folder, values, 0, transparent=struct.pack(">H", 1400)), np.where(seen, spread(values, seen), 0)
    )


def few_bits_png(rng: Generator, folder: Path) -> Case:
    """Write 1, 2 or 4 bits of grey: all bits set is white."""
    bits = int(rng.choice([1, 2, 4]))
    values = random_values(rng, 0, 2**bits - 1)
    return Case(_png(folder, values, 0, bits), eight_bits(values / (2**bits - 1)))


def integers_tiff(rng: Generator, folder: Path) -> Case:
    """Write integers of 8 to 32 bits, with or without sign, in any order of bytes, in strips or tiles."""
    kind = np.dtype(str(rng.choice(["i1", "i2", "u2", "i4", "u4"])))
    high = min(np.iinfo(kind).max, 10**6)
    values = random_values(rng, -high if kind.kind == "i" else 0, high).astype(kind)
    options: dict[str, Any] = {"byteorder": str(rng.choice(["<", ">"]))}
    if rng.random() < 0.5:
        options["tile"] = (16, 16)
    if rng.random() < 0.5:
        options["compression"] = "zlib"
    return Case(
        _tiff(folder, values.astype(kind.newbyteorder(options["byteorder"])), **options), spread(values)
    )


def real_tiff(rng: Generator, folder: Path) -> Case:
    """Write real numbers of 16, 32 or 64 bits."""
    values = (random_values(rng, -1000, 1000) / 8).astype(str(rng.choice(["f2", "f4", "f8"])))
    return Case(_tiff(folder, values), spread(values))


def not_finite_tiff(rng: Generator, folder: Path) -> Case:
    """Write real numbers with NaN or infinity."""
    values = random_values(rng, 0, 9).astype(np.float32)
    values.flat[3] = (np.nan, np.inf, -np.inf)[int(rng.integers(3))]
    return Case(_tiff(folder, values), says="not finite")


def white_is_zero(rng: Generator, folder: Path) -> Case:
    """Write photometric interpretation WhiteIsZero, of 8 or 16 bits."""
    values = _bytes(rng) if rng.random() < 0.5 else _deep(rng)
    shown = values if values.dtype == np.uint8 else spread(values)
    return Case(_tiff(folder, values, photometric="miniswhite"), 255 - shown)


def planes_tiff(rng: Generator, folder: Path) -> Case:
    """Write RGB plane by plane, of 8 or 16 bits."""
    values = _colours(_bytes(rng) if rng.random() < 0.5 else _deep(rng))
    path = _tiff(folder, np.moveaxis(values, -1, 0), photometric="rgb", planarconfig="separate")
    return Case(path, values if values.dtype == np.uint8 else spread(values))


def opacity_tiff(rng: Generator, folder: Path) -> Case:
    """Write opacity of 0 or 1 in RGB of 8 or 16 bits, multiplied into the colours or not."""
    values = _colours(_bytes(rng) if rng.random() < 0.5 else _deep(rng))
    largest = np.iinfo(values.dtype).max
    opacity = np.where(rng.random(values.shape[:2]) < 0.3, 0, largest)[..., np.newaxis]
    opacity[:2, :2] = opacity[-2:, -2:] = opacity[:2, -2:] = opacity[-2:, :2] = largest
    multiplied = rng.random() < 0.5
    samples = np.concatenate([np.where(opacity > 0, values, 0) if multiplied else values, opacity], axis=-1)
    kind = "assocalpha" if multiplied else "unassalpha"
    seen = np.broadcast_to(opacity > 0, values.shape)
    shown = values if values.dtype == np.uint8 else spread(values, seen)
    path = _tiff(folder, samples.astype(values.dtype), photometric="rgb", extrasamples=[kind])
    return Case(path, np.where(seen, shown, 0))


def half_opaque(rng: Generator, folder: Path) -> Case:
    """Write a PNG of bytes with any opacity: laid on black."""
    values, opacity = _colours(_bytes(rng)), _bytes(rng)
    opacity = np.resize(opacity, values.shape[:2])
    path = _saved(folder, Image.fromarray(np.dstack([values, opacity])), "PNG")
    return Case(path, eight_bits(values / 255 * (opacity[..., np.newaxis] / 255)))


def palette(rng: Generator, folder: Path) -> Case:
    """Write a palette of colours, some of them transparent or none."""
    index = random_values(rng, 0, 255).astype(np.uint8)
    table = rng.integers(0, 256, (256, 3)).astype(np.uint8)
    picture = Image.fromarray(index)
    picture.putpalette(table.tobytes())
    if rng.random() < 0.5:
        return Case(_saved(folder, picture, str(rng.choice(["PNG", "TIFF", "BMP"]))), table[index])
    opacity = rng.choice([0, 255], 256).astype(np.uint8)
    seen = opacity[index][..., np.newaxis] > 0
    return Case(
        _saved(folder, picture, "PNG", transparency=opacity.tobytes()), np.where(seen, table[index], 0)
    )


def printing_colours(rng: Generator, folder: Path) -> Case:
    """Write cyan, magenta, yellow and black, in a TIFF: what the inks leave of white."""
    colours = _colours(_bytes(rng))
    black = np.resize(_bytes(rng), colours.shape[:2])
    inks = np.dstack([colours, black])
    left = (1 - colours / 255) * (1 - black[..., np.newaxis] / 255)
    return Case(_tiff(folder, inks, photometric="separated"), eight_bits(left), apart=2)


def perceived_colours(rng: Generator, folder: Path) -> Case:
    """Write CIE L*a*b* of greys, in a TIFF: as sRGB shows that lightness."""
    lightness = random_values(rng, 0, 255).astype(np.uint8)
    samples = np.dstack([lightness, np.zeros_like(lightness), np.zeros_like(lightness)])
    scaled = lightness / 255 * 100
    linear = np.where(scaled > 8, ((scaled + 16) / 116) ** 3, scaled / 903.3)
    shown = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return Case(_tiff(folder, samples, photometric="cielab"), eight_bits(shown), apart=4)


def deep_printing_colours(rng: Generator, folder: Path) -> Case:
    """Write inks of 16 bits: refused, since no library in use shows them."""
    inks = np.dstack([_deep(rng)] * 4)
    return Case(_tiff(folder, inks, photometric="separated"), says="16 bits a sample in SEPARATED colours")


def many_channels(rng: Generator, folder: Path) -> Case:
    """Write five channels of a microscope."""
    values = np.dstack([_bytes(rng) if rng.random() < 0.5 else _deep(rng)] * 5)
    path = _tiff(folder, values, photometric="minisblack", planarconfig="contig")
    return Case(path, says="5 channels")


def turned(rng: Generator, folder: Path) -> Case:
    """Write not upright, as EXIF or TIFF says, of 8 or 16 bits."""
    orientation = int(rng.integers(2, 9))
    values = _bytes(rng) if rng.random() < 0.5 else _deep(rng)
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = _saved(folder, Image.fromarray(values), str(rng.choice(["PNG", "TIFF"])), exif=exif)
    shown = values if values.dtype == np.uint8 else spread(values)
    return Case(path, _TURNS[orientation](shown))


def jpeg(rng: Generator, folder: Path) -> Case:
    """Write a smooth JPEG, upright or turned, in grey or colour, of 8 or 12 bits."""
    down, across = (np.arange(int(side)) for side in rng.integers(20, 60, 2))
    share = np.add.outer(down, across) / (len(down) + len(across) - 2)
    if rng.random() < 0.3:
        deep = np.rint(share * 4095).astype(np.uint16)
        (folder / "x.jpg").write_bytes(imagecodecs.jpeg8_encode(deep, level=98, bitspersample=12))
        return Case(folder / "x.jpg", spread(deep), apart=4)
    picture = Image.fromarray(eight_bits(share))
    mode = str(rng.choice(["L", "RGB"]))
    return Case(_saved(folder, picture.convert(mode), "JPEG", quality=97), eight_bits(share), apart=6)


def plain(rng: Generator, folder: Path) -> Case:
    """Write bytes of grey or colour in a lossless format, under the name of another one."""
    values = _colours(_bytes(rng))
    form = str(rng.choice(["PNG", "TIFF", "BMP", "WEBP"]))
    path = _saved(folder, Image.fromarray(values), form, **({"lossless": True} if form == "WEBP" else {}))
    return Case(path.rename(folder / "x.dcm"), values, apart=0)


def several_pages(rng: Generator, folder: Path) -> Case:
    """Write the first of several pages of 8 or 16 bits, and said."""
    values = _bytes(rng) if rng.random() < 0.5 else _deep(rng)
    with tifffile.TiffWriter(folder / "x.tif") as file:
        for page in (values, values[::-1], values[:, ::-1]):
            file.write(page, photometric="minisblack", metadata=None, contiguous=False)
    shown = values if values.dtype == np.uint8 else spread(values)
    return Case(folder / "x.tif", shown, "the first was taken")


def black_and_white(rng: Generator, folder: Path) -> Case:
    """Write 1 bit in PNG or TIFF, which may compress it as fax does."""
    values = random_values(rng, 0, 1).astype(bool)
    form, options = (("PNG", {}), ("TIFF", {}), ("TIFF", {"compression": "group4"}))[int(rng.integers(3))]
    return Case(_saved(folder, Image.fromarray(values), form, **options), values * 255)


def cut_off(rng: Generator, folder: Path) -> Case:
    """Write a file that ends too early, of any format and depth."""
    values = rng.integers(0, 256, (60, 60)).astype(np.uint8)
    form = str(rng.choice(["PNG", "JPEG", "TIFF", "BMP", "deep PNG", "deep TIFF", "12-bit JPEG"]))
    buffer = io.BytesIO()
    if form == "deep PNG":
        content = imagecodecs.png_encode(values.astype(np.uint16) * 99)
    elif form == "deep TIFF":
        tifffile.imwrite(buffer, values.astype(np.int32), metadata=None)
        content = buffer.getvalue()
    elif form == "12-bit JPEG":
        content = imagecodecs.jpeg8_encode(values.astype(np.uint16) * 16, bitspersample=12)
    else:
        Image.fromarray(values).save(buffer, format=form)
        content = buffer.getvalue()
    (folder / "x").write_bytes(content[: int(rng.integers(20, len(content) - 14))])
    return Case(folder / "x", says="truncated or damaged image file")


def damaged_png(rng: Generator, folder: Path) -> Case:
    """Write one bit of the compressed pixels is another one."""
    values = rng.integers(0, 256, (60, 60)).astype(np.uint8)
    path = _saved(folder, Image.fromarray(values), "PNG")
    content = bytearray(path.read_bytes())
    content[int(rng.integers(60, len(content) - 30))] ^= 1 << int(rng.integers(8))
    path.write_bytes(bytes(content))
    return Case(path, says="truncated or damaged image file")


def bomb(rng: Generator, folder: Path) -> Case:
    """Write a few bytes that claim to be more pixels than the memory holds, of 8 or 16 bits."""
    side = int(rng.integers(20_000, 60_000))
    header = struct.pack(">IIBBBBB", side, side, int(rng.choice([8, 16])), 0, 0, 0, 0)
    chunk = struct.pack(">I", 13) + b"IHDR" + header + struct.pack(">I", zlib.crc32(b"IHDR" + header))
    rest = b"IDAT" + zlib.compress(bytes(1000))
    content = chunk + struct.pack(">I", len(rest) - 4) + rest + struct.pack(">I", zlib.crc32(rest))
    (folder / "x.png").write_bytes(b"\x89PNG\r\n\x1a\n" + content)
    return Case(folder / "x.png", says="too large")


def nothing(rng: Generator, folder: Path) -> Case:
    """Write no byte at all."""
    (folder / "x.png").write_bytes(b"")
    return Case(folder / "x.png", says="empty")


def no_image(rng: Generator, folder: Path) -> Case:
    """Write something else under the name of an image."""
    choices = {
        b"<!DOCTYPE html><p>Doe": "an HTML page",
        b"\n<html>4711": "an HTML page",
        b"<?xml version='1.0'?><Doe/>": "an XML document",
        b"%PDF-1.7 Doe": "a PDF document",
        b"PK\x03\x04Doe": "a zip archive",
        b"version https://git-lfs.github.com/spec/v1": "Git LFS pointer",
        b"Doe, Jane; 4711": "not an image of a known format",
    }
    content = list(choices)[int(rng.integers(len(choices)))]
    (folder / "x.jpg").write_bytes(content)
    return Case(folder / "x.jpg", says=choices[content])


KINDS: tuple[Kind, ...] = (
    *(deep_grey_png, deep_colour_png, deep_grey_in_colours, deep_png_with_opacity, deep_png_with_a_key),
    *(few_bits_png, integers_tiff, real_tiff, not_finite_tiff, white_is_zero, planes_tiff, opacity_tiff),
    *(half_opaque, palette, printing_colours, perceived_colours, deep_printing_colours, many_channels),
    *(turned, jpeg, plain, several_pages, black_and_white, cut_off, damaged_png, bomb, nothing, no_image),
)
