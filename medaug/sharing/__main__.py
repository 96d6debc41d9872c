"""Give a bundle away, or look into one: ``python -m medaug.sharing pack | inspect``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from medaug.errors import told_in_one_sentence


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command that the command line names; what is wrong with the input is one sentence."""
    settings = _parser().parse_args(arguments)
    with told_in_one_sentence():
        settings.command(settings)


def _pack(settings: argparse.Namespace) -> None:
    # Imported here: looking into a bundle shall need none of what packing does.
    from medaug.sharing.manifest import digest
    from medaug.sharing.packing import pack
    from medaug.sharing.source import Source

    source = Source.of(settings.bundle, settings.run, settings.data, settings.generator)
    path = pack(source, settings.out, settings.large_files_url)
    print(f"The bundle is {path}; read its model card, docs/README.md, before you give it away.")
    print(f"SHA-256 for whoever takes it: {digest(path)}")


def _inspect(settings: argparse.Namespace) -> None:
    from medaug.sharing.inspection import inspect

    inspection = inspect(settings.file)
    print(inspection.text())
    raise SystemExit(0 if inspection.trusted else 1)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m medaug.sharing", description=(__doc__ or "").split(":")[0] + "."
    )
    commands = parser.add_subparsers(required=True)
    pack = commands.add_parser("pack", help="make one zip of a bundle and the models of a finished run")
    pack.set_defaults(command=_pack)
    pack.add_argument("bundle", type=Path, help="folder of the bundle, for example bundles/chexpert")
    pack.add_argument("--run", type=Path, required=True, help="run folder, --output_dir of the training")
    pack.add_argument("--out", type=Path, required=True, help="zip to write")
    pack.add_argument("--data", type=Path, help="image store, where it is not data/ in the run folder")
    pack.add_argument("--generator", type=Path, help="run folder of the generator, where it is another")
    pack.add_argument("--large_files_url", default="", help="where files above 25 MB will be found")
    look = commands.add_parser("inspect", help="say what is in a bundle, without running any of it")
    look.set_defaults(command=_inspect)
    look.add_argument("file", type=Path, help="zip, or folder of an unpacked bundle")
    return parser


if __name__ == "__main__":
    main()
