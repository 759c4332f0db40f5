from __future__ import annotations

import csv
from pathlib import Path

import pytest

from wsol.errors import UserError
from wsol.report.published import published


def test_each_line_is_a_row_in_the_files_order(tmp_path):
    path = tmp_path / "published.csv"
    path.write_text('system,value,source\nB,1,"a, b"\n\nA,,c\n', encoding="utf-8")
    table = published(path)
    assert table is not None
    assert [head.text for head in table.heads] == ["system", "value", "source"]
    assert [[cell.text for cell in row.cells] for row in table.rows] == [
        ["B", "1", "a, b"],
        ["A", "", "c"],
    ]
    assert all(row.name is None for row in table.rows)


def test_no_file_no_table(tmp_path):
    assert published(tmp_path / "published.csv") is None


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"published\.csv: empty"),
        (b"a,b\n1,2\n1,2,3\n", r"published\.csv line 3: 3 fields where the first line has 2"),
        (b"a,b\n\xff\xfe,1\n", r"published\.csv: not a CSV table in UTF-8"),
    ],
)
def test_what_is_no_table_is_one_line(tmp_path, content, message):
    path = tmp_path / "published.csv"
    path.write_bytes(content)
    with pytest.raises(UserError, match=message) as caught:
        published(path)
    assert "\n" not in str(caught.value)


def test_the_committed_differences_are_those_to_the_cam_rows():
    """Of wsolevaluation: value = CAM + difference, or the row says what its source prints."""
    path = Path(__file__).parents[2] / "results" / "published.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    place = ("backbone", "dataset", "split", "metric")
    cam = {
        tuple(row[key] for key in place): float(row["value"])
        for row in rows
        if row["system"] == "CAM" and "wsolevaluation" in row["source"]
    }
    compared = [row for row in rows if row["difference"]]
    assert len(compared) == 45  # five methods, three networks, three data sets
    odd = []
    for row in compared:
        found = cam[tuple(row[key] for key in place)] + float(row["difference"])
        if float(row["value"]) != pytest.approx(found, abs=1e-6):
            odd.append((row["system"], row["backbone"], row["dataset"], row["value"]))
            assert f"CAM + difference, both rounded, are {found:.1f}" in row["convention"]
    assert odd == [("ACoL", "resnet50", "cub", "66.4")]
    assert all(row["source"] for row in rows)
