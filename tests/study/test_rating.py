"""The page in a browser: people rate with keys or mouse, stop, go on, export; the export is scored."""

import json

import numpy as np
import pandas as pd
import pytest

from medaug.study.__main__ import main
from medaug.study.exports import read_exports
from medaug.study.key import key_path

PLACE = "document.getElementById('place').textContent"
PROBLEM = "document.getElementById('problem').textContent"
COUNT = "document.getElementById('count').textContent"


def by_id(name):
    return f"document.getElementById('{name}')"


def focus(browser):
    """What has the focus: its id, or its name and value."""
    return browser.run("(e => e.id || `${e.name} ${e.value}`.trim())(document.activeElement)")


def rate_by_keyboard(browser, condition, confidence):
    assert focus(browser).startswith("diagnosable")
    if condition is None:
        browser.press("n", "Enter")
    else:
        browser.press("y")
        browser.type(condition)
        browser.press("Enter", str(confidence), "Enter")


def rate_by_mouse(browser, condition, confidence, slot=1):
    browser.click("document.querySelector('[name=diagnosable][value=true]')")
    browser.click(by_id(f"diagnosis-{slot}"))
    browser.type(condition[:4])
    browser.click(by_id(f"list-{slot}") + ".firstElementChild")
    browser.click(f"document.querySelector('[name=confidence-{slot}][value=\"{confidence}\"]')")


def test_two_raters_rate_stop_go_on_and_export_and_are_scored(browser, study, tmp_path, capsys):
    page, key = study
    truth = key.images["condition"].tolist()
    browser.open(page)

    # The first rater uses the keyboard alone, finds the first image not diagnosable and the rest right.
    assert focus(browser) == "rater"
    browser.type("R1")
    browser.press("Enter")
    for number, condition in enumerate([None, *truth[1:3]], start=1):
        assert browser.run(PLACE) == f"Image {number} of 6"
        rate_by_keyboard(browser, condition, 4)
    browser.press("y")
    browser.type("lent")  # the fourth is begun, and then the page is closed
    browser.open(page)
    assert browser.run("document.activeElement.textContent") == "Go on as R1 (3 of 6 rated)"
    browser.press("Enter")
    assert browser.run(PLACE) == "Image 4 of 6"
    assert browser.run("document.querySelector('[name=diagnosable]:checked').value") == "true"
    for condition in truth[3:]:
        rate_by_keyboard(browser, condition, 5)
    assert browser.run(by_id("summary") + ".textContent").startswith("All 6 images are rated.")
    browser.press("Tab", "Enter")
    (first,) = browser.downloaded()
    first = first.rename(tmp_path / first.name)

    # The second rater uses the mouse (and types a few letters), and is wrong with the first diagnosis.
    browser.open(page)
    browser.click(by_id("rater"))
    browser.type("Dr. 2/é")
    browser.click("document.querySelector('#who-form button')")
    for condition in truth:
        wrong = next(name for name in ("acne", "eczema") if name != condition)
        rate_by_mouse(browser, wrong, 3)
        rate_by_mouse(browser, condition, 2, slot=2)
        browser.click(by_id("next"))
    browser.click(by_id("export"))
    (second,) = browser.downloaded()
    assert second.name == f"study-{key.study[:8]}-Dr_2_é.json"
    assert browser.complaints() == []

    files = ["--key", str(key_path(page)), "--output", str(tmp_path / "scores.html")]
    main(["score", str(first), str(second), *files])
    assert "50.0 ± 70.7" in capsys.readouterr().out  # top-1: all right and all wrong
    scores = pd.read_csv(tmp_path / "scores.csv", keep_default_na=False, na_values={"value": ""})
    over_all = scores[scores["condition"] == ""].set_index(["rater", "source", "metric"])["value"]
    for source, images in key.images.groupby("synthetic"):
        name = "synthetic" if source else "real"
        left_out = 0 in images.index
        assert over_all["R1", name, "diagnosable"] == pytest.approx((3 - left_out) / 3)
        confidences = [4 if i < 3 else 5 for i in images.index if i]
        assert over_all["R1", name, "confidence"] == pytest.approx(np.mean(confidences))
        assert over_all["Dr. 2/é", name, "confidence"] == 3
        assert over_all["R1", name, "top1_accuracy"] == 1
        assert over_all["", name, "top1_accuracy"] == 0.5
        assert over_all["", name, "top3_accuracy"] == 1


def begin(browser, page):
    browser.open(page)
    browser.type("R1")
    browser.press("Enter")


