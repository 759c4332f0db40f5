"""Run folders: identity, weights of another model, what killed processes left."""

import os

import pytest
import torch
from torch import nn

from wsol.errors import UserError
from wsol.recipe import Recipe
from wsol.training.run_folder import RunFolder, run_name, training_id


def test_identity_is_of_what_was_trained_not_of_how_it_is_scored():
    recipe = Recipe()
    first = training_id(recipe, "ab")
    scored_otherwise = recipe.changed(evaluation={"batch_size": 7}, how={"device": "cuda"})
    assert training_id(scored_otherwise, "ab") == first
    assert training_id(recipe, "cd") != first
    assert training_id(recipe.changed(training={"lr": 0.5}), "ab") != first
    assert run_name(recipe, "ab").startswith("clutter-resnet50-none-cam-seed0-")


def test_weights_come_back_and_another_models_are_refused(tmp_path):
    folder = RunFolder(tmp_path / "run")
    module = nn.Linear(3, 2)
    folder.save_weights(module, "last")
    again = nn.Linear(3, 2)
    folder.load_weights(again, "last")
    assert torch.equal(again.weight, module.weight)
    with pytest.raises(UserError, match=r"last\.safetensors: not a checkpoint of this model"):
        folder.load_weights(nn.Linear(4, 2), "last")
    with pytest.raises(UserError, match="no such checkpoint"):
        folder.load_weights(again, "val_cls")
    with pytest.raises(UserError, match="there are last, val_cls, val_loc"):
        folder.load_weights(again, "best")
    (folder.path / "last.safetensors").write_bytes(b"not weights")
    with pytest.raises(UserError, match="not a checkpoint"):
        folder.load_weights(again, "last")


def test_tied_and_strided_tensors_are_saved(tmp_path):
    module = nn.Linear(3, 3)
    module.register_buffer("turned", module.weight.detach().t())
    folder = RunFolder(tmp_path)
    folder.save_weights(module, "last")
    expected = module.weight.detach().t().clone()
    folder.load_weights(module, "last")
    assert torch.equal(module.turned, expected)


def test_not_a_run_folder(tmp_path):
    with pytest.raises(UserError, match="not a run folder"):
        RunFolder(tmp_path).recipe()


def test_what_a_killed_process_left_in_a_finished_run_is_removed(finished_run, tmp_path):
    folder = finished_run((0, 1))
    for left in ("resume.pth", "fold0/resume.pth", ".lock-0123abcd"):
        (tmp_path / left).touch()
    os.utime(tmp_path / ".lock-0123abcd", (0, 0))
    folder.tidy()
    found = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.*"))
    assert found == [
        "fold0/last.safetensors",
        "fold1/last.safetensors",
        "recipe.yaml",
        "run.json",
    ]
