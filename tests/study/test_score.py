import math

import krippendorff
import numpy as np
import pandas as pd
import pytest

from medaug.study.key import StudyKey
from medaug.study.score import AGAINST_OTHERS, AGREEMENTS, COLUMNS, MEASURES, score
from medaug.study.tables import score_tables, scores_text, write_scores

CLASSES = ("acne", "eczema")
DIAGNOSES = {"acne": "acne", "eczema": "eczema", "other": "other"}
IMAGES = pd.DataFrame(
    {
        "image": list("abcdef"),
        "image_id": list("ABCDEF"),
        "condition": ["acne", "acne", "eczema", "acne", "eczema", "eczema"],
        "truth": [("acne",), ("acne",), ("eczema",), ("acne",), ("eczema", "acne"), ("eczema",)],
        "synthetic": [False, False, False, True, True, True],
    }
)
KEY = StudyKey("1", "Pilot", True, CLASSES, DIAGNOSES, IMAGES)


def rating(rater, image, *classes, confidence=math.nan):
    """A rating of falling confidence: one less for each further diagnosis."""
    return {
        "rater": rater,
        "image": image,
        "diagnosable": bool(classes),
        "classes": classes,
        "confidences": tuple(confidence - i for i in range(len(classes))),
        "confidence": confidence,
    }


RATINGS = pd.DataFrame(
    [
        rating("R1", "a", "acne", confidence=5.0),
        rating("R1", "b", "eczema", "other", "acne", confidence=2.0),
        rating("R1", "c"),
        rating("R1", "d", "other", confidence=3.0),
        rating("R1", "e", "acne", confidence=4.0),
        rating("R2", "a", "acne", confidence=4.0),
        rating("R2", "b"),
        rating("R2", "c"),
        rating("R2", "d", "eczema", "acne", confidence=1.0),
        rating("R2", "e"),
    ]
)


@pytest.fixture(scope="module")
def scores():
    return score(RATINGS, KEY)


@pytest.fixture
def value(scores):
    def get(source, metric, condition="", rater=""):
        found = scores[
            (scores["source"] == source)
            & (scores["metric"] == metric)
            & (scores["condition"] == condition)
            & (scores["rater"] == rater)
        ]
        assert len(found) == 1
        return found.iloc[0]

    return get


# By hand. Real: R1 rates a, b, c (a right, b right among three);
# R2 finds a alone diagnosable, and right.
@pytest.mark.parametrize(
    ("source", "metric", "of_raters", "ratings"),
    [
        ("real", "diagnosable", (2 / 3, 1 / 3), 6),
        ("real", "confidence", (3.5, 4.0), 3),
        ("real", "top1_accuracy", (0.5, 1.0), 3),
        ("real", "top3_accuracy", (1.0, 1.0), 3),
        ("synthetic", "diagnosable", (1.0, 0.5), 4),
        ("synthetic", "confidence", (3.5, 1.0), 3),
        ("synthetic", "top1_accuracy", (0.5, 0.0), 3),
        ("synthetic", "top3_accuracy", (0.5, 1.0), 3),
    ],
)
def test_means_and_deviations_over_raters_by_hand(value, source, metric, of_raters, ratings):
    row = value(source, metric)
    assert row["value"] == pytest.approx(np.mean(of_raters))
    assert row["sd"] == pytest.approx(np.std(of_raters, ddof=1))
    assert (row["raters"], row["ratings"]) == (2, ratings)
    for rater, expected in zip(("R1", "R2"), of_raters, strict=True):
        assert value(source, metric, rater=rater)["value"] == pytest.approx(expected)


def test_images_are_counted_once_and_ratings_each(value):
    assert value("real", "diagnosable")["images"] == 3
    assert value("real", "confidence")["images"] == 2
    assert value("synthetic", "diagnosable")["images"] == 2  # f was not rated


def test_conditions_are_scored_by_themselves(value):
    assert value("real", "top1_accuracy", "acne")["value"] == pytest.approx((0.5 + 1) / 2)
    assert value("real", "diagnosable", "eczema")["value"] == 0
    # A finding beside the one that the image was drawn for is right too; R2 found it not diagnosable.
    row = value("synthetic", "top1_accuracy", "eczema")
    assert (row["value"], row["raters"]) == (1, 1)
    assert math.isnan(row["sd"])


