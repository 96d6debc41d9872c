"""All arms of a seed look at the same images, those of one generator among them."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from medaug.classification.classifier import ClassifierInfo, save_classifier
from medaug.classification.networks import build_classifier
from medaug.data.store import StoreWriter
from medaug.grid.__main__ import main
from medaug.grid.design import Study
from medaug.task import Task

BUNDLE = str(Path(__file__).parents[2] / "bundles" / "chexpert")
TASK = Task("multilabel", ("edema",))
REAL = ("train", "id_test", "ood_test")
SEEDS = (3, 5)


def make_store(path: Path, splits: tuple[str, ...], darkest: int, images: int = 40) -> None:
    names = [f"{split}-{n}" for split in splits for n in range(images)]
    columns = {"image_id": names, "patient_id": names, "file": "x.png", "domain": "home"}
    table = pd.DataFrame({**columns, "split": np.repeat(splits, images), "label:edema": np.float32(1)})
    table["synthetic"] = path.name == "synthetic"
    writer = StoreWriter(path, TASK, table, (16,), 1)
    pixels = np.random.default_rng(darkest).integers(darkest, 256, (len(names), 16, 16, 1), dtype=np.uint8)
    writer.write(range(len(names)), {16: pixels})
    writer.finish({})


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """All arms of a seed have the same network, so that nothing but images can tell them apart."""
    folder = tmp_path_factory.mktemp("study")
    arms = ("focal", "label", "label_and_property")
    shared = {"device_name": "cpu"}
    made = Study.of({"bundle": BUNDLE, "output": str(folder), "arms": arms, "seeds": SEEDS, "shared": shared})
    make_store(made.data, REAL, darkest=0)
    for conditioning, darkest in {"label": 100, "label_and_property": 50}.items():
        for seed in SEEDS:
            make_store(made.generator("all", conditioning, seed) / "synthetic", ("train",), darkest + seed)
    for cell in made.cells():
        network = build_classifier("small_resnet", classes=1, channels=1, seed=cell.seed)
        info = ClassifierInfo(TASK, 16, cell.arm, cell.seed, True)
        save_classifier(made.run(cell) / "models" / "model.pt", network, info)
    made.save(folder / "study.json")
    for seed in SEEDS:
        main(["looks", str(folder / "study.json"), "all", str(seed)])
    return made


@pytest.mark.parametrize("seed", SEEDS)
def test_every_arm_has_all_pairs_of_table_g1(study: Study, seed: int) -> None:
    table = pd.read_csv(study.looks("all", seed) / "distances.csv")
    assert set(table["seed"]) == {seed}
    for arm in study.names:
        rows = table[table["method"] == arm]
        assert set(zip(rows["first"], rows["second"], strict=True)) == set(
            combinations((*REAL, "synthetic"), 2)
        )


def test_arms_with_the_same_network_see_the_same_in_the_same_images(study: Study) -> None:
    for name in ("distances", "components"):
        table = pd.read_csv(study.looks("all", SEEDS[0]) / f"{name}.csv").drop(columns="seed")
        of_arms = [rows.drop(columns="method").to_numpy() for _, rows in table.groupby("method")]
        assert len(of_arms) == 4
        assert all((other == of_arms[0]).all() for other in of_arms[1:])


def test_the_generated_images_are_those_of_the_seed(study: Study) -> None:
    """Another generator's images and other networks give other distances."""
    first, second = (pd.read_csv(study.looks("all", seed) / "distances.csv")["value"] for seed in SEEDS)
    assert not np.isclose(first, second).any()


def test_a_study_without_a_generator_looks_at_real_images(study: Study) -> None:
    of_real = Study.of({"bundle": BUNDLE, "output": study.output, "arms": ["focal"], "seeds": SEEDS[:1]})
    file = of_real.looks("all", SEEDS[0]) / "distances.csv"
    before = file.read_text(encoding="utf-8")
    of_real.save(Path(study.output, "real.json"))
    main(["looks", str(Path(study.output, "real.json")), "all", str(SEEDS[0])])
    table = pd.read_csv(file)
    file.write_text(before, encoding="utf-8")
    assert set(zip(table["first"], table["second"], strict=True)) == set(combinations(REAL, 2))
