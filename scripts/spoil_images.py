"""Write spoiled DICOM files and pictures, read them, and count what became of each kind.

What is right is known from how a file was made. Run as

    python scripts/spoil_images.py --files 500 --seed 0

The exit status is 1 where a file crashes the reader, is changed without a word or gets a wrong reason.
"""

from __future__ import annotations

import argparse
import logging
import sys
import warnings
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from spoiling import dicom, rasters
from spoiling.images import OUTCOMES, Kind, outcome

KINDS: dict[str, Kind] = {
    f"{family}: {kind.__name__.replace('_', ' ')}": kind
    for family, module in (("DICOM", dicom), ("picture", rasters))
    for kind in module.KINDS
}


def main() -> int:
    """Print a table of kinds and outcomes."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--files", type=int, default=500, help="files in all, spread over the kinds")
    parser.add_argument("--seed", type=int, default=0)
    settings = parser.parse_args()
    warnings.simplefilter("ignore")  # of pydicom, which is asked to write what it warns about
    logging.disable(logging.WARNING)
    counts = spoil(settings.files, settings.seed)
    print_table(counts)
    return int(any(count[name] for count in counts.values() for name in OUTCOMES[2:]))


def spoil(files: int, seed: int) -> dict[str, Counter[str]]:
    """Return the number of each outcome for each kind; file i is a function of the seed and i alone."""
    counts: dict[str, Counter[str]] = {name: Counter() for name in KINDS}
    with TemporaryDirectory() as folder:
        for number in range(files):
            name = list(KINDS)[number % len(KINDS)]
            case = KINDS[name](np.random.default_rng([seed, number]), Path(folder))
            counts[name][outcome(case)] += 1
    return counts


def print_table(counts: dict[str, Counter[str]]) -> None:
    """Print a line for each kind, and the sums."""
    width = max(map(len, counts))
    print(f"{'kind':{width}s}", *(f"{name:>14s}" for name in OUTCOMES))
    for kind, count in {**counts, "all": sum(counts.values(), Counter())}.items():
        print(f"{kind:{width}s}", *(f"{count[name]:14d}" for name in OUTCOMES))


if __name__ == "__main__":
    sys.exit(main())
