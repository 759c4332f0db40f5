"""Both sides compared: scores, and what is said of them."""

from __future__ import annotations

import csv

import pytest

from wsol.cli.object_lines import object_lines
from wsol.data.annotations.annotated import AnnotatedImage, AnnotatedObject
from wsol.data.manifest.manifest_draft import DraftBox
from wsol.pipeline.iou.comparison import compare
from wsol.pipeline.iou.sides import Sides


def image(name, *objects):
    """``objects`` are ``(class, x0, score)`` of squares of ten pixels."""
    boxes = [(category, (x0, 0, x0 + 10, 10), score) for category, x0, score in objects]
    items = [
        AnnotatedObject(category, DraftBox(box, box, ""), score=score) for category, box, score in boxes
    ]
    return AnnotatedImage(name, name, tuple(items))


def sides(predicted, true):
    by_name = ({each.file: each for each in images} for images in (true, predicted))
    return Sides(*by_name, {each.file: each.file for each in true})


TRUE = [image("a", ("cat", 0, None), ("dog", 20, None)), image("b", ("dog", 0, None))]


def test_scores_give_an_ap_by_class_and_stand_in_both_tables(tmp_path):
    # dog by falling score: wrong, right, right of two objects; cat: right.
    predicted = [
        image("a", ("dog", 20, 0.7), ("dog", 50, 0.9), ("cat", 0, 0.3)),
        image("b", ("dog", 0, 0.5)),
    ]
    found = compare(sides(predicted, TRUE), tmp_path / "iou.csv")
    assert found.scored and not found.notes
    cat, dog = (group.figures["ap@0.5"]["value"] for group in found.objects.classes)
    # Recalls up to a half and up to one both read the precision of two in three.
    assert cat == pytest.approx(100) and dog == pytest.approx(200 / 3)
    lines = "\n".join(object_lines(found.objects, scored=True))
    assert "AP@0.5:0.95" in lines and "66.67" in lines and "mean of the classes" in lines
    with (tmp_path / "iou_objects.csv").open() as file:
        rows = [(row["class"], row["score"], row["outcome"]) for row in csv.DictReader(file)]
    assert rows[:3] == [
        ("cat", "0.3", "matched"),
        ("dog", "0.7", "matched"),
        ("", "0.9", "false positive"),
    ]
    with (tmp_path / "iou.csv").open() as file:
        assert [row["score"] for row in csv.DictReader(file)] == ["0.7", "0.5"]


def test_scores_that_some_predictions_lack_are_not_read(tmp_path):
    predicted = [image("a", ("dog", 20, 0.7), ("cat", 0, None)), image("b", ("dog", 0, 0.5))]
    found = compare(sides(predicted, TRUE), tmp_path / "iou.csv")
    assert not found.scored and "ap@0.5" not in found.objects.everything.figures
    assert found.notes == ["1 of 3 predictions have no score: scores are not read, there is no AP"]


def test_nothing_predicted_at_all_is_iou_0_and_recall_0(tmp_path):
    found = compare(sides([image("a"), image("b")], TRUE), tmp_path / "iou.csv")
    assert found.totals["mean_iou"]["value"] == 0
    assert found.objects.everything.figures["recall@0.5"]["value"] == 0
    assert found.objects.everything.figures["precision@0.5"]["value"] is None


def test_no_object_anywhere_leaves_figures_empty(tmp_path):
    found = compare(sides([image("a")], [image("a")]), tmp_path / "iou.csv")
    assert found.empty == 1 and found.totals["mean_iou"]["value"] is None
    assert found.objects.everything.figures["recall@0.5"]["value"] is None
    assert "-" in "\n".join(object_lines(found.objects, scored=False))


def sized(name, x0, x1, size=None):
    box = (x0, 0, x1, 10)
    item = AnnotatedObject("cat", DraftBox(box, box, f"{name} line 1"))
    return AnnotatedImage(name, name, (item,), size=size)


def test_boxes_outside_of_their_image_are_told(tmp_path):
    # 20 pixels wide: the prediction's second box reaches to 40; one pixel more may be rounding.
    true = [sized("a", 0, 10, (10, 20)), sized("b", 0, 21, (10, 20)), sized("c", 0, 50)]
    predicted = [sized("a", 5, 40), sized("b", -1, 21), sized("c", 0, 70)]
    assert compare(sides(predicted, true), tmp_path / "iou.csv").notes == [
        "1 box reaches out of the image, e.g. a line 1: 5 0 40 10 in 20 x 10 pixels: compared as they "
        "are; were they made for images of another size?"
    ]
    # The truth is looked at too, and the size may be the prediction's.
    found = compare(sides(true, [sized("a", -3, 10), *predicted[1:]]), tmp_path / "iou.csv")
    assert found.notes[0].startswith("1 box reaches out of the image, e.g. a line 1: -3 0 10 10 in 20")


def test_boxes_in_shares_are_looked_at_in_pixels(tmp_path):
    true = [sized("a", 0, 10, (10, 20))]
    half = (0, 0, 0.5, 1)
    item = AnnotatedObject("cat", DraftBox(half, half, "a line 1"))
    inside = AnnotatedImage("a", "a", (item,), shares=True)
    assert compare(sides([inside], true), tmp_path / "iou.csv").notes == []
