"""Images without an object: figures beside scikit-learn's, by hand, and by resamples drawn in full."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score, roc_curve

from wsol.evaluation.evaluator import Evaluation, collect, score
from wsol.evaluation.readings import readings_of
from wsol.evaluation.readings.absence import LOWEST
from wsol.evaluation.score_map import resize
from wsol.scores.detection_curves import Auroc, FalseAlarms, HighestReaching
from wsol.scores.map_quantiles import share_above
from wsol.scores.metrics import metrics_of
from wsol.scores.per_image import PerImage
from wsol.scores.protocol import Protocol, ThresholdPolicy, protocol_named
from wsol.scores.resampling.weights import resample_weights
from wsol.scores.samples import Annotation, Prediction

HALFOPEN = dataclasses.replace(protocol_named("halfopen", 0.05), size=32)
VAL = ThresholdPolicy("val")
BOX = np.array([[4, 4, 12, 12]], np.float32)


def scene(present=30, absent=20, seed=0):
    """Maps of few distinct maxima, higher where there is an object; probabilities likewise."""
    rng = np.random.default_rng(seed)
    annotations, predictions = [], []
    for row in range(present + absent):
        shown = row < present
        boxes = BOX if shown else np.zeros((0, 4), np.float32)
        annotations.append(Annotation(str(row), row % 3 if shown else -1, (16, 16), boxes, boxes))
        score_map = rng.normal(size=(4, 4)).round(1) - 1
        score_map[1:3, 1:3] += rng.integers(0, 4) + 2 * shown
        likely = float(rng.integers(3, 8) + 2 * shown) / 10
        predictions.append(
            Prediction(
                str(row),
                row % 3 if shown else -1,
                top5=(row % 2, 2),
                probabilities=(likely, 1 - likely),
                score_map=score_map.astype(np.float32),
            )
        )
    return predictions, annotations


def arrays(**shape) -> PerImage:
    return collect(*scene(**shape), HALFOPEN)


def fpr_at(truth, scores, recall=0.95):
    """scikit-learn's first threshold of that recall: its rate of false alarms, and itself."""
    alarms, hits, thresholds = roc_curve(truth, scores, drop_intermediate=False)
    first = int(np.argmax(hits >= recall))
    return 100 * alarms[first], thresholds[first]


def test_what_is_read_of_each_image():
    predictions, annotations = scene(4, 3)
    predictions[1] = dataclasses.replace(
        predictions[1], score_map=np.full((4, 4), np.nan, np.float32), probabilities=()
    )
    mask = np.zeros((16, 16), bool)
    mask[:8] = True
    predictions[2] = dataclasses.replace(predictions[2], score_map=None, mask=mask)
    predictions[5] = dataclasses.replace(predictions[5], score_map=None, boxes=BOX[:0])
    read = collect(predictions, annotations, HALFOPEN).readings
    assert read["object_present"].tolist() == [True] * 4 + [False] * 3
    assert read["map_maximum"][0] == predictions[0].score_map.max()
    assert read["map_maximum"][[1, 2, 5]].tolist() == [LOWEST, 1, 0]
    assert np.isnan(read["probability"]).tolist() == [False, True] + [False] * 5
    assert read["probability"][0] == np.float32(max(predictions[0].probabilities))
    assert np.isnan(read["map_quantiles"][[1, 5]]).all()
    assert read["map_quantiles"][2].mean() == pytest.approx(0.5, abs=0.02)
    whole = resize(predictions[0].score_map, (32, 32)).astype(np.float32)
    assert read["map_quantiles"][0][[0, -1]].tolist() == [whole.min(), whole.max()]
    assert (np.diff(read["map_quantiles"][0]) >= 0).all()


def test_it_is_read_only_where_some_images_have_an_object_and_others_have_nothing():
    _, annotations = scene(2, 2)
    assert [type(one).__name__ for one in readings_of(annotations, HALFOPEN)] == ["Absence"]
    assert readings_of(annotations[:2], HALFOPEN) == readings_of(annotations[2:], HALFOPEN) == []
    unlabelled = [*annotations[:2], dataclasses.replace(annotations[0], label=-1)]
    assert readings_of(unlabelled, HALFOPEN) == []
    assert not any("auroc" in key for key in score(collect(*scene(5, 0), HALFOPEN), HALFOPEN).metrics)


@pytest.mark.parametrize(("by", "array"), [("map", "map_maximum"), ("softmax", "probability")])
def test_auroc_and_fpr_are_scikit_learns(by, array):
    per_image = arrays()
    truth, scores = per_image.readings["object_present"], per_image.readings[array]
    assert len(np.unique(scores)) < len(scores), "ties are what is tested"
    found = score(per_image, HALFOPEN)
    assert found[f"{by}_auroc"] == pytest.approx(100 * roc_auc_score(truth, scores))
    fpr, threshold = fpr_at(truth, scores)
    assert found[f"{by}_fpr95"] == pytest.approx(fpr)
    assert found.threshold["values"][f"{by}_fpr95"] == threshold
    assert f"{by}_auroc" not in found.threshold["values"]
    for key in (f"{by}_auroc", f"{by}_fpr95"):
        each = found.metrics[key]
        assert 0 <= each["low"] <= each["value"] <= each["high"] <= 100


