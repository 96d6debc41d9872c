import base64
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from medaug.evaluation.metrics_table import compute_metrics, read_metrics, write_table
from medaug.evaluation.predictions import check_predictions
from medaug.evaluation.results import Results
from medaug.evaluation.settings import EvaluationSettings
from medaug.report.html import write_report
from medaug.report.verdict_words import READINGS, reading

OVERALL = "All images: mean over the conditions, with intervals"
GLANCE = "Accuracy and fairness at a glance, with intervals"


@pytest.fixture(scope="module")
def full(tmp_path_factory, metrics, predictions, store, synthetic, comparison):
    path = tmp_path_factory.mktemp("report") / "report.html"
    results = Results(metrics, predictions, comparison)
    write_report(path, results, title="Chest & more", store=store, synthetic=synthetic)
    return path


@pytest.fixture(scope="module")
def page(full, read):
    return read(full)


@pytest.fixture(scope="module")
def without_comparison(tmp_path_factory, metrics, predictions, read):
    path = tmp_path_factory.mktemp("report") / "report.html"
    write_report(path, Results(metrics, predictions), title="t")
    return read(path)


@pytest.fixture(scope="module")
def little(metrics, predictions):
    """Results with few figures, for what does not depend on them."""
    few = metrics.query("metric == 'accuracy' and attribute == '' and label == ''")
    return Results(few, predictions[["image_id", "method", "phantom", "split", "domain"]])


def one(metrics, **keys):
    chosen = np.logical_and.reduce([metrics[key] == value for key, value in keys.items()])
    (row,) = metrics[chosen].itertuples()
    return row


def test_every_tag_is_closed_and_title_is_escaped(page, full):
    assert page.open == []
    assert "<h1>Chest &amp; more</h1>" in full.read_text()


def test_overall_table_equals_metrics(page, metrics):
    head, *rows = page.tables[OVERALL]
    assert head == ["Where", "Metric", "Images", "baseline", "label"]
    shown = {(r[0], r[1]): r for r in rows}
    for split, where in (
        ("id_test", "in distribution, test home"),
        ("ood_test", "out of distribution, test away"),
    ):
        for metric, words in (("auc", "AUC"), ("accuracy", "Accuracy")):
            keys = {"metric": metric, "split": split, "label": "", "attribute": ""}
            both = [one(metrics, method=method, **keys) for method in ("baseline", "label")]
            expected = [f"{m.value:.3f} [{m.ci_low:.3f}, {m.ci_high:.3f}]" for m in both]
            assert shown[where, words][2:] == [str(both[0].n), *expected]
    assert len(rows) == 4


def test_condition_table_shows_counts_and_values(page, metrics):
    rows = page.tables["AUC of each condition, with intervals"]
    assert rows[0] == ["Where", "Condition", "With it / images", "baseline", "label"]
    found = next(r for r in rows if r[0].startswith("out") and r[1] == "effusion")
    row = one(metrics, metric="auc", method="label", split="ood_test", label="effusion", attribute="")
    assert found[2] == f"{row.n_positive} / {row.n}"
    assert found[4].startswith(f"{row.value:.3f}")


def test_group_table_shows_groups_gap_and_worst(page, metrics):
    rows = [r for r in page.tables["AUC by sex, mean over the conditions"] if r[0].startswith("in ")]
    assert [r[1] for r in rows] == ["F", "M", "gap (best − worst)", "worst group"]
    keys = {"method": "baseline", "split": "id_test", "label": "", "attribute": "sex"}
    assert rows[2][3].startswith(f"{one(metrics, metric='auc_gap', **keys).value:.3f}")
    worst = one(metrics, metric="auc_worst", **keys)
    assert rows[3][3].startswith(f"{worst.group}: {worst.value:.3f}")


def test_differences_are_those_of_the_comparison(page, comparison):
    rows = [r for r in page.tables[GLANCE] if r[1] == "AUC gap, sex" and r[2] == "label"]
    keys = {"metric": "auc_gap", "attribute": "sex", "label": "", "method": "label"}
    for shown, split in zip(rows, ("id_test", "ood_test"), strict=True):
        row = one(comparison, split=split, **keys)
        assert shown[4].startswith(f"{row.difference:+.3f}".replace("-", "−"))
        assert shown[5].startswith(READINGS[reading(pd.Series(row._asdict()), "auc_gap")])


