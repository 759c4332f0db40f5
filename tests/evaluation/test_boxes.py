from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

from wsol.evaluation.boxes import box_at, scale_boxes, to_image


def test_scaling_by_hand():
    boxes = np.array([[10, 20, 110, 220]])
    np.testing.assert_array_equal(scale_boxes(boxes, (400, 200), (224, 224)), [[11, 11, 123, 123]])
    np.testing.assert_allclose(
        scale_boxes(boxes, (400, 200), (224, 224), truncate=False), [[11.2, 11.2, 123.2, 123.2]]
    )


def test_scaling_is_cut_towards_zero():
    np.testing.assert_array_equal(scale_boxes([[-3, -3, 3, 3]], (2, 2), (1, 1)), [[-1, -1, 1, 1]])


def test_multiplying_comes_before_dividing():
    # Exact multiples must not fall below themselves: width / image width would be rounded first.
    for image in range(1, 600):
        for x in range(0, image + 1, 7):
            exact = int(Fraction(x * 224, image))
            assert scale_boxes([[x, 0, x, 0]], (1, image), (224, 224))[0, 0] == exact


def test_no_boxes_stay_no_boxes():
    assert scale_boxes(np.zeros((0, 4)), (5, 6), (224, 224)).shape == (0, 4)
    assert to_image([], (224, 224), (5, 6)).shape == (0, 4)


def test_to_image_undoes_scaling():
    boxes = np.random.default_rng(0).random((20, 4)) * 300
    there = scale_boxes(boxes, (301, 411), (224, 200), truncate=False)
    np.testing.assert_allclose(to_image(there, (224, 200), (301, 411)), boxes)
    np.testing.assert_array_equal(
        to_image([[0, 0, 200, 224]], (224, 200), (301, 411)), [[0, 0, 411, 301]]
    )


def test_box_at_by_hand():
    map_u8 = np.zeros((6, 8), np.uint8)
    map_u8[1:4, 2:7] = 100
    map_u8[2, 3:5] = 200
    np.testing.assert_array_equal(box_at(map_u8, 0), [2, 1, 7, 4])
    np.testing.assert_array_equal(box_at(map_u8, 99), [2, 1, 7, 4])
    np.testing.assert_array_equal(box_at(map_u8, 100), [3, 2, 5, 3])
    np.testing.assert_array_equal(box_at(map_u8, 200), [0, 0, 0, 0])


@pytest.mark.golden
def test_resized_boxes_equal_the_reference(golden_file):
    with np.load(golden_file("resize_boxes.npz")) as file:
        arrays = dict(file)
    scaled = [
        scale_boxes(box, image[::-1], target[::-1])[0]
        for box, image, target in zip(
            arrays["boxes_xyxy"], arrays["image_sizes_wh"], arrays["target_sizes_wh"], strict=True
        )
    ]
    np.testing.assert_array_equal(scaled, arrays["resized_boxes_xyxy"])


@pytest.mark.golden
@pytest.mark.parametrize("name", ["evaluator_boxes_cub.npz", "evaluator_boxes_ilsvrc.npz"])
def test_true_boxes_on_the_map_equal_the_reference(golden_file, name):
    with np.load(golden_file(name)) as file:
        arrays = dict(file)
    size = arrays["detail/scoremap_uint8"].shape[1:]
    offsets = arrays["gt_box_offsets"]
    for i, (start, stop) in enumerate(pairwise(offsets)):
        scaled = scale_boxes(
            arrays["gt_boxes_xyxy"][start:stop], arrays["image_sizes_wh"][i][::-1], size
        )
        np.testing.assert_array_equal(scaled, arrays["gt_boxes_resized_xyxy"][start:stop])
