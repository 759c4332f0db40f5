"""Exact codes, bytes that repeat, shares that make the whole."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsol.errors import UserError
from wsol.scores.completeness import check_complete
from wsol.scores.iou_codes import ALL_UNITS, SINGLE_UNITS, encode_iou
from wsol.scores.packed_boxes import pack_boxes, unpack_boxes
from wsol.scores.per_image import PerImage
from wsol.scores.protocol import protocol_named
from wsol.scores.records import Annotation


@pytest.mark.parametrize("units", [SINGLE_UNITS, ALL_UNITS])
def test_codes_compare_as_the_ious_do_at_every_whole_percent(units):
    # Every fraction of small areas, and the floats next to every percent.
    wholes = np.arange(1, 400)
    fractions = np.unique(np.concatenate([np.arange(n + 1) / n for n in wholes]))
    percents = np.arange(1, 101) / 100
    beside = np.concatenate([np.nextafter(percents, 0), percents, np.nextafter(percents, 2)])
    iou = np.concatenate([fractions, beside[beside <= 1]])
    codes = encode_iou(iou, units)
    for percent in range(1, 101):
        np.testing.assert_array_equal(codes >= percent * units // 100, iou >= percent / 100)


@given(st.floats(0, 1))
def test_a_code_is_the_iou_rounded_down(iou):
    code = int(encode_iou(np.array([iou]), SINGLE_UNITS)[0])
    assert code / SINGLE_UNITS <= iou
    assert code == SINGLE_UNITS or iou < (code + 1) / SINGLE_UNITS


def test_boxes_come_back_from_their_packing():
    boxes = np.random.default_rng(0).integers(0, 2048, (256, 4))
    np.testing.assert_array_equal(unpack_boxes(pack_boxes(boxes)), boxes)


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
    merged = PerImage.merge(parts, IDS)
    whole.counts = {"nan_maps": 5}
    assert merged.to_bytes() == whole.to_bytes()


def test_a_share_without_any_box_counts_too():
    whole = filled(IDS)
    whole.has_box[3] = False
    whole.single[3] = whole.all[3] = 0
    lone = part(whole, [3])
    lone.single = lone.all = None
    merged = PerImage.merge([part(whole, [0, 1, 2, 4]), lone], IDS)
    np.testing.assert_array_equal(merged.single, whole.single)


@pytest.mark.parametrize(
    "found, message",
    [
        (["a", "b"], "1 of the images have no prediction, e.g. c"),
        (["a", "b", "c", "d"], "annotations lack, e.g. d"),
        (["a", "b", "c", "a"], "more than one prediction, e.g. a"),
    ],
)
def test_what_is_missing_extra_or_double_is_named(found, message):
    with pytest.raises(UserError, match=message):
        check_complete(found, ["a", "b", "c"])


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
