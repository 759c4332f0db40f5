"""The rows that stand beside every other, on squares whose figures can be had by hand."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from PIL import Image

from wsol.board import read_records
from wsol.data.layouts.digits import LAYOUT
from wsol.data.manifest.manifest import Manifest
from wsol.data.prepare import prepare
from wsol.pipeline.baselines import evaluate_baselines


def values(recipe, tmp_path) -> dict[str, dict]:
    evaluate_baselines(recipe)
    return {record.maps: record.metrics for record in read_records(tmp_path / "results" / "runs")}


def test_all_and_none_of_the_image_by_hand(tiny_recipe, squares_manifest, tmp_path):
    recipe = tiny_recipe.changed(
        data={"manifest": squares_manifest.as_posix()},
        evaluation={"protocol": "rubinstein2013", "masks": True, "step": 0.01},
    )
    found = values(recipe, tmp_path)
    assert set(found) == {"center", "intensity", "gaussian", "background", "foreground"}
    object_share = 100 * 16 * 16 / (32 * 40)
    assert found["background"]["rubinstein_p"]["value"] == pytest.approx(100 - object_share)
    assert found["background"]["rubinstein_j"]["value"] == 0
    assert found["foreground"]["rubinstein_p"]["value"] == pytest.approx(object_share)
    assert found["foreground"]["rubinstein_j"]["value"] == pytest.approx(object_share)
    keys = {key for key in found["center"] if ":" in key}
    assert keys == {f"rubinstein_{figure}:{name}" for figure in "pj" for name in ("Car", "Horse")}
    for key in ("rubinstein_p", "rubinstein_j"):
        of_classes = [found["gaussian"][f"{key}:{name}"]["value"] for name in ("Car", "Horse")]
        assert found["gaussian"][key]["value"] == pytest.approx(sum(of_classes) / 2)
    # The squares lie around the centre: a centred shape finds more of them than the whole image.
    for name in ("center", "gaussian"):
        assert object_share < found[name]["rubinstein_j"]["value"] < 100


def test_boxes_alone_have_the_centred_box_and_the_image(tiny_recipe, tmp_path):
    assert set(values(tiny_recipe, tmp_path)) == {"center", "intensity"}


def test_of_digits_the_brightness_in_two_more_ways(tiny_recipe, tmp_path):
    sizes = {"train": 7, "val": 7, "images": 14}
    prepare("digits", None, tmp_path / "digits", options=LAYOUT.options(test="base", **sizes))
    recipe = tiny_recipe.changed(
        data={"name": "digits", "manifest": (tmp_path / "digits").as_posix()},
        evaluation={"protocol": "halfopen", "masks": False},
    )
    evaluate_baselines(recipe)
    records = {record.maps: record for record in read_records(tmp_path / "results" / "runs")}
    assert set(records) == {"center", "intensity", "intensity:blurred", "intensity:component"}
    assert records["intensity:component"].recipe["how"]["source"] == {
        "title": "largest bright component",
        "baseline": True,
    }


def test_intensity_is_the_image_cut_at_every_threshold(tiny_recipe, tiny_manifest, tmp_path):
    """MaxBoxAcc of the pictures themselves, by OpenCV's contours, one threshold after another."""
    step = 0.05
    recipe = tiny_recipe.changed(evaluation={"step": step})
    found = values(recipe, tmp_path)["intensity"]
    split = Manifest.read(tiny_manifest).split("test")
    annotations = split.annotations()
    right = {iou: np.zeros(len(np.arange(0, 1, step))) for iou in (0.3, 0.5, 0.7)}
    for image_id, path in zip(split.image_ids, split.paths, strict=True):
        grey = np.asarray(Image.open(path).convert("RGB"), np.float64).mean(axis=2)
        scores = cv2.resize(grey, (224, 224), interpolation=cv2.INTER_CUBIC)
        scores = (scores - scores.min()) / (scores.max() - scores.min())
        scores = (scores * 255).astype(np.uint8)
        (truth,) = np.asarray(annotations[image_id].boxes) * 224 / 32
        for place, threshold in enumerate(np.arange(0, 1, step)):
            above = (scores > int(threshold * scores.max())).astype(np.uint8)
            contours, _ = cv2.findContours(above, cv2.RETR_TREE, cv2.CHAIN_APPROX_SIMPLE)
            x, y, width, height = cv2.boundingRect(max(contours, key=cv2.contourArea))
            box = (x, y, min(x + width, 223), min(y + height, 223))
            for iou, counts in right.items():
                counts[place] += inclusive_iou(box, truth.astype(int)) >= iou
    for iou, counts in right.items():
        expected = 100 * counts.max() / len(split)
        assert found[f"max_box_acc@{iou}"]["value"] == pytest.approx(expected)


def inclusive_iou(a, b) -> float:
    """The reference's: both corners belong to a box."""
    sides = [min(a[2 + i], b[2 + i]) - max(a[i], b[i]) + 1 for i in (0, 1)]
    shared = max(sides[0], 0) * max(sides[1], 0)
    areas = [(box[2] - box[0] + 1) * (box[3] - box[1] + 1) for box in (a, b)]
    return shared / (sum(areas) - shared)
