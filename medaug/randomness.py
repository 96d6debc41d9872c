"""One seed names a run; every random number follows from it and from what it is used for.

A generator belongs to a key such as ``("noise", 17)``, never to a process, so that results do not depend
on batch size, worker or process count, and a run that was interrupted goes on as if it had not been.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch


def derive_seed(seed: int, *key: str | int) -> int:
    """Derive a 63-bit seed from a run's seed and a key.

    The same arguments give the same seed on every machine; different keys give independent streams.

    Examples
    --------
    >>> derive_seed(0, "noise", 1) == derive_seed(0, "noise", 1) != derive_seed(0, "noise", 2)
    True
    """
    digest = hashlib.blake2b(repr((seed, *key)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 1


def torch_generator(seed: int, *key: str | int) -> torch.Generator:
    """Return a torch CPU generator for a key."""
    import torch  # takes seconds, which processes that draw with NumPy alone shall not wait for

    return torch.Generator().manual_seed(derive_seed(seed, *key))


def numpy_generator(seed: int, *key: str | int) -> np.random.Generator:
    """Return a NumPy generator for a key."""
    return np.random.default_rng(derive_seed(seed, *key))
