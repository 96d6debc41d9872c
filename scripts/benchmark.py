"""Times medaug beside its peers, in the same run and taking turns, and prints a table.

Examples
--------
python scripts/benchmark.py all
python scripts/benchmark.py loader --image_sizes 64 --repeats 9 --threads 1
python scripts/benchmark.py train_diffusion generate train --device cuda --minutes 8

The last is another measurement, of how fast a GPU is used: see ``benchmarks/on_device.py``.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from benchmarks import evaluate, generate, loader, on_device, slides, train_diffusion
from benchmarks.contest import heading, hold

SUBJECTS = {
    "loader": loader,
    "slides": slides,
    "train_diffusion": train_diffusion,
    "generate": generate,
    "evaluate": evaluate,
}
PACKAGES = (
    *("medaug", "torch", "monai", "pytorch-ignite", "numpy"),
    *("diffusers", "fairlearn", "openslide-python", "imagecodecs"),
)


def main() -> None:
    """Run the benchmarks that the command line names."""
    if any(argument.startswith("--device") for argument in sys.argv):
        on_device.main(sys.argv[1:])
        return
    settings = _parser().parse_args()
    if settings.threads:
        torch.set_num_threads(settings.threads)
    names = list(SUBJECTS) if settings.subject == "all" else [settings.subject]
    print(_circumstances(settings.repeats))
    for name in names:
        print(f"\n{name}: {SUBJECTS[name].TARGET}\n{heading()}")
        with TemporaryDirectory() as folder:
            for contest in SUBJECTS[name].contests(settings, Path(folder)):
                print(hold(contest, settings.repeats), flush=True)


def _parser() -> argparse.ArgumentParser:
    common = _options()
    common.add_argument("--repeats", type=int, default=7, help="rounds that are timed, after one that is not")
    common.add_argument("--threads", type=int, help="torch threads (default: what torch chooses)")
    common.add_argument("--preset", default="demo", help="whose generative base model is timed")
    own = {name: _options() for name in SUBJECTS}
    for name, subject in SUBJECTS.items():
        subject.add_options(own[name].add_argument_group(name))
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    commands = parser.add_subparsers(dest="subject", required=True)
    for name, options in own.items():
        _command(commands, name, SUBJECTS[name].__doc__ or "", [common, options])
    _command(commands, "all", "All of them, one after the other.", [common, *own.values()])
    return parser


def _options() -> argparse.ArgumentParser:
    return argparse.ArgumentParser(add_help=False)


def _command(commands: argparse._SubParsersAction, name: str, text: str, parents: list) -> None:
    formatter = argparse.ArgumentDefaultsHelpFormatter
    summary = text.split("\n")[0]
    commands.add_parser(name, help=summary, description=summary, parents=parents, formatter_class=formatter)


def _circumstances(repeats: int) -> str:
    """Say what the times depend on, and how to read the table."""
    machine = f"{os.cpu_count()} cores ({platform.machine()}), {torch.get_num_threads()} torch threads"
    packages = ", ".join(_versions())
    return (
        f"{machine}, Python {platform.python_version()}\n{packages}\n"
        f"Median [range] of n = {repeats} rounds in which all take turns. 'medaug is': the median over the\n"
        "rounds of medaug's speed divided by the peer's; above 1 medaug is that many times faster."
    )


def _versions() -> list[str]:
    found = []
    for package in PACKAGES:
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            found.append(f"no {package}")
    return found


if __name__ == "__main__":
    main()
