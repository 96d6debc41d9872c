"""What `import medaug` offers."""

from __future__ import annotations

import doctest
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

import medaug
from medaug.diffusion.condition import ConditionEncoder
from medaug.diffusion.diffusion_model import DiffusionModel, save_model
from medaug.diffusion.unet import build_unet
from medaug.errors import DataError, SettingsError
from medaug.task import Attribute, Task

BUNDLE = Path(__file__).parents[1] / "bundles" / "chexpert"
TASK = Task("multilabel", ("edema",), attributes=(Attribute("sex", ("F", "M")),))


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "diffusion.pt"
    encoder = ConditionEncoder(TASK, ("sex",))
    save_model(path, DiffusionModel(build_unet(8, 1, 1, encoder.size, (8, 8), 1, 8), encoder))
    return path


def test_the_example_of_the_package_is_true() -> None:
    assert doctest.testmod(medaug).failed == 0
    assert set(medaug.__all__) <= set(dir(medaug))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = medaug.nothing


def test_importing_the_package_draws_in_no_heavy_library() -> None:
    code = "import sys, medaug; print(sorted({'torch', 'monai', 'pandas'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_table_of_predictions_is_evaluated() -> None:
    random = np.random.default_rng(0)
    label, score = random.integers(0, 2, 60), random.uniform(size=60)
    table = pd.DataFrame({"score:edema": score, "label:edema": label, "patient_id": range(60)})
    metrics = medaug.evaluate(table, replicates=0).metrics
    found = metrics.query("metric == 'auc' and label == 'edema' and attribute == ''")["value"].iloc[0]
    assert found == pytest.approx(roc_auc_score(label, score))


def test_images_are_drawn_one_a_row_whatever_the_others(model: Path) -> None:
    asked = pd.DataFrame({"label:edema": [0.0, 1.0, np.nan], "attr:sex": ["F", "M", None]})
    images = medaug.generate(model, asked, steps=2)
    assert (images.shape, images.dtype) == ((3, 8, 8, 1), np.uint8)
    first = medaug.generate(model, asked[:1], steps=2)
    assert np.abs(images[:1].astype(int) - first).max() <= 1
    assert (medaug.generate(model, asked, steps=2, seed=1) != images).any()
    with pytest.raises(DataError, match="no column 'label:edema'"):
        medaug.generate(model, asked.drop(columns="label:edema"))


@pytest.mark.filterwarnings("ignore:parsing config_file:UserWarning")
def test_a_stage_runs_with_settings_and_its_store_opens(tmp_path: Path) -> None:
    hook = sys.excepthook
    how = {"phantom_images": [60, 40], "image_size": 32, "base_size": 16, "workers": 0}
    stage = medaug.run(BUNDLE / "prepare.json", output_dir=str(tmp_path), **how)
    with pytest.raises(SettingsError, match=r"sizes \(there \[32, 16\], now \[24, 16\]\)"):
        medaug.run(BUNDLE / "prepare.json", output_dir=str(tmp_path), **{**how, "image_size": 24})
    sys.excepthook = hook
    store = medaug.open_store(stage.product)
    assert store.sizes == (32, 16)
    assert store.images(16).shape == (100, 16, 16, 1)
    with pytest.raises(SettingsError, match="did you mean 'phantom_images'"):
        medaug.run(BUNDLE / "prepare.json", output_dir=str(tmp_path), phantom_image=[1, 1])
