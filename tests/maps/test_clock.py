"""What a pass costs, and what a source of it costs alone."""

from __future__ import annotations

import pytest
import torch

from wsol.data.loading.loader import Batch
from wsol.maps.clock import Clock
from wsol.maps.reading import MapReader
from wsol.models.factory import build_localizer
from wsol.recipe import Recipe


def test_medians_without_the_first_batch():
    clock = Clock()
    assert clock.images_per_second is None and clock.ms_per_image is None
    clock.count(10, 100.0, 100.0)
    assert clock.images_per_second is None and clock.ms_per_image is None
    for whole, own in ((2.0, 1.0), (4.0, 1.5), (5.0, 4.0)):
        clock.count(10, whole, own)
    assert clock.images_per_second == 2.5
    assert clock.ms_per_image == 150.0


def test_each_source_pays_for_the_pass_and_for_its_own_reading(monkeypatch):
    recipe = Recipe.from_dict({"backbone": {"name": "small_resnet"}, "data": {"input_size": 32}})
    model = build_localizer(recipe, 2, ["a", "b"]).eval()
    batch = Batch(torch.zeros(2, 3, 32, 32), torch.zeros(2).long(), ["x", "y"], torch.arange(2), 1)
    # The clock's hands: start, end of the pass, end of cam, end of features.
    hands = iter([0.0, 10.0, 11.0, 14.0])
    monkeypatch.setattr("wsol.maps.reading.time.perf_counter", lambda: next(hands))
    clocks = {"cam": Clock(), "features": Clock()}
    list(MapReader(model, ["a", "b"]).pairs([batch], list(clocks), clocks))
    assert clocks["cam"].batches == [(2, 14.0, pytest.approx(11.0))]
    assert clocks["features"].batches == [(2, 14.0, pytest.approx(13.0))]
