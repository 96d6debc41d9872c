"""A store of random pixels to time with."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from medaug.data.store import ImageStore, StoreWriter
from medaug.task import CHEST_RADIOGRAPHS


def random_store(path: Path, images: int, size: int) -> ImageStore:
    """Write a store of grey training images with random labels."""
    random, number = np.random.default_rng(0), np.arange(images)
    columns = {
        "image_id": [f"image{i}" for i in number],
        "file": [f"{i}.png" for i in number],
        "patient_id": [f"patient{i}" for i in number],
        "domain": "A",
        "split": "train",
        "attr:sex": np.where(number % 2, "F", "M"),
        "attr:age": 50.0,
    }
    labels = {name: random.integers(2, size=images) * 1.0 for name in CHEST_RADIOGRAPHS.label_columns}
    writer = StoreWriter(path, CHEST_RADIOGRAPHS, pd.DataFrame({**columns, **labels}), [size], 1)
    writer.write(number, {size: random.integers(256, size=(images, size, size, 1), dtype=np.uint8)})
    return writer.finish({"source": "benchmark", "phantom": True})
