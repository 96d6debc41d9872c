from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

import pytest
from finished_run import BUNDLES, finished_run

from medaug.sharing.packing import pack
from medaug.sharing.source import Source


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run; tests that change it copy it first."""
    return finished_run(tmp_path_factory.mktemp("run") / "output")


@pytest.fixture(scope="session")
def zipped(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle packed once, in a folder with a space in its name."""
    out = tmp_path_factory.mktemp("given away") / "given away" / "chexpert.zip"
    return pack(Source.of(BUNDLES / "chexpert", finished), out)


@pytest.fixture(scope="session")
def unpacked(zipped: Path) -> Path:
    """The bundle where it was unpacked; tests that change it copy it first."""
    with zipfile.ZipFile(zipped) as archive:
        archive.extractall(zipped.parent)
    return zipped.parent / "chexpert"


@pytest.fixture
def taken(unpacked: Path, tmp_path: Path) -> Path:
    """A copy of the unpacked bundle of one's own."""
    return Path(shutil.copytree(unpacked, tmp_path / "my bundles" / "chexpert"))
