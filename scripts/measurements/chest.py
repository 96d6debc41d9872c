"""Measure the five conditions back from a drawn or generated radiograph.

Nothing is learnt: the thorax is found by correlation with templates, grey values are put on a scale from lung
(0) to heart (1), and each condition is a width, height or mean in the frame of the thorax (`u`, `v` of
`medaug.phantoms.chest.radiograph`), so that pose, size and exposure do not matter.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import product

import numpy as np
from scipy.ndimage import map_coordinates, uniform_filter
from skimage.transform import resize

from medaug.arrays import Array, BoolArray, FloatArray, UInt8Array
from medaug.phantoms.chest.radiograph import ASPECT, Findings, Pose, lungs, thorax_frame

SIDE = 64
"""All measuring is done at this size."""

UPPER = 0.58
"""Above this v the shape of the lungs does not depend on the conditions."""

_SEARCH_SIDE = 32
_WIDTH_IN_BAND = 0.92
_AVERAGE = Findings(0.5, (0.05, 0.05), (0.08, 0.08), (0.0, 0.0), (0.5, 0.4, 0.2), 0.0)
_COLUMNS = np.linspace(-1, 1, 81)
_ROWS = np.linspace(0, 1.1, 67)


def measure(image: UInt8Array) -> dict[str, float]:
    """Measure how much of each condition an image shows.

    Parameters
    ----------
    image : array, (size, size)
        Grey radiograph, bright bone on dark lungs, any scale of grey values; size at least 64.

    Returns
    -------
    dict of str to float
        For each condition a number that is larger the more of it there is: ``cardiomegaly`` width of the
        heart over that of the thorax, ``effusion`` height of the meniscus at the chest wall, ``atelectasis``
        difference in height between the two halves of the diaphragm (both over the height of the lungs),
        ``edema`` perihilar haze of the clearer lung, ``consolidation`` densest spot over its mirror image
        (both on a scale from 0, lung, to 1, heart).

    Raises
    ------
    ValueError
        When the image is not square or smaller than 64.

    Examples
    --------
    >>> from medaug.phantoms.chest.population import CHEXPERT, Patient
    >>> from medaug.phantoms.chest.radiograph import draw_radiograph
    >>> patient = Patient("M", 60, frozenset({"cardiomegaly"}))
    >>> image = draw_radiograph(patient, CHEXPERT, 128, np.random.default_rng(0))
    >>> measure(image)["cardiomegaly"] > 0.5
    True
    """
    if image.ndim != 2 or image.shape[0] != image.shape[1] or len(image) < SIDE:
        raise ValueError(f"needs a square grey image of at least {SIDE} pixels a side, not {image.shape}")
    thorax = normalised_thorax(reduce(image, SIDE))
    heights = [floor_heights(side) for side in sides(thorax)]
    return {
        "atelectasis": float(abs(heights[0][0] - heights[1][0])),
        "cardiomegaly": heart_ratio(thorax),
        "consolidation": densest_spot(thorax),
        "edema": perihilar_haze(thorax),
        "effusion": float(max(lateral - middle for middle, lateral in heights)),
    }


def reduce(image: Array, side: int) -> FloatArray:
    """Reduce an image to a side with averaging, as float32."""
    reduced = resize(image.astype(np.float32), (side, side), anti_aliasing=True)  # type: ignore[no-untyped-call]
    return np.asarray(reduced, np.float32)


def find_thorax(image: FloatArray) -> Pose:
    """Return the pose whose template correlates best with the image."""
    poses, templates = _templates()
    small = reduce(image, _SEARCH_SIDE) if len(image) != _SEARCH_SIDE else image
    return poses[int(np.argmax(templates @ small.ravel()))]


@lru_cache(maxsize=1)
def _templates() -> tuple[list[Pose], FloatArray]:
    widths, centres = np.linspace(0.58, 0.82, 13), np.linspace(-0.12, 0.12, 9)
    middles = np.linspace(-0.13, 0.09, 10)
    poses = [Pose(w, c, m - w * ASPECT / 2, ASPECT, 0.0) for w, c, m in product(widths, centres, middles)]
    return poses, np.stack([_template(pose) for pose in poses])


def _template(pose: Pose) -> FloatArray:
    """Lungs dark, the tissue around them bright, zero elsewhere; mean 0, norm 1.

    The lower lungs count for nothing, because effusion and atelectasis make them bright.
    """
    u, v = thorax_frame(_SEARCH_SIDE, pose)
    lung = lungs(u, v, _AVERAGE)
    near = (np.abs(u) < 1.2) & (v > -0.12) & (v < UPPER)
    bright = np.where(near, 1 - lung, 0)
    lung = np.where(v < UPPER, lung, 0)
    template = bright / bright.sum() - lung / lung.sum()
    return np.asarray(template / np.linalg.norm(template), np.float32).ravel()


def normalised_thorax(image: FloatArray) -> FloatArray:
    """Return the thorax on the grid of rows v and columns u, 0 = lung, 1 = heart."""
    pose = find_thorax(image)
    x = pose.centre + _COLUMNS * pose.half_width
    y = pose.apex + _ROWS * pose.half_width * pose.aspect
    pixel = [(values + 1) / 2 * len(image) - 0.5 for values in np.meshgrid(y, x, indexing="ij")]
    thorax = map_coordinates(image, pixel, order=1, mode="nearest")
    dark = np.quantile(thorax[_between(0.1, 0.6)], 0.1)
    bright = np.median(thorax[_between(0.6, 0.85)][:, np.abs(_COLUMNS - 0.1) < 0.15])
    return np.asarray((thorax - dark) / max(float(bright - dark), 1e-3), np.float32)


def _between(low: float, high: float) -> BoolArray:
    return (low <= _ROWS) & (high >= _ROWS)


def sides(thorax: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return both halves, each from the midline outwards, (rows, 41): the patient's right and left."""
    middle = len(_COLUMNS) // 2
    return thorax[:, middle::-1], thorax[:, middle:]


