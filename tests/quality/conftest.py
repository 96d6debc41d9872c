"""Drawn images in which a network can see something, and a judge of them that works without any download."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from medaug.data.store import ImageStore, StoreWriter
from medaug.quality.image_features import FeatureNetwork, SeenImages, feature_network, see
from medaug.quality.judge import judge
from medaug.quality.judgement import Judgement
from medaug.quality.limits import Limits
from medaug.quality.resampling import Resampling
from medaug.quality.spoiling import SPOILINGS
from medaug.task import Attribute, Task

SIDE = 64
TASK = Task("multilabel", ("edema", "effusion"), attributes=(Attribute("sex", ("F", "M")),))


def people(count: int, seed: int) -> pd.DataFrame:
    """A table of labels and sexes, independent of one another."""
    random = np.random.default_rng(seed)
    names = [f"{seed}-{i}" for i in range(count)]
    table = pd.DataFrame({"image_id": names, "file": "f.png", "patient_id": names, "domain": "A"})
    for column in TASK.label_columns:
        table[column] = random.integers(0, 2, count).astype(np.float32)
    table["attr:sex"] = random.choice(["F", "M"], count)
    return table


def drawings(table: pd.DataFrame, seed: int) -> np.ndarray:
    """Grey images (N, 64, 64, 1): each a body of its own; discs show the conditions, a bar the sex."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[0:SIDE, 0:SIDE] / SIDE
    images = []
    for row in table.to_dict("records"):
        a, b, c, d = random.uniform(0.3, 0.7, 4)
        image = 60 + 90 * np.exp(-((x - a) ** 2 + (y - b) ** 2) / (0.05 + 0.1 * c))
        image += 30 * np.sin(2 * np.pi * (3 + 4 * d) * (x * c + y * d))
        image += np.kron(random.normal(0, 15, (8, 8)), np.ones((8, 8)))
        image += 70 * row["label:edema"] * (np.hypot(x - 0.2, y - 0.8) < 0.12)
        image += 70 * row["label:effusion"] * (np.hypot(x - 0.8, y - 0.2) < 0.12)
        image[: 6 if row["attr:sex"] == "M" else 1] = 230
        images.append(image + random.normal(0, 4, image.shape))
    return np.stack(images).clip(0, 255).round().astype(np.uint8)[..., None]


def store_of(path: Path, table: pd.DataFrame, images: np.ndarray, splits: list[str]) -> ImageStore:
    writer = StoreWriter(path, TASK, table.assign(split=splits), (SIDE,), 1)
    writer.write(np.arange(len(images)), {SIDE: images})
    return writer.finish({"phantom": True})


@pytest.fixture(scope="session")
def network() -> FeatureNetwork:
    return feature_network("efficientnet_lite0", 1)


def look(network: FeatureNetwork, store: ImageStore, *splits: str) -> SeenImages:
    return see(network, store, store.rows(*splits), size=SIDE, batch_size=50, device="cpu")


@pytest.fixture(scope="session")
def real(tmp_path_factory: pytest.TempPathFactory) -> ImageStore:
    """240 training images, 60 unlabelled ones among them, and 100 held out."""
    table = people(340, seed=0)
    splits = ["train"] * 180 + ["unlabelled"] * 60 + ["id_val"] * 100
    table.loc[180:239, TASK.label_columns] = np.nan
    return store_of(tmp_path_factory.mktemp("real") / "data", table, drawings(table.fillna(0), 1), splits)


@pytest.fixture(scope="session")
def training(network: FeatureNetwork, real: ImageStore) -> SeenImages:
    return look(network, real, "train", "unlabelled")


@pytest.fixture(scope="session")
def held_out(network: FeatureNetwork, real: ImageStore) -> SeenImages:
    return look(network, real, "id_val")


@pytest.fixture(scope="session")
def spoiled(real: ImageStore) -> dict[str, SeenImages]:
    networks = {name: feature_network("efficientnet_lite0", 1, spoil) for name, spoil in SPOILINGS.items()}
    return {name: look(network, real, "id_val") for name, network in networks.items()}


Drawn = tuple[pd.DataFrame, np.ndarray]


@pytest.fixture(scope="session")
def drawn() -> Callable[[int, int], Drawn]:
    """Draw so many people from a seed: a table and its images."""

    def drawn(count: int, seed: int) -> Drawn:
        table = people(count, seed)
        return table, drawings(table, seed + 1)

    return drawn


Judge = Callable[..., Judgement]


@pytest.fixture
def judged(
    network: FeatureNetwork,
    training: SeenImages,
    held_out: SeenImages,
    spoiled: dict[str, SeenImages],
    tmp_path: Path,
) -> Judge:
    """Judge images that are said to be synthetic."""

    def judged(table: pd.DataFrame, images: np.ndarray, limits: Limits | None = None) -> Judgement:
        names = [f"synthetic-{i}" for i in range(len(table))]
        asked = table.assign(image_id=names, patient_id=None, domain="synthetic", synthetic=True)
        store = store_of(tmp_path / "synthetic", asked, images, ["train"] * len(table))
        return judge(
            look(network, store),
            held_out,
            training,
            spoiled,
            limits=limits or Limits(),
            resampling=Resampling(50, 0.95, 0),
            size=SIDE,
            sample=1000,
            properties=("sex",),
        )

    return judged
