"""Recall, precision and AP by hand."""

from __future__ import annotations

import numpy as np
import pytest

from wsol.evaluation.objects.average_precision import Ranking
from wsol.evaluation.objects.figures import object_figures
from wsol.evaluation.objects.image_objects import ImageObjects, pair_iou
from wsol.evaluation.objects.matching import LEVELS, SCORED_LEVELS, match
from wsol.evaluation.objects.tally import Tally

A, B, C = (0, 0, 10, 10), (20, 0, 30, 10), (40, 0, 50, 10)
FAR = (80, 80, 90, 90)


def figures(images, names=("",), scored=True):
    """Of images, each ``(predicted boxes, scores, classes), (true boxes, classes, ignored)``."""
    tally, levels = Tally(), SCORED_LEVELS if scored else np.array(LEVELS)
    for (boxes, scores, classes), (true, labels, ignore) in images:
        sides = (
            ImageObjects.of_boxes(np.array(boxes), classes, scores=np.array(scores) if scored else None),
            ImageObjects.of_boxes(np.array(true), labels, ignore),
        )
        tally.add(*sides, match(*sides, pair_iou(*sides), levels))
    return object_figures(tally.tallied(), names, levels, scored=scored)


def values(group):
    return {key: figure["value"] for key, figure in group.figures.items()}


def test_ap_of_five_predictions_by_hand():
    # By falling score: right, wrong, right, wrong, right; four objects, of which one is never found.
    images = [
        (([A, FAR, B], [0.9, 0.8, 0.7], None), ([A, B, (60, 60, 70, 70)], None, None)),
        (([FAR, C], [0.6, 0.5], None), ([C], None, None)),
    ]
    found = values(figures(images).everything)
    assert found["recall@0.5"] == 75.0 and found["precision@0.5"] == 60.0
    # Recalls up to 0.25 read precision 1, up to 0.5 read 2/3, up to 0.75 read 3/5, beyond nothing.
    expected = (26 * 1 + 25 * 2 / 3 + 25 * 3 / 5) / 101
    for key in ("ap@0.3", "ap@0.5", "ap@0.7", "ap@0.5:0.95"):
        assert found[key] == pytest.approx(100 * expected)


def test_a_second_prediction_of_one_object_is_wrong():
    images = [(([A, A], [0.5, 0.9], None), ([A], None, None))]
    found = values(figures(images).everything)
    assert (found["recall@0.5"], found["precision@0.5"], found["ap@0.5"]) == (
        100,
        50,
        pytest.approx(100),
    )


def test_ignored_objects_take_predictions_and_neither_counts():
    images = [
        (([A, FAR, FAR, B], [0.9, 0.8, 0.7, 0.6], None), ([A, FAR, B], None, [False, True, False]))
    ]
    found = figures(images).everything
    assert found.objects == 2
    assert [values(found)[key] for key in ("recall@0.5", "precision@0.5")] == [100, 100]


def test_classes_are_matched_apart_and_their_mean_is_of_those_with_objects():
    images = [
        (([A, B, C], [0.9, 0.8, 0.7], [0, 0, 2]), ([A, B], [0, 1], None)),
        (([B], [0.6], [1]), ([B], [1], None)),
    ]
    found = figures(images, ("cat", "dog", "hen"))
    cat, dog, hen = (values(group) for group in found.classes)
    assert (cat["recall@0.5"], cat["precision@0.5"]) == (100, 50)
    assert (dog["recall@0.5"], dog["precision@0.5"]) == (50, 100)
    assert hen["recall@0.5"] is None and hen["precision@0.5"] == 0 and hen["ap@0.5"] is None
    mean, everything = values(found.mean), values(found.everything)
    assert (mean["recall@0.5"], mean["precision@0.5"]) == (75, 75)
    assert everything["recall@0.5"] == pytest.approx(200 / 3) and everything["precision@0.5"] == 50
    assert mean["ap@0.5"] == pytest.approx((cat["ap@0.5"] + dog["ap@0.5"]) / 2)


def test_without_scores_pairs_are_as_many_as_possible_and_there_is_no_ap():
    # The first prediction fits both objects, the left one better; the second fits the left one only.
    left, right = (0, 0, 10, 10), (0, 0, 10, 14)
    images = [(([(0, 0, 10, 11), (0, 0, 10, 7)], None, None), ([left, right], None, None))]
    found = values(figures(images, scored=False).everything)
    assert found["recall@0.5"] == found["precision@0.5"] == 100
    assert not any(key.startswith("ap") for key in found)
    assert found["recall@0.7"] == 100


def test_predictions_in_images_without_objects_are_false_positives_only():
    images = [
        (([A], [0.9], None), ([A], None, None)),
        (([FAR], [0.95], None), (np.zeros((0, 4)), None, None)),
    ]
    found = figures(images).everything
    assert [values(found)[key] for key in ("recall@0.5", "precision@0.5")] == [100, 50]
    assert values(found)["ap@0.5"] == pytest.approx(50)


def test_intervals_are_those_of_resampled_images():
    generator = np.random.default_rng(5)
    images = []
    for _ in range(40):
        true = [A, B, C][: generator.integers(1, 4)]
        boxes = [box if generator.random() < 0.7 else FAR for box in true]
        images.append(((boxes, generator.random(len(boxes)), None), (true, None, None)))
    found = figures(images).everything.figures
    right = np.array([sum(box != FAR for box in boxes) for (boxes, _, _), _ in images])
    count = np.array([len(true) for _, (true, _, _) in images])
    draws = np.random.default_rng(1).integers(0, 40, (4000, 40))
    low, high = np.quantile(100 * right[draws].sum(axis=1) / count[draws].sum(axis=1), [0.025, 0.975])
    assert found["recall@0.5"]["low"] == pytest.approx(low, abs=3)
    assert found["recall@0.5"]["high"] == pytest.approx(high, abs=3)
    assert found["ap@0.5"]["low"] < found["ap@0.5"]["value"] < found["ap@0.5"]["high"]


def test_ap_of_weighted_images_is_that_of_images_given_so_often():
    generator = np.random.default_rng(7)
    images = []
    for _ in range(12):
        boxes = [box if generator.random() < 0.6 else FAR for box in (A, B, C)]
        images.append(((boxes, generator.random(3), None), ([A, B, C], None, None)))
    weights = generator.integers(0, 4, 12)
    tally = Tally()
    for (boxes, scores, _), (true, _, _) in images:
        sides = (
            ImageObjects.of_boxes(np.array(boxes), scores=scores),
            ImageObjects.of_boxes(np.array(true)),
        )
        tally.add(*sides, match(*sides, pair_iou(*sides), SCORED_LEVELS))
    tallied = tally.tallied()
    ranking = Ranking(tallied, tallied.classes, tallied.true_classes, 1, len(SCORED_LEVELS))
    repeated = [image for image, weight in zip(images, weights, strict=True) for _ in range(weight)]
    expected = values(figures(repeated).everything)["ap@0.5"]
    assert 100 * ranking.average_precision(weights)[0, 1] == pytest.approx(expected)
