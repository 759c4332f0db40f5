"""Bounds: rows trained with more than image labels stand below the others, however high."""

from __future__ import annotations

from wsol.board import read_board
from wsol.board.tables.markdown import to_markdown
from wsol.recipe import Recipe


def test_the_highest_row_is_last_where_it_is_a_bound(store, results):
    bound = Recipe.from_dict({"method": {"name": "boxes"}, "training": {"boxed_images": 5}})
    how = {**bound.how_part(), "bound": "boxes of 5 images a class of val"}
    store("cam", metrics={"max_box_acc@0.5": 58.0})
    store("se", attention="se", metrics={"max_box_acc@0.5": 61.0})
    recipe = {"what": bound.what(), "how": how}
    store("boxes", recipe=recipe, metrics={"max_box_acc@0.5": 80.0})
    (section,) = read_board(results).sections
    assert [row.estimates["max_box_acc@0.5"].value for row in section.rows] == [61.0, 58.0, 80.0]
    assert [row.competes for row in section.rows] == [True, True, False]
    page = to_markdown([section])
    assert "not ranked: boxes (boxes of 5 images a class of val)." in page
    assert page.count("<sup>bound, a</sup>") == 1  # a: how many boxes, where others have none
