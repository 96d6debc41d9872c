from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from medaug.analysis.features import features_of_sets
from medaug.classification.networks import build_classifier
from medaug.data.store import ImageStore, StoreWriter
from medaug.task import Task

TASK = Task("multilabel", ("edema",))


def new_store(path: Path, splits: list[str], domains: list[str]) -> ImageStore:
    count = len(splits)
    table = pd.DataFrame(
        {
            "image_id": [f"i{n}" for n in range(count)],
            "file": "x.png",
            "patient_id": [f"p{n}" for n in range(count)],
            "domain": domains,
            "split": splits,
            "label:edema": np.float32(1),
            "synthetic": False,
        }
    )
    writer = StoreWriter(path, TASK, table, (16,), 1)
    images = np.random.default_rng(0).integers(0, 256, (count, 16, 16, 1), dtype=np.uint8)
    writer.write(range(count), {16: images})
    return writer.finish({})


@pytest.fixture
def store(tmp_path: Path) -> ImageStore:
    return new_store(tmp_path / "data", ["train"] * 9 + ["id_test"] * 4 + ["unlabelled"], ["home"] * 14)


def test_features_are_those_of_the_penultimate_layer_of_each_set(store: ImageStore) -> None:
    network = build_classifier("small_resnet", classes=1, channels=1).eval()
    found = features_of_sets(network, store, store, image_size=16, batch_size=3)
    assert {name: len(of) for name, of in found.items()} == {"train": 9, "id_test": 4, "synthetic": 14}
    pixels = torch.from_numpy(store.images(16)[9:13].copy()).permute(0, 3, 1, 2) / 255
    with torch.no_grad():
        expected = network.features(pixels).numpy()
    np.testing.assert_allclose(found["id_test"], expected, rtol=1e-4, atol=1e-5)
    fewer = features_of_sets(network, store, None, image_size=16, most=5, seed=3)
    assert {name: len(of) for name, of in fewer.items()} == {"train": 5, "id_test": 4}
    whole = {row.tobytes() for row in np.round(found["train"], 4)}
    assert {row.tobytes() for row in np.round(fewer["train"], 4)} <= whole


def test_external_sets_of_half_the_smallest_set_are_sets_of_their_own(tmp_path: Path) -> None:
    domains = ["home"] * 10 + ["clinic"] * 3 + ["scans"] * 2 + ["app"]
    store = new_store(tmp_path / "data", ["train"] * 6 + ["id_val"] * 4 + ["ood_test"] * 6, domains)
    network = build_classifier("small_resnet", classes=1, channels=1).eval()
    found = features_of_sets(network, store, None, image_size=16)
    parts = {"ood_test: clinic": 3, "ood_test: scans": 2}
    assert {name: len(of) for name, of in found.items()} == {"train": 6, "id_val": 4, "ood_test": 6} | parts
    of_parts = np.concatenate([found["ood_test: clinic"], found["ood_test: scans"]])
    np.testing.assert_allclose(found["ood_test"][:5], of_parts, rtol=1e-4, atol=1e-5)
