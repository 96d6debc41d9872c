from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest


def make_predictions(images: int = 120, labels: int = 2, seed: int = 0, method: str = "real") -> pd.DataFrame:
    """Two images a patient, sex and age, a few unknown labels, scores with ties."""
    generator = np.random.default_rng(seed)
    table = pd.DataFrame(
        {
            "image_id": [f"image {i:04d}" for i in range(images)],
            "patient_id": [f"patient {i // 2:04d}" for i in range(images)],
            "method": method,
            "split": "id_test",
            "domain": "A",
            "attr:sex": generator.choice(["F", "M"], images),
            "attr:age": generator.uniform(20, 90, images),
        }
    )
    for number in range(labels):
        truth = (generator.random(images) < 0.4).astype(float)
        noisy = 0.3 * truth + 0.7 * generator.random(images)
        table[f"score:c{number}"] = noisy.round(2)
        table[f"label:c{number}"] = np.where(generator.random(images) < 0.05, np.nan, truth)
    return table


@pytest.fixture(scope="session")
def predictions() -> Callable[..., pd.DataFrame]:
    return make_predictions
