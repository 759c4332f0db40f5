"""What is told of the classes of queries, and the figures made of it."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from wsol.board.rows.columns import metric_columns
from wsol.evaluation.evaluator import collect, evaluate
from wsol.evaluation.readings import readings_of
from wsol.evaluation.split_scores import compute, evaluate_metric, metric_keys
from wsol.scores.merged_arrays import merged as merge_parts
from wsol.scores.metrics import metrics_of
from wsol.scores.per_image import PerImage
from wsol.scores.protocol import protocol_named
from wsol.scores.samples import Annotation, Prediction

HALFOPEN = protocol_named("halfopen", 0.1)
BOX = np.array([[2, 2, 6, 6]], np.float32)
MAP = np.pad(np.ones((4, 4), np.float32), 2)


def queries(present: dict[str, tuple[int, ...]]) -> list[Annotation]:
    """The queries of images by the classes that they show."""
    return [
        Annotation(f"{image}@{label}", label, (8, 8), BOX, BOX, group=image, present=classes)
        for image, classes in present.items()
        for label in classes
    ]


def predictions(annotations: list[Annotation], top5: dict[str, tuple[int, ...]]) -> list[Prediction]:
    return [Prediction(one.image_id, one.label, top5[one.group], MAP) for one in annotations]


SHOWN = {"a": (0, 3), "b": (1,), "c": (0, 2, 4)}
# a: the first is not there, one of two among the first two; b: right; c: right, two of three.
TOP5 = {"a": (1, 3, 0), "b": (1, 0, 2), "c": (4, 1, 2, 0)}


def test_the_flags_by_hand():
    annotations = queries(SHOWN)
    per_image = collect(predictions(annotations, TOP5), annotations, HALFOPEN)
    assert per_image.groups.tolist() == ["a", "a", "b", "c", "c", "c"]
    assert per_image.readings["class_within"].tolist() == [0, 0, 1, 1, 1, 1]
    assert per_image.readings["class_found"].tolist() == [0, 1, 1, 0, 1, 1]
    assert per_image.top1.tolist() == per_image.top5.tolist() == [-1] * 6


def test_within_is_of_images_and_recall_of_queries():
    annotations = queries(SHOWN)
    scores = evaluate(predictions(annotations, TOP5), annotations, HALFOPEN)
    assert scores["top1_within"] == pytest.approx(100 * 2 / 3)
    assert scores["recall_at_k"] == pytest.approx(100 * 4 / 6)
    for key in ("top1_acc", "top5_acc", "top1_loc@0.5", "top5_loc@0.5"):
        assert scores.metrics[key] == {"value": None, "low": None, "high": None}
    assert scores["max_box_acc@0.7"] == 100.0
    assert scores.n_images == 6 and scores.n_draws == 3
    # Three images that are all right allow 44 % (Wilson); six would allow 61 %.
    assert scores.metrics["max_box_acc@0.7"]["low"] == pytest.approx(43.85, abs=0.01)


def test_the_image_scores_are_of_the_images_and_of_the_queries():
    annotations = queries(SHOWN)
    per_image = collect(predictions(annotations, TOP5), annotations, HALFOPEN)
    metrics = metrics_of(HALFOPEN)
    within = metrics["top1_within"].image_scores(per_image, 0.0)
    np.testing.assert_array_equal(within, [0, np.nan, 1, 1, np.nan, np.nan])
    assert metrics["recall_at_k"].image_scores(per_image, 0.0).tolist() == [0, 1, 1, 0, 1, 1]


def test_against_a_bootstrap_of_images_by_loops():
    rng = np.random.default_rng(2)
    shown = {
        f"i{n}": tuple(sorted(rng.choice(7, rng.integers(1, 4), False).tolist())) for n in range(30)
    }
    top5 = {name: tuple(rng.permutation(7)[:5].tolist()) for name in shown}
    annotations = queries(shown)
    per_image = collect(predictions(annotations, top5), annotations, HALFOPEN)
    found = {name: [label in top5[name][: len(own)] for label in own] for name, own in shown.items()}
    assert compute(per_image, HALFOPEN, resamples=0)["recall_at_k"] == pytest.approx(
        100 * np.mean([flag for flags in found.values() for flag in flags])
    )
    draws, names = [], list(shown)
    generator = np.random.default_rng(0)
    for _ in range(500):
        drawn = [names[n] for n in generator.integers(0, 30, 30, dtype=np.int32)]
        draws.append(100 * np.mean([flag for name in drawn for flag in found[name]]))
    low, high = np.quantile(draws, [0.025, 0.975])
    entry = evaluate_metric(per_image, HALFOPEN, "recall_at_k", resamples=500)
    # The interval is never narrower than the percentiles, and Wilson's bounds reach little further.
    assert entry.low <= low + 1e-9 and entry.high >= high - 1e-9
    assert (entry.high - entry.low) < 1.25 * (high - low)


def test_of_more_classes_than_were_predicted_recall_is_not_told():
    annotations = queries({"a": (0, 1, 2, 3, 4, 5), "b": (1,)})
    top5 = {"a": (0, 1, 2, 3, 4), "b": (1, 0, 2, 3, 4)}
    scores = evaluate(predictions(annotations, top5), annotations, HALFOPEN, intervals=False)
    assert scores["top1_within"] == 100.0 and "recall_at_k" not in scores.metrics
    annotations = queries({"a": (0, 1)})
    per_image = collect(predictions(annotations, {"a": (1,)}), annotations, HALFOPEN)
    assert per_image.readings["class_found"].tolist() == [-1, -1]


def test_without_class_scores_neither_is_there():
    annotations = queries(SHOWN)
    scores = evaluate(predictions(annotations, dict.fromkeys(SHOWN, ())), annotations, HALFOPEN)
    assert not {"top1_within", "recall_at_k"} & scores.metrics.keys()
    assert scores["max_box_acc@0.5"] == 100.0


def test_images_that_are_no_queries_are_read_as_ever():
    annotations = [dataclasses.replace(one, group="", present=()) for one in queries(SHOWN)]
    assert readings_of(annotations, HALFOPEN) == []
    top5 = {"": (1, 3, 0)}
    scores = evaluate(predictions(annotations, top5), annotations, HALFOPEN, intervals=False)
    assert not scores.per_image.readings and scores.per_image.groups is None
    assert list(scores.metrics) == metric_keys(HALFOPEN) and scores["top1_acc"] is not None
    # Nor has a table a column for what no record tells.
    assert not {"top1_within", "recall_at_k"} & {*metric_columns([], {})}
    said = {key: one.specification for key, one in metrics_of(HALFOPEN).items()}
    shown = metric_columns(["top1_within", "recall_at_k"], said)
    assert shown[-2:] == ["top1_within", "recall_at_k"] and shown[:-2] == metric_columns([], {})


def test_shares_of_a_split_become_the_whole():
    annotations = queries(SHOWN)
    found = predictions(annotations, TOP5)
    readings = readings_of(annotations, HALFOPEN)
    shares = [
        collect(found[rank::2], annotations[rank::2], HALFOPEN, pixels=False, readings=readings)
        for rank in (0, 1)
    ]
    merged = merge_parts(shares, [one.image_id for one in annotations])
    whole = collect(found, annotations, HALFOPEN)
    assert merged.to_bytes() == whole.to_bytes()
    again = PerImage.from_bytes(whole.to_bytes())
    assert compute(again, HALFOPEN).metrics == compute(whole, HALFOPEN).metrics
