"""Patches of a whole slide against one read_region each, MONAI's PatchWSIDataset and bare decoding.

The peers read a part of the patches, in the order of the grid, and their time is scaled to all of them.
"""

from __future__ import annotations

import json
import subprocess
import sys
from argparse import Namespace, _ArgumentGroup
from collections.abc import Callable, Iterator
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import openslide
import tifffile
from monai.data import PatchWSIDataset

from benchmarks.contest import Contest, Timed, clocked
from benchmarks.large_slide import write_large_slide
from medaug.arrays import Array
from medaug.data.slides.patches import grid
from medaug.data.slides.reading import Grid, Slide

TARGET = "3 times one read_region a patch, 0.7 of bare decoding; two processes 1.7 times one; constant memory"
PATCH = 96
MANY = 1_800_000
"""As many unlabelled patches as CAMELYON17-WILDS has from the hospitals for training."""

_IN_MEMORY = Path("/dev/shm")

_CUT = """
import sys, time
from pathlib import Path
import pandas as pd
from medaug.data.slides.patches import PatchSettings, every_patch
slides, workers = sys.argv[2:-1], int(sys.argv[-1])
names = [str(number) for number in range(len(slides))]
table = pd.DataFrame({"slide": names, "path": slides, "file": names, "patient_id": names})
table = table.assign(domain="A", annotation=None, tumour_free=False, split="unlabelled")
settings = PatchSettings(mpp=None, level=0, tissue_fraction=0.0)
"""

_TIME = """
from medaug.data.slides.cutting import cut
start = time.perf_counter()
cut(table, Path(sys.argv[1]), settings, every_patch, (96,), workers)
print(time.perf_counter() - start)
"""

_KEEP = """
import json
from benchmarks.memory import peak_mib
from medaug.data.slides.cutting import cut
from medaug.data.slides.storing import store_patches
from medaug.task import Task
start, ends = time.perf_counter(), []
work, task, kept = Path(sys.argv[1]), Task("multilabel", ("tumour",)), []
def keep():
    cut_ones = cut(table, work / "cut", settings, every_patch, (96,), workers)
    ends.append(time.perf_counter())
    kept.append(store_patches(*cut_ones, work / "store", task, (96,), {}))
    ends.append(time.perf_counter())
peak = peak_mib(keep)
size = sum(path.stat().st_size for path in (work / "store").rglob("*") if path.is_file())
print(json.dumps([len(kept[0]), ends[0] - start, ends[1] - ends[0], size, peak]))
"""

_MEASURE = """
from medaug.data.slides.shards import Job, cut_slide
cut_slide(Job(table.iloc[0].to_dict(), Path(sys.argv[1]), settings, every_patch, (96,)))
(peak,) = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")]
print(int(peak.split()[1]) / 1024)
"""


def add_options(parser: _ArgumentGroup) -> None:
    """Add the settings of this benchmark."""
    parser.add_argument(
        "--slide_side", type=int, default=20_480, help="width and height of the slide in pixels"
    )
    parser.add_argument(
        "--peer_patches", type=int, default=2_000, help="patches that OpenSlide reads one by one"
    )
    parser.add_argument("--monai_patches", type=int, default=200, help="patches that MONAI reads")
    parser.add_argument("--slides", type=int, default=4, help="slides that one and two processes cut")
    parser.add_argument(
        "--kept_slides", type=int, default=3, help="slides whose patches two processes cut into a store"
    )
    parser.add_argument(
        "--cut_folder",
        type=Path,
        default=_IN_MEMORY if _IN_MEMORY.is_dir() else None,
        help="where one and two processes cut to; in memory, so that it is not the disk that is timed",
    )


def contests(settings: Namespace, folder: Path) -> Iterator[Contest]:
    """Yield reading in one process, and the whole of cutting in one process and in two."""
    path = folder / "slide.tif"
    write_large_slide(path, settings.slide_side)
    yield _reading(path, settings)
    with TemporaryDirectory(dir=settings.cut_folder) as cut_folder:
        yield _cutting(path, settings, Path(cut_folder) / "work", folder)


def _cut(code: str, work: Path, slides: list[Path], workers: int) -> Any:
    """Run code in a process of its own: it starts quickly, and so do the processes that it starts."""
    command = [sys.executable, "-c", _CUT + code, str(work), *map(str, slides), str(workers)]
    scripts = Path(__file__).parents[1]
    output = subprocess.run(command, capture_output=True, text=True, check=True, cwd=scripts).stdout
    rmtree(work)
    return json.loads(output)


