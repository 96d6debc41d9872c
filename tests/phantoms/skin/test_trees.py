from __future__ import annotations

import ast
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from medaug.data.conditions import read_conditions
from medaug.data.raters import soft_labels
from medaug.data.readers.scin import read_scin, scin_cases
from medaug.phantoms.mark import PHANTOM_FILE
from medaug.phantoms.skin import trees
from medaug.phantoms.skin.people import SITES
from medaug.phantoms.skin.trees import age_group, draw_submissions, write_scin_tree, write_skin_phantoms
from medaug.task import Attribute, Task

IMAGES = (150, 60, 60)
SITE = SITES[0]
TASK = Task(
    "multiclass",
    tuple(sorted(set(read_conditions().values()))),
    attributes=(
        Attribute("sex", ("F", "M")),
        Attribute("age", bins=(0.0, 30.0, 50.0, 120.0)),
        Attribute("skin_tone", ("I", "II", "III", "IV", "V", "VI")),
    ),
)
LABELS = [f"label:{name}" for name in TASK.classes]


@pytest.fixture(scope="module")
def skins(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("skins") / "all"
    write_skin_phantoms(folder, 2, IMAGES, size=32)
    return folder


def tables(folder: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    read = [pd.read_csv(folder / "dataset" / f"scin_{name}.csv", dtype=str, keep_default_na=False)
            for name in ("cases", "labels")]  # fmt: skip
    return read[0], read[1]


def test_three_sites_are_there_and_say_that_they_are_phantoms(skins: Path) -> None:
    for site, count in zip(SITES, IMAGES, strict=True):
        assert "Phantom data" in (skins / site.name / PHANTOM_FILE).read_text(encoding="utf-8")
        files = list((skins / site.name / "dataset" / "images").iterdir())
        assert len(files) == count
        assert all(path.read_bytes().startswith(b"\x89PNG") for path in files)
    assert "Phantom data" in (skins / PHANTOM_FILE).read_text(encoding="utf-8")


@pytest.mark.parametrize("labels", ["weighted", "raters"])
def test_the_reader_of_scin_reads_every_site(skins: Path, labels: str) -> None:
    for site, count in zip(SITES, IMAGES, strict=True):
        table = read_scin(skins / site.name, TASK, labels=labels, ungradable="unlabelled")  # type: ignore[arg-type]
        soft = table[LABELS].dropna()

        assert len(table) == count
        assert set(table["domain"]) == {site.name}
        assert all(Path(path).is_file() for path in table["path"])
        assert np.allclose(soft.sum(axis=1), 1, atol=1e-6)
        assert ((soft > 0.01) & (soft < 0.99)).any(axis=1).mean() > 0.3


def test_soft_labels_from_the_raters_are_those_that_were_drawn(skins: Path) -> None:
    table = scin_cases(skins / SITE.name, TASK, labels="raters").set_index("case_id")
    conditions = read_conditions()
    for one in draw_submissions(SITE, 2, IMAGES[0]):
        weights = soft_labels([rating.diagnoses for rating in one.ratings])
        expected = dict.fromkeys(TASK.classes, 0.0 if weights else np.nan)
        for name, weight in weights.items():
            expected[conditions.get(skin_key(name), "other")] += weight
        assert table.loc[one.case_id, LABELS].tolist() == pytest.approx(
            list(expected.values()), abs=1e-6, nan_ok=True
        )


def skin_key(name: str) -> str:
    return " ".join(name.lower().replace("/", " ").replace("-", " ").split())


def test_attributes_are_those_of_the_people(skins: Path) -> None:
    table = scin_cases(skins / SITE.name, TASK, skin_tone="self_report").set_index("case_id")
    for one in draw_submissions(SITE, 2, IMAGES[0]):
        row = table.loc[one.case_id]
        assert row["attr:sex"] in (one.case.sex, None)
        assert np.isnan(row["attr:age"]) or abs(row["attr:age"] - one.case.age) <= 6
    assert 0.02 < table["attr:sex"].isna().mean() < 0.25


def test_tables_have_the_real_quirks(skins: Path) -> None:
    read = [tables(skins / site.name) for site in SITES]
    cases, labels = (pd.concat(parts) for parts in zip(*read, strict=True))
    numbers = cases["case_id"].map(int)

    assert numbers.min() < -(2**60) < 2**60 < numbers.max() < 2**63
    assert {"OTHER_OR_UNSPECIFIED", "FEMALE", "MALE"} == set(cases["sex_at_birth"])
    assert "AGE_UNKNOWN" in set(cases["age_group"])
    assert {"", "NONE_IDENTIFIED", "FST1", "FST3", "FST5"} <= set(cases["fitzpatrick_skin_type"])
    assert cases["image_1_path"].str.fullmatch(r"dataset/images/-?\d+\.png").all()
    assert 0.1 < (cases["image_3_path"] != "").mean() < 0.3
    assert 0.2 < (labels["weighted_skin_condition_label"] == "{}").mean() < 0.5
    assert 0.1 < (labels["dermatologist_gradable_for_skin_condition_3"] == "").mean() < 0.8
    assert (labels["dermatologist_gradable_for_fitzpatrick_skin_type_1"] == "NO").any()
    assert (labels["dermatologist_gradable_for_skin_condition_1"] == "").any()
    weights = [
        sum(ast.literal_eval(text).values())
        for text in labels["weighted_skin_condition_label"]
        if text != "{}"
    ]
    assert 0.97 <= min(weights) < 1 < max(weights) <= 1.03


@pytest.mark.skipif("MEDAUG_REAL_DATA" not in os.environ, reason="needs the real tables")
def test_columns_are_those_of_the_real_tables(skins: Path) -> None:
    real = Path(os.environ["MEDAUG_REAL_DATA"]) / "scin"
    for table, name in zip(tables(skins / SITE.name), ("scin_cases.csv", "scin_labels.csv"), strict=True):
        assert list(table.columns) == list(pd.read_csv(real / name, nrows=1).columns)


def test_a_case_depends_on_seed_site_and_number_only(tmp_path: Path) -> None:
    for name, images, seed in (("few", 6, 1), ("more", 12, 1), ("other", 6, 2)):
        write_scin_tree(tmp_path / name, SITE, seed, images, size=32)
    few, more, other = (
        {path.name: path.read_bytes() for path in (tmp_path / name).rglob("*.png")}
        for name in ("few", "more", "other")
    )

    assert len(few) == 6
    assert few.items() <= more.items()
    assert not few.keys() & other.keys()


def test_an_interrupted_site_is_not_there_and_is_written_by_the_next_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_scin_tree(tmp_path / SITE.name, SITE, 0, 2, size=32)
    before = (tmp_path / SITE.name).stat().st_mtime_ns

    def fail(*_: object) -> None:
        raise OSError("disk full")

    with monkeypatch.context() as patch:
        patch.setattr(trees, "draw_photograph", fail)
        with pytest.raises(OSError, match="disk full"):
            write_skin_phantoms(tmp_path, 0, (2, 2, 2), size=32)
    assert {path.name for path in tmp_path.iterdir()} == {SITE.name}

    write_skin_phantoms(tmp_path, 0, (2, 2, 2), size=32)
    assert {path.name for path in tmp_path.iterdir()} == {site.name for site in SITES} | {PHANTOM_FILE}
    assert (tmp_path / SITE.name).stat().st_mtime_ns == before


@pytest.mark.parametrize(
    ("age", "group"),
    [(18, "AGE_18_TO_29"), (29, "AGE_18_TO_29"), (30, "AGE_30_TO_39"), (79, "AGE_70_TO_79"),
     (80, "AGE_80_OR_ABOVE"), (90, "AGE_80_OR_ABOVE")],
)  # fmt: skip
def test_age_groups(age: int, group: str) -> None:
    assert age_group(age) == group