def test_a_rater_is_also_measured_by_the_others_by_hand(value):
    # Both find a alone diagnosable of the real images, acne; of the synthetic ones d: other, and eczema
    # before acne. b, c and e have no diagnosis of a second rater.
    for metric in AGAINST_OTHERS:
        row = value("real", metric)
        assert (row["value"], row["sd"], row["raters"], row["images"], row["ratings"]) == (1, 0, 2, 1, 2)
        row = value("synthetic", metric)
        assert (row["value"], row["raters"], row["images"], row["ratings"]) == (0, 2, 1, 2)
        assert value("real", metric, "eczema")["reason"] == "none was found diagnosable"
        row = value("synthetic", metric, "eczema")
        assert (row["reason"], row["estimable"]) == ("no image was diagnosed by two raters", False)
        assert math.isnan(row["value"])


def test_the_others_are_aggregated_by_rank_and_ties_take_no_part():
    ratings = [
        rating("R1", "a", "acne", "eczema", confidence=5.0),  # others: eczema 3/2, acne 1/2, other 1: eczema
        rating("R2", "a", "eczema", "acne", confidence=4.0),  # others: acne 1, eczema 1, other 1: tied
        rating("R3", "a", "other", "eczema", confidence=2.0),  # others: acne 3/2, eczema 3/2: tied
        rating("R1", "b", "acne", confidence=3.0),  # others: acne
        rating("R2", "b", "acne", confidence=3.0),  # others: acne
        rating("R3", "b"),
        rating("R1", "d", "acne", "other", confidence=3.0),  # others: eczema
        rating("R2", "d", "eczema", confidence=3.0),  # others: acne
    ]
    # On a, eczema is not the first diagnosis of R1, but among its three.
    scores = score(pd.DataFrame(ratings), KEY).set_index(["source", "metric", "condition", "rater"])
    assert scores.loc[("real", "top1_against_others", "", "R1"), "value"] == 1 / 2
    assert scores.loc[("real", "top3_against_others", "", "R1"), "value"] == 1
    row = scores.loc[("real", "top1_against_others", "", "")]
    assert row["value"] == pytest.approx(np.mean([1 / 2, 1]))
    assert row["sd"] == pytest.approx(np.std([1 / 2, 1], ddof=1))
    assert (row["raters"], row["images"], row["ratings"]) == (2, 2, 3)
    assert ("real", "top1_against_others", "", "R3") not in scores.index
    assert scores.loc[("synthetic", "top3_against_others", "acne", ""), "value"] == 0


def test_tied_others_are_told_as_the_reason():
    tied = rating("R2", "a", "acne", "eczema", confidence=3.0) | {"confidences": (3.0, 3.0)}
    scores = score(pd.DataFrame([rating("R1", "a", "acne", "eczema", confidence=5.0), tied]), KEY)
    rows = scores[(scores["metric"] == "top1_against_others") & (scores["source"] == "real")]
    by_rater = rows[rows["condition"] == ""].set_index("rater")["value"]
    assert by_rater.to_dict() == {"": 1, "R2": 1}  # R1 has nobody but R2 to be measured by
    both = score(pd.DataFrame([tied | {"rater": "R1"}, tied]), KEY)
    rows = both[(both["metric"] == "top1_against_others") & (both["condition"] == "acne")]
    assert rows["reason"].tolist() == ["the other raters are tied", "none was rated"]


def test_what_cannot_be_estimated_has_a_reason_and_no_value(value):
    row = value("real", "top1_accuracy", "eczema")
    assert math.isnan(row["value"])
    assert not row["estimable"]
    assert (row["raters"], row["ratings"]) == (0, 0)
    assert row["reason"] == "none was found diagnosable"
    unrated = score(RATINGS[RATINGS["image"] != "e"], KEY)
    row = unrated[(unrated["source"] == "synthetic") & (unrated["condition"] == "eczema")].iloc[0]
    assert row["reason"] == "none was rated"


