import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from wsol.evaluation.boxes import scale_boxes
from wsol.evaluation.contours.iou import (
    best_iou_of_all,
    best_iou_of_largest,
    best_iou_per_cut,
    best_iou_per_cut_all,
    best_iou_per_cut_single,
    iou_matrix,
)
from wsol.evaluation.contours.sweep import contour_boxes
from wsol.evaluation.score_map import quantise
from wsol.scores.thresholds import cuts

benchmark = runpy.run_path(str(Path(__file__).parents[3] / "benchmarks" / "evaluator.py"))
plain_contours, plain_iou, odd_maps = (benchmark[k] for k in ("plain_contours", "plain_iou", "odd_maps"))


def painted_iou(a, b, extra):
    """IoU by painting both boxes pixel by pixel."""
    canvases = np.zeros((2, 40, 40), bool)
    for canvas, (x0, y0, x1, y1) in zip(canvases, (a, b), strict=True):
        canvas[y0 : y1 + extra, x0 : x1 + extra] = True
    union = (canvases[0] | canvases[1]).sum()
    return (canvases[0] & canvases[1]).sum() / union if union else 0.0


@pytest.mark.parametrize(("convention", "extra"), [("inclusive", 1), ("halfopen", 0)])
def test_iou_is_that_of_painted_pixels(convention, extra):
    rng = np.random.default_rng(0)
    corners = np.sort(rng.integers(0, 30, (2, 25, 2, 2)), axis=2).reshape(2, 25, 4)
    expected = [[painted_iou(a, b, extra) for b in corners[1]] for a in corners[0]]
    np.testing.assert_allclose(iou_matrix(*corners, convention), expected, rtol=1e-15)


def test_iou_by_hand():
    a, b = [[0, 0, 4, 4]], [[2, 2, 6, 6], [4, 0, 8, 4], [0, 0, 0, 0]]
    np.testing.assert_array_equal(iou_matrix(a, b), [[4 / 28, 0, 0]])
    np.testing.assert_array_equal(iou_matrix(a, b, "inclusive"), [[9 / 41, 5 / 45, 1 / 25]])
    np.testing.assert_array_equal(iou_matrix([[1, 1, 1, 1]], [[1, 1, 1, 1]]), [[0]])
    assert iou_matrix(np.zeros((0, 4)), b).shape == (0, 3)


@pytest.mark.golden
def test_iou_equals_the_reference(golden_file):
    with np.load(golden_file("resize_boxes.npz")) as file:
        iou = iou_matrix(file["iou_boxes_a"], file["iou_boxes_b"], "inclusive")
        np.testing.assert_array_equal(iou, file["iou_matrix"])


def true_boxes(rng, shape, n):
    height, width = shape
    corners = np.sort(rng.integers(0, [width, height], (n, 2, 2)), axis=1)
    return corners.reshape(n, 4)


@pytest.mark.parametrize(
    ("contours", "per_cut"), [("single", best_iou_per_cut_single), ("all", best_iou_per_cut_all)]
)
def test_inclusive_best_iou_equals_the_plain_loop(contours, per_cut):
    rng = np.random.default_rng(1)
    for map_u8 in odd_maps(40, 2):
        truth = true_boxes(rng, map_u8.shape, rng.integers(1, 4))
        expected = plain_iou(map_u8, truth, np.arange(256), contours)
        np.testing.assert_array_equal(per_cut(map_u8, truth, True), expected)


def test_half_open_best_iou_equals_the_plain_loop():
    rng = np.random.default_rng(3)
    for map_u8 in odd_maps(40, 4):
        truth = true_boxes(rng, map_u8.shape, 2) + rng.random((2, 4)) * [0, 0, 2, 2]
        single, every = (
            f(map_u8, truth, False) for f in (best_iou_per_cut_single, best_iou_per_cut_all)
        )
        for cut in range(0, 256, 5):
            largest, boxes = plain_contours(map_u8, cut)
            assert single[cut] == (iou_matrix([largest], truth).max() if boxes else 0)
            assert every[cut] == (iou_matrix(boxes, truth).max() if boxes else 0)


