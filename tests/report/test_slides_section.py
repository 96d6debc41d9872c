import base64
import io

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from medaug.data.store import ImageStore, StoreWriter
from medaug.evaluation.metrics_table import compute_metrics
from medaug.evaluation.predictions import check_predictions
from medaug.evaluation.results import Results
from medaug.evaluation.settings import EvaluationSettings
from medaug.report.html import write_report
from medaug.report.parts import Beside
from medaug.report.slides_section import LEFT_OUT, shows_pictures, slide_table, slides_section
from medaug.task import Task

TASK = Task("multilabel", ("tumour",))
COUNTS = "Slides, and patches by label"

SLIDES = [  # slide, domain, split, patches with tumour, without, unlabelled
    ("a", "north", "train", 2, 2, 5),
    ("b", "north", "train", 4, 4, 0),
    ("c", "north", "train", 0, 1, 3),
    ("d", "north", "train", 0, 6, 3),
    ("e", "north", "id_test", 3, 3, 0),
    ("f", "south", "ood_test", 1, 2, 0),
    ("g", "south", "ood_test", 2, 2, 0),
    ("h", "west", "unlabelled", 0, 0, 7),
]


def colour_of(slide: str) -> tuple[int, int, int]:
    return (200, 10 * ord(slide) % 256, 30)


def png(colour: tuple[int, int, int]) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (60, 40), colour).save(buffer, format="PNG")
    return buffer.getvalue()


def patch_table() -> pd.DataFrame:
    rows = [
        (slide, domain, "unlabelled" if np.isnan(label) else split, label)
        for slide, domain, split, *counts in SLIDES
        for label, count in zip((1.0, 0.0, np.nan), counts, strict=True)
        for _ in range(count)
    ]
    table = pd.DataFrame(rows, columns=["slide", "domain", "split", "label:tumour"])
    place = np.arange(len(table), dtype=np.int64)
    named = {"image_id": [f"{s}_{i}" for i, s in enumerate(table["slide"])], "file": "private.tif"}
    table = table.assign(**named, patient_id="JANE-DOE-" + table["slide"], x=place, y=place, level=0)
    return table.assign(synthetic=False).sample(frac=1, random_state=0, ignore_index=True)


@pytest.fixture
def slide_store(tmp_path) -> ImageStore:
    table = patch_table()
    writer = StoreWriter(tmp_path / "data", TASK, table, (4,), 3)
    writer.write(range(len(table)), {4: np.zeros((len(table), 4, 4, 3), np.uint8)})
    store = writer.finish({"phantom": True})
    (store.path / "overviews").mkdir()
    for slide, *_ in SLIDES:
        (store.path / "overviews" / f"{slide}.png").write_bytes(png(colour_of(slide)))
    return store


def shown(section) -> list[str]:
    """Slides in a section, told by the colour of their overviews."""
    by_colour = {colour_of(slide): slide for slide, *_ in SLIDES}
    (pictures,) = [part.pictures for part in section.parts if isinstance(part, Beside)]
    uris = [picture.uri.partition(",")[2] for picture in pictures]
    return [by_colour[Image.open(io.BytesIO(base64.b64decode(uri))).getpixel((0, 0))] for uri in uris]


def test_slide_table_counts_patches_of_each_slide():
    table = slide_table(patch_table(), "tumour")
    for slide, domain, split, *counts in SLIDES:
        row = table.loc[slide]
        assert [row["domain"], row["split"]] == [domain, split]
        assert row[["present", "absent", "unlabelled"]].tolist() == counts


def test_each_hospital_shows_its_most_telling_slides(slide_store):
    assert shown(slides_section(slide_store)) == ["b", "d", "g", "f", "h"]


def test_slides_without_an_overview_are_passed_over(slide_store):
    for slide in "bgh":
        (slide_store.path / "overviews" / f"{slide}.png").unlink()
    assert shown(slides_section(slide_store)) == ["e", "d", "f"]


def test_counts_without_any_overview(slide_store):
    for overview in (slide_store.path / "overviews").iterdir():
        overview.unlink()
    section = slides_section(slide_store)
    assert len(section.parts) == 1
    assert "no overviews" in section.text[0]


def test_slides_can_be_left_out(slide_store):
    section = slides_section(slide_store, patient_pictures=False)
    assert list(section.text) == [LEFT_OUT]
    assert len(section.parts) == 1
    assert not shows_pictures(section)
    assert shows_pictures(slides_section(slide_store))


def test_other_stores_have_no_such_section(store):
    assert slides_section(store) is None
    assert slides_section(None) is None


def test_report_counts_slides_by_hospital_and_names_none(slide_store, tmp_path, read):
    tested = slide_store.table[slide_store.table["split"].isin(["id_test", "ood_test"])]
    scores = np.random.default_rng(0).random(len(tested))
    predictions = check_predictions(
        tested.drop(columns=["file"]).assign(method="m", **{"score:tumour": scores})
    )
    metrics = compute_metrics(predictions, EvaluationSettings(metrics=["accuracy"], replicates=20), TASK)
    write_report(tmp_path / "report.html", Results(metrics, predictions), title="Slides", store=slide_store)
    page = read(tmp_path / "report.html")
    assert page.open == []
    assert page.tables[COUNTS][1:] == [
        ["north", "training", "4", "2", "6", "13", "11"],
        ["north", "in distribution, test", "1", "1", "3", "3", "0"],
        ["west", "training", "1", "0", "0", "0", "7"],
        ["south", "out of distribution, test", "2", "2", "3", "4", "0"],
    ]
    overviews = [image for image in page.images if image["alt"].startswith("Slide of")]
    assert len(overviews) == 5
    assert "4 with tumour, 4 without, 0 unlabelled" in overviews[0]["alt"]
    text = (tmp_path / "report.html").read_text()
    assert "JANE" not in text
    numbers = [line.split("<span>")[1].split("<")[0] for line in text.splitlines() if "<h2><span>" in line]
    assert numbers == list("123456789")
