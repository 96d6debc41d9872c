"""DICOM files whose pixels are stored in many ways: depths, padding, colours, encodings."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pydicom
from pydicom.dataset import Dataset
from pydicom.uid import (
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    RLELossless,
)

from spoiling.dicom_files import header_of, linear, lut_item, of_floats, radiograph, saved, window
from spoiling.dicom_grey import linear_window
from spoiling.images import Case, Kind, eight_bits, random_values, spread

Generator = np.random.Generator


def padding(rng: Generator, folder: Path) -> Case:
    """Write a padding value, or a range, in the type of the pixels or another one."""
    values = random_values(rng, -1000, 1000).astype(np.int16)
    outside = rng.random(values.shape) < 0.3
    outside.flat[:3] = False, False, True
    values[outside] = rng.integers(-2005, -2000, int(outside.sum()), endpoint=True)
    signed = rng.random() < 0.5
    header = header_of(values)
    for tag, number in ((0x00280120, -2000), (0x00280121, -2005)):
        header.add_new(tag, "SS" if signed else "US", number if signed else number + 65536)
    shown = np.where(outside, 0, spread(values, ~outside))
    return Case(saved(folder, header), shown)


def padding_of_unsigned(rng: Generator, folder: Path) -> Case:
    """Write padding of unsigned pixels, their largest value, in a signed type; light is low or high."""
    values = random_values(rng, 100, 3000).astype(np.uint16)
    outside = rng.random(values.shape) < 0.3
    outside.flat[:3] = False, False, True
    values[outside] = 65535
    inverted = rng.random() < 0.5
    header = header_of(values, photometric="MONOCHROME1" if inverted else "MONOCHROME2")
    header.add_new(0x00280120, "SS", -1)
    shown = spread(values, ~outside)
    return Case(saved(folder, header), np.where(outside, 0, 255 - shown if inverted else shown))


def few_bits(rng: Generator, folder: Path) -> Case:
    """Write 1 to 7 bits in bytes or words: all bits set is white."""
    bits = int(rng.integers(1, 8))
    values = random_values(rng, 0, 2**bits - 1).astype((np.uint8, np.uint16)[int(rng.integers(2))])
    return Case(saved(folder, header_of(values, bits)), eight_bits(values / (2**bits - 1)))


def packed_bits(rng: Generator, folder: Path) -> Case:
    """Write 1 bit a pixel, eight to the byte."""
    values = random_values(rng, 0, 1).astype(np.uint8)
    header = header_of(values, BitsAllocated=1, BitsStored=1, HighBit=0)
    packed = np.packbits(values.ravel(), bitorder="little").tobytes()
    header.PixelData = packed + b"\0" * (len(packed) % 2)
    return Case(saved(folder, header), values * 255)


def aligned_to_the_left(rng: Generator, folder: Path) -> Case:
    """Write the highest bit of the value is the highest of the word; below it lie bits of something else."""
    bits = int(rng.integers(9, 16))
    values = random_values(rng, 0, 2**bits - 1)
    other = rng.integers(0, 2 ** (16 - bits), values.shape)
    center, width = 2 ** (bits - 1), 2 ** (bits - 1)
    header = header_of(((values << (16 - bits)) | other).astype(np.uint16), bits, HighBit=15)
    header.WindowCenter, header.WindowWidth = center, width
    return Case(saved(folder, header), linear(values, center, width))


def other_bits_above(rng: Generator, folder: Path) -> Case:
    """Write bits above the value (an old overlay) do not count; negative values keep their sign."""
    signed = bool(rng.integers(2))
    low, high = (-(2**11), 2**11 - 1) if signed else (0, 2**12 - 1)
    values = random_values(rng, low, high)
    other = rng.integers(0, 16, values.shape) << 12
    header = header_of(
        ((values & 0xFFF) | other).astype(np.uint16).view(np.int16 if signed else np.uint16), 12
    )
    return Case(saved(folder, header), spread(values))


def long_words(rng: Generator, folder: Path) -> Case:
    """Write 32 bits, with or without sign."""
    signed = bool(rng.integers(2))
    values = random_values(rng, -(10**6) if signed else 0, 10**6).astype(np.int32 if signed else np.uint32)
    return Case(saved(folder, header_of(values)), spread(values))


def real_numbers(rng: Generator, folder: Path) -> Case:
    """Write float or double pixels, with or without a window."""
    values = random_values(rng, -1000, 1000) / 7.0
    name, kind = (("FloatPixelData", "f4"), ("DoubleFloatPixelData", "f8"))[int(rng.integers(2))]
    header = of_floats(values.astype(kind), name)
    if rng.random() < 0.5:
        return Case(saved(folder, header), spread(values))
    header.WindowCenter, header.WindowWidth, header.VOILUTFunction = 10, 0.5, "LINEAR_EXACT"
    return Case(saved(folder, header), eight_bits((values - 10) / 0.5 + 0.5))


def palette(rng: Generator, folder: Path) -> Case:
    """Write a palette of bytes, words, or words that hold bytes; any number of colours, any first index."""
    count, first, form = int(rng.integers(2, 400)), int(rng.integers(0, 50)), int(rng.integers(3))
    values = random_values(rng, 0, first + count + 20).astype(np.uint16)
    tables = rng.integers(0, 65536 if form == 1 else 256, (3, count))
    tables[:, 0] = 65535 if form == 1 else 255
    header = header_of(values, photometric="PALETTE COLOR")
    for colour, table in zip(("Red", "Green", "Blue"), tables, strict=True):
        content = table.astype(np.uint8 if form == 0 else "<u2").tobytes()
        name = f"{colour}PaletteColorLookupTable"
        setattr(header, f"{name}Descriptor", [count, first, 8 if form == 0 else 16])
        setattr(header, f"{name}Data", content + b"\0" * (len(content) % 2))
    entries = tables[:, np.clip(values.astype(int) - first, 0, count - 1)]
    return Case(saved(folder, header), np.moveaxis(entries >> (8 if form == 1 else 0), 0, -1), apart=0)


def colours(rng: Generator, folder: Path) -> Case:
    """Write RGB of 8 bits, pixel by pixel or plane by plane."""
    values = np.stack([random_values(rng, 0, 255)] * 3, axis=-1)
    values = rng.permuted(values, axis=2).astype(np.uint8)
    header = header_of(values, photometric="RGB")
    if rng.random() < 0.5:
        header.PlanarConfiguration = 1
        planes = np.ascontiguousarray(np.moveaxis(values, -1, 0)).tobytes()
        header.PixelData = planes + b"\0" * (len(planes) % 2)
    return Case(saved(folder, header), values, apart=0)


def deep_colours(rng: Generator, folder: Path) -> Case:
    """Write RGB of 12 bits in 16 that the header claims to use."""
    values = random_values(rng, 0, 4095)
    values = np.dstack([values, values[::-1], values[:, ::-1]]).astype(np.uint16)
    return Case(saved(folder, header_of(values, photometric="RGB")), spread(values))


def luminance_and_colour(rng: Generator, folder: Path) -> Case:
    """Write YBR_FULL: grey has both differences in the middle."""
    grey = random_values(rng, 0, 255)
    values = np.dstack([grey, np.full_like(grey, 128), np.full_like(grey, 128)]).astype(np.uint8)
    return Case(saved(folder, header_of(values, photometric="YBR_FULL")), grey.astype(np.uint8))


def compressed(rng: Generator, folder: Path) -> Case:
    """Write run lengths or JPEG 2000, lossless, any depth."""
    (values, bits), (center, width) = radiograph(rng), window(rng)
    values = np.tile(values, (8, 8))  # the encoder wants at least 32 pixels
    header = header_of(values, bits, WindowCenter=center, WindowWidth=width)
    header.compress((RLELossless, JPEG2000Lossless)[int(rng.integers(2))])
    return Case(saved(folder, header), linear(values, center, width))


def big_endian(rng: Generator, folder: Path) -> Case:
    """Write the most significant byte first, a Modality LUT of words too."""
    values, bits = radiograph(rng)
    entries = rng.integers(0, 4096, 2**bits)
    item = lut_item(entries, 0, 12, True)
    item.LUTData, item.ModalityLUTType = entries.astype(">u2").tobytes(), "US"
    header = header_of(values.astype(">u2"), bits, ModalityLUTSequence=[item])
    header.file_meta.TransferSyntaxUID = ExplicitVRBigEndian
    path = folder / "x.dcm"
    pydicom.dcmwrite(path, header, implicit_vr=False, little_endian=False, enforce_file_format=False)
    return Case(path, spread(entries[values]))


def no_preamble(rng: Generator, folder: Path) -> Case:
    """Write nothing but the data set, as old programs wrote it, each attribute with or without its type."""
    (values, bits), (center, width) = radiograph(rng), window(rng)
    bare = Dataset()
    bare.update(header_of(values, bits, WindowCenter=center, WindowWidth=width))
    implicit = bool(rng.integers(2))
    pydicom.dcmwrite(
        folder / "x.dcm", bare, implicit_vr=implicit, little_endian=True, enforce_file_format=False
    )
    return Case(folder / "x.dcm", linear(values, center, width))


def preamble_of_a_tiff(rng: Generator, folder: Path) -> Case:
    """Write a preamble that begins like a TIFF, as slides and some scanners write it."""
    case = linear_window(rng, folder)
    content = case.path.read_bytes()
    case.path.write_bytes(b"II*\0\x08\0\0\0" + content[8:])
    return case


def implicit_types(rng: Generator, folder: Path) -> Case:
    """Write implicit VR, where the type of the padding follows from the pixels."""
    values = random_values(rng, -1000, 1000).astype(np.int16)
    values.flat[2] = -2000
    header = header_of(values)
    header.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    header.add_new(0x00280120, "SS", -2000)
    outside = values == -2000
    return Case(saved(folder, header), np.where(outside, 0, spread(values, ~outside)))


def more_than_the_frame(rng: Generator, folder: Path) -> Case:
    """Write pixels of two frames where the header says one: the first, and said."""
    values, bits = radiograph(rng)
    header = header_of(np.concatenate([values, values[::-1]]), bits, Rows=len(values))
    return Case(saved(folder, header), spread(values), "the first was taken")


KINDS: tuple[Kind, ...] = (
    padding,
    padding_of_unsigned,
    few_bits,
    packed_bits,
    aligned_to_the_left,
    other_bits_above,
    long_words,
    real_numbers,
    palette,
    colours,
    deep_colours,
    luminance_and_colour,
    compressed,
    big_endian,
    no_preamble,
    preamble_of_a_tiff,
    implicit_types,
    more_than_the_frame,
)
