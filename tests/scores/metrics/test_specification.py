"""Specifications as records keep them."""

from __future__ import annotations

import json

import pytest

from wsol.scores.metrics import metrics_of
from wsol.scores.metrics.specification import MetricSpecification, iou_name
from wsol.scores.protocol import protocol_named


def test_each_comes_back_from_json():
    for metric in metrics_of(protocol_named("choe2020")).values():
        said = metric.specification
        raw = json.loads(json.dumps(said.describe()))
        assert MetricSpecification.of_record(raw) == said


def test_what_is_the_default_is_not_said():
    said = MetricSpecification(key="a", name="A", needs=("masks",))
    assert said.describe() == {"key": "a", "name": "A", "needs": ("masks",)}


def test_what_is_no_specification_is_refused():
    with pytest.raises(TypeError, match="colour"):
        MetricSpecification.of_record({"key": "a", "name": "A", "colour": "red"})
    with pytest.raises(TypeError, match="name"):
        MetricSpecification.of_record({"key": "a"})


def test_ious_are_short():
    assert [iou_name(iou) for iou in (0.5, 0.45, 1.0)] == [".5", ".45", "1"]
