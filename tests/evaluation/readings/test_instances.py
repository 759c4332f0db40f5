"""Figures of several objects an image: by hand, from drawn maps to metrics, AP by scikit-learn."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from wsol.evaluation.evaluator import collect
from wsol.evaluation.readings import readings_of
from wsol.evaluation.split_scores import compute
from wsol.scores.instances import RANKED_CUTS
from wsol.scores.protocol import protocol_named
from wsol.scores.samples import Annotation, Prediction

PROTOCOL = protocol_named("halfopen")
SIDE = 224
BOXES = np.array([[10, 10, 60, 60], [120, 10, 170, 60], [10, 120, 60, 170]], np.float32)


def image(name, count):
    boxes = BOXES[:count]
    return Annotation(
        name,
        0,
        (SIDE, SIDE),
        boxes,
        boxes,
        box_labels=np.zeros(count, int),
        box_instances=np.arange(count),
    )


def drawn(name, *values):
    """A map with the boxes of `BOXES` filled by ``values``."""
    score_map = np.zeros((SIDE, SIDE), np.float32)
    for (x0, y0, x1, y1), value in zip(BOXES.astype(int), values, strict=False):
        score_map[y0:y1, x0:x1] = value
    return Prediction(name, 0, score_map=score_map)


def scored(annotations, predictions, **options):
    per_image = collect(predictions, annotations, PROTOCOL, threads=1)
    return per_image, compute(per_image, PROTOCOL, resamples=0, **options)


def test_by_hand_on_three_images():
    # Two objects of two; one of three (the other two dark); one object and a contour beside it.
    annotations = [image("a", 2), image("b", 3), image("c", 1)]
    predictions = [drawn("a", 1.0, 0.9), drawn("b", 1.0), drawn("c", 1.0, 0.8)]
    _, scores = scored(annotations, predictions)
    # From .8 up to below .9 c has one contour: 4 hits, 4 contours, 6 objects.
    assert 0.8 <= scores.threshold["values"]["instance_f1@0.5"] < 0.9
    assert scores["instance_f1@0.5"] == pytest.approx(100 * 2 * 4 / (4 + 6))
    assert scores["instance_recall@0.5"] == pytest.approx(100 * 4 / 6)
    assert scores["instance_precision@0.5"] == pytest.approx(100)
    assert scores["all_instances@0.5"] == pytest.approx(100 * 2 / 3)
    assert scores["single_cap"] == pytest.approx(100 * 3 / 6)
    assert scores["max_box_acc@0.5"] == pytest.approx(100)


def test_a_blob_over_all_finds_none_of_them():
    score_map = np.zeros((SIDE, SIDE), np.float32)
    score_map[10:170, 10:170] = 1
    _, scores = scored([image("a", 3)], [Prediction("a", 0, score_map=score_map)])
    assert scores["instance_f1@0.5"] == scores["instance_recall@0.5"] == 0
    assert scores["instance_ap@0.5"] == 0


def test_intervals_equal_loops_over_resamples():
    rng = np.random.default_rng(3)
    names = [f"i{number}" for number in range(25)]
    annotations = [image(name, int(rng.integers(1, 4))) for name in names]
    predictions = [drawn(name, *rng.choice([0.0, 0.3, 0.6, 1.0], 3)) for name in names]
    per_image, _ = scored(annotations, predictions)
    from wsol.scores.metrics import metrics_of

    metric = metrics_of(PROTOCOL)["instance_f1@0.5"]
    thresholds = np.array([0.1, 0.4, 0.7])
    weights = rng.integers(0, 4, (6, 25)).astype(np.float32)
    found = metric.curve(per_image, thresholds)(weights)
    for row, own in enumerate(weights):
        for column, threshold in enumerate(thresholds):
            cut = int(threshold * 255)
            hits = contours = there = 0
            for place, times in enumerate(own.astype(int)):
                hits += times * int(per_image.readings["instance_hits"][place, cut])
                contours += times * int(per_image.readings["instance_contours"][place, cut])
                there += times * len(annotations[place].boxes)
            assert found[row, column] == pytest.approx(100 * 2 * hits / (contours + there))


def test_ap_is_scikit_learns():
    rng = np.random.default_rng(5)
    names = [f"i{number}" for number in range(40)]
    annotations = [image(name, int(rng.integers(1, 4))) for name in names]
    predictions = [drawn(name, *rng.random(3)) for name in names]
    per_image, _ = scored(annotations, predictions)
    from wsol.scores.metrics import metrics_of

    metric = metrics_of(PROTOCOL)["instance_ap@0.5"]
    thresholds = metric.candidates(per_image, PROTOCOL.thresholds)
    found = metric.curve(per_image, thresholds)(np.ones((1, 40), np.float32))[0]
    objects = sum(len(annotation.boxes) for annotation in annotations)
    for place in (0, 5, 11):
        scores, hits = [], []
        for annotation, prediction in zip(annotations, predictions, strict=True):
            levels = (prediction.score_map / prediction.score_map.max() * 255).astype(np.uint8)
            for number, (x0, y0, _, _) in enumerate(BOXES.astype(int)):
                level = int(levels[y0 + 5, x0 + 5])
                if level > RANKED_CUTS[place]:
                    scores.append(level * 16 // 256)
                    hits.append(number < len(annotation.boxes))
        wanted = average_precision_score(hits, scores) * sum(hits) / objects
        assert found[place] == pytest.approx(100 * wanted)


def test_it_is_read_only_where_an_image_shows_several_numbered_things():
    one = [image("a", 1), image("b", 1)]
    assert not [name for each in readings_of(one, PROTOCOL) for name in each.empty(one)]
    many = [image("a", 1), image("b", 2)]
    assert [name for each in readings_of(many, PROTOCOL) for name in each.empty(many)] == [
        "instances",
        "instance_contours",
        "instance_hits",
        "instance_ranks",
    ]


def test_boxes_that_are_given_are_matched_too():
    annotations = [image("a", 2), image("b", 3)]
    predictions = [Prediction("a", 0, boxes=BOXES[:2]), Prediction("b", 0, boxes=BOXES[[0, 0]])]
    _, scores = scored(annotations, predictions)
    assert scores["instance_recall@0.5"] == pytest.approx(100 * 3 / 5)
    assert scores["instance_precision@0.5"] == pytest.approx(100 * 3 / 4)
    assert scores["all_instances@0.5"] == pytest.approx(50)
