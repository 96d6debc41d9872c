"""DICOM files with transforms of grey: lookup tables, rescaling and windows wherever they may stand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from pydicom.dataset import Dataset

from spoiling.dicom_files import header_of, linear, lut_item, radiograph, saved, window
from spoiling.images import Case, Kind, eight_bits, random_values, spread

Generator = np.random.Generator


def no_window(rng: Generator, folder: Path) -> Case:
    """Write any depth, spread from the least to the largest."""
    values, bits = radiograph(rng)
    return Case(saved(folder, header_of(values, bits)), spread(values))


def linear_window(rng: Generator, folder: Path) -> Case:
    """Write a window, the first of one or two."""
    (values, bits), (center, width) = radiograph(rng), window(rng)
    several = rng.random() < 0.5
    said = {"WindowCenter": [center, 5], "WindowWidth": [width, 9]} if several else {}
    header = header_of(values, bits, **({"WindowCenter": center, "WindowWidth": width} | said))
    return Case(saved(folder, header), linear(values, center, width))


def exact_window(rng: Generator, folder: Path) -> Case:
    """Write a window of the function LINEAR_EXACT."""
    (values, bits), (center, width) = radiograph(rng), window(rng)
    header = header_of(values, bits, WindowCenter=center, WindowWidth=width, VOILUTFunction="LINEAR_EXACT")
    return Case(saved(folder, header), eight_bits((values - center) / width + 0.5))


def sigmoid_window(rng: Generator, folder: Path) -> Case:
    """Write a window of the function SIGMOID."""
    (values, bits), (center, width) = radiograph(rng), window(rng)
    width += 100
    header = header_of(values, bits, WindowCenter=center, WindowWidth=width, VOILUTFunction="SIGMOID")
    shown = 1 / (1 + np.exp(np.clip(-4 * (values.astype(float) - center) / width, -500, 500)))
    return Case(saved(folder, header), eight_bits(shown))


def window_of_all_frames(rng: Generator, folder: Path) -> Case:
    """Write a window in the shared functional group, with or without another one at the top."""
    (values, bits), (center, width) = radiograph(rng), window(rng)
    header = header_of(values, bits, NumberOfFrames=1)
    header.SharedFunctionalGroupsSequence = [_group(FrameVOILUTSequence=_windowed(center, width))]
    if rng.random() < 0.5:
        header.WindowCenter, header.WindowWidth = 7, 9
    return Case(saved(folder, header), linear(values, center, width))


def window_of_the_frame(rng: Generator, folder: Path) -> Case:
    """Write window and rescaling in the functional group of the frame, others in the shared one."""
    (values, bits), (center, width) = radiograph(rng), window(rng)
    scale = Dataset()
    scale.RescaleSlope, scale.RescaleIntercept, scale.RescaleType = 2, -1024, "HU"
    header = header_of(values, bits, NumberOfFrames=1)
    header.SharedFunctionalGroupsSequence = [_group(FrameVOILUTSequence=_windowed(1, 2))]
    header.PerFrameFunctionalGroupsSequence = [
        _group(FrameVOILUTSequence=_windowed(center, width), PixelValueTransformationSequence=scale)
    ]
    return Case(saved(folder, header), linear(values * 2.0 - 1024, center, width))


def rescale_and_window(rng: Generator, folder: Path) -> Case:
    """Write signed values, slope and intercept, a window on what comes out."""
    values = random_values(rng, -(2**11), 2**11 - 1).astype(np.int16)
    slope, intercept, (center, width) = (
        float(rng.integers(1, 9)) / 4,
        float(rng.integers(-1024, 9)),
        window(rng),
    )
    header = header_of(
        values, 12, RescaleSlope=slope, RescaleIntercept=intercept, WindowCenter=center, WindowWidth=width
    )
    return Case(saved(folder, header), linear(values * slope + intercept, center, width))


def empty_rescale(rng: Generator, folder: Path) -> Case:
    """Write rescaleSlope and RescaleIntercept without value beside a window."""
    (values, bits), (center, width) = radiograph(rng), window(rng)
    header = header_of(
        values, bits, RescaleSlope=None, RescaleIntercept=None, WindowCenter=center, WindowWidth=width
    )
    return Case(saved(folder, header), linear(values, center, width))


def half_a_rescale(rng: Generator, folder: Path) -> Case:
    """Write an intercept without slope, with or without the empty attribute."""
    (values, bits), (center, width) = radiograph(rng), window(rng)
    header = header_of(values, bits, RescaleIntercept=-100, WindowCenter=center, WindowWidth=width)
    if rng.random() < 0.5:
        header.RescaleSlope = None
    return Case(
        saved(folder, header), linear(values - 100.0, center, width), "RescaleSlope or RescaleIntercept"
    )


def empty_lut(rng: Generator, folder: Path) -> Case:
    """Write a VOI LUT or Modality LUT item without values beside a window."""
    (values, bits), (center, width) = radiograph(rng), window(rng)
    item = Dataset()
    item.LUTDescriptor = None
    item.add_new("LUTData", "OW", None)
    header = header_of(values, bits, WindowCenter=center, WindowWidth=width)
    name = ("VOILUTSequence", "ModalityLUTSequence")[int(rng.integers(2))]
    setattr(header, name, [item])
    return Case(saved(folder, header), linear(values, center, width), "empty lookup table")


def modality_lut(rng: Generator, folder: Path) -> Case:
    """Write a Modality LUT of 9 to 16 bits, shorter than the range of the values."""
    values, bits = radiograph(rng)
    depth, count = int(rng.integers(9, 17)), int(rng.integers(300, 2**bits))
    entries = rng.integers(0, 2**depth, count)
    entries[:2] = 0, 2**depth - 1
    item = lut_item(entries, 0, depth, bool(rng.integers(2)))
    item.ModalityLUTType = "US"
    header = header_of(values, bits, ModalityLUTSequence=[item])
    return Case(saved(folder, header), spread(entries[np.clip(values, 0, count - 1)]))


def voi_lut(rng: Generator, folder: Path) -> Case:
    """Write a VOI LUT of any depth and first value, preferred to a window, shown with all of its range."""
    values, bits = radiograph(rng)
    depth, count, first = int(rng.integers(8, 17)), int(rng.integers(300, 2**bits)), int(rng.integers(0, 100))
    entries = rng.integers(0, 2**depth, count)
    entries[:2] = 0, 2**depth - 1
    item = lut_item(entries, first, depth, bool(rng.integers(2)))
    header = header_of(values, bits, VOILUTSequence=[item], WindowCenter=5, WindowWidth=9)
    looked_up = entries[np.clip(values.astype(int) - first, 0, count - 1)]
    return Case(saved(folder, header), eight_bits(looked_up / (2**depth - 1)))


def voi_lut_below_zero(rng: Generator, folder: Path) -> Case:
    """Write a first value below zero, written with sign or as the same bits without."""
    values = random_values(rng, -1024, 1024).astype(np.int16)
    item = lut_item(np.arange(2049) * 31, -1024, 16, True)
    if rng.random() < 0.5:
        item.add_new("LUTDescriptor", "US", [2049, 65536 - 1024, 16])
    header = header_of(values, VOILUTSequence=[item])
    return Case(saved(folder, header), eight_bits((values + 1024) / 2048))


def light_is_low(rng: Generator, folder: Path) -> Case:
    """Write MONOCHROME1, with or without a window."""
    (values, bits), (center, width) = radiograph(rng), window(rng)
    header = header_of(values, bits, "MONOCHROME1")
    if rng.random() < 0.5:
        return Case(saved(folder, header), 255 - spread(values))
    header.WindowCenter, header.WindowWidth = center, width
    return Case(saved(folder, header), 255 - linear(values, center, width))


def window_of_no_width(rng: Generator, folder: Path) -> Case:
    """Write a window that is none: shown without, and said."""
    values, bits = radiograph(rng)
    header = header_of(values, bits, WindowCenter=50, WindowWidth=(0, None, -3)[int(rng.integers(3))])
    return Case(saved(folder, header), spread(values), "without a width above 0")


def bytes_with_rescale(rng: Generator, folder: Path) -> Case:
    """Write 8 bits with a linear rescaling and no window: unchanged."""
    values = random_values(rng, 60, 180).astype(np.uint8)
    header = header_of(
        values, RescaleSlope=int(rng.integers(1, 4)), RescaleIntercept=int(rng.integers(-9, 9))
    )
    return Case(saved(folder, header), values, apart=0)


def text_in_the_picture(rng: Generator, folder: Path) -> Case:
    """Write burnedInAnnotation or RecognizableVisualFeatures is YES: shown, and said."""
    name = ("BurnedInAnnotation", "RecognizableVisualFeatures")[int(rng.integers(2))]
    values, bits = radiograph(rng)
    return Case(saved(folder, header_of(values, bits, **{name: "YES"})), spread(values), f"{name} is YES")


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


KINDS: tuple[Kind, ...] = (
    no_window,
    linear_window,
    exact_window,
    sigmoid_window,
    window_of_all_frames,
    window_of_the_frame,
    rescale_and_window,
    empty_rescale,
    half_a_rescale,
    empty_lut,
    modality_lut,
    voi_lut,
    voi_lut_below_zero,
    light_is_low,
    window_of_no_width,
    bytes_with_rescale,
    text_in_the_picture,
)
