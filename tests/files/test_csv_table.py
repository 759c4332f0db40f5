from __future__ import annotations

import csv

import pytest

from wsol.files.csv_table import csv_text, write_csv


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
