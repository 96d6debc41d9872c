"""Which patches of a slide are cut, and which of them are tumour."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import shapely
from shapely import MultiPolygon

from medaug.arrays import Array, BoolArray, FloatArray, IntArray
from medaug.data.slides.annotation import Annotation, Outline
from medaug.data.slides.tissue import tissue_fraction
from medaug.errors import DataError, SettingsError
from medaug.randomness import numpy_generator
from medaug.task import label_column

TUMOUR_LABEL = label_column("tumour")


@dataclass(frozen=True, kw_only=True)
class PatchSettings:
    """How patches are laid out, labelled and chosen.

    Parameters
    ----------
    patch_size : int
        Side of a patch in its own pixels (96 in CAMELYON17-WILDS and PatchCamelyon).
    centre : int
        Side of the central square that decides whether a patch is tumour (32 in both).
    mpp : float or None
        Microns per pixel of the grid. Give this or `level`, and None for the other.
    level : int or None
        Level of the slide's pyramid.
    tissue_fraction : float
        Least share of a patch that is tissue, in [0, 1].
    labelled_per_slide : int or None
        Most labelled patches of a slide, half of them tumour; None takes as many as balance allows.
    normal_per_negative_slide : int
        Normal patches of a slide that is known to be free of tumour.
    unlabelled_per_slide : int or None
        Most unlabelled patches of a slide; None takes all the rest of the tissue.
    level0_mpp : float or None
        Microns per pixel of level 0 of every slide, in place of what the files say; None believes the files.
    max_lost : float
        Share of a slide, and of its patches, that may lie on damaged parts of the file and is left out; a
        slide that is damaged more is rejected.
    seed : int
        Seed of the run.
    """

    patch_size: int = 96
    centre: int = 32
    mpp: float | None = 1.0
    level: int | None = None
    tissue_fraction: float = 0.5
    labelled_per_slide: int | None = None
    normal_per_negative_slide: int = 0
    unlabelled_per_slide: int | None = None
    level0_mpp: float | None = None
    max_lost: float = 0.05
    seed: int = 0

    def __post_init__(self) -> None:
        if (self.mpp is None) == (self.level is None):
            raise SettingsError("give either mpp or level and None for the other: one of them sets the grid")
        if not 1 <= self.centre <= self.patch_size or (self.patch_size - self.centre) % 2:
            raise SettingsError(
                f"centre must be within patch_size and leave an even margin, not {self.centre} "
                f"of {self.patch_size}"
            )
        if self.mpp is not None and not 0 < self.mpp < np.inf:
            raise SettingsError(f"mpp must be above 0 microns, not {self.mpp}")
        if self.level0_mpp is not None and not 0 < self.level0_mpp < np.inf:
            raise SettingsError(f"level0_mpp must be above 0 microns, not {self.level0_mpp}")
        for name in ("tissue_fraction", "max_lost"):
            if not 0 <= getattr(self, name) <= 1:
                raise SettingsError(f"{name} must be in [0, 1], not {getattr(self, name)}")
        for name in ("level", "labelled_per_slide", "normal_per_negative_slide", "unlabelled_per_slide"):
            if (value := getattr(self, name)) is not None and value < 0:
                raise SettingsError(f"{name} must not be negative, not {value}")


@dataclass(frozen=True)
class Layout:
    """What the choice of patches needs to know of an opened slide.

    Parameters
    ----------
    dimensions : tuple of int
        Width and height in level-0 pixels.
    level : int
        Level that patches are read from.
    downsample : float
        Level-0 pixels per pixel of a patch.
    tissue : bool array (height, width)
        Tissue mask of the whole slide, at any size.
    """

    dimensions: tuple[int, int]
    level: int
    downsample: float
    tissue: BoolArray


def grid(dimensions: tuple[int, int], downsample: float, patch_size: int) -> IntArray:
    """Return the places of all patches that lie side by side within a slide.

    Parameters
    ----------
    dimensions : tuple of int
        Width and height of the slide in level-0 pixels.
    downsample : float
        Level-0 pixels per pixel of a patch.
    patch_size : int
        Side of a patch in its own pixels.

    Returns
    -------
    int64 array (patches, 2)
        x and y of the upper left corners in level-0 pixels, row by row. No patch crosses the slide's border
        (by more than the half pixel to which corners are rounded).

    Examples
    --------
    >>> grid((500, 250), 2.0, 96).tolist()
    [[0, 0], [192, 0]]
    """
    extent = patch_size * downsample
    x, y = (np.rint(np.arange(int((side + 0.5) // extent)) * extent).astype(np.int64) for side in dimensions)
    return np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)


def label_patches(
    positions: IntArray,
    annotation: Annotation | None,
    tumour_free: bool,
    downsample: float,
    settings: PatchSettings,
) -> FloatArray:
    """Say of each patch whether it is tumour (1), normal (0) or neither (NaN).

    The rule of PatchCamelyon and CAMELYON17-WILDS: tumour where a pixel of the central square is tumour,
    normal where no pixel of the patch is, else neither. A patch that touches an uncertain region is neither.
    A pixel is tumour where its centre is.

    Parameters
    ----------
    positions : int64 array (patches, 2)
        From `grid`.
    annotation : Annotation or None
        What is outlined on the slide; None where nobody did.
    tumour_free : bool
        Whether the whole slide is known to hold no tumour.
    downsample : float
        Level-0 pixels per pixel of a patch.
    settings : PatchSettings
        Sizes of the patch and of its centre.

    Returns
    -------
    float32 array (patches,)
        All NaN where neither an annotation nor `tumour_free` says anything.

    Raises
    ------
    DataError
        The slide is said to be free of tumour, but tumour is outlined on it.
    """
    if annotation is None:
        return np.full(len(positions), 0.0 if tumour_free else np.nan, np.float32)
    if tumour_free and not annotation.tumour.is_empty:
        raise DataError(
            "the slide is said to be free of tumour, but its annotation outlines some; correct one"
        )
    size, margin = settings.patch_size, (settings.patch_size - settings.centre) // 2
    middle = positions + margin * downsample
    tumour = _holds(annotation.tumour, middle, settings.centre, downsample)
    known = ~_holds(annotation.uncertain, positions, size, downsample)
    normal = ~tumour & ~_holds(annotation.tumour, positions, size, downsample)
    return np.select([tumour & known, normal & known], [1.0, 0.0], np.nan).astype(np.float32)


def choose(
    slide: Mapping[str, Any], layout: Layout, annotation: Annotation | None, settings: PatchSettings
) -> pd.DataFrame:
    """Choose the patches of a slide that are cut for training or evaluation.

    Labelled patches are balanced: as many normal ones as tumour ones. A slide of split ``train`` also gives
    unlabelled patches from the rest of its tissue, a slide of split ``unlabelled`` gives nothing else, and a
    slide that is held out gives labelled patches only. Every draw is a function of the seed and the slide's
    name alone, and a smaller number of patches is part of a larger one.

    Parameters
    ----------
    slide : mapping
        A row of the slide table with ``slide``, ``file``, ``patient_id``, ``domain``, ``tumour_free`` and
        ``split``.
    layout : Layout
        Size, level and tissue of the slide.
    annotation : Annotation or None
        What is outlined on it.
    settings : PatchSettings
        How to choose.

    Returns
    -------
    DataFrame
        Patch rows in the order of the grid: ``image_id``, ``file``, ``patient_id``, ``domain``, ``split``,
        ``label:tumour``, ``slide``, ``x``, ``y``, ``level``, ``synthetic``; possibly none.
    """
    positions = _on_tissue(layout, settings)
    labels = label_patches(positions, annotation, bool(slide["tumour_free"]), layout.downsample, settings)
    labelled = _labelled(labels, slide, settings)
    unlabelled = _unlabelled(len(positions), labelled, slide, settings)
    rows = np.concatenate([labelled, unlabelled])
    split = np.repeat([slide["split"], "unlabelled"], [len(labelled), len(unlabelled)])
    known = np.concatenate([labels[labelled], np.full(len(unlabelled), np.nan, np.float32)])
    order = np.argsort(rows)
    return _patch_rows(slide, layout.level, positions[rows[order]], split[order], known[order])


def every_patch(
    slide: Mapping[str, Any], layout: Layout, annotation: Annotation | None, settings: PatchSettings
) -> pd.DataFrame:
    """Return all tissue patches of a slide without labels, for inference; parameters as in `choose`."""
    positions = _on_tissue(layout, settings)
    unknown = np.full(len(positions), np.nan, np.float32)
    split = np.full(len(positions), slide.get("split"), object)
    return _patch_rows(slide, layout.level, positions, split, unknown)


def _on_tissue(layout: Layout, settings: PatchSettings) -> IntArray:
    positions = grid(layout.dimensions, layout.downsample, settings.patch_size)
    extent = settings.patch_size * layout.downsample
    share = tissue_fraction(layout.tissue, positions, extent, layout.dimensions)
    return positions[share >= settings.tissue_fraction]


def _holds(region: MultiPolygon, corners: Array, size: int, downsample: float) -> BoolArray:
    """Say which squares hold a pixel of the region; only those on its rim are rasterised."""
    x, y = np.asarray(corners, np.float64).T
    squares = shapely.box(x, y, x + size * downsample, y + size * downsample)
    shapely.prepare(region)
    holds: BoolArray = np.zeros(len(corners), bool)
    near = np.flatnonzero(shapely.intersects(region, squares))
    holds[near] = shapely.contains_properly(region, squares[near])
    outline = Outline(region)
    for square in near[~holds[near]]:
        holds[square] = outline.rasterise(x[square], y[square], size, size, downsample).any()
    return holds


def _labelled(labels: FloatArray, slide: Mapping[str, Any], settings: PatchSettings) -> IntArray:
    """Draw as many normal patches as tumour patches."""
    if slide["split"] == "unlabelled":
        return np.empty(0, np.int64)
    tumour, normal = (_shuffled(labels == value, slide, settings, value) for value in (1, 0))
    if slide["tumour_free"]:
        return normal[: settings.normal_per_negative_slide]
    count = min(len(tumour), len(normal))
    if settings.labelled_per_slide is not None:
        count = min(count, settings.labelled_per_slide // 2)
    return np.concatenate([tumour[:count], normal[:count]])


def _unlabelled(
    patches: int, labelled: IntArray, slide: Mapping[str, Any], settings: PatchSettings
) -> IntArray:
    if slide["split"] not in ("train", "unlabelled"):
        return np.empty(0, np.int64)
    rest = np.ones(patches, bool)
    rest[labelled] = False
    return _shuffled(rest, slide, settings, "unlabelled")[: settings.unlabelled_per_slide]


def _shuffled(
    which: BoolArray, slide: Mapping[str, Any], settings: PatchSettings, purpose: str | int
) -> IntArray:
    generator = numpy_generator(settings.seed, "patches", str(slide["slide"]), purpose)
    return generator.permutation(np.flatnonzero(which))


def _patch_rows(
    slide: Mapping[str, Any],
    level: int,
    positions: IntArray,
    split: Array,
    labels: FloatArray,
) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "image_id": [f"{slide['slide']}_x{x}_y{y}" for x, y in positions.tolist()],
            **{name: slide[name] for name in ("file", "patient_id", "domain")},
            "split": split,
            TUMOUR_LABEL: labels,
            "slide": slide["slide"],
            "x": positions[:, 0],
            "y": positions[:, 1],
            "level": np.int64(level),
            "synthetic": False,
        },
        index=pd.RangeIndex(len(positions)),
    )
