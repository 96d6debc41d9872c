"""Files as people write them: encodings, separators, quotes, and the row that an editor shows."""

import csv
import io
import logging
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medaug.errors import DataError
from medaug.tabular.rows import _is_plain, _strict, parse_rows
from medaug.tabular.table_files import read_text_table
from medaug.tabular.text import find_layout

GOOD = "path,site,age\na.png,NA,61\nb.png,Köln,\n"


def read(folder: Path, data: bytes | str, name: str = "table.csv") -> pd.DataFrame:
    path = folder / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return read_text_table(path)


def cells(table: pd.DataFrame) -> list[list[str]]:
    return [list(table), *table.to_numpy().tolist()]


EXPECTED = [["path", "site", "age"], ["a.png", "NA", "61"], ["b.png", "Köln", ""]]


@pytest.mark.parametrize(
    "data",
    [
        GOOD.encode(),
        GOOD.encode("utf-8-sig"),
        GOOD.encode("utf-16"),
        GOOD.encode("utf-32"),
        GOOD.replace("\n", "\r\n").encode(),
        GOOD.replace("\n", "\r").encode(),
        GOOD.replace("\n", "\r\n\n").encode(),
        GOOD.replace(",", ";").encode(),
        GOOD.replace(",", "\t").encode(),
        GOOD.replace(",", " ,  ").encode(),
        GOOD.rstrip().encode(),
        ("sep=,\n" + GOOD).encode(),
        ("# exported, 2024\n#\n" + GOOD).encode(),
        (GOOD + ",,\n,,\n").encode(),
        (GOOD + "  \n").encode(),
        GOOD.replace("path", ",path").replace("a.png", "0,a.png").replace("b.png", "1,b.png").encode(),
        '"path","site","age"\n"a.png","NA","61"\n"b.png","Köln",""\n'.encode(),
        'path, "site",age\na.png, "NA",61\nb.png,Köln,\n'.encode(),
    ],
)
def test_the_same_table_in_many_forms(tmp_path: Path, data: bytes) -> None:
    assert cells(read(tmp_path, data)) == EXPECTED


def test_western_letters_are_read_and_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert cells(read(tmp_path, GOOD.encode("latin-1"))) == EXPECTED
    assert "1 rows with letters beyond ASCII, the first is row 3" in caplog.text
    assert "Windows-1252" in caplog.text


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "it has no header, or is empty"),
        (b"\n\n", "it has no header, or is empty"),
        (b"PK\x03\x04\0\0", "spreadsheet"),
        (b"\x1f\x8b\x08", "gzip"),
        (GOOD.encode("utf-16-le"), "zero bytes"),
        (GOOD.encode() + "Ä".encode("latin-1"), "encoding is neither UTF-8 nor certain"),
        ("病院,年齢\n".encode("shift-jis"), "encoding is neither UTF-8 nor certain"),
        (b"\xff\xfe\x00<html>", "begins like UTF-16"),
        (b'"path,site\n', r"a quote in its header \(row 1\) is not closed"),
    ],
)
def test_what_is_no_table(tmp_path: Path, data: bytes, message: str) -> None:
    with pytest.raises(DataError, match=rf"table\.csv is not a CSV table: .*{message}"):
        read(tmp_path, data)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["a,b", "1,2,", "3,4,"], r"row 2: 3 cells, but the header has 2 \(2 such rows in all\)"),
        (["a,b", "", "1,2", "", "3"], "row 5: 1 cells, but the header has 2;"),
        (["# made by hand", "a,b", "1,2", "3,4,5"], "row 4: 3 cells"),
        (["a,b,c", '1,"x', 'y",2', "3,4"], "row 4: 2 cells"),
        (["a,b", "1,2", '3,"4', "5,6"], "row 3: a quote is not closed"),
        (["a,b", '1,"2"x', "5,6"], "row 2: a quote is not closed"),
        (["a,b,c", '1,2,"x', "3,4,y", '5,6,z"'], "row 2: a quoted cell holds whole rows"),
        (["a,a", "1,2"], "has the column 'a' twice"),
        (["a, a ", "1,2"], "has the column 'a' twice"),
        (["61,61", "1,2"], "has a column twice"),
    ],
)
def test_columns_cannot_move(tmp_path: Path, lines: list[str], message: str) -> None:
    for end in ("\n", "\r\n"):
        with pytest.raises(DataError, match=rf"table\.csv.*{message}"):
            read(tmp_path, end.join(lines) + end)


def test_rows_are_numbered_as_an_editor_does(tmp_path: Path) -> None:
    text = '\ufeff# note\n\na,b\n\n1,"x\n\ny"\n   \n2,"z"\n\n3,\n'
    table = read(tmp_path, text)

    lines = text.split("\n")
    assert table.index.tolist() == [lines.index('1,"x') + 1, lines.index('2,"z"') + 1, lines.index("3,") + 1]
    assert table["b"].tolist() == ["x\n\ny", "z", ""]


