import base64
import io
import json
import re

import numpy as np
import pytest
from PIL import Image

from medaug.errors import DataError, SettingsError
from medaug.study.choice import ChoiceSettings
from medaug.study.key import StudyKey, key_path
from medaug.study.page import make_study

ONE = ChoiceSettings(images_per_class=1, seed=3)


def data_of(page):
    text = re.search(r'id="study-data">(.*?)</script>', page.read_text("utf-8"), re.DOTALL).group(1)
    return json.loads(text)


def picture_of(entry):
    kind, content = entry["picture"].split(",")
    assert kind == "data:image/png;base64"
    return Image.open(io.BytesIO(base64.b64decode(content)))


def test_the_page_holds_the_pixels_that_the_key_names(study, stores):
    page, key = study
    images = data_of(page)["images"]
    assert [entry["image"] for entry in images] == key.images["image"].tolist()
    for entry, row in zip(images, key.images.to_dict("records"), strict=True):
        store = stores[int(row["synthetic"])]
        place = store.table.index[store.table["image_id"] == row["image_id"]][0]
        assert np.array_equal(np.asarray(picture_of(entry)), store.images()[place])


def test_the_page_does_not_say_what_an_image_is(study, stores):
    page, _ = study
    data = data_of(page)
    assert set(data) == {"format", "study", "diagnoses", "images"}
    assert all(set(entry) == {"image", "picture"} for entry in data["images"])
    text = re.sub(r"base64,[^\"]*", "", page.read_text("utf-8"))
    for store in stores:
        for column in ("image_id", "patient_id", "file"):
            assert not any(value in text for value in store.table[column].dropna())
    assert '"class"' not in text
    assert "eczema" in data["diagnoses"]
    assert len(re.findall("melanoma", text)) == 1  # in the list of diagnoses


def test_the_names_in_the_page_do_not_depend_on_what_an_image_is(new_store, tmp_path):
    keys = []
    for name, synthetic in (("a", False), ("b", True)):  # the same pixels
        store = new_store(name, ["acne"], synthetic=synthetic)
        keys.append(make_study(tmp_path / f"{name}.html", [store], ONE))
    assert keys[0].study == keys[1].study
    assert keys[0].images["image"].tolist() == keys[1].images["image"].tolist()
    assert keys[0].images["synthetic"].tolist() != keys[1].images["synthetic"].tolist()


def test_the_names_in_the_page_are_random_bits_of_the_seed(study, stores, tmp_path):
    _, key = study
    other = make_study(tmp_path / "other.html", stores, ChoiceSettings(images_per_class=1, seed=4))
    tokens = [*key.images["image"], *other.images["image"]]
    assert len(set(tokens)) == 12
    assert all(re.fullmatch("[0-9a-f]{16}", token) for token in tokens)


def test_real_and_synthetic_pictures_have_one_form(new_store, tmp_path):
    real = new_store("real", ["acne"], sizes=(16, 8), channels=1)
    synthetic = new_store("synthetic", ["acne"], sizes=(8, 4), synthetic=True)
    page = tmp_path / "study.html"
    make_study(page, [real, synthetic], ONE)
    pictures = [picture_of(entry) for entry in data_of(page)["images"]]
    assert [(p.size, p.mode) for p in pictures] == [((8, 8), "RGB")] * 2
    assert pictures[0].info == pictures[1].info
    assert "may be synthetic" in pictures[0].info["Comment"]


def test_grey_stores_give_grey_pictures_of_the_size_asked_for(new_store, tmp_path):
    page = tmp_path / "study.html"
    make_study(page, [new_store("real", ["acne"], sizes=(16, 8), channels=1)], ONE, size=8)
    (picture,) = [picture_of(entry) for entry in data_of(page)["images"]]
    assert (picture.size, picture.mode) == ((8, 8), "L")


def test_the_heading_marks_what_the_page_may_hold(study, new_store, tmp_path):
    heading = study[0].read_text("utf-8").split("<main>")[0]
    assert "May contain synthetic images." in heading
    assert "Phantom data." not in heading
    assert "Pilot &amp; more" in heading
    page = tmp_path / "phantom.html"
    key = make_study(page, [new_store("drawn", ["acne"], phantom=True)], ONE)
    assert "Phantom data." in page.read_text("utf-8").split("<main>")[0]
    assert key.phantom


def test_the_page_asks_the_network_for_nothing(study):
    text = re.sub(r"data:image/png;base64,[^\"]*", "", study[0].read_text("utf-8"))
    assert re.search(r"https?://|//[a-z]+\.|\bimport\b|fetch\(|XMLHttp|url\(", text) is None
    assert "default-src 'none'" in text


def test_hostile_names_stay_text(new_store, tmp_path):
    page, diagnoses = tmp_path / "study.html", tmp_path / "list.csv"
    diagnoses.write_text("condition,class\n</script><script>alert(1)</script>,acne\n", "utf-8")
    make_study(page, [new_store("real", ["acne"])], ONE, title="<b>x</b>", diagnoses=diagnoses)
    text = page.read_text("utf-8")
    assert "<b>" not in text
    assert text.count("</script>") == 2
    assert "</script><script>alert(1)</script>" in data_of(page)["diagnoses"]


def test_the_same_settings_give_the_same_study(stores, tmp_path):
    page = tmp_path / "study.html"
    make_study(page, stores, ONE)
    first = page.read_bytes(), key_path(page).read_bytes()
    make_study(page, stores, ONE)
    assert (page.read_bytes(), key_path(page).read_bytes()) == first


def test_the_key_comes_back_as_it_was(study):
    page, key = study
    again = StudyKey.load(key_path(page))
    assert (again.study, again.title, again.phantom) == (key.study, "Pilot & more", False)
    assert (again.conditions, again.diagnoses) == (key.conditions, key.diagnoses)
    assert again.diagnoses["Lentigo maligna"] == "melanoma"
    columns = ["image", "image_id", "condition", "truth", "synthetic"]
    assert again.images[columns].equals(key.images[columns])


def test_the_key_of_another_study_is_not_overwritten(study, stores):
    page, _ = study
    before = page.read_bytes(), key_path(page).read_bytes()
    with pytest.raises(DataError, match="key of another study; move it away"):
        make_study(page, stores, ChoiceSettings(images_per_class=2))
    assert (page.read_bytes(), key_path(page).read_bytes()) == before


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("{", "cannot be read as the key"),
        ("[]", "is not the key of a study"),
        ('{"format": "medaug-study-1"}', "is not the key of a study"),
        ('{"format": "medaug-study-key-1", "images": 3}', "is a damaged key"),
        ('{"format": "medaug-study-key-1", "images": [], "study": "x"}', "is a damaged key"),
    ],
)
def test_a_key_that_is_none_says_so(tmp_path, content, sentence):
    path = tmp_path / "study-key.json"
    path.write_text(content, "utf-8")
    with pytest.raises(DataError, match=sentence):
        StudyKey.load(path)


def test_sizes_and_outputs_that_cannot_be_are_refused(new_store, tmp_path):
    small, large = new_store("a", ["acne"], sizes=(8,)), new_store("b", ["acne"], sizes=(16,))
    page = tmp_path / "study.html"
    with pytest.raises(SettingsError, match="not all stores have images of size in common"):
        make_study(page, [small, large], ONE)
    with pytest.raises(SettingsError, match="not all stores have images of size 32"):
        make_study(page, [small], ONE, size=32)
    with pytest.raises(SettingsError, match="the output is an HTML file"):
        make_study(tmp_path / "study", [small], ONE)
    assert not list(tmp_path.glob("*.html"))
    assert not list(tmp_path.glob("*.json"))
