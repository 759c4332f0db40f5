from __future__ import annotations

import csv
import io
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wsol.files.csv_table import csv_text, table_rows, write_csv


def test_the_text_is_what_any_reader_of_csv_reads_back(tmp_path):
    rows = [["a,b", 1], ['he said "so"', 2.5], ["two\nlines", ""]]
    path = write_csv(tmp_path / "table.csv", ["name", "number"], rows)
    with path.open(encoding="utf-8", newline="") as file:
        assert list(csv.reader(file)) == [["name", "number"], *[[str(c) for c in row] for row in rows]]


def test_lines_end_alike_everywhere():
    assert csv_text(["a", "b"], [[1, "é"]]).encode() == b"a,b\n1,\xc3\xa9\n"


def test_rows_that_fail_leave_the_old_table(tmp_path):
    path = write_csv(tmp_path / "table.csv", ["a"], [[1]])

    def rows():
        yield [2]
        raise RuntimeError("the source of the rows fails")

    with pytest.raises(RuntimeError):
        write_csv(path, ["a"], rows())
    assert path.read_text() == "a\n1\n"
    assert list(tmp_path.iterdir()) == [path]


# Texts around the rule: its characters, apostrophes, and what spells a number or nearly does.
TEXTS = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=12),
    st.text(st.sampled_from("'=+-@\t\r\n 1.5eE,\"a"), max_size=8),
)


@settings(max_examples=400, deadline=None)
@given(st.lists(st.lists(TEXTS, min_size=1, max_size=4), max_size=5), st.sampled_from(",;"))
def test_every_text_comes_back(rows, delimiter):
    columns = ["=column", "'+b", "c"]
    text = csv_text(columns, rows)
    if delimiter == ";":  # as a spreadsheet saves it again where the comma is the decimal sign
        again = io.StringIO()
        csv.writer(again, delimiter=";").writerows(csv.reader(io.StringIO(text, newline="")))
        text = again.getvalue()
    read = [cells for _, cells in table_rows(io.StringIO(text, newline=""), delimiter=delimiter)]
    assert read == [columns, *rows]
    for cells in csv.reader(io.StringIO(csv_text(columns, rows), newline="")):
        for cell in cells:
            assert not cell.startswith(tuple("=@\t\r\n"))
            if cell.startswith(("+", "-")):  # no formula: Python too takes it for a number
                float(cell)


NUMBERS = st.one_of(st.integers(), st.floats(), st.floats().map(np.float64))


@given(NUMBERS)
def test_numbers_never_get_an_apostrophe(number):
    assert "'" not in csv_text(["n"], [[number]])
    if math.isfinite(number):  # spelled by us, as most cells are
        for spelled in (f"{number:.2f}", f"{number:+g}", str(number)):
            assert csv_text(["n"], [[spelled]]) == f"n\n{spelled}\n"


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("+a", "'+a"),
        ("-a", "'-a"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\tx", "'\tx"),
        ("'=1", "''=1"),
        ("''-a", "'''-a"),
        ("'-5", "''-5"),
        ("-", "'-"),
        ("-5-3", "'-5-3"),
        ("-5", "-5"),
        ("+.5e-3", "+.5e-3"),
        ("'tis", "'tis"),
        ("a=b", "a=b"),
        (" =1", " =1"),
        ("", ""),
    ],
)
def test_the_rule(text, cell):
    written = csv_text(["a", "b"], [[text, 0]])
    assert next(iter(csv.reader(written.splitlines(keepends=True)[1:]))) == [cell, "0"]


def test_a_table_of_before_is_read_as_it_is():
    old = "image_id,label\n=1+1.jpg,-3\n-a/b.jpg,@x\n'tis,'\n"
    assert [cells for _, cells in table_rows(io.StringIO(old))] == [
        ["image_id", "label"],
        ["=1+1.jpg", "-3"],
        ["-a/b.jpg", "@x"],
        ["'tis", "'"],
    ]
