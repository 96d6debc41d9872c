import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from medaug.data.store import ImageStore, StoreWriter
from medaug.task import Attribute, Task

TASK = Task(
    "multilabel",
    ("edema", "effusion"),
    attributes=(Attribute("sex", ("F", "M")), Attribute("age", bins=(0.0, 60.0, math.inf))),
)


def make_store(path, *, counts=None, phantom=True, domain="A", task=TASK, size=16, seed=0, channels=1):
    """Images whose brightness on the left (right) half shows the first (second) label."""
    counts = counts or {"train": 24, "id_val": 12, "id_test": 8, "ood_test": 6}
    generator = np.random.default_rng(seed)
    splits = [split for split, count in counts.items() for _ in range(count)]
    count = len(splits)
    labels = generator.integers(0, 2, (count, len(task.classes))).astype(np.float32)
    table = pd.DataFrame(
        {
            "image_id": [f"{domain}{i}" for i in range(count)],
            "file": [f"{i}.png" for i in range(count)],
            "patient_id": [f"{domain}p{i}" for i in range(count)],
            "domain": domain,
            "split": splits,
            **{f"label:{name}": labels[:, i] for i, name in enumerate(task.classes)},
            "attr:sex": ["F", "M"] * (count // 2) + ["F"] * (count % 2),
            "attr:age": generator.uniform(20, 90, count),
            "synthetic": False,
        }
    )
    images = generator.integers(0, 100, (count, size, size, channels), dtype=np.uint8)
    images[:, :, : size // 2] += (labels[:, 0] * 100).astype(np.uint8)[:, None, None, None]
    images[:, :, size // 2 :] += (labels[:, 1] * 100).astype(np.uint8)[:, None, None, None]
    writer = StoreWriter(path, task, table, (size,), channels)
    writer.write(np.arange(count), {size: images})
    return writer.finish({"phantom": phantom})


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> ImageStore:
    return make_store(Path(tmp_path_factory.mktemp("real")) / "data")


@pytest.fixture(scope="session")
def synthetic(tmp_path_factory: pytest.TempPathFactory) -> ImageStore:
    path = Path(tmp_path_factory.mktemp("synthetic")) / "data"
    return make_store(path, counts={"train": 10}, domain="synthetic", seed=1)


@pytest.fixture
def make():
    return make_store