def test_baseline_leads_though_another_comes_first_by_order(page):
    assert [r[2] for r in page.tables[GLANCE][1:3]] == ["baseline", "label"]


def test_file_refers_to_nothing_outside(full, page):
    for tag, attributes in page.tags:
        assert tag not in ("script", "link", "iframe", "object", "base", "form")
        for name in ("src", "srcset", "href", "action"):
            assert attributes.get(name, "data:").startswith("data:")
    assert not re.search(r"url\(|@import", full.read_text())


def test_every_image_has_words_and_decodes(page):
    assert len(page.images) > 15
    for image in page.images:
        assert image["alt"]
        assert base64.b64decode(image["src"].split(",", 1)[1])


def test_figures_hold_their_text_as_text(page):
    figures = [i["src"] for i in page.images if i["src"].startswith("data:image/svg+xml;base64,")]
    texts = [base64.b64decode(src.split(",", 1)[1]).decode() for src in figures]
    assert any("<text" in t and "effusion" in t and "baseline" in t for t in texts)


def test_nothing_names_a_patient_image_or_file(full, page):
    text = full.read_text() + "".join(
        base64.b64decode(i["src"].split(",", 1)[1]).decode("latin-1") for i in page.images
    )
    for private in ("JANE", "jane", "private", "name-1", "image-", "/home"):
        assert private not in text


def test_data_are_counted(page, store):
    rows = {(r[0], r[1]): r[2:] for r in page.tables["Images and patients"][1:]}
    train = store.table[store.table["split"] == "train"]
    assert rows["home", "training"][:2] == [str(len(train)), str(train["patient_id"].nunique())]
    assert rows["home", "training"][2].startswith(f"{train['attr:age'].median():.0f} (")
    sexes = {(r[0], r[1]): r[2:] for r in page.tables["Images by sex"][1:]}
    women = int((train["attr:sex"] == "F").sum())
    assert sexes["home", "training"][0] == f"{women} {women / len(train):.1%}".replace("%", " %")
    assert page.tables["Images that were not used"][1:] == [
        ["left out", "other side", "5"],
        ["rejected", "not an image", "2"],
    ]


def test_rejected_synthetic_images_are_counted(tmp_path, little, store, read):
    path, kind = tmp_path / "report.html", ["all", "class", "sex"]
    rejected = pd.DataFrame({"by": kind, "name": ["all", "edema", "F"], "images": [2000, 8, 5]})
    rejected = rejected.assign(rejected=[500, 1, 0], share=[0.25, 0.125, 0.0])
    write_report(path, little, title="t", store=store, rejected={"model": rejected})
    caption = "Synthetic images that the real-trained classifier does not agree with (model)"
    assert read(path).tables[caption] == [
        ["By", "Which", "Asked for", "Left out"],
        ["all", "all", "2,000", "500 25.0 %"],
        ["class", "edema", "8", "1 12.5 %"],
        ["sex", "F", "5", "0 0.0 %"],
    ]


def test_synthetic_images_are_marked(page):
    marked = [i for i in page.images if i.get("class") == "synthetic"]
    assert marked
    assert all(i["alt"].startswith("Synthetic image, asked for") for i in marked)
    assert sum(i["alt"].startswith("Nearest real training image") for i in page.images) == len(marked)


def test_real_images_stand_beside_the_synthetic_ones_of_their_condition(page, store):
    shown = [i["alt"] for i in page.images if i["alt"].startswith("Real training image")]
    kinds = [f"Real training image, labelled {name} for certain" for name in ("edema", "effusion")]
    assert shown == [kind for kind in kinds for _ in range(4)]
    train = store.table[store.table["split"] == "train"]
    for name in ("edema", "effusion"):
        count = int((train[f"label:{name}"] >= 0.9).sum())
        assert f"labelled {name} with at least 0.9: 4 drawn from {count} training images" in page.text
    learnt_from = int(store.table["split"].isin(["train", "unlabelled"]).sum())
    assert f"of all {learnt_from} that the generator learnt from" in page.text


