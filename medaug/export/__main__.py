"""Write synthetic images as files that say so, for people and programs outside of medaug.

    python -m medaug.export runs/first/synthetic to_share --format dicom

Each file has a stamp (generator, seed, condition), and ``images.jsonl`` beside them a line on each.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from medaug.errors import told_in_one_sentence
from medaug.export.exporting import FORMATS, export_images


def main(arguments: Sequence[str] | None = None) -> None:
    """Export, and say where to."""
    parser = argparse.ArgumentParser(
        prog="python -m medaug.export",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("store", type=Path, help="store of synthetic images, such as runs/first/synthetic")
    parser.add_argument("folder", type=Path, help="where the files go; must not be there")
    parser.add_argument("--format", choices=list(FORMATS), default="png", help="format of the files (png)")
    parser.add_argument("--first", type=int, help="only so many images, spread evenly over the store (all)")
    given = parser.parse_args(arguments)
    with told_in_one_sentence():
        files = export_images(given.store, given.folder, given.format, given.first)
    print(f"{given.folder}: {len(files):,} synthetic images")


if __name__ == "__main__":
    main()
