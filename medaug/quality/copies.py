"""Synthetic images that are copies of training images, or of each other.

A copy that a generator draws is not exact, so it is looked for in two spaces: in pixels reduced to 32 × 32,
which noise and fine detail hardly change, and in features, which brightness and contrast change little. What
is near is read off real images that nobody trained on.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from medaug.arrays import BoolArray, FloatArray, IntArray
from medaug.quality.image_features import SeenImages

CLOSE = 0.5
"""Share of what is usual among real images, below which images are too close to be of two patients. It is
taken of the median, since some hundred images do not tell how close real ones come at the extreme."""

_AT_ONCE = 1 << 24
"""Distances that are in memory at once."""


@dataclass(frozen=True)
class Nearest:
    """The nearest of some known images, for each of N images.

    Attributes
    ----------
    places : array of int64, (N,)
        Its place among the known images.
    distance : array of float32, (N,)
        Root mean square difference of the vectors.
    ratio : array of float32, (N,)
        This distance over that to the nearest image of another patient: small where one patient stands out.
    """

    places: IntArray
    distance: FloatArray
    ratio: FloatArray


def nearest(vectors: FloatArray, known: FloatArray, patients: IntArray) -> Nearest:
    """Find the nearest known image of each image; memory does not grow with the number of pairs.

    Parameters
    ----------
    vectors, known : array of float32, (N, D) and (M, D)
        Features or pixels; M is at least 1.
    patients : array of int, (M,)
        Patients of the known images.
    """
    middle = known.mean(axis=0)  # products of small numbers round less
    base, groups = torch.from_numpy(known - middle), torch.from_numpy(patients)
    portions = torch.split(torch.from_numpy(vectors - middle), max(1, _AT_ONCE // len(known)))
    found = [_two_nearest(some, base, groups) for some in portions]
    places, first, second = (torch.cat(part).numpy() for part in zip(*found, strict=True))
    ratio = np.divide(first, second, out=np.ones_like(first), where=second > 0)
    return Nearest(places, first / np.sqrt(np.float32(known.shape[1])), ratio)


def closer_than_real(images: Nearest, held_out: Nearest) -> BoolArray:
    """Return which images are copies of a known one.

    They are less than half as far from it as real images that nobody trained on usually are (by the median),
    and so is the ratio to the distance of the next patient; blurred images are near to many patients, a copy
    is near to one.
    """
    near = images.distance < CLOSE * np.median(held_out.distance)
    copies: BoolArray = near & (images.ratio < CLOSE * np.median(held_out.ratio))
    return copies


def alike(images: SeenImages, real: SeenImages) -> BoolArray:
    """Return which images have a double: another one that is nearer in pixels than real patients are.

    It is less than half as far as the nearest other patient usually (by the median) is from a real image.
    Give equal numbers of both, since among more images the nearest is nearer, and real ones of two patients
    at least.
    """
    usual = np.median(_nearest_other(real))
    doubles: BoolArray = _nearest_other(images) < CLOSE * usual
    return doubles


def _two_nearest(some: Tensor, known: Tensor, patients: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return place and distance of the nearest, and the distance to the nearest of another patient."""
    distances = torch.cdist(some, known)
    first, places = distances.min(dim=1)
    same = patients[None] == patients[places][:, None]
    return places, first, distances.masked_fill(same, torch.inf).min(dim=1).values


def _nearest_other(images: SeenImages) -> FloatArray:
    """Distance in pixels of each image to the nearest of another patient, infinite where there is none."""
    pixels, patients = torch.from_numpy(images.pixels), torch.from_numpy(images.units)
    same = patients[None] == patients[:, None]
    distances = torch.cdist(pixels, pixels).masked_fill(same, torch.inf)
    found: FloatArray = distances.min(dim=1).values.numpy()
    return found