def test_ages_are_counted_by_bin_and_split(page, store):
    head, *rows = page.tables["Images by age"]
    assert head == ["Domain", "Split", "up to 50", "over 50", "in no group"]
    for where, split in (("training", "train"), ("out of distribution, test", "ood_test")):
        ages = store.table.loc[store.table["split"] == split, "attr:age"]
        counts = [(ages <= 50).sum(), (ages > 50).sum(), ages.isna().sum()]
        (row,) = (r for r in rows if r[1] == where)
        assert [int(cell.split()[0]) for cell in row[2:]] == counts


def test_settings_are_shown_without_places(page):
    rows = dict(page.tables["Real images"][1:])
    assert rows["seed"] == "3"
    assert not {"dataset_dir", "note"} & set(rows)


def test_no_banner_on_real_data(page):
    assert "Phantom data" not in page.text


def test_who_holds_real_data_is_told_that_small_groups_are_shown(page):
    assert "Numbers about fewer than 10 patients are not left out here" in page.text


def test_wide_figures_have_a_form_for_a_telephone(page):
    narrow = [attributes for tag, attributes in page.tags if tag == "source"]
    assert len(narrow) > 5
    assert {given["media"] for given in narrow} == {"screen and (max-width: 44rem)"}


@pytest.mark.parametrize("where", ["store", "synthetic", "predictions", "metrics"])
def test_banner_wherever_the_data_are_marked_as_phantom(tmp_path, little, store, synthetic, read, where):
    given = {"store": store, "synthetic": synthetic}
    marks = {"predictions": {"phantom": True}, "metrics": {"source": "phantom data"}}
    if where in marks:
        results = replace(little, **{where: getattr(little, where).assign(**marks[where])})
    else:
        results = little
        given[where] = replace(given[where], origin={**given[where].origin, "phantom": True})
    path = tmp_path / "report.html"
    write_report(path, results, title="t", **given)
    assert "Phantom data." in read(path).text
    assert "Small groups." not in read(path).text


def test_without_comparison_chance_is_not_excluded(without_comparison):
    page = without_comparison
    assert "chance is not excluded" in page.text
    assert "There are no synthetic images to show." in page.text
    assert "there is no image store" in page.text
    assert "interval excludes zero" not in " ".join(cell for row in page.tables[GLANCE] for cell in row)


@pytest.mark.parametrize("read_back", [read_metrics, pd.read_csv])
def test_metrics_read_back_from_csv_give_the_same_report(
    tmp_path, metrics, predictions, without_comparison, read, read_back
):
    write_table(metrics, tmp_path / "metrics.csv")
    write_report(tmp_path / "b", Results(read_back(tmp_path / "metrics.csv"), predictions), title="t")
    assert read(tmp_path / "b").tables == without_comparison.tables


HOSTILE = '<script>alert("1")</script> $\\frac$ & _x'


@pytest.fixture
def stranger():
    rows = [("F", 0.9, 1), ("F", 0.2, 0), ("F", 0.7, 1), ("F", 0.4, 0), ("M", 0.1, 0), ("M", 0.3, 0)]
    table = pd.DataFrame(rows, columns=["attr:<i>group", f"score:{HOSTILE}", f"label:{HOSTILE}"])
    return check_predictions(table.assign(method="_<b>m</b>$"))


def test_hostile_names_are_shown_as_they_are(tmp_path, stranger, read):
    path = tmp_path / "report.html"
    metrics = compute_metrics(stranger, EvaluationSettings(replicates=5))
    write_report(path, Results(metrics, stranger), title=HOSTILE)
    page = read(path)
    assert not any(tag in ("script", "b", "i") for tag, _ in page.tags)
    assert page.tables["AUC of each condition, with intervals"][1][1] == HOSTILE
    assert HOSTILE in page.text