def test_agreement_is_krippendorffs_alpha_for_each_source(value):
    row = value("real", "agreement_diagnosable")
    answers = [[1, 1, 0], [1, 0, 0]]
    assert row["value"] == pytest.approx(krippendorff.alpha(answers, level_of_measurement="nominal"))
    assert (row["images"], row["ratings"], row["raters"]) == (3, 6, 2)
    row = value("synthetic", "agreement_top1")  # only d was diagnosable for both: other and eczema
    expected = krippendorff.alpha([["other"], ["eczema"]], level_of_measurement="nominal")
    assert row["value"] == pytest.approx(expected)
    assert row["images"] == 1
    assert value("real", "agreement_top1")["reason"] == "all answers are the same"


def test_one_rater_has_no_deviation_and_no_agreement():
    scores = score(RATINGS[RATINGS["rater"] == "R1"], KEY)
    means = scores[(scores["rater"] == "") & scores["metric"].isin(MEASURES)]
    assert means["sd"].isna().all()
    agreement = scores[scores["metric"].isin(AGREEMENTS)]
    assert not agreement["estimable"].any()
    assert set(agreement["reason"]) == {"no image has two answers"}
    others = scores[scores["metric"].isin(AGAINST_OTHERS) & (scores["condition"] == "")]
    assert set(others["reason"]) == {"no image was diagnosed by two raters"}


def test_a_study_of_one_source_has_no_rows_of_the_other():
    images = IMAGES[IMAGES["synthetic"]]
    key = StudyKey("1", "Pilot", False, CLASSES, DIAGNOSES, images)
    scores = score(RATINGS[RATINGS["image"].isin(images["image"])], key)
    assert set(scores["source"]) == {"synthetic"}


def test_the_order_of_the_exports_does_not_matter(scores):
    pd.testing.assert_frame_equal(score(RATINGS.iloc[::-1], KEY), scores)


def test_the_tables_say_what_the_scores_are(scores):
    by_condition, by_rater, against, against_by_rater, agreement = score_tables(scores)
    assert by_condition.caption == "By condition. Mean ± standard deviation over raters"
    assert [name for name, _ in by_condition.rows] == ["all conditions", "acne", "eczema"]
    assert by_condition.sources == ["real", "synthetic"]
    cells = dict(by_condition.rows)["all conditions"]
    assert [(c.text, c.note) for c in cells[:4]] == [
        ("50.0 ± 23.6", "n = 6"),
        ("75.0 ± 35.4", "n = 4"),
        ("3.75 ± 0.35", "n = 3"),
        ("2.25 ± 1.77", "n = 3"),
    ]
    assert dict(by_condition.rows)["eczema"][4].note == "none was found diagnosable"
    assert [name for name, _ in by_rater.rows] == ["R1", "R2"]
    assert [name for name, _ in against.rows] == ["all conditions", "acne", "eczema"]
    assert against.caption.startswith("Against the diagnosis of the other raters, by condition. Mean ±")
    cells = dict(against.rows)["all conditions"]
    assert [(c.text, c.note) for c in cells] == [("100.0 ± 0.0", "n = 2"), ("0.0 ± 0.0", "n = 2")] * 2
    assert [name for name, _ in against_by_rater.rows] == ["R1", "R2"]
    assert len(agreement.rows) == 1
    alone = score_tables(score(RATINGS[RATINGS["rater"] == "R1"], KEY))
    assert alone[0].caption.endswith("One rater")
    assert len(alone) == 4  # nobody is measured by others


def test_the_tables_are_written_as_html_and_csv(scores, tmp_path):
    csv = write_scores(tmp_path / "scores.html", scores, KEY)
    assert csv == tmp_path / "scores.csv"
    again = pd.read_csv(csv, keep_default_na=False, na_values={"value": "", "sd": ""})
    pd.testing.assert_frame_equal(again, scores[COLUMNS], check_dtype=False)
    html = (tmp_path / "scores.html").read_text("utf-8")
    assert "2 raters (R1, R2); 6 images, 3 of them synthetic" in html
    assert "50.0 ± 23.6<small>n = 6</small>" in html
    assert "Phantom data." in html
    assert "50.0 ± 23.6 (n = 6)" in scores_text(scores)
