"""Each metric of arrays in one call, against the evaluator on records and against torchmetrics."""

import cv2
import numpy as np
import pytest
import torch

import wsol
from wsol.evaluation.evaluator import evaluate
from wsol.evaluation.in_memory import torch_metrics as tm
from wsol.scores.protocol import protocol_named
from wsol.scores.samples import Annotation, Prediction

N, SIDE = 12, 48


@pytest.fixture(scope="module")
def images():
    """Maps, boxes and masks of twelve images; the maps light most of each box."""
    rng = np.random.default_rng(7)
    maps, boxes, masks = [], [], []
    for _ in range(N):
        x0, y0 = rng.integers(2, 20, 2)
        width, height = rng.integers(12, 24, 2)
        mask = np.zeros((SIDE, SIDE), np.uint8)
        mask[y0 : y0 + height, x0 : x0 + width] = 1
        light = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 4) + 0.3 * rng.random((SIDE, SIDE))
        maps.append(np.roll(light, rng.integers(-5, 6, 2), (0, 1)).astype(np.float32))
        boxes.append([x0, y0, x0 + width, y0 + height])
        masks.append(mask)
    return np.stack(maps), np.array(boxes, np.float32), np.stack(masks)


@pytest.mark.parametrize("protocol", ["choe2020", "halfopen"])
def test_values_and_intervals_are_the_evaluators(images, protocol):
    maps, boxes, _ = images
    right = np.arange(N) % 3 > 0
    annotations = [
        Annotation(str(i), 0, (SIDE, SIDE), boxes[i : i + 1], boxes[i : i + 1]) for i in range(N)
    ]
    predictions = [
        Prediction(str(i), 0, (0,) if right[i] else (1,), score_map=maps[i]) for i in range(N)
    ]
    whole = evaluate(predictions, annotations, protocol_named(protocol))
    calls = {
        "max_box_acc@0.3": wsol.max_box_acc(maps, boxes, 0.3, protocol=protocol),
        "max_box_acc@0.5": wsol.max_box_acc(list(maps), boxes.tolist(), protocol=protocol),
        "max_box_acc@0.7": wsol.max_box_acc(
            torch.tensor(maps), torch.tensor(boxes), 0.7, protocol=protocol
        ),
        "max_box_acc_v2": wsol.max_box_acc_v2(maps, boxes, protocol=protocol),
        "gt_known_loc@0.5": wsol.gt_known_loc(maps, boxes, protocol=protocol),
        "mean_iou": wsol.mean_iou(maps, boxes, protocol=protocol),
        "top1_loc@0.5": wsol.top1_loc(maps, boxes, right, protocol=protocol),
    }
    for key, found in calls.items():
        assert found._asdict() == {**whole.metrics[key], "threshold": whole.threshold["values"].get(key)}
    assert 0 < calls["max_box_acc@0.7"].value < 100


def test_masks_are_scored_as_torchmetrics_does(images):
    maps, _, masks = images
    # At 224 x 224 both sides see the same pixels: nothing is resized.
    large = np.stack([cv2.resize(each, (224, 224), interpolation=cv2.INTER_CUBIC) for each in maps])
    true = np.stack([cv2.resize(each, (224, 224), interpolation=cv2.INTER_NEAREST) for each in masks])
    for call, metric in ((wsol.pxap, tm.PxAP()), (wsol.peak_iou, tm.PeakIoU())):
        metric.update(torch.tensor(large), torch.tensor(true))
        found = call(large, true)
        assert found.value == pytest.approx(float(metric.compute()), abs=1e-6)
        assert found.low <= found.value <= found.high
    assert wsol.pxap(large, true).threshold is None


def test_a_given_threshold_is_used(images):
    maps, boxes, _ = images
    found = wsol.gt_known_loc(maps, boxes, 0.35)
    assert found.threshold == 0.35
    hits = [
        wsol.iou(wsol.box(each, 0.35, (SIDE, SIDE)), true) >= 0.5
        for each, true in zip(maps, boxes, strict=True)
    ]
    found_halfopen = wsol.gt_known_loc(maps, boxes, 0.35, protocol="halfopen")
    assert found_halfopen.value == pytest.approx(100 * np.mean(hits))
    assert str(found).endswith("at threshold 0.350")


def test_sizes_scale_boxes(images):
    maps, boxes, _ = images
    expected = wsol.max_box_acc(maps, boxes, 0.7)
    large = wsol.max_box_acc(maps, boxes * 4, 0.7, size=(4 * SIDE, 4 * SIDE))
    each = wsol.max_box_acc(maps, boxes * 4, 0.7, size=[(4 * SIDE, 4 * SIDE)] * N)
    assert expected == large == each


M = [[0, 0, 0], [0, 1, 0], [0, 0, 0]]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: wsol.max_box_acc([M], [[0, 0, 9, 9]]), "image 0: a box leaves the image of 3 x 3"),
        (lambda: wsol.max_box_acc([M], []), "1 maps and 0 images with boxes"),
        (lambda: wsol.max_box_acc([], []), "no images to score"),
        (lambda: wsol.max_box_acc([M], [[0, 0, 2, 2]], 0.333), "hundredths from 0.01 to 1"),
        (lambda: wsol.max_box_acc([M], [[2, 2, 1, 1]]), "image 0: a box is empty"),
        (lambda: wsol.max_box_acc([M], ["x"]), "image 0: boxes have shape"),
        (lambda: wsol.max_box_acc([M], [np.zeros((0, 4))]), "there is nothing to score"),
        (lambda: wsol.max_box_acc([M], [[0, 0, 2, 2]], size=(100,)), "size is .100,.: give"),
        (lambda: wsol.max_box_acc([M], [[0, 0, 2, 2]], protocol="nope"), "unknown protocol 'nope'"),
        (lambda: wsol.max_box_acc(M, [[0, 0, 2, 2]]), "3 maps and 1 images"),
        (lambda: wsol.gt_known_loc([M], [[0, 0, 2, 2]], 5), r"threshold 5 is not in \[0, 1\)"),
        (lambda: wsol.max_box_acc([M], [[0, 0, 2, 2]], [0.3, 0.5]), "call once for each IoU"),
        (lambda: wsol.max_box_acc([M], [[0, 0, 2, 2]], "0.5"), "iou is '0.5'"),
        (lambda: wsol.max_box_acc(None, None), "maps are None: give an array or a list"),
        (lambda: wsol.max_box_acc([M], None), "boxes are None"),
        (lambda: wsol.gt_known_loc([M], [[0, 0, 2, 2]], "x"), "threshold is 'x'"),
        (lambda: wsol.pxap([M], [np.eye(3) * [1, 0.5, 1]]), "mask 0 has more than two values"),
        (lambda: wsol.pxap([M], [np.full((3, 3), np.nan)]), "mask 0 has more than two values"),
        (lambda: wsol.pxap([M], [M, M]), "1 maps and 2 masks"),
        (lambda: wsol.pxap([M], [[1, 2]]), "mask 0 has shape"),
        (lambda: wsol.top1_loc([M], [[0, 0, 2, 2]], [1]), "give one bool for each of the 1 maps"),
    ],
)
def test_mistakes_are_one_line(call, message):
    with pytest.raises(wsol.UserError, match=message) as error:
        call()
    assert "\n" not in str(error.value)