def test_one_class_group_is_not_estimable_with_its_reason(tmp_path, stranger, read):
    path = tmp_path / "report.html"
    metrics = compute_metrics(stranger, EvaluationSettings(metrics=["auc"], replicates=5, min_group_size=1))
    write_report(path, Results(metrics, stranger), title="t")
    page = read(path)
    rows = {r[1]: r for r in page.tables["AUC by <i>group, mean over the conditions"]}
    reason = one(metrics, metric="auc", group="M", label="").reason
    assert reason
    assert rows["M"][3] == f"not estimable {reason}"
    assert rows["gap (best − worst)"][3].startswith("not estimable")
    assert rows["F"][3].startswith("1.000")
    assert "The AUC gap between groups of <i>group is not estimable in an unknown split." in page.text
    missing = next(rows for caption, rows in page.tables.items() if caption.startswith("Not estimable"))
    assert any("M" in row[2] and row[-1] == reason for row in missing)
    assert {row[-2] for row in missing[1:]} == {"AUC", "AUC gap"}


def test_no_attribute_and_one_method_is_said(tmp_path, read):
    table = check_predictions(pd.DataFrame({"score:a": [0.1, 0.9, 0.4], "label:a": [0, 1, 1]}))
    path = tmp_path / "report.html"
    write_report(path, Results(compute_metrics(table, EvaluationSettings(replicates=0)), table), title="t")
    text = read(path).text
    assert "fairness could not be measured" in text
    assert "cannot say whether it improves" in text


def test_seeds_are_joined_and_said(tmp_path, predictions, read):
    again = predictions.assign(seed=1)
    for column in ("score:edema", "score:effusion"):
        again[column] = 1 - again[column]
    table = pd.concat([predictions, again], ignore_index=True)
    metrics = compute_metrics(table, EvaluationSettings(metrics=["auc"], replicates=5, min_group_size=1))
    path = tmp_path / "report.html"
    write_report(path, Results(metrics, table), title="t")
    page = read(path)
    assert all(row[3].startswith("0.500") for row in page.tables[OVERALL][1:])
    assert "means over 2 training runs" in page.text


def test_stores_without_a_common_size_show_synthetic_images_alone(tmp_path, little, store, new_store, read):
    other = new_store("other", ["train"] * 9, size=6)
    path = tmp_path / "report.html"
    write_report(path, little, title="t", store=store, synthetic=other)
    page = read(path)
    assert "no size in common" in page.text
    assert not any(i["alt"].startswith("Nearest") for i in page.images)


def test_old_report_stays_when_writing_fails(tmp_path, metrics, predictions):
    path = tmp_path / "report.html"
    path.write_text("old")
    with pytest.raises(KeyError):
        write_report(path, Results(metrics.drop(columns="estimable"), predictions), title="t")
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]
    assert path.read_text() == "old"


def test_exclusive_classes_have_no_cooccurrence(tmp_path, read):
    content = {
        "score:a": [0.2, 0.9, 0.4],
        "label:a": [0, 1, 0],
        "score:b": [0.8, 0.1, 0.6],
        "label:b": [1, 0, 1],
    }
    table = check_predictions(pd.DataFrame(content))
    path = tmp_path / "report.html"
    write_report(path, Results(compute_metrics(table, EvaluationSettings(replicates=0)), table), title="t")
    page = read(path)
    assert "Condition distribution" in page.text
    assert "Conditions together" not in page.text


def test_the_page_says_that_it_shows_patients(full):
    assert "Pictures of patients." in full.read_text()


def test_pictures_of_patients_can_be_left_out(little, store, synthetic, tmp_path, read):
    path = tmp_path / "report.html"
    given = {"store": store, "synthetic": synthetic, "patient_pictures": False}
    write_report(path, little, title="Chest", **given)
    page = read(path)
    assert "Pictures of patients." not in page.text
    assert "Pictures of patients are left out of this report." in page.text
    assert not [image for image in page.images if image["alt"].startswith(("Nearest real", "Real"))]
    assert [image for image in page.images if image["alt"].startswith("Synthetic image")]
