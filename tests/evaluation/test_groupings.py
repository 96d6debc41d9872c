import math

import numpy as np
import pandas as pd
import pytest

from medaug.errors import SettingsError
from medaug.evaluation.cells import find_cells
from medaug.evaluation.groupings import Grouping, find_groupings, tell_unknown
from medaug.evaluation.settings import EvaluationSettings
from medaug.task import Attribute, Task

TABLE = pd.DataFrame(
    {
        "domain": ["A", "B", "A", "B"],
        "attr:sex": ["M", "F", None, "F"],
        "attr:age": [30, 40, 75, np.nan],
    }
)


def named(groupings: list[Grouping]) -> dict[str, list[str | None]]:
    return {g.attribute: [g.groups[c] if c >= 0 else None for c in g.codes] for g in groupings}


def test_categories_bins_and_their_intersection() -> None:
    assert named(find_groupings(TABLE, EvaluationSettings())) == {
        "sex": ["M", "F", None, "F"],
        "age": ["(0, 40]", "(0, 40]", "(60, 80]", None],
        "sex & age": ["M & (0, 40]", "F & (0, 40]", None, None],
    }


def test_every_combination_is_a_group() -> None:
    crossed = find_groupings(TABLE, EvaluationSettings())[-1]
    assert len(crossed.groups) == len(set(crossed.groups)) == 8


def test_what_is_asked_for_twice_is_there_once() -> None:
    twice = find_groupings(TABLE, EvaluationSettings(attributes=["sex", "age", "sex"]))
    assert [grouping.attribute for grouping in twice] == ["sex", "age", "sex & age"]
    cells = find_cells(TABLE.assign(split="id_test"), ["id_test", "id_test"])
    assert [(cell.split, cell.domain) for cell in cells] == [("id_test", name) for name in ("A", "B", "all")]


def test_the_domain_when_asked() -> None:
    settings = EvaluationSettings(attributes=["domain"], intersections=[])
    assert named(find_groupings(TABLE, settings)) == {"domain": ["A", "B", "A", "B"]}


def test_the_task_gives_bins_and_order_and_loses_no_category() -> None:
    attributes = (Attribute("sex", groups=("M", "X")), Attribute("age", bins=(0, 50, math.inf)))
    task = Task("multilabel", ("a",), attributes=attributes)
    sex, age, _ = find_groupings(TABLE, EvaluationSettings(), task)
    assert sex.groups == ("M", "F")
    assert age.groups == ("(0, 50]", "(50, inf]")


def test_ages_that_come_as_names_of_bins_are_categories() -> None:
    table = pd.DataFrame({"attr:age": ["old", "young"]})
    assert find_groupings(table, EvaluationSettings())[0].groups == ("old", "young")


def test_small_numbers_are_categories_and_measured_ones_need_bins() -> None:
    stage = pd.DataFrame({"attr:stage": [1.0, 2.0, np.nan]})
    assert find_groupings(stage, EvaluationSettings())[0].groups == ("1", "2")
    weight = pd.DataFrame({"attr:weight": np.arange(50.0)})
    with pytest.raises(SettingsError, match="'weight' is a number without bins"):
        find_groupings(weight, EvaluationSettings())
    assert find_groupings(weight, EvaluationSettings(bins={"weight": [0, 20, "inf"]}))[0].groups == (
        "(0, 20]",
        "(20, inf]",
    )


def test_unknown_names_are_refused() -> None:
    with pytest.raises(SettingsError, match="no attribute 'race'; the predictions have: sex, age"):
        find_groupings(TABLE, EvaluationSettings(attributes=["race"]))
    with pytest.raises(SettingsError, match=r"needs \['age'\] among the attributes"):
        find_groupings(TABLE, EvaluationSettings(attributes=["sex"], intersections=[["sex", "age"]]))


def test_ages_in_words_are_in_their_groups(caplog: pytest.LogCaptureFixture) -> None:
    table = pd.DataFrame({"attr:age": ["90+", "45", "50-59", "17/04/1951", None, "70 years"]})
    groupings = find_groupings(table, EvaluationSettings())
    assert named(groupings)["age"] == ["(80, inf]", "(40, 60]", "(40, 60]", None, None, "(60, 80]"]
    tell_unknown(table, groupings)
    [line] = [record.getMessage() for record in caplog.records]
    assert "1 blank" in line
    assert "form '99/99/9999'" in line


def test_ages_that_are_all_ranges_are_the_users_own_groups() -> None:
    table = pd.DataFrame({"attr:age": ["0-50", "50+", "50+"]})
    assert named(find_groupings(table, EvaluationSettings()))["age"] == ["0-50", "50+", "50+"]


def test_names_of_groups_are_as_written(caplog: pytest.LogCaptureFixture) -> None:
    table = pd.DataFrame({"attr:site": [1000001, 1000002], "attr:race": ["NA", ""], "attr:ward": ["01", "1"]})
    groupings = find_groupings(table, EvaluationSettings(intersections=[]))
    assert named(groupings) == {"site": ["1000001", "1000002"], "race": ["NA", None], "ward": ["01", "1"]}
    with caplog.at_level("INFO"):
        tell_unknown(table, groupings)
    assert caplog.messages == ["groups by attr:race: of 2 cells 1 blank, so unknown"]


def test_an_age_outside_every_group_is_told(caplog: pytest.LogCaptureFixture) -> None:
    table = pd.DataFrame({"attr:age": [0.0, 50.0]})
    tell_unknown(table, find_groupings(table, EvaluationSettings()))
    assert caplog.messages == ["groups by attr:age: of 2 cells 1 in no group, for example of the form '9'"]
