"""A tiny clutter, a tiny recipe on it, and a run on the CPU; the toy methods can be imported."""

from pathlib import Path

import pytest

from wsol.data.layouts.clutter import LAYOUT
from wsol.data.manifest.manifest import Manifest
from wsol.data.prepare import prepare
from wsol.recipe import (
    BackboneSettings,
    DataSettings,
    EvaluationSettings,
    How,
    MethodSettings,
    Recipe,
    TrainingSettings,
)


@pytest.fixture(scope="session")
def tiny_split(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clutter") / "manifest"
    options = LAYOUT.options()
    options.size, options.train, options.val, options.test = 32, 20, 10, 4
    prepare("clutter", None, folder, options=options)
    return Manifest.read(folder).split("train")


@pytest.fixture
def recipe_of(tiny_split):
    """Gives the tiny recipe for a method, its options and changes of the training."""

    def make(method="cam", options=None, **training):
        changes = {"epochs": 2, "batch_size": 8, "lr": 0.05, "schedule": "cosine", **training}
        return Recipe(
            data=DataSettings(
                manifest=tiny_split.manifest.folder.as_posix(), input_size=32, resize_size=40
            ),
            backbone=BackboneSettings("small_resnet", options={"widths": [4, 6], "blocks": 1}),
            method=MethodSettings(method, options or {}),
            training=TrainingSettings(**changes),
            evaluation=EvaluationSettings(batch_size=8),
            how=How(device="cpu", workers=0),
            seed=3,
        )

    return make


@pytest.fixture(autouse=True)
def toy_methods_on_path(monkeypatch):
    monkeypatch.syspath_prepend(Path(__file__).parents[1] / "methods")
