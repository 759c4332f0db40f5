"""The per-image table by hand, on maps whose boxes are plain."""

from __future__ import annotations

import csv

import numpy as np

from wsol.evaluation.evaluator import evaluate
from wsol.evaluation.output import write_per_image
from wsol.evaluation.protocol import ThresholdPolicy, protocol
from wsol.records import Annotation, Prediction

HALF = protocol("halfopen", 0.1)


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
    assert third["iou"] == third["x0"] == third["correct@0.5"] == ""
    assert third["top5"] == "0"


def test_a_given_threshold_is_the_tables(tmp_path):
    result = scored(ThresholdPolicy("fixed", 0.5))
    rows = rows_of(write_per_image(tmp_path / "t.csv", result.per_image, result, HALF))
    assert rows[0]["iou"] == "1.0000"
    assert b"\r" not in (tmp_path / "t.csv").read_bytes()
