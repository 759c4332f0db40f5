"""Noise that belongs to an image."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from wsol.data.loading.loader import Batch
from wsol.errors import UserError
from wsol.maps import map_source
from wsol.maps.model_sources import passes
from wsol.maps.reading import MapReader
from wsol.models.factory import build_localizer
from wsol.recipe import Recipe


@pytest.fixture
def model():
    recipe = Recipe.from_dict({"backbone": {"name": "small_resnet"}, "data": {"input_size": 32}})
    return build_localizer(recipe, 3, ["a", "b", "c"]).eval()


def batch(*image_ids):
    count = len(image_ids)
    images = torch.randn(count, 3, 32, 32)
    return Batch(
        images, torch.zeros(count, dtype=torch.long), list(image_ids), torch.zeros(count), count
    )


def noise(model, *image_ids, source="random"):
    found = MapReader(model, ["a", "b", "c"]).predictions([batch(*image_ids)], source)
    return {one.image_id: one.score_map for one in found}


def test_an_image_has_the_same_noise_in_every_batch_and_another_than_others(model):
    several = noise(model, "x", "y", "z")
    np.testing.assert_array_equal(noise(model, "y")["y"], several["y"])
    assert not np.array_equal(several["x"], several["y"])
    with torch.no_grad():
        assert several["x"].shape == model(batch("x").images).features.shape[2:]


def test_it_is_uniform(model):
    values = noise(model, "x", source="random:200")["x"]
    assert values.shape == (200, 200) and values.min() >= 0 and values.max() < 1
    # Of 40,000 draws a tenth has 4,000, give or take 60.
    counts, _ = np.histogram(values, bins=10, range=(0, 1))
    assert np.abs(counts - 4000).max() < 400


def test_it_is_read_beside_other_maps_and_is_a_baseline():
    assert passes(["cam", "random"]) == [["cam", "random"]]
    assert map_source("random").described() == {"source": {"title": "random noise", "baseline": True}}
    with pytest.raises(UserError, match="the side of the noise must be a whole number"):
        map_source("random:big")
