from __future__ import annotations

import pytest

from wsol.board import read_board
from wsol.report import write_report
from wsol.report.curves import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, curves
from wsol.report.row_style import style_rows


def drawn(results):
    (section,) = read_board(results).sections
    return curves(style_rows(section.rows, 0))


def test_a_panel_for_each_iou_and_a_line_for_each_row(results):
    found = drawn(results)
    assert [panel.delta for panel in found.panels] == ["0.3", "0.5", "0.7"]
    top, bottom = TOP, HEIGHT - BOTTOM
    heights = [[{y for _, y in curve.points} for curve in panel.curves] for panel in found.panels]
    # IoU 0.4 is right at .3 alone, 0.6 at .3 and .5: flat lines at 100 or 0 percent. The centred box
    # is drawn first, then the trained rows by rank.
    assert heights == [[{top}] * 3, [{bottom}, {top}, {bottom}], [{bottom}] * 3]
    assert [style.name for style in found.legend] == ["rfga", "Centred box", "CAM"]


def test_the_dot_is_at_the_oracles_threshold(results):
    dots = [[curve.dot for curve in panel.curves] for panel in drawn(results).panels]
    assert dots[0] == [None] * 3 and dots[2] == [None] * 3
    # The records name 0.25 at IoU .5: a quarter of the way from the left edge to the right one.
    x = LEFT + (WIDTH - RIGHT - LEFT) / 4
    assert dots[1][1] == pytest.approx((x, TOP))


def test_only_ious_that_a_row_was_scored_at_have_a_panel(tmp_path, add_run):
    add_run(tmp_path, "a", 60, metrics={"max_box_acc@0.5": 100.0, "max_box_acc_v2@0.7": 0.0})
    assert [panel.delta for panel in drawn(tmp_path).panels] == ["0.5"]


def test_rows_scored_by_no_box_have_no_curves(tmp_path, add_run):
    add_run(tmp_path, "a", 60, metrics={"pxap": 40.0})
    found = drawn(tmp_path)
    assert found.panels == () and found.none == "No curves: no row of this table was scored by boxes."


def test_rows_without_arrays_are_named(results):
    (results / "runs" / "rfga.npz").unlink()
    found = drawn(results)
    assert found.without == ("rfga",)
    assert [len(panel.curves) for panel in found.panels] == [2, 2, 2]


def test_rows_after_the_colours_are_drawn_faintly(tmp_path, add_run):
    for number in range(11):
        add_run(tmp_path, f"run{number}", 60, f"my.module:Attention{number}")
    found = drawn(tmp_path)
    assert [("quiet" in style.classes) for style in found.legend] == [False] * 10 + [True]
    assert found.quiet


def test_the_template_draws_the_points(results, parse):
    page = parse(write_report(results).read_text(encoding="utf-8"))
    panels = page.all("svg")
    assert [panel.attributes["aria-label"] for panel in panels] == [
        f"MaxBoxAcc at IoU {delta} over the threshold" for delta in ("0.3", "0.5", "0.7")
    ]
    for panel, expected in zip(panels, drawn(results).panels, strict=True):
        for group, curve in zip(panel.all("g"), expected.curves, strict=True):
            points = group.all("polyline")[0].attributes["points"].split()
            pairs = [tuple(map(float, point.split(","))) for point in points]
            assert pairs == [pytest.approx(point, abs=0.05) for point in curve.points]
            assert len(pairs) == 100
            assert group.all("title")[0].text == curve.tip
    assert [text.text for text in panels[0].all("text")] == [
        *("0", "25", "50", "75", "100"),
        *("0", "0.25", "0.5", "0.75", "1", "score-map threshold"),
    ]
    assert [circle.attributes["cy"] for circle in panels[1].all("circle")] == ["216.0", "10.0", "216.0"]
    legend = page.all("ul", **{"class": "legend"})[0]
    assert [button.text for button in legend.all("button")] == ["rfga", "Centred box", "CAM"]


def test_a_row_is_one_key_in_table_curves_legend_and_overlays(results, parse):
    page = parse(write_report(results).read_text(encoding="utf-8"))
    parts = [
        each for tag in ("tr", "g", "li") for each in page.all(tag) if "data-row" in each.attributes
    ]
    of_rfga = [part for part in parts if part.attributes["data-row"] == "row-0-0"]
    assert [part.tag for part in of_rfga] == ["tr", "tr", "g", "g", "g", "li"]
    assert all("color-0" in part.classes for part in of_rfga)
