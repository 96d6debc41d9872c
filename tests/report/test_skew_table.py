import pytest

from medaug.data.skew import Skew, skewed
from medaug.errors import SettingsError
from medaug.report.data_tables import data_table
from medaug.report.skew_table import skew_table


def test_the_table_has_the_form_of_table_a2(store):
    train = store.table[store.table["split"] == "train"]
    women, men = (int((train["attr:sex"] == sex).sum()) for sex in "FM")
    skews = {"Less": Skew("sex", {"M": 10}), "More": Skew("sex", {"M": 2}, "left_out")}
    table = skew_table(store, skews)
    assert list(table.head) == ["Setting", "F", "M", "unknown"]
    rows = [[cell.text for cell in row] for row in table.rows]
    assert rows == [
        ["As they are", str(women), str(men), "0"],
        ["Less", str(women), "10", "0"],
        ["More", str(women), "2", "0"],
    ]
    assert table.rows[1][2].note == f"{10 / men:.1%}".replace("%", " %")
    assert table.rows[1][1].note == ""
    assert "by sex" in table.caption


def test_an_unknown_group_is_refused(store):
    with pytest.raises(SettingsError, match=r"sex has no group 'X' to cap"):
        skew_table(store, {"Less": Skew("sex", {"X": 1})})


def test_a_skewed_view_says_what_it_left_out(store):
    view = skewed(store, Skew("sex", {"M": 2}, "left_out"))
    table = data_table(view.table)
    left_out = int((view.table["split"] == "left_out").sum())
    assert ["home", "left out by the skew", f"{left_out:,}"] in [
        [c.text for c in row[:3]] for row in table.rows
    ]
