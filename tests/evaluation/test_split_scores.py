"""Every key against a plain loop over images and thresholds, and by hand where it is undefined."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from wsol.errors import UserError
from wsol.evaluation.split_scores import compute, evaluate_metric, metric_keys
from wsol.scores.iou_codes import ALL_UNITS, SINGLE_UNITS
from wsol.scores.per_image import PerImage
from wsol.scores.protocol import ThresholdPolicy, protocol_named
from wsol.scores.samples import Annotation

CHOE = protocol_named("choe2020", 0.1)
RUBINSTEIN = protocol_named("rubinstein2013", 0.1)


def arrays(n=40, seed=0, convention=CHOE, boxes=True, pixels=True):
    rng = np.random.default_rng(seed)
    one, none = np.ones((1, 4), np.float32), np.zeros((0, 4), np.float32)
    annotations = [
        Annotation(str(row), row % 3, (20, 30), one if boxes and row % 7 else none) for row in range(n)
    ]
    per_image = PerImage.empty(annotations, convention, pixels)
    per_image.top[:] = rng.choice([255, 255, 0, 100], n)
    per_image.top5[:] = rng.random(n) < 0.8
    per_image.top1[:] = per_image.top5 & (rng.random(n) < 0.7)
    if per_image.single is not None:
        walk = np.cumsum(rng.integers(-2500, 2501, per_image.single.shape), axis=1) + 25_000
        per_image.single[:] = walk.clip(0, SINGLE_UNITS)
        per_image.all[:] = (per_image.single // 500 + rng.integers(0, 9, (n, 1))).clip(0, ALL_UNITS)
    if pixels:
        per_image.positives[:, 1:-1] = rng.integers(0, 30, (n, per_image.positives.shape[1] - 2))
        per_image.negatives[:, 1:-1] = rng.integers(0, 30, (n, per_image.positives.shape[1] - 2))
        per_image.positives[::5] = 0
    return per_image


def at(codes, per_image, row, threshold):
    return codes[row, int(threshold * per_image.top[row])]


def plain_boxes(per_image, threshold):
    """gt_known, top-1, top-5, mean IoU, and V2 at 0.3, 0.5, 0.7, by a loop over images."""
    hits = np.zeros(4)
    v2 = np.zeros(3)
    v1 = np.zeros(3)
    rows = [row for row in range(len(per_image)) if per_image.has_box[row]]
    for row in rows:
        iou = at(per_image.single, per_image, row, threshold) / SINGLE_UNITS
        right = iou >= 0.5
        hits += [right, right and per_image.top1[row], right and per_image.top5[row], iou]
        v1 += [iou >= d for d in (0.3, 0.5, 0.7)]
        v2 += [at(per_image.all, per_image, row, threshold) >= d for d in (30, 50, 70)]
    return 100 * hits / len(rows), 100 * v1 / len(rows), 100 * v2 / len(rows)


@pytest.mark.parametrize("seed", range(3))
def test_boxes_under_oracle_equal_a_plain_loop(seed):
    per_image = arrays(seed=seed)
    scores = compute(per_image, CHOE, resamples=0)
    table = [plain_boxes(per_image, t) for t in CHOE.thresholds]
    v1, v2 = np.array([row[1] for row in table]), np.array([row[2] for row in table])
    for column, delta in enumerate(("0.3", "0.5", "0.7")):
        assert scores[f"max_box_acc@{delta}"] == pytest.approx(v1[:, column].max(), abs=1e-12)
        assert scores[f"max_box_acc_v2@{delta}"] == pytest.approx(v2[:, column].max(), abs=1e-12)
        best = CHOE.thresholds[v1[:, column].argmax()]
        assert scores.threshold["values"][f"max_box_acc@{delta}"] == best
    assert scores["max_box_acc_v2"] == pytest.approx(v2.max(axis=0).mean(), abs=1e-12)
    known, top1, top5, _ = table[int(v1[:, 1].argmax())][0]
    assert scores["gt_known_loc@0.5"] == scores["max_box_acc@0.5"] == pytest.approx(known)
    assert scores["top1_loc@0.5"] == pytest.approx(top1)
    assert scores["top5_loc@0.5"] == pytest.approx(top5)
    assert scores["mean_iou"] == pytest.approx(max(row[0][3] for row in table), abs=2e-3)
    assert scores["box_acc_v2"] is None
    assert scores["top1_acc"] == pytest.approx(100 * per_image.top1.mean())


def test_the_threshold_of_val_is_applied_and_the_maxima_stay_oracle():
    per_image, val = arrays(seed=1), arrays(seed=2)
    scores = compute(per_image, CHOE, ThresholdPolicy("val"), val, resamples=0)
    on_val = [plain_boxes(val, t) for t in CHOE.thresholds]
    known_at = CHOE.thresholds[int(np.argmax([row[1][1] for row in on_val]))]
    v2_at = CHOE.thresholds[int(np.argmax([row[2].mean() for row in on_val]))]
    assert scores["gt_known_loc@0.5"] == pytest.approx(plain_boxes(per_image, known_at)[0][0])
    assert scores["box_acc_v2"] == pytest.approx(plain_boxes(per_image, v2_at)[2].mean())
    oracle = compute(per_image, CHOE, resamples=0)
    assert scores["max_box_acc@0.7"] == oracle["max_box_acc@0.7"]
    assert scores.threshold["policy"] == scores.threshold["chosen_on"] == "val"
    assert scores.threshold["values"]["gt_known_loc@0.5"] == known_at
    assert scores.threshold["values"]["box_acc_v2"] == v2_at


def test_a_fixed_threshold_need_not_be_on_the_grid():
    per_image = arrays(seed=4)
    scores = compute(per_image, CHOE, ThresholdPolicy("fixed", 0.237), resamples=0)
    assert scores["gt_known_loc@0.5"] == pytest.approx(plain_boxes(per_image, 0.237)[0][0])
    assert scores["box_acc_v2"] == pytest.approx(plain_boxes(per_image, 0.237)[2].mean())


def plain_pixels(positives, negatives, threshold_index):
    """TP, FP, FN, TN at score >= threshold, from one row of counts."""
    column = threshold_index + 1
    tp, fp = int(positives[column:].sum()), int(negatives[column:].sum())
    return tp, fp, int(positives.sum()) - tp, int(negatives.sum()) - fp


@pytest.mark.parametrize("convention", [CHOE, RUBINSTEIN], ids=["choe2020", "rubinstein2013"])
def test_pixels_equal_a_plain_loop(convention):
    per_image = arrays(convention=convention, boxes=False)
    scores = compute(per_image, convention, resamples=0)
    pooled, p, j, mean, each = [], [], [], [], []
    for k in range(len(convention.thresholds)):
        counts = [
            plain_pixels(*pair, k) for pair in zip(per_image.positives, per_image.negatives, strict=True)
        ]
        tp, fp, fn, _ = np.sum(counts, axis=0)
        pooled.append(100 * tp / (tp + fp + fn))
        of_class = []
        for label in range(3):
            mine = [c for c, other in zip(counts, per_image.labels, strict=True) if other == label]
            right = np.mean([(tp + tn) / (tp + fp + fn + tn) for tp, fp, fn, tn in mine])
            of_class.append(
                (right, np.mean([tp / (tp + fp + fn) for tp, fp, fn, _ in mine if tp + fn > 0]))
            )
        each.append(of_class)
        p.append(100 * np.mean([right for right, _ in of_class]))
        j.append(100 * np.mean([overlap for _, overlap in of_class]))
        mean.append(100 * np.mean([tp / (tp + fp + fn) for tp, fp, fn, _ in counts if tp + fn > 0]))
    assert scores["peak_iou"] == pytest.approx(max(pooled))
    assert scores["mean_iou"] == pytest.approx(max(mean), abs=1e-6)
    if convention is RUBINSTEIN:
        assert scores["rubinstein_j"] == pytest.approx(max(j), abs=1e-6)
        assert scores["rubinstein_p"] == pytest.approx(p[int(np.argmax(j))], abs=1e-6)
        for label, (right, overlap) in enumerate(each[int(np.argmax(j))]):
            assert scores[f"rubinstein_p:{label}"] == pytest.approx(100 * right, abs=1e-6)
            assert scores[f"rubinstein_j:{label}"] == pytest.approx(100 * overlap, abs=1e-6)
        fixed = compute(per_image, convention, ThresholdPolicy("fixed", 0.3), resamples=0)
        assert fixed["rubinstein_p"] == pytest.approx(p[3], abs=1e-6)
        assert fixed["mean_iou"] == pytest.approx(mean[3], abs=1e-6)
    else:
        assert scores["rubinstein_j"] is None
        assert not [key for key in scores.metrics if ":" in key]


def test_pxap_equals_precision_at_every_true_pixel():
    # Average precision is the mean, over true pixels, of the precision where each is reached.
    per_image = arrays(boxes=False)
    precisions = []
    for k in range(11):  # the bins of the grid, and that of the score 1
        counts = [
            plain_pixels(*pair, k) for pair in zip(per_image.positives, per_image.negatives, strict=True)
        ]
        tp, fp, _, _ = np.sum(counts, axis=0)
        precisions += [tp / (tp + fp)] * int(per_image.positives[:, k + 1].sum())
    assert compute(per_image, CHOE, resamples=0)["pxap"] == pytest.approx(100 * np.mean(precisions))


def test_what_cannot_be_computed_is_null_and_never_zero():
    bare = arrays(boxes=False, pixels=False)
    bare.top1[:] = bare.top5[:] = -1
    scores = compute(bare, CHOE)
    assert set(scores.metrics) == set(metric_keys(CHOE))
    nothing = {"value": None, "low": None, "high": None}
    assert all(metric == nothing for metric in scores.metrics.values())
    assert scores.optimism == {} and scores.threshold["values"] == {}


def test_masks_without_any_foreground_have_no_average_precision():
    per_image = arrays(boxes=False)
    per_image.positives[:] = 0
    scores = compute(per_image, CHOE)
    assert scores["pxap"] is None and scores["peak_iou"] is None and scores["mean_iou"] is None


def test_val_without_anything_to_choose_on_is_an_error_and_no_fallback():
    for val in (None, arrays(boxes=False, pixels=False)):
        with pytest.raises(UserError, match="val split with boxes or masks"):
            compute(arrays(), CHOE, ThresholdPolicy("val"), val)
    with pytest.raises(UserError, match="gt_known_loc"):
        compute(arrays(), CHOE, ThresholdPolicy("val"), arrays(boxes=False))


def test_one_process_or_several_one_order_or_another_same_numbers():
    per_image = arrays()
    first, again = compute(per_image, CHOE), compute(per_image, CHOE)
    assert first == again


def test_one_metric_alone_is_that_of_all():
    per_image = arrays()
    whole = compute(per_image, CHOE, resamples=50)
    for key in ("top1_acc", "max_box_acc_v2", "top5_loc@0.5", "mean_iou", "pxap", "peak_iou"):
        alone = compute(per_image, CHOE, resamples=50, keys=[key])
        assert list(alone.metrics) == [key]
        assert alone.metrics[key] == whole.metrics[key]
        assert alone.optimism.get(key) == whole.optimism.get(key)
        found = evaluate_metric(per_image, CHOE, key, resamples=50)
        assert found[:3] == tuple(whole.metrics[key].values())
        assert found.threshold == whole.threshold["values"].get(key)


def test_of_classes_those_of_the_metric_asked_for():
    per_image = arrays(convention=RUBINSTEIN, boxes=False)
    alone = compute(per_image, RUBINSTEIN, resamples=0, keys=["rubinstein_p"])
    whole = compute(per_image, RUBINSTEIN, resamples=0)
    assert list(alone.metrics) == ["rubinstein_p", *(f"rubinstein_p:{label}" for label in range(3))]
    assert all(whole.metrics[key] == entry for key, entry in alone.metrics.items())


def test_a_metric_under_another_policy_and_one_nobody_knows():
    per_image = arrays()
    fixed = evaluate_metric(per_image, CHOE, "box_acc_v2", ThresholdPolicy("fixed", 0.237), 0)
    assert fixed.value == pytest.approx(plain_boxes(per_image, 0.237)[2].mean())
    assert fixed[1:] == (None, None, 0.237)
    with pytest.raises(UserError, match=r"did you mean 'max_box_acc@0\.5'"):
        evaluate_metric(per_image, CHOE, "max_box_acc@0.55")


def test_other_ious_equal_a_plain_loop():
    per_image = arrays(seed=6)
    scores = compute(per_image, dataclasses.replace(CHOE, iou_percents=(40, 60)), resamples=0)
    rows = per_image.boxed
    for iou in (0.4, 0.6):
        shares = [
            np.mean([at(per_image.single, per_image, row, t) >= iou * SINGLE_UNITS for row in rows])
            for t in CHOE.thresholds
        ]
        assert scores[f"max_box_acc@{iou}"] == pytest.approx(100 * max(shares))
    assert "max_box_acc@0.5" not in scores.metrics
    assert scores["gt_known_loc@0.5"] == compute(per_image, CHOE, resamples=0)["gt_known_loc@0.5"]
