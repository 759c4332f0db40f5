"""The evaluator end to end: the reference's own numbers, order, odd input, shares of a split."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from wsol.errors import UserError
from wsol.evaluation.evaluator import collect, evaluate, score
from wsol.evaluation.metrics import accuracy_curve, compute
from wsol.evaluation.per_image import PerImage
from wsol.evaluation.protocol import ThresholdPolicy, protocol
from wsol.records import Annotation, Prediction


def ragged(values, offsets, shapes):
    return [values[a:b].reshape(s) for a, b, s in zip(offsets, offsets[1:], shapes, strict=False)]


def golden_boxes(path):
    data = np.load(path)
    maps = ragged(data["cam_values"], data["cam_offsets"], data["cam_shapes_hw"])
    offsets = data["gt_box_offsets"]
    annotations, predictions = [], []
    for row, image_id in enumerate(data["image_ids"]):
        boxes = data["gt_boxes_xyxy"][offsets[row] : offsets[row + 1]].astype(np.float32)
        width, height = map(int, data["image_sizes_wh"][row])
        annotations.append(
            Annotation(str(image_id), 0, (height, width), boxes + [0, 0, 1, 1], source_boxes=boxes)
        )
        predictions.append(Prediction(str(image_id), 0, score_map=maps[row]))
    return data, predictions, annotations


@pytest.mark.golden
@pytest.mark.parametrize("name", ["evaluator_boxes_cub.npz", "evaluator_boxes_ilsvrc.npz"])
def test_boxes_equal_the_reference(golden_file, name):
    data, predictions, annotations = golden_boxes(golden_file(name))
    percents = tuple(map(int, data["iou_thresholds_percent"]))
    choe = dataclasses.replace(protocol("choe2020"), iou_percents=percents)
    per_image = collect(predictions, annotations, choe)
    steps = sorted(
        key.removeprefix("thresholds_") for key in data.files if key.startswith("thresholds_")
    )
    assert steps
    for step in steps:
        convention = dataclasses.replace(choe, step=float(step))
        result = compute(per_image, convention, intervals=False)
        for ours, theirs, name in (
            ("single", "single", "max_box_acc"),
            ("all", "multi", "max_box_acc_v2"),
        ):
            for row, percent in enumerate(percents):
                thresholds, accuracy = accuracy_curve(per_image, convention, percent, ours)
                np.testing.assert_array_equal(thresholds, data[f"thresholds_{step}"])
                counts = data[f"{theirs}_{step}/num_correct"][row]
                np.testing.assert_array_equal(accuracy, counts * 100.0 / len(annotations))
                assert result[f"{name}@{percent / 100:g}"] == data[f"{theirs}_{step}/max_box_acc"][row]
        assert result["max_box_acc_v2"] == float(data[f"multi_{step}/max_box_acc_v2"])


@pytest.mark.golden
def test_masks_equal_the_reference(golden_file, monkeypatch):
    data = np.load(golden_file("evaluator_masks.npz"))
    maps = ragged(data["cam_values"], data["cam_offsets"], data["cam_shapes_hw"])
    masks = data["gt_masks"]
    annotations = [Annotation(str(i), 0, masks.shape[1:], masks=(str(i),)) for i in range(len(maps))]
    predictions = [Prediction(str(i), 0, score_map=each) for i, each in enumerate(maps)]
    monkeypatch.setattr(
        "wsol.evaluation.scored_image.true_mask",
        lambda annotation, size: masks[int(annotation.image_id)],
    )
    for step in sorted({key.split("/")[0] for key in data.files if key.endswith("/pxap")}):
        convention = protocol("choe2020", float(step))
        np.testing.assert_array_equal(convention.bin_edges, data[f"{step}/bin_edges"])
        result = evaluate(predictions, annotations, convention, intervals=False)
        per_image = result.per_image
        positives, negatives = per_image.positives.sum(axis=0), per_image.negatives.sum(axis=0)
        np.testing.assert_array_equal(positives[1:], data[f"{step}/foreground_histogram"])
        np.testing.assert_array_equal(negatives[1:], data[f"{step}/background_histogram"])
        assert result["pxap"] == pytest.approx(float(data[f"{step}/pxap"]), rel=1e-14)
        for row, alone in enumerate(data[f"{step}/pxap_single_image"]):
            one = evaluate([predictions[row]], [annotations[row]], convention, intervals=False)
            if np.isnan(alone):
                assert one["pxap"] is None
            else:
                assert one["pxap"] == pytest.approx(alone, rel=1e-13)
