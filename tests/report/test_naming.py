"""Pages name arms and groups in words; the tables that become CSV files keep the keys."""

import base64
import re

import pandas as pd
import pytest

from medaug.analysis.looks import Looks
from medaug.evaluation import EvaluationSettings, evaluate
from medaug.report.arm_names import arm_name
from medaug.report.html import write_report
from medaug.report.naming import named

KEYS = {"baseline": "baseline", "label": "synthetic by label"}


@pytest.fixture(scope="module")
def page(tmp_path_factory, predictions, read):
    """A report of two arms, of ages in bins, crossed with sex."""
    settings = EvaluationSettings(metrics=["auc"], replicates=5, permutations=5, bins={"age": [0, 50, "inf"]})
    results = evaluate(predictions, settings, baseline="baseline")
    path = tmp_path_factory.mktemp("named") / "report.html"
    looks = Looks.at(predictions, {}, settings)
    answer = write_report(path, results, title="Arms", looks=looks, called=arm_name)
    assert set(results.metrics["method"]) == set(KEYS)
    assert "(0, 50]" in set(results.metrics["group"])
    return path.read_text(encoding="utf-8"), read(path), answer


def test_tables_sentences_and_figures_have_names_in_words(page):
    html, parsed, answer = page
    figures = [base64.b64decode(code).decode() for code in re.findall(r"svg\+xml;base64,([^\"]+)", html)]
    assert "synthetic by label (" in " ".join(answer)
    assert parsed.tables["AUC by age, mean over the conditions"][0][3:] == ["baseline", "synthetic by label"]
    assert [row[1] for row in parsed.tables["AUC by age, mean over the conditions"][1:3]] == [
        "up to 50",
        "over 50",
    ]
    assert "F, up to 50" in {row[1] for row in parsed.tables["AUC by sex and age, mean over the conditions"]}
    assert any("up to 50" in figure for figure in figures)
    heads = [cell for rows in parsed.tables.values() for cell in rows[0]]
    assert "label" not in heads
    for text in (parsed.text, *figures):
        assert not re.search(r"\(\d+, (?:\d+|inf)\]", text)


def test_the_side_of_a_border_is_said(page):
    assert "A group such as 40 to 60 holds those over 40 and up to 60." in page[1].text


def test_methods_of_anybody_else_are_called_what_they_are(predictions):
    assert list(named(pd.DataFrame({"method": ["filtered"]}))["method"]) == ["filtered"]
    assert arm_name("filtered") == "synthetic, filtered"
    assert arm_name("my own model") == "my own model"


def test_reasons_and_groups_of_an_empty_table_are_no_trouble():
    empty = pd.DataFrame(columns=["method", "attribute", "group", "reason"])
    assert named(empty, arm_name).empty