def heart_ratio(thorax: FloatArray) -> float:
    """Return the width of the bright span around the midline over that of the thorax.

    It is taken above the widest place, out of reach of a raised diaphragm, and scaled
    by the share of its full width that a heart has there.
    """
    rows = uniform_filter(thorax, (5, 1))[_between(0.52, 0.66)]
    width = sum(np.quantile(_span(half), 0.35) for half in sides(rows))
    return float(width) / _WIDTH_IN_BAND


def _span(half: FloatArray) -> FloatArray:
    """Length of the bright run from the midline outwards, in half thoraces, with sub-pixel ends."""
    bright = np.clip((half - 0.35) / 0.4, 0, 1)
    return np.asarray(np.minimum.accumulate(bright, axis=1).mean(axis=1), np.float32) / 2


def floor_heights(half: FloatArray) -> tuple[float, float]:
    """Return how high the bright floor of a lung reaches in its middle and at the chest wall, in v."""
    across = np.abs(_COLUMNS[len(_COLUMNS) // 2 :])
    bright = np.clip((half - 0.4) / 0.3, 0, 1)[_ROWS <= 1.0][::-1]
    heights = np.minimum.accumulate(bright, axis=0).mean(axis=0)
    middle = heights[(across > 0.62) & (across < 0.78)].mean()
    lateral = heights[(across > 0.79) & (across < 0.9)].mean()
    return float(middle - 0.7 * max(lateral - middle, 0)), float(lateral)


def perihilar_haze(thorax: FloatArray) -> float:
    """Return how much denser the perihilar zone is than the rim, in the clearer of the two lungs."""
    across = np.abs(_COLUMNS[len(_COLUMNS) // 2 :])
    rows = _between(0.25, 0.55)
    zone, rim = (across > 0.26) & (across < 0.6), (across > 0.7) & (across < 0.85)
    halves = [half[rows] for half in sides(thorax)]
    return float(min(np.median(half[:, zone]) - 0.5 * np.median(half[:, rim]) for half in halves))


def densest_spot(thorax: FloatArray) -> float:
    """Return the largest smoothed difference between a place in one lung and its mirror image."""
    right, left = sides(uniform_filter(thorax, (7, 9)))
    across = np.abs(_COLUMNS[len(_COLUMNS) // 2 :])
    difference = np.abs(left - right)[_between(0.22, 0.38)][:, (across > 0.38) & (across < 0.66)]
    return float(difference.max())
