from __future__ import annotations

from pathlib import Path

import pytest

from medaug.phantoms.chest.trees import write_radiograph_phantoms


@pytest.fixture(scope="session")
def phantoms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("phantoms") / "both"
    write_radiograph_phantoms(folder, seed=3, chexpert_images=300, chestxray14_images=200)
    return folder
