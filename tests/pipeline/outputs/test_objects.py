"""The boxes of a map's contours against several true boxes."""

from __future__ import annotations

import csv
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from wsol.data.layouts.custom import custom_manifest
from wsol.pipeline.outputs.objects import contour_boxes, write_objects
from wsol.pipeline.outputs.pictures import KeptPredictions
from wsol.scores.protocol import protocol_named
from wsol.scores.samples import Prediction

PROTOCOL = protocol_named("halfopen")
CHOSEN = SimpleNamespace(threshold={"policy": "fixed:0.2", "values": {}})


def score_map():
    """Two blocks of 56 x 56 in 224 x 224, the second half as high, the first with a hole."""
    values = np.zeros((224, 224), np.float32)
    values[0:56, 0:56] = 1.0
    values[20:30, 20:30] = 0.0
    values[112:168, 112:168] = 0.5
    return values


def test_every_contour_is_a_box_with_its_peak_and_holes_are_none():
    boxes, scores = contour_boxes(score_map(), (112, 448), 0.2, PROTOCOL)
    np.testing.assert_allclose(boxes, [[0, 0, 112, 28], [224, 56, 336, 84]])
    np.testing.assert_allclose(scores, [1.0, 127 / 255])


def kept(folder, boxes):
    (folder / "images").mkdir()
    for name in "ab":
        Image.fromarray(np.zeros((224, 224, 3), np.uint8)).save(folder / "images" / f"{name}.png")
    lines = ["image_id,x0,y0,x1,y1,label", *(",".join(map(str, box)) + ",bird" for box in boxes)]
    (folder / "t.csv").write_text("\n".join(lines) + "\n")
    manifest = custom_manifest(folder / "images", folder / "t.csv", folder / "manifest", one_split=True)
    found = KeptPredictions(manifest.split("test"), 0, every=True)
    for image_id in found.split.image_ids:
        found.see(Prediction(image_id, 0, score_map=score_map()))
    return found


def test_they_are_matched_one_to_one_and_written(tmp_path, capsys):
    boxes = [("a", 0, 0, 56, 56), ("a", 112, 112, 168, 140), ("b", 120, 112, 176, 168)]
    found = write_objects(kept(tmp_path, boxes), CHOSEN, PROTOCOL, tmp_path)
    assert found.figures["recall@0.5"]["value"] == 100
    assert found.figures["precision@0.5"]["value"] == 75
    # By falling peak: right and wrong at 1 (image a first), then both right.
    assert found.figures["ap@0.5"]["value"] == pytest.approx((34 * 1 + 67 * 3 / 4) / 101 * 100)
    with (tmp_path / "objects.csv").open() as file:
        rows = [
            (row["image_id"], row["class"], row["iou"], row["outcome"]) for row in csv.DictReader(file)
        ]
    assert rows == [
        ("a", "bird", "1.0000", "matched"),
        ("a", "bird", "0.5000", "matched"),
        ("b", "bird", "0.7500", "matched"),
        ("b", "", "0.0000", "false positive"),
    ]
    assert "recall@0.5 100.00" in capsys.readouterr().err


def test_one_box_an_image_needs_no_such_table(tmp_path):
    assert write_objects(kept(tmp_path, [("a", 0, 0, 9, 9)]), CHOSEN, PROTOCOL, tmp_path) is None
    assert not (tmp_path / "objects.csv").exists()
