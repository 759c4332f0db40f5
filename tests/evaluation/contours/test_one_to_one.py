"""Contours matched one to one, against OpenCV's components and a plain greedy matching."""

import cv2
import numpy as np
import pytest

from wsol.evaluation.contours.iou import best_iou_per_cut_all
from wsol.evaluation.contours.one_to_one import given_one_to_one, one_to_one


def plain(map_u8, true_boxes, iou, cut):
    """Contours of one cut by falling brightness: (brightness, hit) pairs."""
    count, components, stats, _ = cv2.connectedComponentsWithStats(
        (map_u8 > cut).astype(np.uint8), connectivity=8
    )
    found = []
    for number in range(1, count):
        x, y, w, h = stats[number, :4]
        overlaps = []
        for x0, y0, x1, y1 in true_boxes:
            inter = max(0, min(x + w, x1) - max(x, x0)) * max(0, min(y + h, y1) - max(y, y0))
            overlaps.append(inter / (w * h + (x1 - x0) * (y1 - y0) - inter))
        found.append((int(map_u8[components == number].max()), overlaps))
    found.sort(key=lambda one: (-one[0], -max(one[1], default=0)))
    taken, pairs = set(), []
    for brightest, overlaps in found:
        free = [place for place in range(len(overlaps)) if place not in taken]
        best = max(free, key=lambda place: overlaps[place], default=None)
        hit = best is not None and overlaps[best] >= iou
        if hit:
            taken.add(best)
        pairs.append((brightest, hit))
    return pairs


@pytest.mark.parametrize("seed", range(6))
def test_it_equals_the_plain_matching_at_every_cut(seed):
    rng = np.random.default_rng(seed)
    smooth = cv2.GaussianBlur(rng.random((40, 48)), (0, 0), 1.0 + seed % 3)
    map_u8 = (255 * (smooth - smooth.min()) / np.ptp(smooth)).astype(np.uint8)
    corners = rng.integers(0, 30, (4, 2))
    true = np.concatenate([corners, corners + rng.integers(4, 12, (4, 2))], axis=1)
    contours, hits, rows = one_to_one(map_u8, true, 0.3)
    for cut in range(255):
        wanted = plain(map_u8, true, 0.3, cut)
        living = rows[(rows[:, 0] <= cut) & (cut <= rows[:, 1])]
        assert contours[cut] == len(wanted)
        assert hits[cut] == sum(hit for _, hit in wanted)
        assert sorted(map(tuple, living[:, 2:].tolist())) == sorted(wanted)
    assert contours[255] == hits[255] == 0


def test_two_blobs_under_a_bridge_are_two_above_it_and_one_below():
    map_u8 = np.zeros((20, 40), np.uint8)
    map_u8[5:15, 2:12], map_u8[5:15, 28:38] = 200, 150
    map_u8[9:11, 12:28] = 60
    true = np.array([[2, 5, 12, 15], [28, 5, 38, 15]])
    contours, hits, _ = one_to_one(map_u8, true, 0.5)
    assert (contours[[0, 59, 60, 149, 150, 199, 200]] == [1, 1, 2, 2, 1, 1, 0]).all()
    assert (hits[[0, 59, 60, 149, 150, 199, 200]] == [0, 0, 2, 2, 1, 1, 0]).all()


def test_two_contours_on_one_object_are_one_hit():
    map_u8 = np.zeros((20, 20), np.uint8)
    map_u8[2:18, 2:10], map_u8[2:18, 11:18] = 90, 80
    contours, hits, rows = one_to_one(map_u8, np.array([[2, 2, 18, 18]]), 0.4)
    assert contours[0] == 2
    assert hits[0] == 1
    # The brighter one takes it: 128 of 256 pixels; when it is gone there is one, and above 89 none.
    assert {tuple(row) for row in rows.tolist()} == {(0, 89, 90, 1), (0, 79, 80, 0)}


def test_a_hole_is_no_contour():
    ring = np.zeros((20, 20), np.uint8)
    ring[3:17, 3:17] = 100
    ring[6:14, 6:14] = 0
    contours, hits, _ = one_to_one(ring, np.array([[6, 6, 14, 14]]), 0.5)
    assert (contours[:100] == 1).all()
    assert not hits.any()


def test_nothing_is_found_in_a_constant_map_or_of_an_image_without_boxes():
    flat = np.zeros((8, 8), np.uint8)
    assert not any(part.any() for part in one_to_one(flat, np.array([[0, 0, 4, 4]]), 0.5))
    bright = np.full((8, 8), 9, np.uint8)
    contours, hits, _ = one_to_one(bright, np.zeros((0, 4)), 0.5)
    assert contours[:9].all()
    assert not hits.any()


def test_inclusive_boxes_end_at_the_last_pixel_as_those_of_other_figures_do():
    map_u8 = np.zeros((10, 10), np.uint8)
    map_u8[6:, 6:] = 200
    true = np.array([[6, 6, 9, 9]])  # the same pixels, written inclusively
    assert best_iou_per_cut_all(map_u8, true, inclusive=True)[0] == 1
    assert one_to_one(map_u8, true, 1.0, "inclusive")[1][0] == 1


def test_given_boxes_are_there_at_every_cut_and_the_first_takes_the_object():
    true = np.array([[0, 0, 10, 10], [20, 0, 30, 10]])
    boxes = np.array([[0, 0, 9, 10], [0, 0, 10, 10], [20, 0, 30, 10]])
    contours, hits, rows = given_one_to_one(boxes, true, (32, 32), 0.5)
    assert (contours[:255] == 3).all()
    assert (hits[:255] == 2).all()
    assert rows.tolist() == [[0, 254, 255, 1], [0, 254, 255, 0], [0, 254, 255, 1]]
    assert not any(part.any() for part in given_one_to_one(np.zeros((0, 4)), true, (32, 32), 0.5))
