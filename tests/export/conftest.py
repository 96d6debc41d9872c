from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from medaug.data.store import StoreWriter
from medaug.task import Attribute, Task

TASK = Task(
    "multilabel",
    ("edema", "effusion"),
    attributes=(Attribute("sex", ("F", "M")), Attribute("age", bins=(0, 50, 90))),
)
COUNT, SIZE = 4, 12


@pytest.fixture
def make_store(tmp_path):
    """Write a store of noise whose rows are synthetic or not."""

    def make(name="synthetic", synthetic=True, channels=1, phantom=False):
        rows = np.arange(COUNT)
        table = pd.DataFrame(
            {
                "image_id": [f"synthetic-{row:07d}" for row in rows],
                "file": "file",
                "patient_id": [f"patient {row}" for row in rows],
                "domain": ["synthetic", "Käte's ward", "synthetic", "synthetic"],
                "split": "train",
                "synthetic": synthetic,
                "label:edema": [0.0, 1.0, 1.0, np.nan],
                "label:effusion": [0.25, 0.0, 1.0, 1.0],
                "attr:sex": ["F", "M", None, "F"],
                "attr:age": [25.0, 70.0, np.nan, 70.0],
            }
        )
        writer = StoreWriter(tmp_path / name, TASK, table, (SIZE,), channels)
        pixels = np.random.default_rng(0).integers(0, 256, (COUNT, SIZE, SIZE, channels), np.uint8)
        writer.write(rows, {SIZE: pixels})
        origin = {"settings": {"seed": 7}, "generator": {"diffusion": "0123abcd", "upsampler": None}}
        return writer.finish({**origin, "versions": {"medaug": "9.9"}, "phantom": phantom})

    return make
