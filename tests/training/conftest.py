"""A tiny clutter, a tiny recipe on it, and a run on the CPU; the toy methods can be imported."""

import csv
import dataclasses
from pathlib import Path

import pytest
import torch
from torch import nn

from wsol.data.layouts.clutter import LAYOUT
from wsol.data.manifest.manifest import Manifest
from wsol.data.prepare import prepare
from wsol.models.factory import build_localizer
from wsol.recipe import (
    BackboneSettings,
    DataSettings,
    EvaluationSettings,
    How,
    MethodSettings,
    Recipe,
    TrainingSettings,
)
from wsol.training.device import launch
from wsol.training.loop import train
from wsol.training.run_folder import RunFolder, training_id
from wsol.training.training_state import TrainingState


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


@pytest.fixture
def run():
    """Trains; gives the folder and its log, a dictionary a line."""

    def train_in(recipe, split, path):
        train(recipe, split, RunFolder(path), launch("cpu", recipe.training.precision))
        with (path / "log.csv").open() as file:
            return path, list(csv.DictReader(file))

    return train_in


@pytest.fixture
def whole_run(run):
    """Trains; gives what the run's resume.pth holds at the end, and its log."""

    def train_in(recipe, split, path):
        folder, log = run(recipe, split, path)
        return RunFolder(folder).progress(), log

    return train_in


@pytest.fixture
def start():
    """Gives the network as a recipe's run begins with it."""

    def draw(recipe, split):
        torch.manual_seed(recipe.seed)
        return build_localizer(recipe, len(split.class_keys), split.class_keys)

    return draw


@pytest.fixture
def equal():
    """Compares two mappings of names to tensors."""

    def compare(first, second):
        same = first.keys() == second.keys()
        return same and all(torch.equal(first[key], second[key]) for key in first)

    return compare


@pytest.fixture
def interrupt_after():
    """The next call of ``TrainingState``'s method does its work and is then interrupted."""

    def patch(monkeypatch, method_name):
        real = getattr(TrainingState, method_name)

        def cut(*arguments):
            real(*arguments)
            raise KeyboardInterrupt

        monkeypatch.setattr(TrainingState, method_name, cut)

    return patch


@pytest.fixture
def facts():
    """What a run says of itself at the least."""
    return {"manifest_hash": "0f", "class_keys": ["a"], "cost": {"params": 3}}


@pytest.fixture
def finished_run(tmp_path, facts):
    """Gives a finished run with the weights of ones, those of its folds where there are any."""

    def make(parts=()):
        folder = RunFolder(tmp_path)
        module = nn.Linear(3, 2)
        nn.init.ones_(module.weight)
        for place in [folder.fold(number) for number in parts] or [folder]:
            place.save_weights(module, "last")
        folder.write_recipe(Recipe())
        folder.write_facts({**facts, "training_id": training_id(Recipe(), "0f")})
        return folder

    return make


@pytest.fixture
def frozen_of(recipe_of):
    """Gives a recipe with a frozen network, whose images are neither cropped nor flipped."""

    def make(method="cam", options=None, **changes):
        recipe = recipe_of(method, options, freeze="backbone", **changes)
        data = dataclasses.replace(recipe.data, resize_size=32, flip=False)
        backbone = BackboneSettings("small_resnet", options={"widths": [4, 6, 8], "blocks": 1})
        return dataclasses.replace(recipe, data=data, backbone=backbone)

    return make


@pytest.fixture
def state():
    """Gives the tensors of a run's method, by name."""

    def read(folder):
        progress = RunFolder(folder).progress()
        assert progress is not None
        return progress["module"]

    return read
