"""Names, numbers, dates, places and a host planted in slides and around them come out nowhere."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from planted import (
    BORN,
    NAME,
    NUMBER,
    PLACE,
    SIDE,
    TINY,
    check_messages,
    check_products,
    heard,
    planted_host,
    products,
)
from planted_slides import COLUMNS, ELSEWHERE, MPP, SLIDES, write_slides

from medaug.data.readers import read_slide_source
from medaug.data.store import ImageStore
from medaug.errors import DataError
from medaug.sharing.packing import pack
from medaug.sharing.source import Source
from medaug.task import Task

pytestmark = pytest.mark.filterwarnings("ignore:parsing config_file:UserWarning")

TASK = Task("multilabel", ("tumour",))
PATCH = 32
PREPARE = {"image_size": SIDE, "patch_size": PATCH, "centre": 16, "mpp": MPP, "max_rejected": 0.2}
DIVIDE = {
    "val_fraction": 0.3,
    "test_fraction": 0.3,
    "normal_per_negative_slide": 8,
    "unlabelled_per_slide": 4,
}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Slides in a folder that names somebody, too."""
    folder = tmp_path_factory.mktemp("data") / f"{NAME} {BORN}"
    write_slides(folder)
    return folder


@pytest.fixture(autouse=True)
def _host() -> Iterator[None]:
    with planted_host():
        yield


@pytest.fixture(scope="module")
def trained(world: Path, run: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    output = tmp_path_factory.mktemp("run")
    table = {"reader_options": {"table": "cases.csv", "columns": COLUMNS}}
    place = {"output_dir": str(output), "dataset_dir": str(world), "reader": "slides"}
    with planted_host(), heard() as said:
        prepare = {**PREPARE, **DIVIDE, **table, "ood_val_domains": [], "workers": 0}
        run("bundles/camelyon17/train.json", **place, prepare=prepare, train_domains=["north"], **TINY)
        new = {"patch_size": PATCH, "mpp": MPP, "max_rejected": 0.2, "workers": 0}
        run("bundles/camelyon17/inference.json", "infer", **place, **new)
    return output, "\n".join(said)


def test_all_stages_keep_what_is_planted_to_themselves(trained: tuple[Path, str], world: Path) -> None:
    output, said = trained
    there = {name.split("/")[0] for name, _ in products(output)}
    assert {"data", "models", "synthetic", "predictions", "evaluation", "logs", "inference"} <= there
    assert list((output / "data" / "overviews").iterdir())
    assert list((output / "inference" / "heatmaps").glob("*.png"))
    assert "Prepared" in said
    check_products(output)
    check_messages(said, world)


def test_a_slide_that_cannot_be_read_is_listed_by_its_number(trained: tuple[Path, str]) -> None:
    rejected = pd.read_csv(trained[0] / "data" / "rejected.csv")
    assert rejected["file"].tolist() == [f"slide {SLIDES + ELSEWHERE + 1:04d}"]


def test_the_keys_of_the_slides_stay_and_lead_back(trained: tuple[Path, str], world: Path) -> None:
    for store in (trained[0] / "data", trained[0] / "inference" / "data"):
        slides = set(ImageStore.open(store).table["slide"].dropna())
        key = pd.read_csv(store.with_name("data.key.csv")).set_index("pseudonym")["name"]
        assert slides <= set(key.index)
        assert all(slide.startswith("slide_") for slide in slides)
        assert all((world / name).is_file() for name in key)


def test_a_packed_bundle_of_slides_names_nobody(
    trained: tuple[Path, str], root: Path, tmp_path: Path
) -> None:
    out = pack(Source.of(root / "bundles" / "camelyon17", trained[0]), tmp_path / "given" / "camelyon17.zip")
    assert any("models/model.pt" in name for name, _ in products(out.parent))
    check_products(out.parent)


@pytest.mark.parametrize(
    ("what", "cells"),
    [
        ("twice", {"scan": f"{PLACE}/{NAME}_{NUMBER}0.svs"}),
        ("nobody", {"MRN": ""}),
        ("free of what", {"tumour_free": NAME}),
        ("open quote", {"name": f'"{NAME}'}),
    ],
)
def test_refusals_of_a_table_of_slides_say_row_column_and_kind(
    world: Path, what: str, cells: dict[str, str]
) -> None:
    table = pd.read_csv(world / "cases.csv", dtype=str)
    for column, cell in cells.items():
        table.loc[3, column] = cell
    lines = [",".join(table.columns), *(",".join(map(str, row)) for row in table.fillna("").to_numpy())]
    (world / f"{what}.csv").write_text("\n".join(lines) + "\n")
    with pytest.raises(DataError, match=r"row 5") as raised:
        read_slide_source("slides", world, TASK, table=f"{what}.csv", columns=COLUMNS)
    check_messages(str(raised.value), world)


def test_slides_that_are_called_alike_are_counted_not_named(world: Path) -> None:
    (world / PLACE / f"{NAME}_{NUMBER}0.tif").write_bytes(b"")
    with pytest.raises(DataError, match="called like another one") as raised:
        read_slide_source("slides", world, TASK, names="files")
    check_messages(str(raised.value), world)


def test_where_no_slide_can_be_used_the_reasons_name_nobody(world: Path, run: Any, tmp_path: Path) -> None:
    folder = tmp_path / NAME
    folder.mkdir()
    for name in ("a", "b"):
        (folder / f"{NAME}_{name}.svs").write_bytes((world / PLACE / f"{NAME}_broken.svs").read_bytes())
    place = {"output_dir": str(tmp_path / "run"), "dataset_dir": str(folder), "reader": "slides"}
    with heard() as said, pytest.raises(RuntimeError) as raised:
        run("bundles/camelyon17/prepare.json", **place, normal_per_negative_slide=8, workers=0)
    told: list[str] = said
    error: BaseException | None = raised.value
    while error is not None:
        told.append(str(error))
        error = error.__cause__ or error.__context__
    check_messages("\n".join(told), folder)
