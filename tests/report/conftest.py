from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from medaug.data.store import ImageStore, StoreWriter
from medaug.evaluation.comparison import compare_methods
from medaug.evaluation.metrics_table import compute_metrics
from medaug.evaluation.predictions import check_predictions
from medaug.evaluation.settings import EvaluationSettings
from medaug.task import Attribute, Task

SEX, AGE = Attribute("sex", ("F", "M")), Attribute("age", bins=(0, 50, float("inf")))
TASK = Task("multilabel", ("edema", "effusion"), attributes=(SEX, AGE))
SETTINGS = EvaluationSettings(metrics=["auc", "accuracy"], replicates=20, min_group_size=2)

VOID = {"meta", "img", "br", "source"}


class Page(HTMLParser):
    """Tables as rows of cell texts, images, whole text, and tags with their attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tables: dict[str, list[list[str]]] = {}
        self.images: list[dict[str, str]] = []
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self.open: list[str] = []
        self._caption = ""
        self._rows: list[list[str]] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
        if tag == "img":
            self.images.append(dict(attrs))
        elif tag == "table":
            self._caption, self._rows = "", []
        elif tag == "tr":
            self._rows.append([])
        elif tag in ("td", "th"):
            self._rows[-1].append("")
        elif tag in ("small", "br"):
            self.handle_data(" ")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag
        if tag == "table":
            self.tables[self._caption] = self._rows

    def handle_data(self, data):
        if "style" in self.open:
            return
        self.text += data
        if "caption" in self.open:
            self._caption += data
        elif "td" in self.open or (self.open and "th" in self.open):
            self._rows[-1][-1] += data


@pytest.fixture(scope="session")
def read():
    return lambda path: Page(path.read_text(encoding="utf-8"))


def make_table(rows: int, seed: int, split: np.ndarray, synthetic: bool = False) -> pd.DataFrame:
    generator = np.random.default_rng(seed)
    table = pd.DataFrame(
        {
            "image_id": [f"image-{synthetic}-{i}" for i in range(rows)],
            "file": [f"private/name-{i}.png" for i in range(rows)],
            "patient_id": [f"JANE-DOE-{i}" for i in range(rows)],
            "domain": np.where(np.char.startswith(split.astype(str), "ood"), "away", "home"),
            "split": split,
            "label:edema": (generator.random(rows) < 0.5).astype(np.float32),
            "label:effusion": (generator.random(rows) < 0.4).astype(np.float32),
            "attr:sex": np.where(generator.random(rows) < 0.5, "F", "M"),
            "attr:age": np.round(generator.uniform(20, 90, rows)),
            "synthetic": synthetic,
        }
    )
    table.loc[0, "label:effusion"] = np.nan
    return table


def make_store(
    path: Path, table: pd.DataFrame, *, rejected: tuple[int, ...] = (), phantom: bool = False, size: int = 8
) -> ImageStore:
    images = np.random.default_rng(7).integers(0, 256, (len(table), size, size, 1), dtype=np.uint8)
    writer = StoreWriter(path, TASK, table, (size,), 1)
    kept = [i for i in range(len(table)) if i not in rejected]
    writer.write(kept, {size: images[kept]})
    for row in rejected:
        writer.reject(row, "not an image")
    counts = {"left_out": {"other side": 5}}
    origin = {"phantom": phantom, "counts": counts, "dataset_dir": "/home/jane", "seed": 3, "note": "/home/x"}
    return writer.finish(origin)


@pytest.fixture
def new_store(tmp_path: Path):
    def make(name: str, split: list[str], **options) -> ImageStore:
        return make_store(tmp_path / name, make_table(len(split), 5, np.array(split)), **options)

    return make


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> ImageStore:
    split = np.array(["train"] * 40 + ["id_test"] * 60 + ["ood_test"] * 60 + ["unlabelled"] * 5)
    return make_store(tmp_path_factory.mktemp("real") / "data", make_table(165, 0, split), rejected=(3, 4))


@pytest.fixture(scope="session")
def synthetic(tmp_path_factory: pytest.TempPathFactory) -> ImageStore:
    table = make_table(20, 1, np.array(["train"] * 20), synthetic=True)
    return make_store(tmp_path_factory.mktemp("made") / "synthetic", table)


@pytest.fixture(scope="session")
def predictions(store: ImageStore) -> pd.DataFrame:
    generator = np.random.default_rng(2)
    tested = store.table[store.table["split"].isin(["id_test", "ood_test"])]
    runs = []
    for method, skill in (("label", 0.6), ("baseline", 0.2)):
        run = tested.drop(columns=["file", "synthetic"]).assign(method=method)
        for name in TASK.classes:
            noise = generator.random(len(run))
            run[f"score:{name}"] = noise * (1 - skill) + skill * run[f"label:{name}"].fillna(0.5)
        runs.append(run)
    return check_predictions(pd.concat(runs, ignore_index=True))


@pytest.fixture(scope="session")
def metrics(predictions: pd.DataFrame) -> pd.DataFrame:
    return compute_metrics(predictions, SETTINGS, TASK)


@pytest.fixture(scope="session")
def comparison(predictions: pd.DataFrame) -> pd.DataFrame:
    return compare_methods(predictions, "baseline", SETTINGS, TASK)


@pytest.fixture(scope="session")
def soft_predictions() -> pd.DataFrame:
    """Two methods, two seeds, five conditions with soft labels; one person of a third sex."""
    generator, runs = np.random.default_rng(0), []
    for method, seeds in (("baseline", (0, 1)), ("label", (0, 1))):
        for seed in seeds:
            run = pd.DataFrame({"image_id": [f"i{n}" for n in range(80)], "attr:sex": ["F", "M"] * 40})
            run.loc[0, "attr:sex"] = "X"
            labels, scores = generator.dirichlet(np.ones(5), 80), generator.dirichlet(np.ones(5), 80)
            for i, name in enumerate("abcde"):
                run[f"label:{name}"], run[f"score:{name}"] = labels[:, i], scores[:, i]
            runs.append(run.assign(method=method, seed=seed))
    return pd.concat(runs, ignore_index=True)


@pytest.fixture(scope="session")
def two_sets(predictions: pd.DataFrame) -> pd.DataFrame:
    """The predictions, out of distribution those of two data sets."""
    place = predictions["image_id"].str.removeprefix("image-False-").astype(int)
    outside = predictions["split"] == "ood_test"
    named = place.map(lambda number: ("near", "far")[number % 3 == 0])
    return predictions.assign(domain=predictions["domain"].mask(outside, named))
