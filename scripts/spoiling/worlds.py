"""A small good table for each reader and for predictions, by name."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pandas as pd

from medaug.evaluation.predictions import read_predictions
from medaug.task import Attribute, Task
from spoiling import public_sets
from spoiling.world import (
    AGE,
    AGES,
    PEOPLE,
    ROWS,
    SEX,
    SEXES,
    SITES,
    TUMOUR,
    Column,
    World,
    reader,
    rows_of,
    some,
)


def own_images() -> World:
    """Return a hospital's own table of radiographs."""
    race = Attribute("race", ("Black", "White"))
    task = Task("multilabel", ("effusion",), attributes=(SEX, AGE, race))
    header = ["path", "patient_id", "domain", "effusion", "sex", "age", "race"]
    races, labels = ("Black", "White", "Black", "White", "Black", "White"), ("1", "0", "", "1", "0", "0")
    rows = rows_of(some("i{}.png"), PEOPLE, SITES, labels, SEXES, AGES, races)
    columns = {
        "path": Column("image"),
        "patient_id": Column("patient", "patient_id"),
        "domain": Column("name", "domain"),
        "effusion": Column("label", "label:effusion"),
        "sex": Column("sex", "attr:sex"),
        "age": Column("age", "attr:age"),
        "race": Column("name", "attr:race"),
    }
    return World(
        "csv", "table.csv", header, rows, columns, reader("csv", task), some("i{}.png"), numbered=True
    )


def own_slides() -> World:
    """Return a hospital's own table of slides."""
    header = ["path", "patient_id", "domain", "tumour_free"]
    rows = rows_of(some("s{}.svs"), PEOPLE, SITES, ("1", "0", "1", "", "0", "1"))
    columns = {
        "path": Column("image"),
        "patient_id": Column("patient", "patient_id"),
        "domain": Column("name", "domain"),
        "tumour_free": Column("other", "tumour_free"),
    }
    read = reader("slides", TUMOUR, table="cases.csv")
    return World("slides", "cases.csv", header, rows, columns, read, some("s{}.svs"), numbered=True)


def predictions() -> World:
    """Return anyone's table of predictions."""
    header = [
        "image_id",
        "patient_id",
        "domain",
        "split",
        "score:a",
        "label:a",
        "attr:sex",
        "attr:race",
        "attr:age",
    ]
    scores, labels = ("0.125", "0.75", "0.5", "0.25", "0.875", "0.375"), ("0", "1", "1", "0", "1", "0")
    races, splits = ("Black", "White") * 3, ["id_test"] * ROWS
    rows = rows_of(some("i{}.png"), PEOPLE, SITES, splits, scores, labels, [s[0] for s in SEXES], races, AGES)
    columns = {
        "image_id": Column("image", "image_id"),
        "patient_id": Column("patient", "patient_id"),
        "domain": Column("name", "domain"),
        "split": Column("other", "split"),
        "score:a": Column("score", "score:a"),
        "label:a": Column("label", "label:a"),
        "attr:sex": Column("group", "attr:sex"),
        "attr:race": Column("name", "attr:race"),
        "attr:age": Column("group", "attr:age"),
    }
    read = partial(_by_image, "predictions.csv")
    return World("predictions", "predictions.csv", header, rows, columns, read)


def _by_image(name: str, folder: Path) -> pd.DataFrame:
    return read_predictions(folder / name).sort_values("image_id", ignore_index=True)


WORLDS = {
    world.name: world
    for world in (
        own_images(),
        own_slides(),
        public_sets.chexpert(),
        public_sets.chestxray14(),
        public_sets.ham10000(),
        public_sets.pad_ufes_20(),
        public_sets.ddi(),
        public_sets.fitzpatrick17k(),
        public_sets.isic_2019(),
        public_sets.isic_2020(),
        public_sets.scin(),
        public_sets.wilds(),
        public_sets.camelyon17(),
        predictions(),
    )
}
"""All of them, by name."""
