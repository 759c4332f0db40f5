"""Construct validity: each figure names each failing that it is for, on maps whose failing is known."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from wsol.data.manifest.queries import scored_split
from wsol.pipeline.diagnosis.control_scores import score_controls
from wsol.pipeline.diagnosis.controls import CONTROLS, in_cells
from wsol.pipeline.diagnosis.truth import truths

MASK, CELLS = "object mask", "object mask, cells"


def figures(manifest, *names: str) -> dict[str, dict[str, float]]:
    """The figures of some controls by name, as far as there are any."""
    scores = score_controls(manifest, "", names={name.removesuffix(", cells") for name in names})
    return {
        score.name: {key: value for key, value in score.values.items() if value is not None}
        for score in scores
    }


def boxes_of(manifest) -> np.ndarray:
    """The boxes of the test images that have one each, (n, 4)."""
    return np.concatenate([one.boxes for one in manifest.split("test").annotations().values()])


def tight(mask: np.ndarray) -> np.ndarray:
    """The half-open box of the pixels of a mask."""
    y, x = np.nonzero(mask)
    return np.array([x.min(), y.min(), x.max() + 1, y.max() + 1])


def area(boxes: np.ndarray) -> np.ndarray:
    return (boxes[..., 2] - boxes[..., 0]) * (boxes[..., 3] - boxes[..., 1])


def test_what_is_true_is_what_the_manifest_says(digits_manifest):
    for test in ("base", "several"):
        split = digits_manifest(test).split("test")
        for truth, annotation in zip(truths(split), split.annotations().values(), strict=True):
            np.testing.assert_array_equal(truth.object, np.asarray(Image.open(annotation.masks[0])) > 0)
    company = scored_split(digits_manifest("company"), "test")
    for truth in truths(company):
        assert tight(truth.object).tolist() == truth.boxes[0].tolist()  # of the class asked for
        assert truth.things.sum() > 2 * truth.object.sum() / 2


def test_maps_in_cells_are_shares_of_the_cells():
    mask = np.zeros((64, 64), bool)
    mask[:8, :4] = mask[60:, 60:] = True
    found = in_cells(mask)
    assert found.shape == (8, 8) and found.dtype == np.float32
    assert (found[0, 0], found[7, 7], found.sum()) == (0.5, 0.25, 0.75)


def test_base_names_maps_of_anything_bright(digits_manifest):
    found = figures(digits_manifest("base"), MASK, "object + distractors", "image intensity")
    assert [found[MASK][f"max_box_acc@{iou}"] for iou in (0.3, 0.5, 0.7)] == [100, 100, 100]
    assert found[CELLS]["max_box_acc@0.5"] >= 99  # what a coarse grid can do
    # Three things of one distribution, and the largest contour is the object's in one image of three:
    # of 140 images, within three standard deviations.
    for name in ("object + distractors", "image intensity"):
        for iou in (0.5, 0.7):
            assert found[name][f"max_box_acc@{iou}"] == pytest.approx(100 / 3, abs=12)
        assert found[name]["auc_object_over_distractor"] == pytest.approx(50, abs=3)
    assert found["object + distractors, cells"]["max_box_acc@0.5"] < 100 / 3
    # All contours hide it: the object's is among them.
    assert found["object + distractors"]["max_box_acc_v2"] == pytest.approx(100, abs=0.5)
    assert found[MASK]["auc_object_over_distractor"] == pytest.approx(100, abs=0.1)


@pytest.mark.parametrize("companions", [1, 2])
def test_company_names_maps_that_know_no_class(digits_manifest, companions):
    """One map for all queries of an image has one contour, and objects do not overlap."""
    labelled = "all labelled objects"
    found = figures(digits_manifest("company", companions=companions), MASK, labelled)
    assert found[MASK]["max_box_acc@0.5"] == 100
    assert found[CELLS]["max_box_acc@0.5"] > 95
    assert found[labelled]["max_box_acc@0.5"] == pytest.approx(100 / (1 + companions))
    assert found[f"{labelled}, cells"]["max_box_acc@0.5"] <= 100 / (1 + companions)


def test_scale_names_coarse_grids(digits_manifest):
    by_side = {
        side: figures(digits_manifest("scale", images=70, side=side), MASK) for side in (12, 21, 49)
    }
    assert [found[MASK]["max_box_acc@0.7"] for found in by_side.values()] == [100, 100, 100]
    coarse = [found[CELLS]["max_box_acc@0.7"] for found in by_side.values()]
    assert coarse[1] >= 99 and coarse[2] == 100
    assert coarse[0] < 80  # an object of a cell and a half


def test_scale_names_maps_that_show_no_size(digits_manifest):
    """At the one threshold all boxes are one square, clipped by the frame: which one, a search says."""
    manifest = digits_manifest("scale")
    found = figures(manifest, MASK, "blobs of one size")
    assert found[MASK]["max_box_acc@0.7"] == 100
    boxes = boxes_of(manifest)
    middle = np.concatenate([(boxes[:, :2] + boxes[:, 2:]) / 2] * 2, axis=1)
    right = {}
    for half in np.arange(3, 40, 0.25):
        square = (middle + half * np.array([-1, -1, 1, 1])).clip(0, 64)
        shared = np.concatenate(
            [np.maximum(square[:, :2], boxes[:, :2]), np.minimum(square[:, 2:], boxes[:, 2:])], axis=1
        )
        iou = area(shared) / (area(square) + area(boxes) - area(shared))
        right[half] = (iou >= 0.7).mean()
    by_hand = 100 * max(right.values())
    assert found["blobs of one size"]["max_box_acc@0.7"] == pytest.approx(by_hand, abs=4)
    assert found["blobs of one size, cells"]["max_box_acc@0.7"] == pytest.approx(by_hand, abs=8)
    assert by_hand < 60


@pytest.mark.parametrize("count", [2, 3])
def test_several_names_merged_blobs_and_objects_left_out(digits_manifest, count):
    """Of k objects one alone is 1/k of the recall, so its F1 is 2 / (k + 1).

    With the two things of no class precision is k / (k + 2), and F1 is k / (k + 1).
    """
    blob, one, anything = "one blob over all objects", "one object of several", "object + distractors"
    found = figures(digits_manifest("several", images=70, instances=count), MASK, blob, one, anything)
    assert found[anything]["instance_recall@0.5"] > 95
    assert found[anything]["instance_f1@0.5"] == pytest.approx(100 * count / (count + 1), abs=2)
    assert found[f"{anything}, cells"]["instance_f1@0.5"] < 100 * count / (count + 1)
    for name in found:
        assert found[name]["single_cap"] == pytest.approx(100 / count)
    for kind in ("instance_f1", "instance_recall", "instance_precision", "all_instances", "instance_ap"):
        assert found[MASK][f"{kind}@0.5"] == pytest.approx(100, abs=1)
        assert found[CELLS][f"{kind}@0.5"] > 90  # a cell apart is enough for an ideal coarse map
        assert found[blob][f"{kind}@0.5"] <= 100 / count / 10
    for name in (one, f"{one}, cells"):
        assert found[name]["instance_recall@0.5"] == pytest.approx(100 / count, abs=1)
        assert found[name]["instance_precision@0.5"] == pytest.approx(100, abs=1)
        assert found[name]["instance_f1@0.5"] == pytest.approx(200 / (count + 1), abs=1)
        assert found[name]["all_instances@0.5"] == 0
        # The usual figure says nothing of it.
        assert found[name]["max_box_acc@0.5"] == pytest.approx(100, abs=1)


def test_touching_objects_are_one_contour(digits_manifest):
    """On any map of what is object and what is not: it takes more to tell them apart.

    Some that meet by a corner come apart where the map is enlarged to the frame and cut near its top.
    """
    found = figures(digits_manifest("several", images=70, spacing="touching"), MASK)
    for name in (MASK, CELLS):
        assert found[name]["instance_f1@0.5"] < 20
        assert found[name]["all_instances@0.5"] < 5


def test_none_names_maps_that_cannot_say_no(digits_manifest):
    found = figures(digits_manifest("none"), MASK, "object mask, min-max", "object + distractors")
    for name in (MASK, CELLS):
        assert found[name]["map_auroc"] == 100  # 0 without an object, more with one
        assert found[name]["map_fpr95"] == 0
        assert found[name]["mask_area_absent"] == 0
    for name in ("object mask, min-max", "object mask, min-max, cells"):
        assert found[name]["map_auroc"] == 50  # 1 in every image
        assert found[name]["map_fpr95"] == 100
        assert found[name]["mask_area_absent"] > found[name]["mask_area_present"]
        # The usual figure says nothing of it.
        plain = name.replace(", min-max", "")
        assert found[name]["max_box_acc@0.5"] == found[plain]["max_box_acc@0.5"]
    assert found["object + distractors"]["map_auroc"] == 50
    assert found["object + distractors, cells"]["map_auroc"] == pytest.approx(50, abs=15)


@pytest.mark.parametrize("share", [0.25, 0.5, 0.75])
def test_parts_names_maps_of_the_deciding_part(digits_manifest, share):
    manifest = digits_manifest("parts", images=70, share=share)
    found = figures(manifest, MASK, "deciding part")
    # By hand: the deciding part's box lies within the object's.
    parts = np.array([tight(truth.region("deciding")) for truth in truths(manifest.split("test"))])
    iou = area(parts) / area(boxes_of(manifest))
    assert iou.mean() == pytest.approx(share, abs=0.06)
    for threshold in (0.3, 0.5, 0.7):
        unsure = (abs(iou - threshold) < 0.02).mean()  # the frame of 224 pixels rounds
        by_hand = (iou >= threshold).mean()
        value = found["deciding part"][f"max_box_acc@{threshold}"]
        assert value == pytest.approx(100 * by_hand, abs=100 * unsure + 1e-6)
    assert [found[MASK][f"max_box_acc@{threshold}"] for threshold in (0.3, 0.5, 0.7)] == [100, 100, 100]
    assert found["deciding part"]["auc_deciding_over_rest"] == pytest.approx(100, abs=0.5)
    assert found["deciding part, cells"]["auc_deciding_over_rest"] > 98
    # The frame's cubic enlargement lights the slimmer of the two a little less.
    assert found[MASK]["auc_deciding_over_rest"] == pytest.approx(50, abs=3)
    assert found["deciding part"]["auc_rest_over_ground"] == pytest.approx(50, abs=1)
    assert found[MASK]["auc_rest_over_ground"] == pytest.approx(100, abs=0.1)
    if share == 0.5:
        assert found["deciding part"]["max_box_acc@0.7"] == 0
        assert found["deciding part, cells"]["max_box_acc@0.7"] == 0
        assert found[CELLS]["max_box_acc@0.7"] > 90


@pytest.mark.parametrize("texture", ["correlated", "uncorrelated"])
def test_context_names_maps_of_the_context(digits_manifest, texture):
    manifest = digits_manifest("context", images=70, texture=texture)
    found = figures(manifest, MASK, "object mask, blurred", "context", "object + context")
    key = "auc_context_over_ground"
    assert found["context"][key] == pytest.approx(100, abs=0.5)
    assert found["object + context"][key] == pytest.approx(100, abs=0.5)
    assert found["object + context, cells"][key] > 95
    assert found[MASK][key] == pytest.approx(50, abs=1)
    # Objects mostly lie on the context, so what is wide around them lies there too.
    assert found["object mask, blurred"][key] < 70
    # All of the masks in the context, and none: shares of the area are by hand.
    shares = [truth.region("context").mean() for truth in truths(manifest.split("test"))]
    assert found["context"]["lift_context"] == pytest.approx(1 / np.mean(shares), rel=0.05)
    assert found[MASK]["lift_context"] < 0.5


def test_maps_that_know_nothing_prefer_nothing(digits_manifest):
    found = figures(digits_manifest("base"), "whole image", "random cells")
    for key in ("auc_object_over_ground", "auc_object_over_distractor", "auc_distractor_over_ground"):
        assert found["whole image"][key] == 50
        assert found["random cells"][key] == pytest.approx(50, abs=3)
    for key in ("lift_ground", "lift_object", "lift_distractor"):
        assert found["whole image"][key] == pytest.approx(1)
        assert found["random cells"][key] == pytest.approx(1, abs=0.1)
    assert found["whole image"]["max_box_acc@0.3"] == 0  # objects have at most a fifth of the image
    assert found["random cells"]["max_box_acc@0.5"] < 10


def test_every_control_says_what_is_wrong_with_it_but_the_truth():
    assert [one.name for one in CONTROLS if not one.failing] == [MASK]
    assert len({one.name for one in CONTROLS}) == len(CONTROLS)
