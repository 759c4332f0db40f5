"""Boxes and IoU of arrays, in all their forms, against OpenCV and by hand."""

import cv2
import numpy as np
import pytest
import torch

import wsol
from wsol.evaluation.score_map import normalise


def smooth(seed: int, side: int = 40) -> np.ndarray:
    coarse = np.random.default_rng(seed).random((5, 5)).astype(np.float32)
    return cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC)


def rectangles(score_map: np.ndarray, threshold: float) -> list[tuple[float, list[int]]]:
    """(area, box) of every contour, by OpenCV."""
    map_u8 = (normalise(score_map, score_map.shape) * 255).astype(np.uint8)
    mask = (map_u8 > int(threshold * map_u8.max())).astype(np.uint8)
    contours, _ = cv2.findContours(mask, cv2.RETR_TREE, cv2.CHAIN_APPROX_SIMPLE)
    found = []
    for contour in contours:
        x, y, width, height = cv2.boundingRect(contour)
        found.append((cv2.contourArea(contour), [x, y, x + width, y + height]))
    return found


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("threshold", [0.2, 0.5, 0.8])
def test_boxes_are_those_of_opencv(seed, threshold):
    score_map = smooth(seed)
    expected = rectangles(score_map, threshold)
    assert wsol.box(score_map, threshold).tolist() == max(expected)[1]
    boxes = wsol.boxes(score_map, threshold)
    assert {tuple(box) for box in boxes.tolist()} == {tuple(map(float, box)) for _, box in expected}
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    assert (np.diff(areas) <= 0).all()


def test_arrays_lists_and_tensors_are_alike():
    score_map = smooth(1)
    forms = [score_map, score_map.tolist(), torch.tensor(score_map), torch.tensor(score_map).double()]
    assert len({tuple(wsol.box(form).tolist()) for form in forms}) == 1
    graph = torch.tensor(score_map, requires_grad=True) * 2
    np.testing.assert_array_equal(wsol.box(graph), wsol.box(score_map))
    assert wsol.box(torch.tensor(score_map).bfloat16()) is not None


def test_a_box_in_pixels_of_the_image():
    score_map = np.zeros((224, 224))
    score_map[56:112, 28:140] = 1
    assert wsol.box(score_map, size=(448, 112)).tolist() == [14, 112, 70, 224]


def test_iou_by_hand():
    assert wsol.iou([0, 0, 2, 2], [1, 1, 3, 3]) == pytest.approx(1 / 7)
    np.testing.assert_allclose(
        wsol.iou([[0, 0, 2, 2], [0, 0, 1, 1]], torch.tensor([[0, 0, 2, 2], [4, 4, 5, 5]])),
        [[1, 0], [0.25, 0]],
    )
    a, b = np.zeros((4, 4), bool), np.zeros((4, 4), bool)
    a[:2], b[1:3] = True, True
    assert wsol.iou(a, torch.tensor(b)) == pytest.approx(1 / 3)
    assert wsol.iou(a & False, b & False) == 0.0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: wsol.box("x"), "give one .height, width. array"),
        (lambda: wsol.box([[1, 2], [3]]), "not one array of numbers"),
        (lambda: wsol.box([[0, 1]], 2), r"threshold 2 is not in \[0, 1\)"),
        (lambda: wsol.box([[0, 1]], "0.2"), "threshold is '0.2': give a number"),
        (lambda: wsol.box([[0, 1]], [0.2, 0.3]), "give a number"),
        (lambda: wsol.iou([10, 10, 0, 0], [5, 5, 15, 15]), "a box has x1 < x0"),
        (lambda: wsol.iou([0, 0, np.nan, 1], [5, 5, 15, 15]), "or no number"),
        (lambda: wsol.box([[0, 1]], 0.2, 5), "size is 5: give .height, width."),
        (lambda: wsol.box([[0, 1]], 0.2, (0, 5)), "two whole numbers, 1 or more"),
        (lambda: wsol.iou([1, 2, 3], [1, 2, 3]), r"boxes have shape \(3,\)"),
        (lambda: wsol.iou(np.ones((2, 2), bool), np.ones((3, 3), bool)), "give two .h, w. alike"),
    ],
)
def test_mistakes_are_one_line(call, message):
    with pytest.raises(wsol.UserError, match=message) as error:
        call()
    assert "\n" not in str(error.value)
