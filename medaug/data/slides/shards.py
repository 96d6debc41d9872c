"""One slide cut into a folder of its own: pixels, table and overview, whole or absent.

Nothing here imports torch, so that the processes that cut start quickly.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pandas as pd
from PIL import Image

from medaug.arrays import BoolArray, IntArray, UInt8Array
from medaug.data.slides.annotation import Annotation, read_annotation
from medaug.data.slides.overview import draw_overview
from medaug.data.slides.patches import Layout, PatchSettings, every_patch
from medaug.data.slides.reading import UNREADABLE, Grid, Slide
from medaug.data.slides.tissue import tissue_mask
from medaug.errors import DataError
from medaug.files import bytes_of, flush_to_disk, json_object, write_aside

Choose = Callable[[Mapping[str, Any], Layout, Annotation | None, PatchSettings], pd.DataFrame]
"""`medaug.data.slides.patches.choose`, or a function like it."""

FORM = 1
"""Raised when the same slide and settings give other pixels than before."""

THUMBNAIL = 2048
"""Longest side in pixels of the picture on which tissue is found."""

COARSE = 16
"""Level-0 pixels, at least, of a pixel on which tissue is found: finer ones show holes between cells."""

TABLE, OVERVIEW, NOTE = "table.parquet", "overview.png", "shard.json"
_PRIVATE = ("path", "annotation")


@dataclass(frozen=True)
class Job:
    """What is needed to cut one slide.

    Parameters
    ----------
    slide : mapping
        Its row of the slide table.
    folder : Path
        Where its patches go.
    settings : PatchSettings
        How patches are laid out and chosen.
    choose : callable
        Which patches are taken; a function of a module.
    sizes : tuple of int
        Sides of the stored images in pixels.
    """

    slide: Mapping[str, Any]
    folder: Path
    settings: PatchSettings
    choose: Choose
    sizes: tuple[int, ...]

    @property
    def identity(self) -> str:
        """Hash of all that decides the result."""
        kept = {key: str(value) for key, value in self.slide.items() if key not in _PRIVATE}
        chosen_by = f"{self.choose.__module__}.{self.choose.__qualname__}"
        content = [FORM, kept, asdict(self.settings), chosen_by, self.sizes, _sources(self.slide)]
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def shard_name(slide: str) -> str:
    """Return a slide's name as the name of a file.

    Examples
    --------
    >>> shard_name("slide 7/b"), shard_name("..")
    ('slide 7%2Fb', '%2E.')
    """
    name = quote(slide, safe=" ")
    return f"%2E{name[1:]}" if name.startswith(".") else name  # ".." is another folder


def pixels_name(size: int) -> str:
    """Return the name of the file that holds a slide's patches at one size: nothing but their bytes."""
    return f"patches-{size}.raw"


def note_of(folder: Path) -> dict[str, Any]:
    """Return what is known of a cut slide: ``identity``, and ``patches`` and ``lost`` or ``rejected``."""
    return json_object(folder / NOTE)


def is_cut(job: Job) -> bool:
    """Say whether a slide is cut already, with the same settings."""
    note = note_of(job.folder)
    return "patches" in note and note["identity"] == job.identity


def cut_slide(job: Job) -> int | str:
    """Cut one slide; return the number of patches, or the reason why the slide cannot be used."""
    try:
        with Slide(job.slide["path"]) as slide:
            return _cut(job, slide)
    except DataError as error:
        return str(error)
    except MemoryError:
        return "the slide is too large for the memory"


def reject_slide(job: Job, reason: str) -> None:
    """Note that a slide cannot be used."""
    with _new_folder(job.folder) as folder:
        _write_note(folder, {"identity": job.identity, "rejected": reason})


def _cut(job: Job, slide: Slide) -> int:
    settings = job.settings
    grid = slide.grid_level(mpp=settings.mpp, level=settings.level, level0_mpp=settings.level0_mpp)
    thumbnail = slide.thumbnail(THUMBNAIL, settings.max_lost)
    tissue = _tissue(slide, thumbnail, settings.max_lost)
    layout = Layout(slide.dimensions, grid.level, grid.downsample, tissue)
    annotation = _annotation(job)
    patches = job.choose(job.slide, layout, annotation, settings)
    with _new_folder(job.folder) as folder:
        order = _write_pixels(job, slide, grid, patches[["x", "y"]].to_numpy(np.int64), folder)
        lost = len(patches) - len(order)
        patches = patches.iloc[order].reset_index(drop=True)
        patches.to_parquet(folder / TABLE)
        extent = settings.patch_size * grid.downsample
        (folder / OVERVIEW).write_bytes(
            draw_overview(thumbnail, layout.tissue, annotation, patches, slide.dimensions, extent)
        )
        _write_note(folder, {"identity": job.identity, "patches": len(patches), "lost": lost})
    return len(patches)


def _tissue(slide: Slide, thumbnail: UInt8Array, max_lost: float) -> BoolArray:
    """Find tissue; what cannot be read counts as such, so that its patches are tried and counted as lost."""
    coarse = max(slide.dimensions) // COARSE
    picture = thumbnail if coarse >= THUMBNAIL else slide.thumbnail(max(1, coarse), max_lost)
    unreadable: BoolArray = (picture == UNREADABLE).all(axis=2)
    glass = np.where(unreadable[..., np.newaxis], np.uint8(255), picture)
    return tissue_mask(glass) | unreadable


def _write_pixels(job: Job, slide: Slide, grid: Grid, positions: IntArray, folder: Path) -> IntArray:
    """Write patches one after the other as they are read; return which they are, in this order."""
    order = [np.empty(0, np.int64)]
    with ExitStack() as stack:
        files = {size: stack.enter_context((folder / pixels_name(size)).open("wb")) for size in job.sizes}
        for numbers, pixels in slide.read_patches(
            positions, grid, job.settings.patch_size, job.settings.max_lost
        ):
            order.append(numbers)
            for size, file in files.items():
                file.write(_scaled(pixels, size).data)
    return np.concatenate(order)


def _scaled(pixels: UInt8Array, size: int) -> UInt8Array:
    if pixels.shape[1] == size:
        return pixels
    return np.stack(
        [
            np.asarray(Image.fromarray(patch).resize((size, size), Image.Resampling.BICUBIC))
            for patch in pixels
        ]
    )


def _annotation(job: Job) -> Annotation | None:
    """Read what is outlined on the slide; where every patch is taken, for inference, nobody asks for it."""
    path = job.slide["annotation"]
    return None if job.choose is every_patch or pd.isna(path) else read_annotation(Path(path))


def _sources(slide: Mapping[str, Any]) -> list[Any]:
    """Identify the files: a slide by its length, since reading it takes long, an annotation by its bytes."""
    length, annotation = bytes_of(slide["path"]), slide["annotation"]
    if pd.isna(annotation):
        return [length, None]
    try:
        return [length, hashlib.sha256(Path(annotation).read_bytes()).hexdigest()]
    except (OSError, ValueError):
        return [length, None]


@contextmanager
def _new_folder(folder: Path) -> Iterator[Path]:
    """Give a folder that takes the place of the one there was when all is in it."""
    with write_aside(folder) as temporary:
        temporary.mkdir()
        yield temporary
        for path in temporary.iterdir():
            flush_to_disk(path)
        (folder / NOTE).unlink(missing_ok=True)  # first, so that a kill leaves no half that counts as whole
        shutil.rmtree(folder, ignore_errors=True)


def _write_note(folder: Path, note: Mapping[str, Any]) -> None:
    (folder / NOTE).write_text(json.dumps(note) + "\n", encoding="utf-8")