def test_no_contour_is_the_corner_pixel_or_nothing():
    blank = np.zeros((224, 224), np.uint8)
    corner = np.array([[0, 0, 1, 1]])
    for per_cut in (best_iou_per_cut_single, best_iou_per_cut_all):
        assert (per_cut(blank, corner, True) == 1 / 4).all()  # one of 2 x 2 pixels
        assert (per_cut(blank, corner, False) == 0).all()


def test_no_true_box_gives_zero():
    map_u8 = quantise(np.random.default_rng(5).normal(size=(5, 5)), (50, 50))
    for inclusive in (True, False):
        for per_cut in (best_iou_per_cut_single, best_iou_per_cut_all):
            assert not per_cut(map_u8, np.zeros((0, 4)), inclusive).any()


@pytest.mark.parametrize("contours", ["single", "all"])
def test_threads_and_parts_do_not_change_a_bit(contours):
    rng = np.random.default_rng(6)
    maps = list(odd_maps(30, 7))
    truth = [true_boxes(rng, map_u8.shape, 2) for map_u8 in maps]
    alone = best_iou_per_cut(maps, truth, contours, True)
    np.testing.assert_array_equal(best_iou_per_cut(iter(maps), iter(truth), contours, True, 3), alone)
    for map_u8, boxes, row in zip(maps, truth, alone, strict=True):
        largest, every = contour_boxes(map_u8)
        if contours == "single":
            parts = best_iou_of_largest(largest, boxes, map_u8.shape, True)
        else:
            parts = best_iou_of_all(every, boxes, map_u8.shape, True)
        np.testing.assert_array_equal(parts, row)
    assert best_iou_per_cut([], [], contours, True).shape == (0, 256)
    with pytest.raises(ValueError, match="shorter"):
        best_iou_per_cut(maps, truth[:-1], contours, True)


@pytest.mark.golden
@pytest.mark.parametrize("name", ["evaluator_boxes_cub.npz", "evaluator_boxes_ilsvrc.npz"])
def test_correct_images_equal_the_reference(golden_file, name):
    with np.load(golden_file(name)) as file:
        arrays = dict(file)
    size = arrays["detail/scoremap_uint8"].shape[1:]
    starts, boxes = arrays["cam_offsets"], arrays["gt_box_offsets"]
    maps, truth = [], []
    for i, shape in enumerate(arrays["cam_shapes_hw"]):
        maps.append(quantise(arrays["cam_values"][starts[i] : starts[i + 1]].reshape(shape), size))
        true = arrays["gt_boxes_xyxy"][boxes[i] : boxes[i + 1]]
        truth.append(scale_boxes(true, arrays["image_sizes_wh"][i][::-1], size))
    tops = np.array([map_u8.max() for map_u8 in maps])
    levels = arrays["iou_thresholds_percent"][:, None] / 100
    for key in [key for key in arrays if key.endswith("/num_correct")]:
        rule, step = key.split("/")[0].split("_")
        best = best_iou_per_cut(maps, truth, "single" if rule == "single" else "all", True)
        at_thresholds = np.take_along_axis(best, cuts(arrays[f"thresholds_{step}"], tops), axis=1)
        correct = at_thresholds[:, None] >= levels
        np.testing.assert_array_equal(correct.sum(axis=0), arrays[key])
        if f"{rule}_{step}/image_correct" in arrays:
            np.testing.assert_array_equal(correct, arrays[f"{rule}_{step}/image_correct"])


def test_nothing_is_compiled_or_loaded_that_need_not_be():
    script = (
        "import sys; import wsol.evaluation.contours.iou\n"
        "from wsol.evaluation.contours.components import all_boxes, largest_boxes\n"
        "from wsol.evaluation.contours.grey_levels import fill_holes, rank\n"
        "kernels = [largest_boxes, all_boxes, fill_holes, rank]\n"
        "assert not any(kernel.signatures for kernel in kernels)\n"
        "assert 'torch' not in sys.modules\n"
        "from wsol.evaluation.warm_up import warm_up; warm_up()\n"
        "assert all(len(kernel.signatures) == 1 for kernel in kernels)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
