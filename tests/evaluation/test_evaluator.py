"""The evaluator end to end: the reference's own numbers, order, odd input, shares of a split."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from wsol.errors import UserError
from wsol.evaluation.evaluator import collect, evaluate, score
from wsol.evaluation.split_scores import compute
from wsol.scores.merged_arrays import merged as merge_parts
from wsol.scores.protocol import ThresholdPolicy, protocol_named
from wsol.scores.samples import Annotation, Prediction


def ragged(values, offsets, shapes):
    return [values[a:b].reshape(s) for a, b, s in zip(offsets, offsets[1:], shapes, strict=False)]


def golden_boxes(path):
    data = np.load(path)
    maps = ragged(data["cam_values"], data["cam_offsets"], data["cam_shapes_hw"])
    offsets = data["gt_box_offsets"]
    annotations, predictions = [], []
    for row, image_id in enumerate(data["image_ids"]):
        boxes = data["gt_boxes_xyxy"][offsets[row] : offsets[row + 1]].astype(np.float32)
        width, height = map(int, data["image_sizes_wh"][row])
        annotations.append(
            Annotation(
                str(image_id), 0, (height, width), boxes + np.array([0, 0, 1, 1]), source_boxes=boxes
            )
        )
        predictions.append(Prediction(str(image_id), 0, score_map=maps[row]))
    return data, predictions, annotations


@pytest.mark.golden
@pytest.mark.parametrize("name", ["evaluator_boxes_cub.npz", "evaluator_boxes_ilsvrc.npz"])
def test_boxes_equal_the_reference(golden_file, name):
    data, predictions, annotations = golden_boxes(golden_file(name))
    percents = tuple(map(int, data["iou_thresholds_percent"]))
    side = data["detail/scoremap_uint8"].shape[1]
    choe = dataclasses.replace(protocol_named("choe2020"), iou_percents=percents, size=side)
    per_image = collect(predictions, annotations, choe)
    steps = sorted(
        key.removeprefix("thresholds_") for key in data.files if key.startswith("thresholds_")
    )
    assert steps
    for step in steps:
        convention = dataclasses.replace(choe, step=float(step))
        result = compute(per_image, convention, resamples=0)
        for ours, theirs, name in (
            ("single", "single", "max_box_acc"),
            ("all", "multi", "max_box_acc_v2"),
        ):
            for row, percent in enumerate(percents):
                np.testing.assert_array_equal(convention.thresholds, data[f"thresholds_{step}"])
                right = per_image.right(ours, percent / 100, convention.thresholds)
                counts = data[f"{theirs}_{step}/num_correct"][row]
                np.testing.assert_array_equal(right.sum(axis=0), counts)
                assert result[f"{name}@{percent / 100:g}"] == data[f"{theirs}_{step}/max_box_acc"][row]
        assert result["max_box_acc_v2"] == float(data[f"multi_{step}/max_box_acc_v2"])


@pytest.mark.golden
def test_masks_equal_the_reference(golden_file, monkeypatch):
    data = np.load(golden_file("evaluator_masks.npz"))
    maps = ragged(data["cam_values"], data["cam_offsets"], data["cam_shapes_hw"])
    masks = data["gt_masks"]
    annotations = [Annotation(str(i), 0, masks.shape[1:], masks=(str(i),)) for i in range(len(maps))]
    predictions = [Prediction(str(i), 0, score_map=each) for i, each in enumerate(maps)]
    monkeypatch.setattr(
        "wsol.evaluation.scored_image.true_mask",
        lambda annotation, size: masks[int(annotation.image_id)],
    )
    for step in sorted({key.split("/")[0] for key in data.files if key.endswith("/pxap")}):
        convention = dataclasses.replace(protocol_named("choe2020", float(step)), size=masks.shape[1])
        np.testing.assert_array_equal(convention.bin_edges, data[f"{step}/bin_edges"])
        result = evaluate(predictions, annotations, convention, intervals=False)
        per_image = result.per_image
        positives, negatives = per_image.positives.sum(axis=0), per_image.negatives.sum(axis=0)
        np.testing.assert_array_equal(positives[1:], data[f"{step}/foreground_histogram"])
        np.testing.assert_array_equal(negatives[1:], data[f"{step}/background_histogram"])
        assert result["pxap"] == pytest.approx(float(data[f"{step}/pxap"]), rel=1e-14)
        for row, alone in enumerate(data[f"{step}/pxap_single_image"]):
            one = evaluate([predictions[row]], [annotations[row]], convention, intervals=False)
            if np.isnan(alone):
                assert one["pxap"] is None
            else:
                assert one["pxap"] == pytest.approx(alone, rel=1e-13)


CHOE = protocol_named("choe2020", 0.01)


def scene(n=12, seed=0):
    """Smooth maps over images of several sizes, two boxes in every third."""
    rng = np.random.default_rng(seed)
    predictions, annotations = [], []
    for row in range(n):
        size = (60 + row, 90 - row)
        corners = rng.integers(0, 30, (1 + (row % 3 == 0), 2))
        boxes = np.hstack([corners, corners + rng.integers(10, 30, corners.shape)]).astype(np.float32)
        annotations.append(Annotation(f"folder/{row}.jpg", row % 4, size, boxes, boxes - [0, 0, 1, 1]))
        top5 = tuple(rng.permutation(4).tolist())
        score_map = rng.normal(size=(5, 7)).astype(np.float32)
        predictions.append(Prediction(f"folder/{row}.jpg", row % 4, top5, score_map))
    return predictions, annotations


def test_order_and_threads_do_not_matter():
    predictions, annotations = scene()
    alone = score(collect(predictions, annotations, CHOE, threads=1), CHOE)
    by_id = {annotation.image_id: annotation for annotation in annotations}
    shuffled = score(collect(iter(predictions[::-1]), by_id, CHOE, threads=3), CHOE)
    assert alone.per_image.to_bytes() == shuffled.per_image.to_bytes()
    assert json.dumps(alone.metrics) == json.dumps(shuffled.metrics)
    assert alone.n_images == alone.n_expected == 12


def test_two_processes_give_the_bytes_of_one():
    predictions, annotations = scene()
    alone = evaluate(predictions, annotations, CHOE)
    shares = [collect(predictions[k::2], annotations[k::2], CHOE, pixels=False) for k in range(2)]
    merged = merge_parts(shares, [annotation.image_id for annotation in annotations])
    together = score(merged, CHOE)
    assert json.dumps(together.metrics) == json.dumps(alone.metrics)
    assert merged.to_bytes() == alone.per_image.to_bytes()
    np.testing.assert_array_equal(merged.boxes_of(3), alone.per_image.boxes_of(3))


def test_predictions_are_taken_as_they_are_needed(monkeypatch):
    predictions, annotations = scene(60)
    taken, ahead = 0, []

    def stream():
        nonlocal taken
        for prediction in predictions:
            taken += 1
            yield prediction

    def record(*_):
        ahead.append(taken - len(ahead))
        return []

    monkeypatch.setattr("wsol.evaluation.evaluator.score_image", record)
    collect(stream(), annotations, CHOE, threads=2)
    assert len(ahead) == 60
    assert max(ahead) < 20


def test_of_an_image_without_a_label_no_class_is_right():
    """-1 among the top five means a class the data set lacks, and is no hit on the label -1."""
    predictions, annotations = scene(4)
    annotations[1] = dataclasses.replace(annotations[1], label=-1)
    predictions[1] = dataclasses.replace(predictions[1], label=-1, top5=(-1, -1))
    result = evaluate(predictions, annotations, CHOE, intervals=False)
    assert result.per_image.top1[1] == result.per_image.top5[1] == -1
    assert (result.per_image.top1[[0, 2, 3]] >= 0).all()
    assert result["top1_acc"] == pytest.approx(100 * result.per_image.top1[[0, 2, 3]].mean())


def test_missing_extra_double_and_unclassified_predictions_are_named():
    predictions, annotations = scene(4)
    with pytest.raises(UserError, match=r"folder/3\.jpg"):
        evaluate(predictions[:3], annotations, CHOE)
    with pytest.raises(UserError, match=r"annotations lack, e\.g\. folder/3"):
        evaluate(predictions, annotations[:3], CHOE)
    with pytest.raises(UserError, match="more than one prediction"):
        evaluate([*predictions, predictions[0]], annotations, CHOE)
    bare = dataclasses.replace(predictions[0], top5=())
    with pytest.raises(UserError, match="no class scores"):
        evaluate([bare, *predictions[1:]], annotations, CHOE)
    with pytest.raises(UserError, match="no images"):
        evaluate([], [], CHOE)


def test_images_without_boxes_are_counted_and_left_out_of_box_metrics():
    predictions, annotations = scene(6)
    bare = [*annotations[:5], Annotation(annotations[5].image_id, 1, (60, 60))]
    result = evaluate(predictions, bare, CHOE, intervals=False)
    five = evaluate(predictions[:5], annotations[:5], CHOE, intervals=False)
    assert result["max_box_acc_v2"] == five["max_box_acc_v2"]
    assert result.counts["images_without_boxes"] == 1
    assert result.counts.get("maps_of_other_class", 0) == (predictions[5].label != 1)
    assert result.n_images == 6


def test_given_boxes_and_masks_need_no_threshold():
    true = np.array([[10, 10, 30, 30], [50, 50, 60, 60]], np.float32)
    annotation = Annotation("a", 0, (100, 100), true, true)
    free = dataclasses.replace(protocol_named("halfopen", 0.1), size=None)
    boxes = np.array([[10, 10, 30, 20], [50, 50, 60, 60]], np.float32)
    result = evaluate([Prediction("a", 0, boxes=boxes)], [annotation], free, intervals=False)
    assert result["mean_iou"] == pytest.approx(50.0, abs=2e-3)  # the first box is the single one
    assert result["max_box_acc_v2@0.7"] == 100.0  # any box counts among all
    mask = np.zeros((100, 100), bool)
    mask[10:30, 10:20] = True
    result = evaluate([Prediction("a", 0, mask=mask)], [annotation], free, intervals=False)
    assert result["mean_iou"] == pytest.approx(50.0, abs=2e-3)
    nothing = Prediction("a", 0, boxes=np.zeros((0, 4)))
    assert evaluate([nothing], [annotation], free, intervals=False)["max_box_acc_v2@0.3"] == 0.0
    with pytest.raises(UserError, match="no score map, no mask and no boxes"):
        evaluate([Prediction("a", 0)], [annotation], free)


def test_a_given_mask_is_scored_by_pixels(monkeypatch):
    true = np.zeros((20, 20), np.uint8)
    true[5:15, 5:15] = 1
    monkeypatch.setattr("wsol.evaluation.scored_image.true_mask", lambda annotation, size: true)
    mask = np.zeros((20, 20), bool)
    mask[5:15, 5:20] = True
    annotation = Annotation("a", 0, (20, 20), masks=("a.png",))
    for prediction in (
        Prediction("a", 0, mask=mask),
        Prediction("a", 0, boxes=np.array([[5, 5, 20, 15]], np.float32)),
    ):
        result = evaluate([prediction], [annotation], protocol_named("rubinstein2013"), intervals=False)
        assert result["rubinstein_j"] == pytest.approx(100 * 100 / 150, abs=1e-6)
        assert result["rubinstein_p"] == pytest.approx(100 * 350 / 400, abs=1e-6)
        assert result["peak_iou"] == pytest.approx(100 * 100 / 150)


def test_halfopen_and_choe2020_differ_as_their_boxes_do(with_map):
    # One whole-image box: choe2020 clips it to 223 and adds one; both find it.
    score_map = np.zeros((224, 224))
    score_map[50:150, 20:70] = 1
    predicted = [[20, 50, 70, 150]]
    half = with_map(score_map, boxes=predicted, size=(224, 224))
    assert half["mean_iou"] == 100.0
    choe = with_map(score_map, boxes=[[20, 50, 69, 149]], size=(224, 224), convention="choe2020")
    assert choe["mean_iou"] == pytest.approx(100 * 50 * 100 / (51 * 101), abs=2e-3)


def test_the_fixed_protocol_takes_its_own_threshold():
    predictions, annotations = scene()
    result = evaluate(predictions, annotations, protocol_named("fixed"), intervals=False)
    assert result.threshold["policy"] == "fixed:0.2"
    other = evaluate(
        predictions,
        annotations,
        protocol_named("fixed"),
        policy=ThresholdPolicy("fixed", 0.6),
        intervals=False,
    )
    assert other.threshold["values"]["gt_known_loc@0.5"] == 0.6
