"""A tiny token network of three classes, three images, and what a source reads from them."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from wsol.data.loading.loader import Batch
from wsol.maps.reading import MapReader
from wsol.models.factory import build_localizer
from wsol.recipe import Recipe

KEYS = ["a", "b", "c"]
TINY = {"depth": 2, "embed_dim": 48, "num_heads": 3}
SOURCES = [
    "class_token",
    "class_token:0",
    "rollout",
    "legrad",
    "legrad:1",
    "cut",
    "cut:component",
    "cut:keys",
    "cut:keys.component",
]


@pytest.fixture
def sources():
    """The sources that read tokens of a network that decides by its class token."""
    return SOURCES


@pytest.fixture(params=SOURCES)
def source(request):
    """Each of them."""
    return request.param


@pytest.fixture(scope="session")
def built():
    """Builds a localizer in evaluation mode, with weights that tell patches apart."""

    def make(name="vit_tiny_patch16_224", head="class_token", options=TINY, **more):
        torch.manual_seed(0)
        parts = {
            "backbone": {"name": name, "options": dict(options)},
            "data": {"input_size": 64, "resize_size": 64},
            "head": {"name": head},
        }
        localizer = build_localizer(Recipe.from_dict(parts | more), 3, KEYS).eval()
        with torch.no_grad():  # weights of 0.02 attend evenly, and patches all look the same
            for parameter in localizer.parameters():
                parameter.add_(torch.randn_like(parameter) * 0.1)
        return localizer

    return make


@pytest.fixture(scope="session")
def batch_of():
    """Makes a batch of images."""

    def make(images, labels=(0, 2, 1)):
        ids = [f"image{number}" for number in range(len(images))]
        return Batch(
            images, torch.tensor(labels[: len(images)]), ids, torch.arange(len(images)), len(images)
        )

    return make


@pytest.fixture(scope="session")
def batch(batch_of):
    return batch_of(torch.randn(3, 3, 64, 64, generator=torch.Generator().manual_seed(1)))


@pytest.fixture(scope="session")
def maps():
    """Reads the maps (N, h, w) of a batch by one source."""

    def make(localizer, batch, source, keys=KEYS, groups=None):
        reader = MapReader(localizer, keys, groups)
        return np.stack([one.score_map for one in reader.predictions([batch], source)])

    return make