def test_resamples_are_those_of_images_drawn_again_and_again():
    per_image = arrays(present=12, absent=7)
    truth, scores = per_image.readings["object_present"], per_image.readings["map_maximum"]
    metric = metrics_of(HALFOPEN)["map_fpr95"]
    candidates = metric.candidates(per_image, HALFOPEN.thresholds)
    (weights,) = resample_weights(len(truth), 200)
    weights[-1] = truth  # a resample without one kind of images
    auroc = Auroc(scores, truth)(weights)[:, 0]
    chosen = np.argmax(HighestReaching(scores, truth, candidates, 95)(weights), axis=1)
    fpr = FalseAlarms(scores, truth, candidates)(weights)[np.arange(200), chosen]
    for row, counts in enumerate(weights[:-1]):
        drawn = np.repeat(np.arange(len(truth)), counts.astype(int))
        assert auroc[row] == pytest.approx(100 * roc_auc_score(truth[drawn], scores[drawn]))
        assert fpr[row] == pytest.approx(fpr_at(truth[drawn], scores[drawn])[0])
    assert np.isnan(auroc[-1]) and np.isnan(fpr[-1])


def test_candidates_are_few_of_many_images_and_hold_the_quantile_of_every_resample():
    rng = np.random.default_rng(0)
    per_image = arrays(present=30, absent=20)
    per_image.readings["object_present"] = truth = np.arange(2000) < 1500
    per_image.readings["map_maximum"] = scores = rng.normal(size=2000).astype(np.float32)
    metric = metrics_of(HALFOPEN)["map_fpr95"]
    candidates = metric.candidates(per_image, HALFOPEN.thresholds)
    assert len(candidates) < 200
    for weights in resample_weights(2000, 200):
        chosen = np.argmax(HighestReaching(scores, truth, candidates, 95)(weights), axis=1)
        assert chosen.min() > 0 and chosen.max() < len(candidates) - 1


def from_val(per_image, val, protocol: Protocol = HALFOPEN) -> Evaluation:
    return score(per_image, protocol, policy=VAL, val=val)


def test_under_the_policy_val_the_thresholds_are_those_of_val():
    per_image = arrays()
    predictions, annotations = scene(25, 0, seed=1)
    # Val shows no image without an object: what is read of it is what the scored split allows.
    val = collect(predictions, annotations, HALFOPEN, readings=readings_of(scene()[1], HALFOPEN))
    found = from_val(per_image, val)
    scores, truth = per_image.readings["map_maximum"], per_image.readings["object_present"]
    rising = np.sort(val.readings["map_maximum"])
    threshold = next(t for t in rising[::-1] if (rising >= t).mean() >= 0.95)
    assert found.threshold["values"]["map_fpr95"] == threshold
    assert found["map_fpr95"] == pytest.approx(100 * (scores[~truth] >= threshold).mean())
    assert "map_fpr95" not in found.optimism
    again = score(per_image, HALFOPEN, policy=VAL, val=val)
    kept = found.threshold["values"]
    assert again.metrics == found.metrics
    assert from_val(per_image, kept).metrics == found.metrics, "a record's thresholds are enough"


def test_the_mask_is_that_of_maps_at_vals_scale():
    predictions, annotations = scene()
    val = arrays(seed=1)
    found = from_val(collect(predictions, annotations, HALFOPEN), val)
    shown = [np.asarray(one.score_map) for one in scene(seed=1)[0][:30]]
    resized = [resize(one, (32, 32)) for one in shown]
    low, high = np.mean([one.min() for one in resized]), np.mean([one.max() for one in resized])
    share = score(val, HALFOPEN, intervals=False).threshold["values"]["max_box_acc@0.5"]
    threshold = low + share * (high - low)
    assert found.threshold["values"]["mask_area_absent"] == pytest.approx(threshold, abs=1e-5)
    areas = [(resize(one.score_map, (32, 32)) >= threshold).mean() for one in predictions]
    assert found["mask_area_absent"] == pytest.approx(100 * np.mean(areas[30:]), abs=100 / 64)
    assert found["mask_area_present"] == pytest.approx(100 * np.mean(areas[:30]), abs=100 / 64)
    assert found["mask_area_absent"] < found["mask_area_present"]


def test_shares_above_a_score_by_hand():
    rising = np.linspace(0, 1, 65)
    flat = np.repeat([0.0, 2.0], [33, 32])
    found = share_above(np.stack([rising, flat, np.full(65, np.nan)]), np.array([-1, 0, 0.25, 1, 1.5]))
    np.testing.assert_allclose(found[0], [1, 1, 0.75, 0, 0])
    np.testing.assert_allclose(found[1], [1, 1, 0.5 - 0.125 / 64, 0.5 - 0.5 / 64, 0.5 - 0.75 / 64])
    assert not found[2].any()


def test_what_a_fixed_threshold_of_normalised_maps_cannot_say():
    found = score(arrays(), HALFOPEN, policy=ThresholdPolicy("fixed", 0.2))
    assert found["map_auroc"] is not None
    assert found["map_fpr95"] is found["mask_area_absent"] is None


def test_classes_are_asked_of_images_that_have_one():
    per_image = arrays()
    assert score(per_image, HALFOPEN)["top1_acc"] == pytest.approx(100 * per_image.top1[:30].mean())
    assert (per_image.top1[30:] == -1).all()
    found = metrics_of(HALFOPEN)["top1_loc@0.5"].image_scores(per_image, 0.2)
    assert found is not None and np.isnan(found).tolist() == [False] * 30 + [True] * 20


def test_without_probabilities_the_softmax_has_no_figure():
    predictions, annotations = scene()
    predictions = [dataclasses.replace(one, probabilities=()) for one in predictions]
    found = score(collect(predictions, annotations, HALFOPEN), HALFOPEN)
    assert "map_auroc" in found.metrics and "softmax_auroc" not in found.metrics
