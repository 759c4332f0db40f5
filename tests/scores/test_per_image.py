"""Bytes that repeat, shares that make the whole, and right boxes against a loop."""

from __future__ import annotations

import numpy as np
import pytest

from wsol.errors import UserError
from wsol.scores.iou_codes import SINGLE_UNITS
from wsol.scores.merged_arrays import merged as merge_parts
from wsol.scores.per_image import PerImage
from wsol.scores.protocol import protocol_named
from wsol.scores.samples import Annotation


def filled(ids, seed=0, pixels=True):
    rng = np.random.default_rng(seed)
    annotations = [
        Annotation(i, k % 3, (20, 30), np.ones((1, 4), np.float32)) for k, i in enumerate(ids)
    ]
    per_image = PerImage.empty(annotations, protocol_named("choe2020", 0.1), pixels)
    per_image.single[:] = rng.integers(0, SINGLE_UNITS + 1, per_image.single.shape)
    per_image.all[:] = rng.integers(0, 101, per_image.all.shape)
    per_image.top[:] = rng.integers(0, 256, len(ids))
    per_image.top1[:] = per_image.top5[:] = 1
    if pixels:
        per_image.positives[:] = rng.integers(0, 99, per_image.positives.shape)
        per_image.negatives[:] = rng.integers(0, 99, per_image.negatives.shape)
    per_image.counts = {"constant_maps": 1, "nan_maps": len(ids)}
    return per_image


def part(whole, rows):
    """The rows of ``whole`` as a process that saw only them would have them."""
    arrays = {
        name: getattr(whole, name)[rows]
        for name in ("image_ids", "labels", "sizes", "top1", "top5", "has_box", "top", "single", "all",
                     "positives", "negatives")
    }  # fmt: skip
    return PerImage(
        **arrays, protocol=whole.protocol, boxes=[b""] * len(rows), counts={"nan_maps": len(rows)}
    )


IDS = ["val/b.JPEG", "a", "ü", "c", "d"]


def test_saved_and_loaded_and_the_same_bytes(tmp_path):
    whole = filled(IDS)
    path = whole.save(tmp_path / "run.npz")
    loaded = PerImage.load(path)
    assert loaded.protocol == ("choe2020", 1, 0.1)
    assert loaded.counts == whole.counts
    for name in ("image_ids", "labels", "sizes", "top1", "has_box", "top", "single", "all", "positives"):
        np.testing.assert_array_equal(getattr(loaded, name), getattr(whole, name))
    assert loaded.to_bytes() == whole.to_bytes() == path.read_bytes()


def test_what_is_absent_stays_absent(tmp_path):
    loaded = PerImage.load(filled(IDS, pixels=False).save(tmp_path / "run.npz"))
    assert loaded.positives is None
    assert loaded.boxes_of(0) is None


def test_shares_of_processes_make_the_whole():
    whole = filled(IDS)
    parts = [part(whole, [1, 3]), part(whole, [0, 2, 4])]
    merged = merge_parts(parts, IDS)
    whole.counts = {"nan_maps": 5}
    assert merged.to_bytes() == whole.to_bytes()


def test_a_share_without_any_box_counts_too():
    whole = filled(IDS)
    whole.has_box[3] = False
    whole.single[3] = whole.all[3] = 0
    lone = part(whole, [3])
    lone.single = lone.all = None
    merged = merge_parts([part(whole, [0, 1, 2, 4]), lone], IDS)
    np.testing.assert_array_equal(merged.single, whole.single)


def with_readings():
    whole = filled(IDS)
    whole.groups = np.array(["b", "a", "a", "c", "c"])
    whole.readings = {"hits": np.arange(10).reshape(5, 2), "area": np.array([1, np.nan, 3, 4, 5])}
    return whole


def test_readings_and_groups_are_saved_taken_apart_and_compared_like_the_rest(tmp_path):
    whole = with_readings()
    loaded = PerImage.load(whole.save(tmp_path / "run.npz"))
    assert loaded.scored_alike(whole)
    assert loaded.groups.tolist() == whole.groups.tolist()
    few = whole.of_images(np.array([3, 0]))
    assert few.readings["hits"].tolist() == [[6, 7], [0, 1]]
    assert few.groups.tolist() == ["c", "b"]
    assert [part.tolist() for part in (few.image_ids, few.single[:, 9])] == [
        ["c", "val/b.JPEG"],
        whole.single[[3, 0], 9].tolist(),
    ]
    shares = [whole.of_images(np.array(rows)) for rows in ([1, 3], [0, 2, 4])]
    assert merge_parts(shares, IDS).scored_alike(whole)
    whole.readings["hits"][2, 0] += 1
    assert not loaded.scored_alike(whole)


def test_another_file_is_named(tmp_path):
    path = tmp_path / "other.npz"
    path.write_bytes(b"no arrays")
    with pytest.raises(UserError, match=r"other\.npz: not the per-image arrays"):
        PerImage.load(path)
    np.savez(tmp_path / "wrong.npz", a=np.zeros(3))
    with pytest.raises(UserError, match=r"wrong\.npz"):
        PerImage.load(tmp_path / "wrong.npz")


def test_arrays_of_another_protocol_are_refused():
    with pytest.raises(ValueError, match="evaluate again"):
        filled(IDS).check(protocol_named("halfopen"))
    with pytest.raises(ValueError, match="step"):
        filled(IDS).check(protocol_named("choe2020", 0.2))
    filled(IDS, pixels=False).check(protocol_named("choe2020", 0.2))


def test_right_boxes_equal_a_loop_over_images_and_thresholds():
    whole = filled(IDS)
    whole.has_box[1] = False
    grid = np.array([0.0, 0.1, 0.237, 0.9])
    boxed = [0, 2, 3, 4]
    assert whole.boxed.tolist() == boxed
    for contours, stored, units in (("single", whole.single, 50_000), ("all", whole.all, 100)):
        for iou in (0.01, 0.29, 0.5, 0.57, 1.0):
            by_hand = [
                [
                    100 * int(stored[row, int(t * whole.top[row])]) >= round(100 * iou) * units
                    for t in grid
                ]
                for row in boxed
            ]
            np.testing.assert_array_equal(whole.right(contours, iou, grid), by_hand)
            np.testing.assert_array_equal(whole.right(contours, iou, 0.237), [row[2] for row in by_hand])


def test_thresholds_that_cut_every_map_alike_are_one():
    whole = filled(IDS)
    whole.top[:] = [10, 0, 10, 10, 10]
    # int(t * 10) changes at every tenth and nowhere else.
    np.testing.assert_array_equal(whole.distinct(np.arange(0, 1, 0.05)), np.arange(0, 1, 0.05)[::2])


def test_what_was_scored_is_known():
    whole = filled(IDS, pixels=False)
    assert (whole.has("classes"), whole.has("boxes"), whole.has("masks")) == (True, True, False)
    whole.top1[2] = -1
    assert not whole.has("classes")
    with pytest.raises(ValueError, match="no masks"):
        _ = whole.pixels
    whole.single = None
    with pytest.raises(ValueError, match="no boxes"):
        whole.codes("single", 0.5)


def test_a_threshold_off_the_grid_of_pixels_is_the_next_above():
    whole = filled(IDS)
    np.testing.assert_array_equal(whole.columns(np.array([0.0, 0.3, 0.31, 0.99])), [0, 3, 4, 9])
