"""How many principal components hold most of the variance of features (Section G.3.3, Figure G8)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.decomposition import PCA

from medaug.arrays import Array
from medaug.errors import DataError
from medaug.randomness import numpy_generator

SHARES = (0.60, 0.70, 0.80, 0.90, 0.95)
MOST_IMAGES = 900
COMPONENT_COLUMNS = ("images", "share", "components", "size")


def components_needed(features: npt.ArrayLike, shares: Sequence[float] = SHARES) -> list[int]:
    """Return how many principal components hold more than each share of the variance.

    Parameters
    ----------
    features : array of shape (images, d)
        At least two images that differ.
    shares : sequence of float
        Each in (0, 1).

    Raises
    ------
    DataError
        There are fewer than two images, or all of them are the same.

    Examples
    --------
    >>> components_needed([[2.0, 0.0], [-2.0, 0.0], [0.0, 1.0], [0.0, -1.0]], [0.6, 0.9])
    [1, 2]
    """
    found = np.asarray(features, float)
    if len(found) < 2 or not found.std(axis=0).any():
        raise DataError("principal components need at least two images whose features differ")
    held = np.cumsum(PCA(svd_solver="full").fit(found).explained_variance_ratio_)
    return [int(np.searchsorted(held, share, side="right")) + 1 for share in shares]


def components(
    features: Mapping[str, Array], shares: Sequence[float] = SHARES, *, size: int = MOST_IMAGES, seed: int = 0
) -> pd.DataFrame:
    """Count the principal components of each set of features of one model.

    Parameters
    ----------
    features : mapping of str to array of shape (images, d)
        For example ``train``, ``id_test``, ``ood_test`` and ``synthetic``.
    shares : sequence of float
        Of the variance.
    size : int
        Images of each set; as many as the smallest has where that is less, since more images need more
        components.
    seed : int
        Of the drawing of images.

    Returns
    -------
    DataFrame
        Columns `COMPONENT_COLUMNS`, one row for each set and share. Sets of one image are left out.
    """
    usable = {name: found for name, found in features.items() if len(found) > 1}
    size = min([size, *map(len, usable.values())])
    rows = []
    for name, found in usable.items():
        drawn = numpy_generator(seed, "components", name).choice(len(found), size, replace=False)
        needed = components_needed(found[drawn], shares)
        rows += [(name, share, count, size) for share, count in zip(shares, needed, strict=True)]
    return pd.DataFrame(rows, columns=list(COMPONENT_COLUMNS))
