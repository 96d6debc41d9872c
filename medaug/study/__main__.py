"""Make the page of a reader study, or score what it exported: ``python -m medaug.study make | score``."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Sequence
from pathlib import Path

from medaug.data.store import ImageStore
from medaug.data.table import is_synthetic
from medaug.errors import SettingsError, told_in_one_sentence
from medaug.study.choice import ChoiceSettings
from medaug.study.exports import read_exports
from medaug.study.key import StudyKey, key_path
from medaug.study.page import make_study
from medaug.study.score import score
from medaug.study.tables import scores_text, write_scores


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command that the command line names; what is wrong with the input is one sentence."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    settings = _parser().parse_args(arguments)
    with told_in_one_sentence():
        settings.command(settings)


def _make(settings: argparse.Namespace) -> None:
    choice = ChoiceSettings(
        images_per_class=settings.images_per_class,
        conditions=tuple(settings.conditions),
        splits=tuple(settings.splits),
        least_label=settings.least_label,
        seed=settings.seed,
    )
    stores = [ImageStore.open(path) for path in settings.store]
    stores += [_synthetic_store(path) for path in settings.synthetic]
    options = {"title": settings.title, "diagnoses": settings.diagnoses, "size": settings.size}
    key = make_study(settings.output, stores, choice, **options)
    print(f"{settings.output}: {len(key.images)} images of {len(key.conditions)} conditions, for the raters")
    print(f"{key_path(settings.output)}: what they are, for scoring; keep it from the raters")


def _synthetic_store(path: Path) -> ImageStore:
    store = ImageStore.open(path)
    if not is_synthetic(store.table).all():
        raise SettingsError(f"{path} holds real images; name it with --store")
    return store


def _score(settings: argparse.Namespace) -> None:
    key = StudyKey.load(settings.key)
    scores = score(read_exports(settings.exports, key), key)
    csv = write_scores(settings.output, scores, key)
    print(f"{scores_text(scores)}\n\n{settings.output} and {csv}: these tables")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m medaug.study", description=(__doc__ or "").split(":")[0] + "."
    )
    commands = parser.add_subparsers(required=True)
    formatter = argparse.ArgumentDefaultsHelpFormatter
    make = commands.add_parser("make", help="make the page and its key", formatter_class=formatter)
    make.set_defaults(command=_make)
    make.add_argument("--store", type=Path, nargs="+", default=[], help="image stores, real or mixed")
    make.add_argument("--synthetic", type=Path, nargs="+", default=[], help="image stores, synthetic")
    make.add_argument(
        "--images_per_class", type=int, required=True, help="images of each condition and source"
    )
    make.add_argument("--conditions", nargs="+", default=[], help="classes to show (all that have images)")
    make.add_argument("--splits", nargs="+", default=[], help="splits to take real images from (all)")
    make.add_argument(
        "--least_label", type=float, default=0.5, help="label from which an image shows a class"
    )
    make.add_argument("--diagnoses", type=Path, help="CSV condition,class of further diagnoses")
    make.add_argument("--size", type=int, help="side of the images (the largest that all stores have)")
    make.add_argument("--title", default="Reader study", help="heading of the page")
    make.add_argument("--seed", type=int, default=0, help="decides which images, and their order")
    make.add_argument("--output", type=Path, default=Path("study.html"), help="the page")
    rate = commands.add_parser("score", help="score what raters exported", formatter_class=formatter)
    rate.set_defaults(command=_score)
    rate.add_argument("exports", type=Path, nargs="+", help="JSON files that the page exported")
    rate.add_argument("--key", type=Path, required=True, help="the key beside the page")
    rate.add_argument(
        "--output", type=Path, default=Path("scores.html"), help="tables; a CSV comes beside it"
    )
    return parser


if __name__ == "__main__":
    main()
