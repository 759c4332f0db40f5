"""The sweep against OpenCV, level by level, and by hand."""

import os
import runpy
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from wsol.errors import UserError
from wsol.evaluation.contours.sweep import all_contour_boxes, contour_boxes, largest_contour_boxes
from wsol.evaluation.score_map import quantise
from wsol.scores.thresholds import cut_of, cuts, thresholds

benchmark = runpy.run_path(str(Path(__file__).parents[3] / "benchmarks" / "evaluator.py"))
plain_contours, odd_maps = benchmark["plain_contours"], benchmark["odd_maps"]
differing_levels, make_map = benchmark["differing_levels"], benchmark["make_map"]

N_ODD_MAPS = int(os.environ.get("WSOL_ODD_MAPS", "140"))


def living(found, cut):
    boxes, first, last = found
    return boxes[(first <= cut) & (cut <= last)].tolist()


def test_odd_maps_agree_with_opencv_at_every_level():
    differing = [i for i, map_u8 in enumerate(odd_maps(N_ODD_MAPS, 20)) if any(differing_levels(map_u8))]
    assert differing == []


@settings(max_examples=60, deadline=None)
@given(
    npst.arrays(
        np.uint8, npst.array_shapes(min_dims=2, max_dims=2, max_side=9), elements=st.integers(0, 4)
    )
)
def test_small_plateaus_agree_with_opencv(map_u8):
    found = all_contour_boxes(map_u8)
    largest = largest_contour_boxes(map_u8)
    for cut in range(5):
        true_largest, true_all = plain_contours(map_u8, cut)
        assert tuple(largest[cut]) == true_largest
        assert Counter(map(tuple, living(found, cut))) == Counter(true_all)


@pytest.mark.parametrize(("kind", "size"), [("14", 224), ("28", 2048), ("noise", 320)])
def test_large_maps_agree_with_opencv(kind, size):
    map_u8 = make_map(kind, size, np.random.default_rng(5))[: size - 3]
    largest, found = contour_boxes(map_u8)
    for cut in (0, 31, 100, 127, 200, 254):
        true_largest, true_all = plain_contours(map_u8, cut)
        assert tuple(largest[cut]) == true_largest
        assert Counter(map(tuple, living(found, cut))) == Counter(true_all)


def test_a_long_spiral_of_holes_is_filled():
    # A wall with one way out winds inwards: what a few raster scans cannot follow, only a flood can.
    n = 61
    map_u8 = np.full((n, n), 200, np.uint8)
    y, x, dy, dx = 1, 0, 0, 1
    map_u8[1, 0] = 10
    for _ in range(n * n):
        ahead = y + 2 * dy, x + 2 * dx
        if not (0 <= ahead[0] < n and 0 <= ahead[1] < n) or map_u8[ahead] == 10:
            dy, dx = dx, -dy
            ahead = y + 2 * dy, x + 2 * dx
            if not (0 <= ahead[0] < n and 0 <= ahead[1] < n) or map_u8[ahead] == 10:
                break
        y, x = y + dy, x + dx
        map_u8[y, x] = 10
    map_u8[1, 0] = 90  # the way out
    assert (map_u8 == 10).sum() > n * n // 4
    assert differing_levels(map_u8) == (0, 0)


def test_a_ring_counts_its_hole():
    map_u8 = np.zeros((9, 12), np.uint8)
    map_u8[1:8, 0:6] = 50
    map_u8[2:7, 1:5] = 0  # area 5 * 6 through the centres of the border pixels, though 22 pixels
    map_u8[2:7, 7:12] = 50  # solid, 25 pixels, area 16
    largest, found = contour_boxes(map_u8)
    assert largest[0].tolist() == [0, 1, 6, 8]
    # The hole is 4 x 5; its border lies on the ring, one pixel further out.
    assert sorted(living(found, 49)) == [[0, 1, 6, 8], [0, 1, 6, 8], [7, 2, 12, 7]]
    assert living(found, 50) == []
    assert not largest[50:].any()


def test_of_equal_areas_the_later_in_raster_order_is_chosen():
    map_u8 = np.zeros((7, 9), np.uint8)
    map_u8[0:2, 0:2] = map_u8[3:5, 6:8] = map_u8[3:5, 2:4] = 9
    assert largest_contour_boxes(map_u8)[0].tolist() == [6, 3, 8, 5]
    # Lines have no area, so that any square beats the longest of them.
    map_u8[6] = 9
    assert largest_contour_boxes(map_u8)[0].tolist() == [6, 3, 8, 5]


