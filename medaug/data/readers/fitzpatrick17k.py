"""Fitzpatrick17k (Groh et al. 2021, arXiv:2104.09957): two atlases of dermatology with skin types."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from medaug.data.readers.skin import (
    attribute_columns,
    blank,
    certain,
    diagnoses,
    label_columns,
    skin_tones,
    with_images,
)
from medaug.data.readers.tables import distinct, need_choice
from medaug.tabular.table_files import need_columns, need_distinct, read_text_table
from medaug.task import Task

DOMAIN = "Fitzpatrick17k"
TABLE = "fitzpatrick17k.csv"
LABELS = ("label", "nine_partition_label", "three_partition_label")
TONES = {"scale": "fitzpatrick_scale", "centaur": "fitzpatrick_centaur"}
WRONGLY_LABELLED = "3 Wrongly labelled"
ATLASES = {"dermaamin": "DermaAmin", "atlasdermatologico": "Atlas Dermatologico"}

logger = logging.getLogger(__name__)


def read_fitzpatrick17k(
    folder: Path,
    task: Task,
    *,
    labels: Literal["label", "nine_partition_label", "three_partition_label"] = "label",
    skin_tone: Literal["scale", "centaur"] = "scale",
    conditions: str | None = None,
) -> pd.DataFrame:
    """Read Fitzpatrick17k.

    Every user downloads the images from their addresses, some of which are gone; a file is called by its
    ``md5hash``. Rows without an address (41) whose image is not there are left out, and their number is
    logged; other images that are not there are listed as rejected when the store is prepared.

    Parameters
    ----------
    folder : Path
        Holds ``fitzpatrick17k.csv``; images are anywhere below.
    task : Task
        Classes are the conditions of the column `labels`, or classes of the table of conditions, see
        `medaug.data.conditions.class_labels`.
    labels : {"label", "nine_partition_label", "three_partition_label"}
        What an image is labelled with: one of 114 conditions, of nine kinds, or ``benign``, ``malignant`` or
        ``non-neoplastic``.
    skin_tone : {"scale", "centaur"}
        Whose annotation of the skin type (Scale AI or Centaur Labs). -1 is unknown.
    conditions : str, optional
        Table of conditions and classes, relative to the folder; default the built-in one.

    Returns
    -------
    DataFrame
        As described in `medaug.data.readers`. Rows that a dermatologist called wrongly labelled have no
        label. Sex, age and patient are not told; each image counts as a patient, so images of one person may
        be in two splits. Further column ``atlas``.

    Raises
    ------
    DataError
        The table, a column or all images are missing.
    SettingsError
        An option is not understood, or no condition belongs to a class of the task.

    Examples
    --------
    >>> task = Task("multiclass", ("psoriasis", "other"))
    >>> read_fitzpatrick17k(Path("fitzpatrick17k"), task, skin_tone="centaur")  # doctest: +SKIP
    """
    need_choice("labels", labels, LABELS)
    need_choice("skin_tone", skin_tone, list(TONES))
    path = folder / TABLE
    # The first version of the table has one annotation of the skin type only, under this name.
    source = read_text_table(path).rename(columns={"fitzpatrick": TONES["scale"]})
    need_distinct(list(map(str, source)), path)
    need_columns(source, ["md5hash", labels, TONES[skin_tone], "qc", "url"], path)
    unknown = blank(source.index)
    named = diagnoses(source[labels], f"{path}, column {labels!r}").mask(source["qc"] == WRONGLY_LABELLED, "")
    images = distinct(source["md5hash"], "image", path)
    tones = skin_tones(source[TONES[skin_tone]].mask(source[TONES[skin_tone]] == "-1", ""), str(path))
    table = pd.DataFrame(
        {
            "image_id": images,
            "image": images + ".jpg",
            "patient_id": images,
            "domain": DOMAIN,
            "official_split": None,
            "atlas": source["url"].map(_atlas),
            **attribute_columns(task, unknown, unknown, tones),
            **label_columns(certain(named), task, folder, conditions),
        }
    )
    return _downloadable(with_images(table, folder, path), source["url"], path)


def _atlas(url: str) -> str | None:
    return next((name for part, name in ATLASES.items() if part in url.lower()), None)


def _downloadable(table: pd.DataFrame, urls: pd.Series[str], path: Path) -> pd.DataFrame:
    """Leave out rows that have neither an address nor a file."""
    there = np.array([os.path.isfile(image) for image in table["path"]])
    kept = there | (urls != "").to_numpy(bool)
    if not kept.all():
        logger.info("%s: %d rows have no url and no file, and are left out", path.name, int((~kept).sum()))
    return table.loc[kept].reset_index(drop=True)
