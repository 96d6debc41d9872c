"""List the arms, or do a step of a study again: ``python -m medaug.grid arms | looks | page``."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Sequence
from pathlib import Path

from medaug.errors import told_in_one_sentence
from medaug.grid.arms import arms
from medaug.grid.design import Study
from medaug.grid.study_looks import write_looks
from medaug.grid.study_report import write_study_report


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command that the command line names; what is wrong with the input is one sentence."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    settings = _parser().parse_args(arguments)
    with told_in_one_sentence():
        settings.command(settings)


def _list(settings: argparse.Namespace) -> None:
    known = arms(settings.group)
    width = max(map(len, known)) + 2
    for name, arm in known.items():
        print(f"{name:{width}}{arm.meaning}")


def _look(settings: argparse.Namespace) -> None:
    found = write_looks(Study.load(settings.study), settings.labelled, settings.seed)
    print(f"What the classifiers see in common is in {found}")


def _page(settings: argparse.Namespace) -> None:
    print(f"The study's page is {write_study_report(Study.load(settings.study))}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m medaug.grid", description=(__doc__ or "").split(":")[0] + "."
    )
    commands = parser.add_subparsers(required=True)
    listing = commands.add_parser("arms", help="list the arms that a study may have")
    listing.set_defaults(command=_list)
    listing.add_argument("--group", default="the property", help="attribute whose rare groups are meant")
    looks = commands.add_parser("looks", help="measure what all classifiers of a seed see in common")
    looks.set_defaults(command=_look)
    looks.add_argument("study", type=Path, help="study.json in the folder of the study")
    looks.add_argument("labelled", help="who keeps labelled images: a name in the study's labelled")
    looks.add_argument("seed", type=int, help="of the trainings")
    page = commands.add_parser("page", help="write index.html and its CSV files from what a study has made")
    page.set_defaults(command=_page)
    page.add_argument("study", type=Path, help="study.json in the folder of the study")
    return parser


if __name__ == "__main__":
    main()
