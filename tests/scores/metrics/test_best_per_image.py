"""The bound of one threshold an image, against boxes cut one threshold at a time."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np
import pytest

from wsol.evaluation.evaluator import collect
from wsol.evaluation.split_scores import compute
from wsol.scores.metrics.best_per_image import PLACE
from wsol.scores.protocol import ThresholdPolicy, protocol_named
from wsol.scores.samples import Annotation, Prediction

SIDE = 32


def plain_iou(a, b):
    width = max(0, min(a[2], b[2]) - max(a[0], b[0]))
    height = max(0, min(a[3], b[3]) - max(a[1], b[1]))
    both = width * height
    return both / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both)


def best_of_all_thresholds(score_map, box, step):
    """The best IoU of the largest contour's box over the grid, a contour search each."""
    stretched = (score_map - score_map.min()) / (score_map.max() - score_map.min())
    grey = (stretched * 255).astype(np.uint8)
    best = 0.0
    for threshold in np.arange(0, 1, step):
        mask = (grey > int(threshold * grey.max())).astype(np.uint8)
        contours, _ = cv2.findContours(mask, cv2.RETR_TREE, cv2.CHAIN_APPROX_SIMPLE)
        if contours:
            x, y, width, height = cv2.boundingRect(max(contours, key=cv2.contourArea))
            best = max(best, plain_iou((x, y, x + width, y + height), box))
    return best


def test_it_is_what_one_search_a_threshold_and_image_finds():
    rng = np.random.default_rng(3)
    protocol = dataclasses.replace(protocol_named("halfopen", 0.01), size=SIDE, metrics=(PLACE,))
    assert protocol.ious == (0.3, 0.5, 0.7)
    maps = [cv2.GaussianBlur(rng.random((SIDE, SIDE)), (0, 0), 3) for _ in range(24)]
    corners = rng.integers(0, 16, (24, 2))
    boxes = np.concatenate([corners, corners + rng.integers(8, 16, (24, 2))], axis=1).astype(np.float32)
    found = collect(
        [Prediction(str(n), 0, score_map=own.astype(np.float32)) for n, own in enumerate(maps)],
        [Annotation(str(n), 0, boxes=box[None], size=(SIDE, SIDE)) for n, box in enumerate(boxes)],
        protocol,
    )
    keys = [f"best_per_image@{iou:g}" for iou in protocol.ious]
    metrics = compute(found, protocol, ThresholdPolicy("oracle"), keys=keys).metrics
    best = [best_of_all_thresholds(own, box, 0.01) for own, box in zip(maps, boxes, strict=True)]
    assert 0 < np.mean(np.array(best) >= 0.5) < 1
    for iou in protocol.ious:
        figure = metrics[f"best_per_image@{iou:g}"]
        assert figure["value"] == pytest.approx(100 * np.mean(np.array(best) >= iou), rel=1e-12)
        assert None not in figure.values()
