"""Which metrics stand in which family, under each policy."""

from __future__ import annotations

import numpy as np
import pytest

from wsol.errors import UserError
from wsol.scores.curves import Mean
from wsol.scores.metrics import metrics_of
from wsol.scores.per_image import PerImage
from wsol.scores.protocol import ThresholdPolicy, protocol_named
from wsol.scores.samples import Annotation
from wsol.scores.threshold_families import MetricFamily, best_threshold, families_of

CHOE = protocol_named("choe2020", 0.25)
METRICS = metrics_of(CHOE)


def boxes(n=6) -> PerImage:
    one = np.ones((1, 4), np.float32)
    per_image = PerImage.empty([Annotation(str(i), 0, (9, 9), one) for i in range(n)], CHOE, False)
    per_image.top[:] = 255
    per_image.top1[:] = per_image.top5[:] = 1
    return per_image


def families(policy, keys, given=None):
    found = families_of(METRICS, keys, boxes(), CHOE, ThresholdPolicy.parse(policy), given or {})
    return [(set(family.curves), family.oracle, family.thresholds.tolist()) for family in found]


def test_under_the_oracle_top_k_follows_gt_known_and_mean_iou_itself():
    grid = [0, 0.25, 0.5, 0.75]
    keys = ["top1_acc", "max_box_acc@0.3", "gt_known_loc@0.5", "top1_loc@0.5", "mean_iou", "pxap"]
    assert families("oracle", keys) == [
        ({"top1_acc"}, False, []),
        ({"max_box_acc@0.3"}, True, grid),
        ({"gt_known_loc@0.5", "top1_loc@0.5"}, True, grid),
        ({"mean_iou"}, True, grid),
    ]


def test_a_chooser_comes_along_unasked():
    assert families("oracle", ["top1_loc@0.5"])[0][0] == {"gt_known_loc@0.5", "top1_loc@0.5"}


def test_given_thresholds_leave_the_maxima_oracle():
    keys = ["max_box_acc@0.3", "gt_known_loc@0.5", "top1_loc@0.5", "box_acc_v2"]
    given = {"gt_known_loc@0.5": 0.3, "box_acc_v2": 0.6}
    assert families("val", keys, given) == [
        ({"max_box_acc@0.3"}, True, [0, 0.25, 0.5, 0.75]),
        ({"gt_known_loc@0.5", "top1_loc@0.5"}, False, [0.3]),
        ({"box_acc_v2"}, False, [0.6]),
    ]
    with pytest.raises(UserError, match="nothing to choose the threshold of box_acc_v2"):
        families("val", keys, {"gt_known_loc@0.5": 0.3})


def test_all_are_read_where_the_first_is_highest():
    leads = Mean(np.array([[0, 1, 1], [0, 1, 0]], bool), np.arange(2))
    follows = Mean(np.array([[1, 0, 0], [1, 1, 0]], bool), np.arange(2))
    family = MetricFamily(np.array([0.1, 0.2, 0.3]), {"leads": leads, "follows": follows})
    found = family(np.array([[1, 1], [1, 0]], np.float32))
    # Alone, image 0 is right at 0.2 and 0.3: the lower of the two is taken.
    assert found["leads"].chosen is not None
    assert found["leads"].chosen.tolist() == [1, 1]
    assert found["leads"].values.tolist() == [100, 100]
    assert found["follows"].values.tolist() == [50, 0]


def test_an_undefined_curve_takes_the_first_threshold():
    curve = np.array([[np.nan, np.nan], [np.nan, 0.0], [3.0, 3.0]])
    assert best_threshold(curve).tolist() == [0, 1, 0]
