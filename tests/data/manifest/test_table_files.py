from __future__ import annotations

import csv

import pytest

from wsol.data.manifest.table_files import COLUMNS, OPTIONAL, TableFile, read_rows
from wsol.errors import UserError

BOX = ("a", *"12345678")


def written(path, rows):
    table = TableFile(path, COLUMNS[path.name], OPTIONAL.get(path.name, ()))
    for cells, said in rows:
        table.add(cells, said)
    table.close()
    return path.read_bytes().decode()


def test_a_table_without_optional_cells_has_the_old_header_and_bytes(tmp_path):
    text = written(tmp_path / "boxes.csv", [(BOX, None), (BOX, {"label": None, "instance": ""})])
    assert text == (
        "image_id,x0,y0,x1,y1,source_x0,source_y0,source_x1,source_y1\n"
        "a,1,2,3,4,5,6,7,8\n"
        "a,1,2,3,4,5,6,7,8\n"
    )


@pytest.mark.parametrize(
    ("said", "columns", "cells"),
    [
        ([{"label": 0}, {}], ",label", ["0", ""]),
        ([{}, {"instance": 0}], ",instance", ["", "0"]),
        # A column may turn out to be needed late, and one before another that is there already.
        ([{}, {"instance": 7}, {"label": 3}, {}], ",label,instance", [",", ",7", "3,", ","]),
    ],
)
def test_an_optional_column_is_there_once_a_row_fills_it(tmp_path, said, columns, cells):
    ids = ['a "quoted", id', "b", "鳥", "d"][: len(said)]
    rows = [((image_id, *"12345678"), cell) for image_id, cell in zip(ids, said, strict=True)]
    lines = written(tmp_path / "boxes.csv", rows).splitlines()
    assert lines[0] == ",".join(COLUMNS["boxes.csv"]) + columns
    spelled = ['"a ""quoted"", id"', *ids[1:]]
    assert lines[1:] == [
        f"{name},1,2,3,4,5,6,7,8,{cell}" for name, cell in zip(spelled, cells, strict=True)
    ]
    assert [path.name for path in tmp_path.iterdir()] == ["boxes.csv"]


def test_rows_are_read_with_every_optional_cell_whichever_the_file_has(tmp_path):
    path = tmp_path / "boxes.csv"
    head = ",".join(COLUMNS["boxes.csv"])
    for columns, cells, expected in (
        ("", "", ["", ""]),
        (",label", ", 3 ", ["3", ""]),
        (",instance", ",4", ["", "4"]),
        (",label, instance", ",3,4", ["3", "4"]),
    ):
        path.write_text(f"{head}{columns}\na,1,2,3,4,5,6,7,8{cells}\n")
        assert list(read_rows(path)) == [(2, [*BOX, *expected])]


@pytest.mark.parametrize("columns", [",instance,label", ",label,label", ",lable", ",label,score"])
def test_other_columns_are_refused(tmp_path, columns):
    path = tmp_path / "boxes.csv"
    path.write_text(",".join(COLUMNS["boxes.csv"]) + columns + "\n")
    with pytest.raises(UserError) as caught:
        list(read_rows(path))
    assert str(caught.value) == (
        f"{path} line 1: the columns must be image_id,x0,y0,x1,y1,source_x0,source_y0,source_x1,"
        "source_y1; after them there may be label,instance"
    )


def test_what_was_written_is_read_by_any_reader_of_csv(tmp_path):
    written(tmp_path / "masks.csv", [(("a", "m.png", ""), {"parts": "p,1.png"}), (("b", "", "i"), {})])
    with (tmp_path / "masks.csv").open(newline="") as file:
        assert list(csv.DictReader(file)) == [
            {"image_id": "a", "mask": "m.png", "ignore": "", "parts": "p,1.png"},
            {"image_id": "b", "mask": "", "ignore": "i", "parts": ""},
        ]
