"""The per-image table by hand, on maps whose boxes are plain."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from PIL import Image

from wsol.evaluation.evaluator import evaluate
from wsol.evaluation.per_image_table import Truth, chosen_threshold, write_per_image
from wsol.scores.protocol import ThresholdPolicy, protocol_named
from wsol.scores.samples import Annotation, Prediction

HALF = protocol_named("halfopen", 0.1)


def scored(policy=None):
    square = np.zeros((224, 224))
    square[0:112, 56:112] = 1.0  # in 448 x 224 pixels: x 112-224, y 0-112
    size = (224, 448)
    exact = np.array([[112, 0, 224, 112]], np.float32)
    half = np.array([[112, 0, 224, 224]], np.float32)
    annotations = [
        Annotation("a, with comma", 1, size, exact, exact),
        Annotation("b", 2, size, half, half),
        Annotation("c", 0, size),
    ]
    predictions = [Prediction(each.image_id, each.label, (1, 2), square) for each in annotations]
    return evaluate(predictions, annotations, HALF, policy=policy, intervals=False)


def rows_of(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_boxes_ious_and_flags_by_hand(tmp_path):
    result = scored()
    path = write_per_image(tmp_path / "new" / "per_image.csv", result.per_image, result, HALF)
    first, second, third = rows_of(path)
    assert [first[key] for key in ("image_id", "label", "x0", "y0", "x1", "y1", "iou", "iou_all")] == [
        "a, with comma", "1", "112.00", "0.00", "224.00", "112.00", "1.0000", "1.00",
    ]  # fmt: skip
    assert (first["correct@0.7"], first["top1"], first["top5"]) == ("1", "1", "1")
    assert second["iou"] == "0.5000"
    assert [second[f"correct@{d}"] for d in ("0.3", "0.5", "0.7")] == ["1", "1", "0"]
    assert [second[f"correct_v2@{d}"] for d in ("0.3", "0.5", "0.7")] == ["1", "1", "0"]
    assert (second["top1"], second["top5"]) == ("0", "1")
    assert [third[key] for key in ("x0", "y0", "x1", "y1")] == ["112.00", "0.00", "224.00", "112.00"]
    assert third["iou"] == third["correct@0.5"] == third["mask_iou"] == ""
    assert third["top5"] == "0"


def test_a_given_threshold_is_the_tables(tmp_path):
    result = scored(ThresholdPolicy("fixed", 0.5))
    rows = rows_of(write_per_image(tmp_path / "t.csv", result.per_image, result, HALF))
    assert rows[0]["iou"] == "1.0000"
    assert b"\r" not in (tmp_path / "t.csv").read_bytes()


@pytest.mark.parametrize(
    ("name", "policy"), [("halfopen", None), ("halfopen", "fixed:0.5"), ("rubinstein2013", None)]
)
def test_masks_alone_have_a_box_and_the_iou_of_the_mask(tmp_path, name, policy):
    """A map whose left half is the object at 1.0 and whose upper right quarter lies at 0.4."""
    score_map = np.zeros((224, 224))
    score_map[:, :112], score_map[:112, 112:] = 1.0, 0.4
    truth = np.zeros((224, 224), np.uint8)
    truth[:, :56] = 255
    Image.fromarray(truth).save(tmp_path / "truth.png")
    Image.fromarray(truth * 0).save(tmp_path / "empty.png")
    annotations = [
        Annotation(image, 0, (224, 224), masks=(str(tmp_path / f"{image}.png"),))
        for image in ("truth", "empty")
    ]
    predictions = [Prediction(each.image_id, 0, score_map=score_map) for each in annotations]
    made = protocol_named(name, 0.1)
    chosen = ThresholdPolicy.parse(policy) if policy else None
    result = evaluate(predictions, annotations, made, policy=chosen, intervals=False)
    # Above 0.4 half of what is found is the object; below, a third.
    assert 0.4 < chosen_threshold(result) < 1
    first, second = rows_of(write_per_image(tmp_path / "t.csv", result.per_image, result, made))
    for row in (first, second):
        assert [row[key] for key in ("x0", "y0", "x1", "y1")] == ["0.00", "0.00", "112.00", "224.00"]
    assert (first["mask_iou"], second["mask_iou"]) == ("0.5000", "")
    assert first["iou"] == ""


def test_nothing_to_choose_a_threshold_on_leaves_the_one_given(tmp_path):
    annotations = [Annotation("a", 0, (224, 224))]
    predictions = [Prediction("a", 0, score_map=np.eye(224))]
    for policy, threshold in (("oracle", None), ("fixed:0.5", 0.5)):
        result = evaluate(
            predictions, annotations, HALF, policy=ThresholdPolicy.parse(policy), intervals=False
        )
        assert chosen_threshold(result) == threshold
        (row,) = rows_of(write_per_image(tmp_path / "t.csv", result.per_image, result, HALF))
        assert bool(row["x0"]) == (threshold is not None)


def test_the_class_and_the_true_box_that_fits_best_are_told(tmp_path):
    result = scored()
    boxes = np.array([[0, 0, 50, 50], [110, 0, 224, 110], [0, 100, 224, 224]], np.float32)
    annotations = {"a, with comma": Annotation("a, with comma", 1, (224, 224), boxes=boxes)}
    truth = Truth(annotations, ["cat", "dog"])
    path = write_per_image(tmp_path / "t.csv", result.per_image, result, HALF, truth)
    first, second, _ = rows_of(path)
    # The map's box is 112, 0, 224, 112: the second of the three is nearly it.
    assert [first[key] for key in ("class", "true_x0", "true_y0", "true_x1", "true_y1")] == [
        "dog", "110.00", "0.00", "224.00", "110.00",
    ]  # fmt: skip
    assert second["true_x0"] == ""
