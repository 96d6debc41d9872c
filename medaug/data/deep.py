"""Pictures whose samples are not plain bytes: deeper, signed or real."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np

from medaug.arrays import Array, FloatArray, UInt8Array
from medaug.data.grey import to_uint8

_UPRIGHT: Mapping[int, Callable[[Array], Array]] = MappingProxyType(
    {
        2: lambda image: image[:, ::-1],
        3: lambda image: image[::-1, ::-1],
        4: lambda image: image[::-1],
        5: lambda image: image.swapaxes(0, 1),
        6: lambda image: np.rot90(image, -1),
        7: lambda image: np.rot90(image.swapaxes(0, 1), 2),
        8: lambda image: np.rot90(image),
    }
)


def show_deep(colours: Array, opacity: FloatArray | None, orientation: int) -> UInt8Array:
    """Spread samples over 0..255, all colours together, lay them on black and set the picture upright.

    Parameters
    ----------
    colours : ndarray, (H, W, 1 or 3)
        Samples of any type.
    opacity : ndarray of float, (H, W), optional
        0 (transparent) to 1; what is transparent does not count for the range.
    orientation : int
        As in EXIF: 1 is upright.
    """
    visible = None if opacity is None else np.broadcast_to(opacity[..., np.newaxis] > 0, colours.shape)
    image = to_uint8(colours, visible)
    if opacity is not None:
        image = np.rint(image * opacity[..., np.newaxis]).astype(np.uint8)
    turn = _UPRIGHT.get(orientation)
    return image if turn is None else np.ascontiguousarray(turn(image))
