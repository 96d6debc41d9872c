"""Large slides for benchmarks, made in seconds of a few drawn blocks that repeat."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from medaug.arrays import IntArray, UInt8Array
from medaug.errors import SettingsError
from medaug.phantoms.slides.anatomy import MPP, STEP, draw_anatomy, draw_lesion, draw_node
from medaug.phantoms.slides.histology import draw_slide
from medaug.phantoms.slides.pyramid import TILE, Level, encode_tile, write_levels
from medaug.phantoms.slides.stains import STAINS
from medaug.randomness import numpy_generator

BLOCK = 2048
"""Side of the drawn pieces that a large slide repeats."""


def write_large_slide(path: Path, side: int = 20_480, seed: int = 0) -> None:
    """Write a large slide: a round piece of tissue on glass.

    Parameters
    ----------
    path : Path
        File to write, ending ``.tif``; appears as a whole or not at all.
    side : int
        Width and height in pixels of 0.5 microns, at least `TILE`.
    seed : int
        Names the blocks and where they lie.

    Raises
    ------
    SettingsError
        When the side is smaller than a tile.
    """
    if side < TILE:
        raise SettingsError(f"side must be at least {TILE}, not {side}")
    generator = numpy_generator(seed, "large slide")
    blocks = _blocks(generator)
    layout = _layout(-(-side // BLOCK), len(blocks), generator)
    levels = [
        Level(side >> shift, side >> shift, _mosaic(blocks, layout, side >> shift, BLOCK >> shift))
        for shift in range(BLOCK.bit_length())
        if side >> shift >= TILE
    ]
    write_levels(path, levels, MPP, expected_bytes=side * side // 2)


def _layout(count: int, blocks: int, generator: np.random.Generator) -> IntArray:
    """Which block lies where, (count, count): 0 is glass, around a disc of the others."""
    at = (np.arange(count) + 0.5) / count - 0.5
    layout = generator.integers(1, blocks, (count, count))
    layout[np.hypot(*np.meshgrid(at, at)) > 0.46] = 0
    return layout


def _blocks(generator: np.random.Generator) -> list[Image.Image]:
    """Glass, and cut-outs from the middle of drawn nodes without and with a metastasis."""
    red, green, blue = (int(value) for value in STAINS[0].white)
    blocks = [Image.new("RGB", (BLOCK, BLOCK), (red, green, blue))]
    side = 3 * BLOCK // 2
    inner = (side - BLOCK) // 2 // STEP * STEP
    for share in (0.0, 0.0, 0.5):
        node = draw_node(side, generator)
        lesions = (draw_lesion(node, share, False, generator),) if share else ()
        pixels = draw_slide(draw_anatomy(side, node, lesions, generator), STAINS[0], generator)
        blocks.append(Image.fromarray(pixels[inner : inner + BLOCK, inner : inner + BLOCK]))
    return blocks


def _mosaic(blocks: list[Image.Image], layout: IntArray, side: int, block: int) -> Iterator[bytes]:
    """Tiles of the level at which a block is `block` pixels wide."""
    pixels = np.stack([np.asarray(image.reduce(BLOCK // block)) for image in blocks])
    encoded: dict[tuple[int, ...], bytes] = {}
    for y in range(0, side, TILE):
        for x in range(0, side, TILE):
            yield _mosaic_tile(pixels, layout, y, x, encoded)


def _mosaic_tile(
    pixels: UInt8Array,
    layout: IntArray,
    y: int,
    x: int,
    encoded: dict[tuple[int, ...], bytes],
) -> bytes:
    """One tile; those inside a single block are encoded once and repeated."""
    block = pixels.shape[1]
    if block >= TILE:
        key = (int(layout[y // block, x // block]), y % block, x % block)
        if key not in encoded:
            encoded[key] = encode_tile(pixels[key[0], key[1] : key[1] + TILE, key[2] : key[2] + TILE].copy())
        return encoded[key]
    rows, columns = ((start // block + np.arange(TILE // block)) % len(layout) for start in (y, x))
    picked = pixels[layout[np.ix_(rows, columns)]]
    return encode_tile(np.ascontiguousarray(picked.transpose(0, 2, 1, 3, 4).reshape(TILE, TILE, 3)))
