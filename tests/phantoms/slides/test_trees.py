from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from openslide import OpenSlide
from shapely import Polygon, contains_xy, unary_union

from medaug.errors import DataError, SettingsError
from medaug.phantoms.mark import PHANTOM_FILE
from medaug.phantoms.slides import trees
from medaug.phantoms.slides.anatomy import in_tumour
from medaug.phantoms.slides.trees import (
    DIALECTS,
    SCREENING,
    USUAL_DIALECT,
    PhantomSlide,
    hospital_slides,
    write_slide_phantoms,
)


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("slides")
    write_slide_phantoms(folder, seed=5, slides_per_hospital=2, size=512, workers=0)
    return folder


def test_the_tree_is_the_challenges(tree: Path) -> None:
    training = tree / "CAMELYON17" / "training"
    table = pd.read_csv(training / "stage_labels.csv")
    nodes = table[table["patient"].str.endswith(".tif")].set_index("patient")["stage"]
    files = {path.name: path.parent.name for path in training.glob("center_*/*.tif")}

    assert (tree / PHANTOM_FILE).exists()
    assert set(nodes.index) == set(files)
    assert all(folder == f"center_{int(name[8:11]) // 20}" for name, folder in files.items())
    annotated = {path.stem + ".tif" for path in (training / "lesion_annotations").glob("*.xml")}
    outlined = [stage != "negative" and (int(name[8:11]) // 20 not in SCREENING or stage == "itc")
                for name, stage in nodes.items()]  # fmt: skip
    assert annotated == set(nodes.index[outlined])
    assert len(annotated) == 3
    patients = table[table["patient"].str.endswith(".zip")].set_index("patient")["stage"]
    assert set(patients.index) == {f"patient_{20 * hospital:03d}.zip" for hospital in range(5)}
    assert patients["patient_000.zip"] == "pN1"


def test_openslide_opens_every_slide(tree: Path) -> None:
    paths = sorted(tree.rglob("*.tif"))
    assert len(paths) == 10
    for path in paths:
        with OpenSlide(path) as slide:
            assert slide.dimensions == (512, 512)
            assert slide.level_count >= 3
            assert float(slide.properties["openslide.mpp-x"]) == pytest.approx(0.5)


def test_annotation_and_drawing_agree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = []
    original = trees.draw_anatomy
    monkeypatch.setattr(
        trees,
        "draw_anatomy",
        lambda size, node, lesions, g: drawn.append(lesions) or original(size, node, lesions, g),
    )
    for hospital, stage in ((3, "macro"), (4, "itc")):
        trees.write_slide(tmp_path, PhantomSlide(hospital, 20 * hospital, 0, stage), 1, 1024)
        name = f"patient_{20 * hospital:03d}_node_0.xml"
        tree = ElementTree.parse(tmp_path / "lesion_annotations" / name)
        tumour, hole = DIALECTS.get(hospital, USUAL_DIALECT)
        polygons: dict[str, list[Polygon]] = {tumour: [], hole: []}
        for annotation in tree.iter("Annotation"):
            points = [(float(c.attrib["X"]), float(c.attrib["Y"])) for c in annotation.iter("Coordinate")]
            polygons[annotation.attrib["PartOfGroup"]].append(Polygon(points))
        area = unary_union(polygons[tumour]) - unary_union(polygons[hole])
        x, y = np.meshgrid(np.arange(0, 1024, 4.0), np.arange(0, 1024, 4.0))

        assert (len(polygons[tumour]), len(polygons[hole])) == ((2, 1) if stage == "macro" else (1, 0))
        assert (contains_xy(area, x, y) != in_tumour(drawn[-1], x, y)).mean() < 0.002


def test_repeating_keeps_what_is_there_and_redraws_what_is_not(
    tree: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = sorted(tree.rglob("*.tif"))
    before = {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in paths}
    paths[3].unlink()
    write_slide_phantoms(tree, seed=5, slides_per_hospital=2, size=512, workers=0)

    assert paths[3].read_bytes() == before[paths[3]][1]
    kept = [path for path in paths if path.stat().st_mtime_ns == before[path][0]]
    assert kept == paths[:3] + paths[4:]


def test_processes_draw_the_same(tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trees, "WORTH_PROCESSES", 0)
    write_slide_phantoms(tmp_path, seed=5, slides_per_hospital=1, size=512, workers=2)

    for path in tmp_path.rglob("*.tif"):
        assert path.read_bytes() == (tree / path.relative_to(tmp_path)).read_bytes()
    assert len(list(tmp_path.rglob("*.tif"))) == 5


def test_drawing_processes_need_no_torch() -> None:
    command = "import sys, medaug.phantoms.slides.trees; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", command], check=True)


def test_a_worker_that_dies_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trees, "WORTH_PROCESSES", 0)
    monkeypatch.setattr(trees, "in_order", lambda *_: iter([None, trees.CRASHED]))
    with pytest.raises(DataError, match="workers=0"):
        write_slide_phantoms(tmp_path, seed=0, slides_per_hospital=1, size=512, workers=2)


@pytest.mark.parametrize("count", [1, 2, 7, 8, 40, 41, 100])
@pytest.mark.parametrize("hospital", range(5))
def test_screening_sends_half_without_metastases_and_others_a_fifth(hospital: int, count: int) -> None:
    made = hospital_slides(hospital, count)
    negative = 1 / 2 if hospital in SCREENING else 1 / 5

    assert len({slide.name for slide in made}) == len(made) == count
    assert abs(sum(slide.stage == "negative" for slide in made) - negative * count) <= 2
    assert all(20 * hospital <= slide.patient < 20 * hospital + 20 and slide.node < 5 for slide in made)


def test_every_hospital_has_every_stage() -> None:
    for hospital in range(5):
        assert {slide.stage for slide in hospital_slides(hospital, 16)} == {
            "negative",
            "macro",
            "micro",
            "itc",
        }


@pytest.mark.parametrize(
    ("count", "size", "message"),
    [(0, 512, "1 to 100"), (101, 512, "1 to 100"), (1, 500, "256"), (1, 256, "512")],
)
def test_numbers_out_of_range(tmp_path: Path, count: int, size: int, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        write_slide_phantoms(tmp_path, 0, count, size)
    assert list(tmp_path.iterdir()) == []
