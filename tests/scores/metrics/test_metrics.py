"""What every metric promises: keys, columns, and image scores whose mean is the metric."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from wsol.errors import UserError
from wsol.evaluation.split_scores import compute
from wsol.scores.metrics import METRICS, metrics_of, own_metrics, specifications_of
from wsol.scores.protocol import ThresholdPolicy, protocol_named

CHOE = protocol_named("choe2020", 0.1)
RUBINSTEIN = protocol_named("rubinstein2013", 0.1)


def test_the_keys_and_their_order_are_a_contract():
    assert list(metrics_of(CHOE)) == [
        *("top1_acc", "top5_acc", "top1_within", "recall_at_k"),
        *("max_box_acc@0.3", "max_box_acc@0.5", "max_box_acc@0.7"),
        *("max_box_acc_v2@0.3", "max_box_acc_v2@0.5", "max_box_acc_v2@0.7", "max_box_acc_v2"),
        *("gt_known_loc@0.5", "top1_loc@0.5", "top5_loc@0.5", "box_acc_v2", "mean_iou"),
        *("pxap", "peak_iou", "rubinstein_p", "rubinstein_j"),
        *("map_auroc", "softmax_auroc", "map_fpr95", "softmax_fpr95"),
        *("mask_area_absent", "mask_area_present"),
        *("auc_object_over_ground", "auc_object_over_distractor", "auc_distractor_over_ground"),
        *("auc_rest_over_ground", "auc_deciding_over_rest", "auc_context_over_ground"),
        *("lift_ground", "lift_object", "lift_deciding", "lift_rest"),
        *("lift_distractor", "lift_context"),
        *("instance_f1@0.5", "instance_recall@0.5", "instance_precision@0.5", "instance_ap@0.5"),
        *("all_instances@0.5", "single_cap"),
        *("deletion", "insertion", "deletion_blur", "insertion_mean"),
    ]
    ranks = {each.specification.rank: key for key, each in metrics_of(CHOE).items()}
    del ranks[None]
    assert [ranks[rank] for rank in sorted(ranks)] == [
        *("max_box_acc@0.5", "gt_known_loc@0.5", "max_box_acc_v2", "box_acc_v2"),
        *("pxap", "rubinstein_j", "mean_iou", "top1_acc"),
    ]


def test_oracle_are_those_whose_name_says_so():
    for key, metric in metrics_of(CHOE).items():
        assert metric.specification.oracle == key.startswith(("max_", "peak_"))


def test_the_ious_are_the_protocols():
    keys = list(metrics_of(dataclasses.replace(CHOE, iou_percents=(40, 60, 95))))
    assert [key for key in keys if key.startswith("max_box_acc")] == [
        *("max_box_acc@0.4", "max_box_acc@0.6", "max_box_acc@0.95"),
        *("max_box_acc_v2@0.4", "max_box_acc_v2@0.6", "max_box_acc_v2@0.95", "max_box_acc_v2"),
    ]
    assert metrics_of(dataclasses.replace(CHOE, iou_percents=(40,)))[
        "max_box_acc@0.4"
    ].specification.name == ("MaxBoxAcc .4")


@pytest.mark.parametrize("policy", ["oracle", "fixed:0.237"])
@pytest.mark.parametrize("protocol", [CHOE, RUBINSTEIN], ids=["boxes", "masks"])
def test_the_mean_of_the_image_scores_is_the_metric(arrays, protocol, policy):
    per_image = arrays(protocol, boxes=protocol.boxes)
    scores = compute(per_image, protocol, ThresholdPolicy.parse(policy), resamples=0)
    checked = []
    for key, metric in metrics_of(protocol).items():
        chooser = metric.chosen_by(per_image) if metric.measurable(per_image, protocol) else None
        threshold = scores.threshold["values"].get(key, 0.0 if chooser is None else None)
        if threshold is None or scores.metrics.get(key, {}).get("value") is None:
            continue
        found = metric.image_scores(per_image, threshold)
        if found is None:
            continue
        assert found.shape == (len(per_image),)
        assert 100 * np.nanmean(found) == pytest.approx(scores[key], abs=1e-6)
        checked.append(key)
    boxes = {"max_box_acc@0.3", "max_box_acc_v2@0.7", "gt_known_loc@0.5", "top1_loc@0.5"}
    expected = {"top1_acc", "mean_iou"} | (boxes if protocol.boxes else set())
    assert expected <= set(checked)
    assert ("box_acc_v2" in checked) == (protocol.boxes and policy != "oracle")


def test_a_metric_is_read_only_where_its_needs_are_there(arrays):
    per_image = arrays(CHOE, boxes=False)
    per_image.top1[0] = -1
    there = {key for key, one in metrics_of(CHOE).items() if one.measurable(per_image, CHOE)}
    assert there == {"mean_iou", "pxap", "peak_iou"}
    there = {key for key, one in metrics_of(CHOE).items() if one.measurable(per_image, RUBINSTEIN)}
    assert there == {"mean_iou", "pxap", "peak_iou", "rubinstein_p", "rubinstein_j"}


def test_candidates_hold_the_best_threshold(arrays):
    per_image = arrays(CHOE)
    for key, metric in metrics_of(CHOE).items():
        if metric.specification.mean_of or not metric.measurable(per_image, CHOE):
            continue
        if metric.chosen_by(per_image) != key:
            continue
        kept = metric.candidates(per_image, CHOE.thresholds)
        weights = np.ones((1, len(per_image)), np.float32)
        whole = metric.curve(per_image, CHOE.thresholds)(weights)[0]
        assert metric.curve(per_image, kept)(weights).max() == whole.max()


def test_two_metrics_of_one_key_are_refused():
    twice = dataclasses.replace(
        CHOE, metrics=("wsol.scores.metrics.max_box_acc_v2:MeanMaxBoxAccV2Metric",)
    )
    with pytest.raises(UserError, match="another metric with the key max_box_acc_v2"):
        metrics_of(twice)
    assert "max_box_acc_v2" in own_metrics(twice)


def test_what_is_no_metric_is_named():
    with pytest.raises(UserError, match="expected a subclass of"):
        metrics_of(dataclasses.replace(CHOE, metrics=("wsol.errors:UserError",)))
    with pytest.raises(UserError, match="did you mean 'max_box_acc'"):
        metrics_of(dataclasses.replace(CHOE, metrics=("max_box_ac",)))


def test_every_kind_is_registered_once():
    assert set(METRICS.names()) == {
        *("classification", "max_box_acc", "max_box_acc_v2", "gt_known_loc", "top_k_loc"),
        *("box_acc_v2", "mean_iou", "pxap", "peak_iou", "rubinstein"),
        *("top1_within", "recall_at_k"),
        *("absence_auroc", "absence_fpr", "absence_area", "region_auc", "region_lift"),
        *("instances", "instance_ap", "all_instances", "single_cap", "faithfulness"),
    }


def test_a_key_nobody_knows_is_its_own_name():
    said = specifications_of(["boundary_f", "rubinstein_j:Horse"], {"name": "choe2020"})
    assert said["boundary_f"].name == "boundary_f"
    assert said["boundary_f"].main_column is None
    assert said["rubinstein_j"].name == "J"