def test_a_header_may_begin_with_a_number_sign(tmp_path: Path) -> None:
    assert list(read(tmp_path, "#id,b\n1,2\n")) == ["#id", "b"]


def test_semicolons_leave_decimal_commas(tmp_path: Path) -> None:
    table = read(tmp_path, "id;age, years;score\n1;45,5;0,3\n2;50,1;0,4\n")
    assert cells(table) == [["id", "age, years", "score"], ["1", "45,5", "0,3"], ["2", "50,1", "0,4"]]


@pytest.mark.parametrize("separator", [",", ";"])
def test_a_cell_may_be_longer_than_pythons_reader_takes(tmp_path: Path, separator: str) -> None:
    report = "no finding " * 13_000
    table = read(tmp_path, f"# exported\nid{separator}report\n1{separator}{report}\n")
    assert cells(table) == [["id", "report"], ["1", report.strip()]]
    with pytest.raises(DataError, match=r"row 2: .* a cell has more than 131,072 characters"):
        read(tmp_path, f'id{separator}report\n1{separator}"{report}\n"\n')


def test_blanks_and_rows_of_separators_are_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        read(tmp_path, "a,b\n 1,2\n,\n,\n")
    assert "blanks around 1 cells do not count" in caplog.text
    assert "2 rows of blanks are passed over" in caplog.text


def test_a_message_does_not_show_the_first_row_of_a_table_without_header(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        read(tmp_path, "i1.png,Doe Jane,Doe Jane\n")
    assert "Doe" not in str(caught.value)


WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), max_size=6)


@settings(max_examples=60, deadline=None)
@given(
    rows=st.lists(st.lists(WORDS, min_size=3, max_size=3), max_size=6),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    end=st.sampled_from(["\n", "\r\n"]),
)
def test_whatever_is_written_is_read(
    rows: list[list[str]], quoting: int, end: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    out = io.StringIO(newline="")
    csv.writer(out, quoting=quoting, lineterminator=end).writerows([["a", "b", "c"], *rows])
    if any(part.count(",") > 1 for row in rows for cell in row for part in cell.splitlines()[1:]):
        return  # looks like a row within a cell, and is refused
    table = read(tmp_path_factory.mktemp("any"), out.getvalue())
    # Text in, text out; Unicode's idea of a blank and Python's differ in a few control characters.
    blank = [[cell.strip().strip("\x1c\x1d\x1e\x1f\x85") for cell in row] for row in rows]
    found = [
        [cell.strip().strip("\x1c\x1d\x1e\x1f\x85") for cell in row] for row in table.to_numpy().tolist()
    ]
    assert found == [row for row in blank if any(row)]


@settings(max_examples=80, deadline=None)
@given(st.lists(st.text(st.sampled_from('ab,"\n '), max_size=12), max_size=5))
def test_both_parsers_agree_where_the_fast_one_is_used(lines: list[str]) -> None:
    data = ("x,y\n" + "\n".join(lines)).encode()
    layout = find_layout(data, Path("t.csv"))
    body = data[layout.start :]
    if not _is_plain(body, ","):
        return

    def outcome(parse) -> object:
        try:
            columns, numbers = parse()
        except DataError:
            return "refused"
        return [column.to_pylist() for column in columns], numbers.tolist()

    strict = outcome(lambda: _strict(body, layout, Path("t.csv")))
    found = outcome(lambda: parse_rows(data, layout, Path("t.csv")))
    if strict != found:  # only rows of blanks, which are left out later, and blanks within cells may differ
        kept = [[c.strip() for c in row] for row in zip(*found[0], strict=True) if any(map(str.strip, row))]
        assert kept == [[c.strip() for c in row] for row in zip(*strict[0], strict=True)]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.array([1000001, 1, 2]), ["1000001", "1", "2"]),
        (pd.array([2**60 + 1, None, 3], dtype="Int64"), ["1152921504606846977", "", "3"]),
        (np.array([1000001.0, np.nan, 0.5]), ["1000001", "", "0.5"]),
        (pd.Categorical(["01", "1", None]), ["01", "1", ""]),
        (pd.Categorical([7, 8, 7]), ["7", "8", "7"]),
        ([True, False, True], ["True", "False", "True"]),
        (["NA", " x ", None], ["NA", "x", ""]),
        (pd.to_datetime(["2020-01-31", None, "2020-02-01"]), ["2020-01-31", "", "2020-02-01"]),
    ],
)
def test_parquet_has_the_names_of_csv(tmp_path: Path, values: object, expected: list[str]) -> None:
    pd.DataFrame({" v ": values}).to_parquet(tmp_path / "t.parquet")
    table = read_text_table(tmp_path / "t.parquet")

    assert cells(table) == [["v"], *([value] for value in expected)]
    assert table.index.tolist() == [1, 2, 3]


def test_a_damaged_parquet_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read as a Parquet table"):
        read(tmp_path, "no", "t.parquet")
    with pytest.raises(DataError, match="cannot be read as a Parquet table"):
        read_text_table(tmp_path / "nowhere.parquet")
