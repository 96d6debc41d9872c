"""DICOM files of many kinds, with what a viewer shows of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    DigitalXRayImageStorageForPresentation,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    RLELossless,
    generate_uid,
)

from spoiling.images import Case, Kind, eight_bits, random_values, spread

Generator = np.random.Generator


def header_of(pixels: Any, bits: int | None = None, photometric: str = "MONOCHROME2", **more: Any) -> Dataset:
    """Return a radiograph in memory: pixels (H, W) or (H, W, 3) of any integers, and further attributes."""
    header = Dataset()
    header.file_meta = FileMetaDataset()
    header.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    header.file_meta.MediaStorageSOPClassUID = header.SOPClassUID = DigitalXRayImageStorageForPresentation
    header.file_meta.MediaStorageSOPInstanceUID = header.SOPInstanceUID = generate_uid()
    header.PatientName, header.PatientID, header.PatientSex, header.PatientAge = (
        "Doe^Jane",
        "4711",
        "F",
        "045Y",
    )
    header.Rows, header.Columns = pixels.shape[:2]
    header.SamplesPerPixel, header.PhotometricInterpretation = (3 if pixels.ndim == 3 else 1), photometric
    if pixels.ndim == 3:
        header.PlanarConfiguration = 0
    header.BitsAllocated = 8 * pixels.itemsize
    header.BitsStored = bits or header.BitsAllocated
    header.HighBit = header.BitsStored - 1
    header.PixelRepresentation = int(pixels.dtype.kind == "i")
    content = pixels.tobytes()
    header.add_new("PixelData", "OB" if pixels.itemsize == 1 else "OW", content + b"\0" * (len(content) % 2))
    for name, value in more.items():
        setattr(header, name, value)
    return header


def lut_item(entries: Any, first: int, bits: int, as_bytes: bool) -> Dataset:
    """Return a lookup table as an item of a sequence, its data as bytes (OW) or numbers (US)."""
    item = Dataset()
    item.add_new("LUTDescriptor", "SS" if first < 0 else "US", [len(entries) % 65536, first, bits])
    words = np.asarray(entries, "<u2")
    item.add_new("LUTData", "OW" if as_bytes else "US", words.tobytes() if as_bytes else words.tolist())
    return item


def linear(values: Any, center: float, width: float) -> Any:
    """Return the window of DICOM PS3.3 C.11.2.1.2.1."""
    return eight_bits((np.asarray(values, float) - (center - 0.5)) / (width - 1) + 0.5)


def _saved(folder: Path, header: Dataset) -> Path:
    header.save_as(folder / "x.dcm", enforce_file_format=True)
    return folder / "x.dcm"


def _radiograph(rng: Generator) -> tuple[Any, int]:
    """Return values of a random depth above 8 bits, and the depth."""
    bits = int(rng.integers(9, 17))
    return random_values(rng, 0, 2**bits - 1).astype(np.uint16), bits


def _window(rng: Generator) -> tuple[float, float]:
    return float(rng.integers(100, 2000)), float(rng.integers(2, 3000))


def _windowed(center: float, width: float, **more: Any) -> Dataset:
    item = Dataset()
    item.WindowCenter, item.WindowWidth = center, width
    for name, value in more.items():
        setattr(item, name, value)
    return item


def _group(**macros: Dataset) -> Dataset:
    group = Dataset()
    for name, item in macros.items():
        setattr(group, name, [item])
    return group


def no_window(rng: Generator, folder: Path) -> Case:
    """Write any depth, spread from the least to the largest."""
    values, bits = _radiograph(rng)
    return Case(_saved(folder, header_of(values, bits)), spread(values))


def linear_window(rng: Generator, folder: Path) -> Case:
    """Write a window, the first of one or two."""
    (values, bits), (center, width) = _radiograph(rng), _window(rng)
    several = rng.random() < 0.5
    said = {"WindowCenter": [center, 5], "WindowWidth": [width, 9]} if several else {}
    header = header_of(values, bits, **({"WindowCenter": center, "WindowWidth": width} | said))
    return Case(_saved(folder, header), linear(values, center, width))


def exact_window(rng: Generator, folder: Path) -> Case:
    """Write a window of the function LINEAR_EXACT."""
    (values, bits), (center, width) = _radiograph(rng), _window(rng)
    header = header_of(values, bits, WindowCenter=center, WindowWidth=width, VOILUTFunction="LINEAR_EXACT")
    return Case(_saved(folder, header), eight_bits((values - center) / width + 0.5))


def sigmoid_window(rng: Generator, folder: Path) -> Case:
    """Write a window of the function SIGMOID."""
    (values, bits), (center, width) = _radiograph(rng), _window(rng)
    width += 100
    header = header_of(values, bits, WindowCenter=center, WindowWidth=width, VOILUTFunction="SIGMOID")
    shown = 1 / (1 + np.exp(np.clip(-4 * (values.astype(float) - center) / width, -500, 500)))
    return Case(_saved(folder, header), eight_bits(shown))


def window_of_all_frames(rng: Generator, folder: Path) -> Case:
    """Write a window in the shared functional group, with or without another one at the top."""
    (values, bits), (center, width) = _radiograph(rng), _window(rng)
    header = header_of(values, bits, NumberOfFrames=1)
    header.SharedFunctionalGroupsSequence = [_group(FrameVOILUTSequence=_windowed(center, width))]
    if rng.random() < 0.5:
        header.WindowCenter, header.WindowWidth = 7, 9
    return Case(_saved(folder, header), linear(values, center, width))


def window_of_the_frame(rng: Generator, folder: Path) -> Case:
    """Write window and rescaling in the functional group of the frame, others in the shared one."""
    (values, bits), (center, width) = _radiograph(rng), _window(rng)
    scale = Dataset()
    scale.RescaleSlope, scale.RescaleIntercept, scale.RescaleType = 2, -1024, "HU"
    header = header_of(values, bits, NumberOfFrames=1)
    header.SharedFunctionalGroupsSequence = [_group(FrameVOILUTSequence=_windowed(1, 2))]
    header.PerFrameFunctionalGroupsSequence = [
        _group(FrameVOILUTSequence=_windowed(center, width), PixelValueTransformationSequence=scale)
    ]
    return Case(_saved(folder, header), linear(values * 2.0 - 1024, center, width))


def rescale_and_window(rng: Generator, folder: Path) -> Case:
    """Write signed values, slope and intercept, a window on what comes out."""
    values = random_values(rng, -(2**11), 2**11 - 1).astype(np.int16)
    slope, intercept, (center, width) = (
        float(rng.integers(1, 9)) / 4,
        float(rng.integers(-1024, 9)),
        _window(rng),
    )
    header = header_of(
        values, 12, RescaleSlope=slope, RescaleIntercept=intercept, WindowCenter=center, WindowWidth=width
    )
    return Case(_saved(folder, header), linear(values * slope + intercept, center, width))


def empty_rescale(rng: Generator, folder: Path) -> Case:
    """Write rescaleSlope and RescaleIntercept without value beside a window."""
    (values, bits), (center, width) = _radiograph(rng), _window(rng)
    header = header_of(
        values, bits, RescaleSlope=None, RescaleIntercept=None, WindowCenter=center, WindowWidth=width
    )
    return Case(_saved(folder, header), linear(values, center, width))


def half_a_rescale(rng: Generator, folder: Path) -> Case:
    """Write an intercept without slope, with or without the empty attribute."""
    (values, bits), (center, width) = _radiograph(rng), _window(rng)
    header = header_of(values, bits, RescaleIntercept=-100, WindowCenter=center, WindowWidth=width)
    if rng.random() < 0.5:
        header.RescaleSlope = None
    return Case(
        _saved(folder, header), linear(values - 100.0, center, width), "RescaleSlope or RescaleIntercept"
    )


def no_slope_at_all(rng: Generator, folder: Path) -> Case:
    """Write a slope of 0, which would leave one grey."""
    values, bits = _radiograph(rng)
    header = header_of(values, bits, RescaleSlope=0, RescaleIntercept=5)
    return Case(_saved(folder, header), says="RescaleSlope is 0")


def empty_lut(rng: Generator, folder: Path) -> Case:
    """Write a VOI LUT or Modality LUT item without values beside a window."""
    (values, bits), (center, width) = _radiograph(rng), _window(rng)
    item = Dataset()
    item.LUTDescriptor = None
    item.add_new("LUTData", "OW", None)
    header = header_of(values, bits, WindowCenter=center, WindowWidth=width)
    name = ("VOILUTSequence", "ModalityLUTSequence")[int(rng.integers(2))]
    setattr(header, name, [item])
    return Case(_saved(folder, header), linear(values, center, width), "empty lookup table")


def modality_lut(rng: Generator, folder: Path) -> Case:
    """Write a Modality LUT of 9 to 16 bits, shorter than the range of the values."""
    values, bits = _radiograph(rng)
    depth, count = int(rng.integers(9, 17)), int(rng.integers(300, 2**bits))
    entries = rng.integers(0, 2**depth, count)
    entries[:2] = 0, 2**depth - 1
    item = lut_item(entries, 0, depth, bool(rng.integers(2)))
    item.ModalityLUTType = "US"
    header = header_of(values, bits, ModalityLUTSequence=[item])
    return Case(_saved(folder, header), spread(entries[np.clip(values, 0, count - 1)]))


def voi_lut(rng: Generator, folder: Path) -> Case:
    """Write a VOI LUT of any depth and first value, preferred to a window, shown with all of its range."""
    values, bits = _radiograph(rng)
    depth, count, first = int(rng.integers(8, 17)), int(rng.integers(300, 2**bits)), int(rng.integers(0, 100))
    entries = rng.integers(0, 2**depth, count)
    entries[:2] = 0, 2**depth - 1
    item = lut_item(entries, first, depth, bool(rng.integers(2)))
    header = header_of(values, bits, VOILUTSequence=[item], WindowCenter=5, WindowWidth=9)
    looked_up = entries[np.clip(values.astype(int) - first, 0, count - 1)]
    return Case(_saved(folder, header), eight_bits(looked_up / (2**depth - 1)))


def voi_lut_below_zero(rng: Generator, folder: Path) -> Case:
    """Write a first value below zero, written with sign or as the same bits without."""
    values = random_values(rng, -1024, 1024).astype(np.int16)
    item = lut_item(np.arange(2049) * 31, -1024, 16, True)
    if rng.random() < 0.5:
        item.add_new("LUTDescriptor", "US", [2049, 65536 - 1024, 16])
    header = header_of(values, VOILUTSequence=[item])
    return Case(_saved(folder, header), eight_bits((values + 1024) / 2048))


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
    return Case(_saved(folder, header), shown)


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
    return Case(_saved(folder, header), np.where(outside, 0, 255 - shown if inverted else shown))


def bytes_with_rescale(rng: Generator, folder: Path) -> Case:
    """Write 8 bits with a linear rescaling and no window: unchanged."""
    values = random_values(rng, 60, 180).astype(np.uint8)
    header = header_of(
        values, RescaleSlope=int(rng.integers(1, 4)), RescaleIntercept=int(rng.integers(-9, 9))
    )
    return Case(_saved(folder, header), values, apart=0)


def few_bits(rng: Generator, folder: Path) -> Case:
    """Write 1 to 7 bits in bytes or words: all bits set is white."""
    bits = int(rng.integers(1, 8))
    values = random_values(rng, 0, 2**bits - 1).astype((np.uint8, np.uint16)[int(rng.integers(2))])
    return Case(_saved(folder, header_of(values, bits)), eight_bits(values / (2**bits - 1)))


def packed_bits(rng: Generator, folder: Path) -> Case:
    """Write 1 bit a pixel, eight to the byte."""
    values = random_values(rng, 0, 1).astype(np.uint8)
    header = header_of(values, BitsAllocated=1, BitsStored=1, HighBit=0)
    packed = np.packbits(values.ravel(), bitorder="little").tobytes()
    header.PixelData = packed + b"\0" * (len(packed) % 2)
    return Case(_saved(folder, header), values * 255)


def aligned_to_the_left(rng: Generator, folder: Path) -> Case:
    """Write the highest bit of the value is the highest of the word; below it lie bits of something else."""
    bits = int(rng.integers(9, 16))
    values = random_values(rng, 0, 2**bits - 1)
    other = rng.integers(0, 2 ** (16 - bits), values.shape)
    center, width = 2 ** (bits - 1), 2 ** (bits - 1)
    header = header_of(((values << (16 - bits)) | other).astype(np.uint16), bits, HighBit=15)
    header.WindowCenter, header.WindowWidth = center, width
    return Case(_saved(folder, header), linear(values, center, width))


def other_bits_above(rng: Generator, folder: Path) -> Case:
    """Write bits above the value (an old overlay) do not count; negative values keep their sign."""
    signed = bool(rng.integers(2))
    low, high = (-(2**11), 2**11 - 1) if signed else (0, 2**12 - 1)
    values = random_values(rng, low, high)
    other = rng.integers(0, 16, values.shape) << 12
    header = header_of(
        ((values & 0xFFF) | other).astype(np.uint16).view(np.int16 if signed else np.uint16), 12
    )
    return Case(_saved(folder, header), spread(values))


def long_words(rng: Generator, folder: Path) -> Case:
    """Write 32 bits, with or without sign."""
    signed = bool(rng.integers(2))
    values = random_values(rng, -(10**6) if signed else 0, 10**6).astype(np.int32 if signed else np.uint32)
    return Case(_saved(folder, header_of(values)), spread(values))


def real_numbers(rng: Generator, folder: Path) -> Case:
    """Write float or double pixels, with or without a window."""
    values = random_values(rng, -1000, 1000) / 7.0
    name, kind = (("FloatPixelData", "f4"), ("DoubleFloatPixelData", "f8"))[int(rng.integers(2))]
    header = _of_floats(values.astype(kind), name)
    if rng.random() < 0.5:
        return Case(_saved(folder, header), spread(values))
    header.WindowCenter, header.WindowWidth, header.VOILUTFunction = 10, 0.5, "LINEAR_EXACT"
    return Case(_saved(folder, header), eight_bits((values - 10) / 0.5 + 0.5))


def not_finite(rng: Generator, folder: Path) -> Case:
    """Write float pixels with NaN or infinity."""
    values = random_values(rng, 0, 100).astype(np.float32)
    values.flat[3] = (np.nan, np.inf)[int(rng.integers(2))]
    return Case(_saved(folder, _of_floats(values, "FloatPixelData")), says="not finite")


def _of_floats(values: Any, name: str) -> Dataset:
    header = header_of(values.astype(np.uint8))
    for unwanted in ("PixelData", "BitsStored", "HighBit", "PixelRepresentation"):
        delattr(header, unwanted)
    header.BitsAllocated = 8 * values.itemsize
    setattr(header, name, values.tobytes())
    return header


def light_is_low(rng: Generator, folder: Path) -> Case:
    """Write MONOCHROME1, with or without a window."""
    (values, bits), (center, width) = _radiograph(rng), _window(rng)
    header = header_of(values, bits, "MONOCHROME1")
    if rng.random() < 0.5:
        return Case(_saved(folder, header), 255 - spread(values))
    header.WindowCenter, header.WindowWidth = center, width
    return Case(_saved(folder, header), 255 - linear(values, center, width))


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
    return Case(_saved(folder, header), np.moveaxis(entries >> (8 if form == 1 else 0), 0, -1), apart=0)


def colours(rng: Generator, folder: Path) -> Case:
    """Write RGB of 8 bits, pixel by pixel or plane by plane."""
    values = np.stack([random_values(rng, 0, 255)] * 3, axis=-1)
    values = rng.permuted(values, axis=2).astype(np.uint8)
    header = header_of(values, photometric="RGB")
    if rng.random() < 0.5:
        header.PlanarConfiguration = 1
        planes = np.ascontiguousarray(np.moveaxis(values, -1, 0)).tobytes()
        header.PixelData = planes + b"\0" * (len(planes) % 2)
    return Case(_saved(folder, header), values, apart=0)


def deep_colours(rng: Generator, folder: Path) -> Case:
    """Write RGB of 12 bits in 16 that the header claims to use."""
    values = random_values(rng, 0, 4095)
    values = np.dstack([values, values[::-1], values[:, ::-1]]).astype(np.uint16)
    return Case(_saved(folder, header_of(values, photometric="RGB")), spread(values))


def luminance_and_colour(rng: Generator, folder: Path) -> Case:
    """Write YBR_FULL: grey has both differences in the middle."""
    grey = random_values(rng, 0, 255)
    values = np.dstack([grey, np.full_like(grey, 128), np.full_like(grey, 128)]).astype(np.uint8)
    return Case(_saved(folder, header_of(values, photometric="YBR_FULL")), grey.astype(np.uint8))


def compressed(rng: Generator, folder: Path) -> Case:
    """Write run lengths or JPEG 2000, lossless, any depth."""
    (values, bits), (center, width) = _radiograph(rng), _window(rng)
    values = np.tile(values, (8, 8))  # the encoder wants at least 32 pixels
    header = header_of(values, bits, WindowCenter=center, WindowWidth=width)
    header.compress((RLELossless, JPEG2000Lossless)[int(rng.integers(2))])
    return Case(_saved(folder, header), linear(values, center, width))


def big_endian(rng: Generator, folder: Path) -> Case:
    """Write the most significant byte first, a Modality LUT of words too."""
    values, bits = _radiograph(rng)
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
    (values, bits), (center, width) = _radiograph(rng), _window(rng)
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
    return Case(_saved(folder, header), np.where(outside, 0, spread(values, ~outside)))


def text_in_the_picture(rng: Generator, folder: Path) -> Case:
    """Write burnedInAnnotation or RecognizableVisualFeatures is YES: shown, and said."""
    name = ("BurnedInAnnotation", "RecognizableVisualFeatures")[int(rng.integers(2))]
    values, bits = _radiograph(rng)
    return Case(_saved(folder, header_of(values, bits, **{name: "YES"})), spread(values), f"{name} is YES")


def window_of_no_width(rng: Generator, folder: Path) -> Case:
    """Write a window that is none: shown without, and said."""
    values, bits = _radiograph(rng)
    header = header_of(values, bits, WindowCenter=50, WindowWidth=(0, None, -3)[int(rng.integers(3))])
    return Case(_saved(folder, header), spread(values), "without a width above 0")


def attribute_missing(rng: Generator, folder: Path) -> Case:
    """Write an attribute that pixels need is absent or empty: named."""
    header = header_of(_radiograph(rng)[0])
    needed = (
        *("SamplesPerPixel", "PhotometricInterpretation", "Rows", "Columns"),
        *("BitsAllocated", "BitsStored", "PixelRepresentation"),
    )
    name = needed[int(rng.integers(len(needed)))]
    if rng.random() < 0.5:
        delattr(header, name)
    else:
        setattr(header, name, None)
    return Case(_saved(folder, header), says=f"attribute {name} is missing")


def attribute_wrong(rng: Generator, folder: Path) -> Case:
    """Write an attribute that cannot be, or contradicts another: named."""
    choices: list[tuple[str, Any]] = [
        ("SamplesPerPixel", 2),
        ("SamplesPerPixel", 3),
        ("PhotometricInterpretation", "HSV"),
        ("BitsStored", 40),
        ("BitsAllocated", 12),
        ("PixelRepresentation", 7),
        ("Rows", 0),
    ]
    name, value = choices[int(rng.integers(len(choices)))]
    return Case(_saved(folder, header_of(_radiograph(rng)[0], **{name: value})), says=name)


def number_unreadable(rng: Generator, folder: Path) -> Case:
    """Write a number with a comma, or in words: the attribute is named, not the number."""
    name = ("WindowCenter", "RescaleSlope")[int(rng.integers(2))]
    values, bits = _radiograph(rng)
    more = {"WindowCenter": 1234, "WindowWidth": 100, "RescaleSlope": 1234, "RescaleIntercept": 0}
    path = _saved(folder, header_of(values, bits, **more))
    content = path.read_bytes()
    place = content.index(b"1234", content.index(b"\x50\x10DS" if name == "WindowCenter" else b"\x53\x10DS"))
    path.write_bytes(content[:place] + (b"1,23", b"wide")[int(rng.integers(2))] + content[place + 4 :])
    return Case(path, says=name)


def several_frames(rng: Generator, folder: Path) -> Case:
    """Write more frames than one."""
    values, frames = _radiograph(rng)[0], int(rng.integers(2, 9))
    header = header_of(np.tile(values, (frames, 1)), NumberOfFrames=frames, Rows=len(values))
    return Case(_saved(folder, header), says=f"{frames} frames")


def more_than_the_frame(rng: Generator, folder: Path) -> Case:
    """Write pixels of two frames where the header says one: the first, and said."""
    values, bits = _radiograph(rng)
    header = header_of(np.concatenate([values, values[::-1]]), bits, Rows=len(values))
    return Case(_saved(folder, header), spread(values), "the first was taken")


def cut_off(rng: Generator, folder: Path) -> Case:
    """Write the file ends within its header or its pixels, compressed or not."""
    header = header_of(_radiograph(rng)[0])
    if rng.random() < 0.5:
        header.compress(RLELossless)
    path = _saved(folder, header)
    content = path.read_bytes()
    path.write_bytes(content[: int(rng.integers(400, len(content) - 9))])
    return Case(path, says="truncated or damaged|missing|without pixels")


def no_pixels(rng: Generator, folder: Path) -> Case:
    """Write a report or a plan: DICOM, but no picture."""
    header = header_of(_radiograph(rng)[0])
    del header.PixelData
    return Case(_saved(folder, header), says="a DICOM file without pixels")


def web_page(rng: Generator, folder: Path) -> Case:
    """Write the page that says that the download failed."""
    page = (b"<!DOCTYPE html><html>Doe</html>", b"\r\n<HTML><body>4711", b"\xef\xbb\xbf<html>")
    (folder / "x.dcm").write_bytes(page[int(rng.integers(len(page)))])
    return Case(folder / "x.dcm", says="an HTML page")


def unknown_syntax(rng: Generator, folder: Path) -> Case:
    """Write a transfer syntax that nobody knows, or that is no picture of one frame."""
    header = header_of(_radiograph(rng)[0])
    header.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    path = _saved(folder, header)
    plain = str(ExplicitVRLittleEndian).encode()
    path.write_bytes(path.read_bytes().replace(plain + b"\0", b"1.2.840.99999.999.77"[: len(plain) + 1]))
    return Case(path, says="transfer syntax")


def too_many_pixels(rng: Generator, folder: Path) -> Case:
    """Write rows and Columns that would fill the memory."""
    header = header_of(_radiograph(rng)[0], Rows=65535, Columns=int(rng.integers(30000, 65535)))
    return Case(_saved(folder, header), says="too large")


KINDS: tuple[Kind, ...] = (
    *(no_window, linear_window, exact_window, sigmoid_window, window_of_all_frames, window_of_the_frame),
    *(rescale_and_window, empty_rescale, half_a_rescale, no_slope_at_all, empty_lut, modality_lut, voi_lut),
    *(voi_lut_below_zero, padding, padding_of_unsigned, bytes_with_rescale, few_bits, packed_bits),
    *(aligned_to_the_left, other_bits_above, long_words, real_numbers, not_finite, light_is_low, palette),
    *(colours, deep_colours, luminance_and_colour, compressed, big_endian, no_preamble, preamble_of_a_tiff),
    *(implicit_types, text_in_the_picture, window_of_no_width, attribute_missing, attribute_wrong),
    *(number_unreadable, several_frames, more_than_the_frame, cut_off, no_pixels, web_page, unknown_syntax),
    *(too_many_pixels,),
)