def test_an_answer_that_is_not_complete_is_asked_for(browser, study):
    page, key = study
    begin(browser, page)
    browser.press("Enter")
    assert "good enough for a diagnosis" in browser.run(PROBLEM)
    browser.press("y", "Enter")
    assert (browser.run(PROBLEM), focus(browser)) == ("Give at least one diagnosis.", "diagnosis-1")
    browser.type("zzz")
    assert browser.run("document.querySelector('.popup').innerText").startswith("Nothing found.")
    browser.press("Enter")
    assert "is not on the list" in browser.run(PROBLEM)
    browser.press("Backspace", "Backspace", "Backspace")
    browser.type("meni")
    browser.press("Enter")
    assert browser.run(by_id("diagnosis-1") + ".value") == "Ménière"
    browser.press("Enter")
    assert browser.run(PROBLEM) == "How confident are you in “Ménière”?"
    browser.press("3")
    browser.type("meni")
    browser.press("Enter", "2", "Enter")
    assert (browser.run(PROBLEM), focus(browser)) == ("This diagnosis is given twice.", "diagnosis-2")
    browser.run(by_id("diagnosis-2") + ".select()")
    browser.press("Backspace", "Enter")
    assert browser.run(PLACE) == "Image 2 of 6"
    exported = browser.run("JSON.stringify(exported())")
    (rating,) = json.loads(exported)["ratings"]
    assert rating == {
        "image": key.images["image"][0],
        "diagnosable": True,
        "diagnoses": [{"condition": "Ménière", "confidence": 3}],
    }


def test_images_can_be_skipped_and_changed_and_an_unfinished_export_holds_what_is_rated(browser, study):
    page, key = study
    begin(browser, page)
    browser.click(by_id("skip"))
    rate_by_keyboard(browser, None, None)
    assert browser.run(COUNT) == "1 of 6 rated"
    browser.click(by_id("back"))
    assert browser.run("document.querySelector('[name=diagnosable]:checked').value") == "false"
    rate_by_keyboard(browser, "acne", 1)
    browser.click(by_id("pause"))
    assert browser.run(by_id("summary") + ".textContent").startswith("1 of 6 images are rated; 5 are left.")
    browser.press("Tab", "Enter")
    (row,) = read_exports(browser.downloaded(), key).to_dict("records")
    assert (row["image"], row["classes"], row["confidence"]) == (key.images["image"][1], ("acne",), 1)
    browser.click(by_id("unrated"))
    assert browser.run(PLACE) == "Image 1 of 6"


def test_the_list_follows_what_is_typed(browser, study):
    begin(browser, study[0])
    assert browser.run("search('')") == [
        *("acne", "eczema", "melanoma", "other", "Lentigo maligna", "Pompholyx", "Ménière")
    ]
    assert browser.run("search('ma')") == ["Lentigo maligna", "eczema", "melanoma"]
    assert browser.run("search('MALIGNA  lent')") == ["Lentigo maligna"]
    browser.press("y", "ArrowDown", "ArrowDown", "Enter")
    assert browser.run(by_id("diagnosis-1") + ".value") == "eczema"
    browser.press("4")
    browser.press("ArrowUp", "Escape")
    assert browser.run(by_id("list-2") + ".hidden")
    assert focus(browser) == "diagnosis-2"


def test_20000_diagnoses_are_searched(browser, study):
    browser.open(study[0])
    browser.run("window.many = searcher(Array.from({length: 20000}, (_, i) => `Diagnosis number ${i}`))")
    assert browser.run("many('num 19999')") == ["Diagnosis number 19999"]
    assert browser.run("many('diag').length") == 20000


def test_everything_that_takes_an_answer_has_a_name_for_screen_readers(browser, study):
    begin(browser, study[0])
    browser.press("y", "ArrowDown")
    nodes = browser.call("Accessibility.getFullAXTree")["nodes"]
    shown = [n for n in nodes if not n["ignored"]]
    roles = {
        "radio",
        "combobox",
        "button",
        "listbox",
        "option",
        "image",
        "radiogroup",
        "progressbar",
        "group",
    }
    found = {(n["role"]["value"], n.get("name", {}).get("value", "")) for n in shown}
    found = {(role, name) for role, name in found if role in roles}
    assert {role for role, _ in found} == roles
    assert all(name for _, name in found)
    assert ("group", "Is this image good enough for a diagnosis?") in found
    assert ("image", "Image 1 of 6, to be rated") in found


def test_a_browser_that_cannot_save_says_so(browser, study):
    blocked = "Storage.prototype.setItem = () => { throw new DOMException('full', 'QuotaExceededError'); }"
    browser.call("Page.addScriptToEvaluateOnNewDocument", source=blocked)
    begin(browser, study[0])
    assert "export before you close" in browser.run(by_id("saved") + ".textContent")


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (820, 1180), (1180, 820), (390, 844)])
def test_the_page_fits_the_screen(browser, study, width, height):
    browser.resize(width, height)
    begin(browser, study[0])
    browser.press("y")
    assert browser.run("document.documentElement.scrollWidth <= innerWidth")
    if width > 600:  # on a telephone one scrolls
        assert browser.run(by_id("next") + ".getBoundingClientRect().bottom <= innerHeight")
