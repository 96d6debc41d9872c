import json
import math

import pytest

from medaug.errors import DataError
from medaug.study.exports import read_exports
from medaug.study.page import FORMAT


@pytest.fixture
def export(study, tmp_path):
    """Write an export of one rating; what is given replaces its parts."""
    _, key = study

    def make(name="a.json", *, rating=None, **parts):
        one = {"image": key.images["image"][0], "diagnosable": False, "diagnoses": [], **(rating or {})}
        content = {"format": FORMAT, "study": key.study, "rater": "R1", "images": 6, "ratings": [one]}
        path = tmp_path / name
        path.write_text(json.dumps({**content, **parts}), "utf-8")
        return path

    return make


def given(*pairs):
    return {"diagnosable": True, "diagnoses": [{"condition": n, "confidence": c} for n, c in pairs]}


def test_diagnoses_become_classes_the_most_confident_first(export, study):
    path = export(rating=given(("acne", 2), ("Lentigo maligna", 5), ("Pompholyx", 3)))
    (row,) = read_exports([path], study[1]).to_dict("records")
    assert (row["rater"], row["image"]) == ("R1", study[1].images["image"][0])
    assert row["classes"] == ("melanoma", "eczema", "acne")
    assert row["confidences"] == (5, 3, 2)
    assert row["confidence"] == 5
    assert row["diagnosable"] is True


@pytest.mark.parametrize("order", [("acne", "eczema"), ("eczema", "acne")])
def test_of_equally_confident_diagnoses_the_first_entered_comes_first(export, study, order):
    path = export(rating=given((order[0], 3), (order[1], 3), ("melanoma", 2)))
    assert read_exports([path], study[1])["classes"][0] == (*order, "melanoma")


def test_an_image_that_is_not_diagnosable_has_no_confidence(export, study):
    (row,) = read_exports([export()], study[1]).to_dict("records")
    assert (row["classes"], row["confidences"]) == ((), ())
    assert math.isnan(row["confidence"])


def test_several_raters_are_read_together(export, study):
    paths = [export("a.json"), export("b.json", rater="R2")]
    assert read_exports(paths, study[1])["rater"].tolist() == ["R1", "R2"]


@pytest.mark.parametrize(
    ("parts", "sentence"),
    [
        ({"study": "0123"}, r"belongs to another study \(0123\)"),
        ({"format": "x"}, "is not an export of a reader study"),
        ({"rater": " "}, "does not say which rater"),
        ({"rater": 3}, "does not say which rater"),
        ({"ratings": {}}, "holds no list of ratings"),
        ({"ratings": []}, "no rating yet"),
        ({"ratings": [3]}, "rating 1: it does not name its image"),
        ({"rating": {"image": "0" * 16}}, "rating 1: its image is not in the study"),
        ({"rating": {"diagnosable": "yes"}}, "rating 1: diagnosable must be"),
        ({"rating": {"diagnoses": None}}, "rating 1: diagnosable must be"),
        ({"rating": {"diagnosable": True}}, "has one to three diagnoses"),
        ({"rating": {**given(("acne", 3)), "diagnosable": False}}, "any other none"),
        ({"rating": given(*[(n, 3) for n in ("acne", "eczema", "melanoma", "other")])}, "one to three"),
        ({"rating": given(("scar", 3))}, "'scar' is not among the diagnoses"),
        ({"rating": given(("acne", 6))}, "confidence in 'acne' is 6, not 1 to 5"),
        ({"rating": given(("acne", True))}, "is True, not 1 to 5"),
        ({"rating": given(("acne", None))}, "is None, not 1 to 5"),
        ({"rating": given(([], 3))}, "names no condition"),
    ],
)
def test_what_the_page_cannot_have_written_is_said_in_a_sentence(export, study, parts, sentence):
    with pytest.raises(DataError, match=sentence):
        read_exports([export(**parts)], study[1])


def test_an_image_rated_twice_is_refused(export, study):
    one = {"image": study[1].images["image"][0], "diagnosable": False, "diagnoses": []}
    with pytest.raises(DataError, match=r"rating 2: .* rated twice"):
        read_exports([export(ratings=[one, one])], study[1])


def test_two_files_of_one_rater_are_refused(export, study):
    with pytest.raises(DataError, match=r"a\.json and .*b\.json are both of rater 'R1'"):
        read_exports([export("a.json"), export("b.json")], study[1])


@pytest.mark.parametrize("cut", [0, 1, 40])
def test_a_file_that_was_cut_short_is_said_to_be_damaged(export, study, cut):
    path = export()
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(DataError, match=r"a\.json cannot be read as an export"):
        read_exports([path], study[1])


def test_no_file_at_all_is_said(study, tmp_path):
    with pytest.raises(DataError, match="no export to score"):
        read_exports([], study[1])
    with pytest.raises(DataError, match="cannot be read as an export"):
        read_exports([tmp_path / "none.json"], study[1])
