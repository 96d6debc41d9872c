import numpy as np
import pandas as pd
import pytest

from medaug.task import Attribute, Task


@pytest.fixture
def task():
    return Task(
        "multilabel",
        ("edema", "effusion"),
        attributes=(Attribute("sex", ("F", "M")), Attribute("age", bins=(0, 50, 90))),
    )


@pytest.fixture
def make_table(task):
    """Build a table of `count` rows, one patient a row, with everything that a store wants."""

    def make(count: int, **columns) -> pd.DataFrame:
        number = np.arange(count)
        content = {
            "image_id": [f"image{i}" for i in number],
            "file": [f"folder/{i}.png" for i in number],
            "patient_id": [f"patient{i}" for i in number],
            "domain": "A",
            "split": "train",
            "label:edema": (number % 2).astype(float),
            "label:effusion": np.nan,
            "attr:sex": np.where(number % 3 == 0, "F", "M"),
            "attr:age": number % 90.0,
        }
        return pd.DataFrame({**content, **columns})

    return make


@pytest.fixture
def make_images():
    """Build images of some rows whose every pixel says which row it is."""

    def make(rows, sizes, channels=1):
        values = np.asarray(rows, np.uint8)[:, None, None, None]
        return {size: np.tile(values, (1, size, size, channels)) for size in sizes}

    return make
