"""Random numbers that are a function of a key, a thing and a draw, computed on any device: Philox4x32-10.

A generator with a state gives other numbers for another size of batch, and one generator an image is slow on
a GPU. A counter-based generator has no state: Salmon et al. (2011), "Parallel random numbers: as easy as 1,
2, 3", doi:10.1145/2063384.2063405.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from medaug.randomness import derive_seed

NAME = "Philox4x32-10"

Words = Sequence[Tensor]
Cipher = Callable[[Words, Words], Words]
"""Turns counters and a key into random words: `philox`, or that compiled, which gives the same words."""

_ROUNDS = 10
_MULTIPLIERS = 0xD2511F53, 0xCD9E8D57
_WEYL = 0x9E3779B9, 0xBB67AE85
_WORD = 0xFFFFFFFF
_BITS = 32


def philox(counter: Words, key: Words) -> Words:
    """Return four random words for each counter of four words.

    Parameters
    ----------
    counter : sequence of Tensor
        Four tensors of int64, 0 ... 2**32 - 1, that broadcast together.
    key : sequence of Tensor
        Two, of the same kind. Were they numbers, they would be compiled in, and each stream anew.
    """
    a, b, c, d = counter
    first, second = key
    for _ in range(_ROUNDS):
        (high_a, low_a), (high_c, low_c) = _product(_MULTIPLIERS[0], a), _product(_MULTIPLIERS[1], c)
        a, b, c, d = high_c ^ b ^ first, low_c, high_a ^ d ^ second, low_a
        first, second = (first + _WEYL[0]) & _WORD, (second + _WEYL[1]) & _WORD
    return a, b, c, d


@dataclass(frozen=True)
class CounterRandom:
    """Random numbers of numbered things: those of a thing depend on no other that is drawn with it.

    Parameters
    ----------
    seed : int
        Of 63 bits, as `medaug.randomness.derive_seed` gives them: independent streams for different keys.
    cipher : Cipher
        What computes the words; of `medaug.engine.acceleration.Acceleration`, as fast as the device can.

    Examples
    --------
    >>> random = CounterRandom.of(0, "example")
    >>> one, both = (random.normal(torch.tensor(things), 0, (2, 2)) for things in ([7], [3, 7]))
    >>> bool((both[1] == one[0]).all())
    True
    """

    seed: int
    cipher: Cipher = philox

    @classmethod
    def of(cls, seed: int, *key: str | int, cipher: Cipher = philox) -> CounterRandom:
        """Return the stream of a run's seed and a key."""
        return cls(derive_seed(seed, *key), cipher)

    def words(self, things: Tensor, draw: int, count: int) -> Tensor:
        """Return random words, int64 (B, count) in 0 ... 2**32 - 1.

        Parameters
        ----------
        things : Tensor of int64, (B,)
            Numbers of the things, from 0; on their device the words are computed.
        draw : int
            Number of the draw, from 0: each is independent of the others.
        count : int
            Words a thing.
        """
        blocks = -(-count // 4)
        # One dimension, so that what is compiled serves any batch.
        thing = things[:, None].expand(-1, blocks).flatten()
        block = torch.arange(blocks, device=things.device).repeat(len(things))
        counter = block, torch.full_like(block, draw), thing & _WORD, thing >> _BITS
        key = [block.new_full((), word) for word in (self.seed & _WORD, self.seed >> _BITS)]
        return torch.stack(list(self.cipher(counter, key)), dim=1).view(len(things), 4 * blocks)[:, :count]

    def uniform(self, things: Tensor, draw: int, count: int = 1) -> Tensor:
        """Return uniform numbers, float32 (B, count) in [0, 1), for the arguments of `words`."""
        return (self.words(things, draw, count) >> 8).float() * 2.0**-24

    def normal(self, things: Tensor, draw: int, shape: Sequence[int] = ()) -> Tensor:
        """Return standard normal numbers, float32 (B, *shape) (doi:10.1214/aoms/1177706645)."""
        count = math.prod(shape)
        words = self.words(things, draw, 2 * -(-count // 2)).float()
        radius = (-2 * ((words[:, 0::2] + 1) * 2.0**-_BITS).log()).sqrt()
        angle = 2 * math.pi * 2.0**-_BITS * words[:, 1::2]
        both = torch.stack([radius * angle.cos(), radius * angle.sin()], dim=2)
        return both.flatten(1)[:, :count].reshape(len(things), *shape)


def _product(factor: int, word: Tensor) -> tuple[Tensor, Tensor]:
    """Return the high and the low word of a product; that int64 overflows changes neither."""
    product = word * factor
    return (product >> _BITS) & _WORD, product & _WORD
