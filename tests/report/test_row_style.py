from __future__ import annotations

from wsol.board import read_board
from wsol.report.row_style import style_rows


def test_baselines_are_grey_and_trained_rows_take_colours_by_rank(results):
    (section,) = read_board(results).sections
    styles = style_rows(section.rows, 3)
    assert [(style.short, style.classes, style.anchor) for style in styles] == [
        ("rfga", "trained color-0 dash-0", "row-3-0"),
        ("Centred box", "baseline center", "row-3-1"),
        ("CAM", "trained color-1 dash-0", "row-3-2"),
    ]


def test_colours_come_round_dashed_and_quiet(tmp_path, add_run):
    for number in range(32):
        add_run(tmp_path, f"run{number:02}", 60, f"my.module:A{number:02}")
    (section,) = read_board(tmp_path).sections
    classes = [style.classes for style in style_rows(section.rows, 0)]
    assert classes[9] == "trained color-9 dash-0"
    assert classes[10] == "trained color-0 dash-1 quiet"
    assert classes[29] == "trained color-9 dash-2 quiet"
    assert classes[31] == "trained color-1 dash-0 quiet"


def test_what_tells_rows_apart_stands_in_the_whole_name_alone(results, add_run):
    (section,) = read_board(results).sections
    assert [style.name for style in style_rows(section.rows, 0)] == ["rfga", "Centred box", "CAM"]
    what = {"backbone": {"name": "vgg16"}, "attention": {"name": "rfga"}}
    add_run(results, "vgg", 80, recipe={"what": what, "how": {}})
    (section,) = read_board(results).sections
    best = next(style for style in style_rows(section.rows, 0) if style.row["backbone"] == "vgg16")
    assert best.short == "rfga"
    assert best.name == "rfga · vgg16"