def _reading(path: Path, settings: Namespace) -> Contest:
    positions = grid(_dimensions(path), 1.0, PATCH)
    few = _middle(positions, settings.peer_patches)
    fewer = _middle(positions, settings.monai_patches)
    _check_same(path, fewer)
    runs = {
        "medaug Slide.read_patches": clocked(lambda: _read(path, positions)),
        "OpenSlide, one read_region a patch": _scaled(lambda: _one_by_one(path, few), few, positions),
        "MONAI PatchWSIDataset": _scaled(lambda: _with_monai(path, fewer), fewer, positions),
        "each tile decoded once, no patch (the limit)": clocked(lambda: _decode(path)),
    }
    side = f"{settings.slide_side:,}"
    return Contest(
        f"{side} x {side} pixels, {PATCH} x {PATCH} patches, one core", "patches/s", len(positions), runs
    )


def _cutting(path: Path, settings: Namespace, work: Path, folder: Path) -> Contest:
    slides = [path] * settings.slides
    runs = {
        "medaug cut, two processes": lambda: _cut(_TIME, work, slides, 2),
        "medaug cut, one process": lambda: _cut(_TIME, work, slides, 1),
    }
    patches = len(grid(_dimensions(path), 1.0, PATCH)) * len(slides)
    where = "in memory" if settings.cut_folder == _IN_MEMORY else "on the disk"
    title = f"{len(slides)} slides cut into files {where}, with mask and overview"
    remarks = (*_memory(settings, folder), *_kept(path, settings, folder))
    return Contest(title, "patches/s", patches, runs, remarks)


def _memory(settings: Namespace, folder: Path) -> tuple[str, ...]:
    """Measure the peak memory of cutting slides of two sizes."""
    remarks = []
    for side in (settings.slide_side // 2, settings.slide_side):
        path = folder / f"{side}.tif"
        write_large_slide(path, side)
        peak = _cut(_MEASURE, folder / "work", [path], 0)
        remarks.append(f"peak memory of a cutting process, {side:,} x {side:,} pixels: {peak:,.0f} MiB")
    return tuple(remarks)


def _kept(path: Path, settings: Namespace, folder: Path) -> tuple[str, ...]:
    """Cut patches into a store on the disk, once, and plan for more from that."""
    if not settings.kept_slides:
        return ()
    patches, cutting, storing, size, peak = _cut(_KEEP, folder / "work", [path] * settings.kept_slides, 2)
    hours = MANY * (cutting + storing) / patches / 3600
    return (
        f"{patches:,} patches into a store on the disk: cut in {cutting:.1f} s, kept in {storing:.1f} s, "
        f"{size / 1e9:.2f} GB; peak memory of all three processes together {peak:,.0f} MiB",
        f"{MANY:,} patches at this rate: {hours:.2f} hours, {MANY * size / patches / 1e9:.1f} GB",
    )


def _dimensions(path: Path) -> tuple[int, int]:
    with Slide(path) as slide:
        return slide.dimensions


def _middle(positions: Array, count: int) -> Array:
    start = max(0, (len(positions) - count) // 2)
    return positions[start : start + count]


def _scaled(work: Callable[[], object], part: Array, whole: Array) -> Timed:
    timed = clocked(work)
    return lambda: timed() * len(whole) / len(part)


def _read(path: Path, positions: Array) -> int:
    with Slide(path) as slide:
        return sum(len(pixels) for _, pixels in slide.read_patches(positions, Grid(0, 1.0), PATCH))


def _one_by_one(path: Path, positions: Array) -> list[int]:
    with openslide.OpenSlide(path) as slide:
        return [np.asarray(_region(slide, x, y)).shape[0] for x, y in positions.tolist()]


def _region(slide: openslide.OpenSlide, x: int, y: int) -> Array:
    return np.asarray(slide.read_region((x, y), 0, (PATCH, PATCH)).convert("RGB"))


def _with_monai(path: Path, positions: Array) -> None:
    items = [{"image": str(path), "location": (y, x)} for x, y in positions.tolist()]
    options = {"patch_size": PATCH, "patch_level": 0, "center_location": False, "reader": "OpenSlide"}
    for item in PatchWSIDataset(items, include_label=False, **options):
        del item


def _decode(path: Path) -> None:
    with tifffile.TiffFile(path) as file:
        for tile in file.pages[0].segments(maxworkers=1):
            del tile


def _check_same(path: Path, positions: Array) -> None:
    with Slide(path) as slide, openslide.OpenSlide(path) as peer:
        for numbers, pixels in slide.read_patches(positions, Grid(0, 1.0), PATCH):
            for number, patch in zip(numbers.tolist(), pixels, strict=True):
                np.testing.assert_array_equal(patch, _region(peer, *positions[number].tolist()))