def test_diagonal_pixels_are_one_object_but_not_one_hole():
    map_u8 = np.zeros((4, 4), np.uint8)
    map_u8[1, 1] = map_u8[2, 2] = 1
    assert living(all_contour_boxes(map_u8), 0) == [[1, 1, 3, 3]]
    holed = 1 - map_u8
    assert sorted(living(all_contour_boxes(holed), 0)) == [[0, 0, 3, 3], [0, 0, 4, 4], [1, 1, 4, 4]]


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (2, 2)])
@pytest.mark.parametrize("value", [0, 1, 254, 255])
def test_flat_maps(shape, value):
    largest, found = contour_boxes(np.full(shape, value, np.uint8))
    height, width = shape
    for cut in range(256):
        expected = [0, 0, width, height] if cut < value else [0, 0, 0, 0]
        assert largest[cut].tolist() == expected
        assert living(found, cut) == ([expected] if cut < value else [])


def test_any_layout_in_memory_will_do():
    map_u8 = quantise(np.random.default_rng(6).normal(size=(6, 6)), (40, 50))
    expected = largest_contour_boxes(map_u8)
    for other in (np.asfortranarray(map_u8), np.repeat(map_u8, 2, axis=1)[:, ::2]):
        np.testing.assert_array_equal(largest_contour_boxes(other), expected)
    map_u8.setflags(write=False)
    np.testing.assert_array_equal(largest_contour_boxes(map_u8), expected)


def test_only_quantised_maps_are_taken():
    for wrong in (np.zeros((4, 4)), np.zeros((1, 4, 4), np.uint8)):
        with pytest.raises(TypeError, match="quantise"):
            largest_contour_boxes(wrong)


@pytest.mark.parametrize("step", [0.001, 0.01, 0.05, 0.3])
def test_cuts_are_those_of_a_loop_over_thresholds(step):
    grid = thresholds(step)
    tops = np.array([0, 1, 7, 100, 254, 255], np.uint8)
    expected = [[int(threshold * top) for threshold in grid] for top in tops]
    np.testing.assert_array_equal(cuts(grid, tops), expected)
    np.testing.assert_array_equal([[cut_of(t, int(top)) for t in grid] for top in tops], expected)
    np.testing.assert_array_equal(cuts(grid, 255), expected[-1])


@pytest.mark.parametrize("step", [0, 1, -0.1, float("nan")])
def test_steps_outside_the_unit_interval_are_refused(step):
    with pytest.raises(UserError, match="step"):
        thresholds(step)


@pytest.mark.golden
@pytest.mark.parametrize("name", ["evaluator_boxes_cub.npz", "evaluator_boxes_ilsvrc.npz"])
def test_boxes_equal_the_reference(golden_file, name):
    with np.load(golden_file(name)) as file:
        arrays = dict(file)
    steps = [key.split("_")[1] for key in arrays if key.startswith("thresholds_")]
    for step in steps:
        np.testing.assert_array_equal(thresholds(float(step)), arrays[f"thresholds_{step}"])
    for key in [key for key in arrays if key.startswith("detail/single_contour_boxes_")]:
        step = key.rpartition("_")[2]
        counts = arrays[f"detail/multi_contour_box_count_{step}"]
        for map_u8, boxes, count in zip(
            arrays["detail/scoremap_uint8"], arrays[key], counts, strict=True
        ):
            height, width = map_u8.shape
            grid = cuts(arrays[f"thresholds_{step}"], map_u8.max())
            largest, (_, first, last) = contour_boxes(map_u8)
            clipped = np.minimum(largest[grid], [width, height, width - 1, height - 1])
            np.testing.assert_array_equal(clipped, boxes)
            found = ((first[:, None] <= grid) & (grid <= last[:, None])).sum(axis=0)
            np.testing.assert_array_equal(np.maximum(found, 1), count)  # no contour: one box of zeros


@pytest.mark.shared
def test_real_pictures_agree_with_opencv(real_data):
    pictures = sorted(real_data.rglob("*.jpg"))[:2]
    if not pictures:
        pytest.skip(f"no pictures under {real_data}")
    for path in pictures:
        grey = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        largest, found = contour_boxes(grey)
        for cut in (0, 64, 128, 192):
            true_largest, true_all = plain_contours(grey, cut)
            assert tuple(largest[cut]) == true_largest
            assert Counter(map(tuple, living(found, cut))) == Counter(true_all)
